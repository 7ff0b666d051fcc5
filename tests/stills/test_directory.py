from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapupscale.stills.directory import first_directory, orientation, upright


def directory(order: str, *entries: tuple[int, int, int, bytes], extra: bytes = b"") -> bytes:
    body = struct.pack(f"{order}H", len(entries))
    for tag, kind, count, value in entries:
        body += struct.pack(f"{order}HHI", tag, kind, count) + value.ljust(4, b"\0")
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8) + body + bytes(4) + extra


@pytest.mark.parametrize("order", ["<", ">"])
def test_values_are_read_in_both_byte_orders(order: str) -> None:
    at = 8 + 2 + 12 * 4 + 4
    data = directory(
        order,
        (256, 4, 1, struct.pack(f"{order}I", 70000)),
        (258, 3, 3, struct.pack(f"{order}I", at)),
        (270, 2, 3, b"abc"),
        (318, 5, 1, struct.pack(f"{order}I", at + 6)),
        extra=struct.pack(f"{order}HHHII", 8, 9, 10, 3127, 10000),
    )

    assert first_directory(data) == {256: (70000,), 258: (8, 9, 10), 270: (b"abc",), 318: (3127, 10000)}


@given(st.binary(max_size=80))
def test_any_bytes_are_survived(noise: bytes) -> None:
    for start in (b"II*\0", b"MM\0*", b""):
        assert isinstance(first_directory(start + noise), dict)


def test_values_outside_the_data_are_left_out() -> None:
    data = directory("<", (258, 3, 2**31, struct.pack("<I", 8)), (273, 4, 4, struct.pack("<I", 10_000)))

    assert first_directory(data) == {}


@pytest.mark.parametrize(("value", "expected"), [((6,), 6), ((0,), 1), ((9,), 1), ((6, 6), 1), ((b"6",), 1)])
def test_a_wrong_orientation_is_upright(value: tuple[object, ...], expected: int) -> None:
    assert orientation({274: value}) == expected
    assert orientation({}) == 1


@pytest.mark.parametrize(
    ("turned", "expected"),
    [
        (1, [[1, 2, 3], [4, 5, 6]]),
        (2, [[3, 2, 1], [6, 5, 4]]),
        (3, [[6, 5, 4], [3, 2, 1]]),
        (4, [[4, 5, 6], [1, 2, 3]]),
        (5, [[1, 4], [2, 5], [3, 6]]),
        (6, [[4, 1], [5, 2], [6, 3]]),
        (7, [[6, 3], [5, 2], [4, 1]]),
        (8, [[3, 6], [2, 5], [1, 4]]),
    ],
)
def test_all_eight_orientations(turned: int, expected: list[list[int]]) -> None:
    stored = np.array([[1, 2, 3], [4, 5, 6]])

    assert upright(stored, turned).tolist() == expected
