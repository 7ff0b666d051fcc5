from __future__ import annotations

import json
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.frames.effects import PARAMS
from snapupscale.errors import SettingError
from snapupscale.sidecar.frames import wire
from snapupscale.sidecar.frames.wire import Garbage, Header, Op, Status, WrongVersion

FRAME = Header(op=Op.RENDER, seq=7, width=4, height=2, format=1 | 4 << 8, offset=4096, size=32)


def test_a_header_is_laid_out_as_in_the_contract() -> None:
    header = Header(
        op=3, seq=5, slot=6, width=7, height=8, format=0x403, flags=4, offset=1 << 33, size=9, elapsed=10, tail=11
    )
    data = header.pack()
    assert len(data) == 64
    assert data[:8] == b"SNUF\x01\x00\x03\x00"
    assert struct.unpack_from("<I", data, 4 + 4) == (5,)
    assert struct.unpack_from("<IIIII", data, 12) == (6, 7, 8, 0x403, 4)
    assert struct.unpack_from("<QQQ", data, 32) == (1 << 33, 9, 10)
    assert struct.unpack_from("<II", data, 56) == (11, 0)
    assert wire.read_header(data) == header


@pytest.mark.parametrize(
    "changes", [{"magic": 1}, {"op": 0}, {"op": 8}, {"tail": 4097}, {"status": 1}, {"magic": 0, "version": 2}]
)
def test_a_header_that_no_effect_sends_is_garbage(changes: dict[str, int]) -> None:
    with pytest.raises(Garbage) as caught:
        wire.read_header(replace(FRAME, **changes).pack())  # type: ignore[arg-type]
    assert not isinstance(caught.value, WrongVersion)


def test_another_version_is_told_from_garbage() -> None:
    with pytest.raises(WrongVersion) as caught:
        wire.read_header(replace(FRAME, version=2, op=99, tail=9999).pack())
    assert caught.value.header.seq == 7


@given(st.binary(min_size=64, max_size=64))
def test_any_64_bytes_are_a_request_or_garbage(data: bytes) -> None:
    for candidate in (data, b"SNUF\x01\x00" + data[6:]):
        try:
            header = wire.read_header(candidate)
        except Garbage:
            continue
        assert header.op in list(Op)
        with pytest.raises(SettingError):
            wire.read_picture(replace(header, size=0), 1 << 20)


def test_a_picture_of_every_format() -> None:
    for number, depth in wire.DEPTHS.items():
        for components in wire.COMPONENTS:
            size = 4 * 2 * components * wire.SAMPLE_BYTES[depth]
            header = replace(FRAME, format=number | components << 8, size=size, flags=wire.TOP_DOWN)
            picture = wire.read_picture(header, 4096 + size)
            assert (picture.depth, picture.components, picture.size) == (depth, components, size)
            assert (picture.top_down, picture.premultiplied) == (True, False)


@pytest.mark.parametrize(
    "changes",
    [
        *({"format": number} for number in (0, 1, 5 | 4 << 8, 1 | 1 << 8, 1 | 5 << 8, 1 | 4 << 8 | 1 << 31)),
        *({"width": number} for number in (0, 5, 40000)),
        {"height": 0},
        {"flags": 8},
        {"flags": 1 << 31},
        {"size": 31},
        {"size": 64},
        {"size": (1 << 64) - 1},
        *({"offset": number} for number in (0, 64, 4095, 4097, 4096 + 64, (1 << 64) - 64)),
    ],
)
def test_a_picture_that_cannot_be_is_refused(changes: dict[str, int]) -> None:
    assert wire.read_picture(FRAME, 4096 + 32)
    with pytest.raises(SettingError):
        wire.read_picture(replace(FRAME, **changes), 4096 + 32)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 4096, wire.MOST_BYTES + 1, (1 << 64) - 1])
def test_a_mapping_of_no_use_is_refused(size: int) -> None:
    with pytest.raises(SettingError):
        wire.read_room(replace(FRAME, size=size))


def test_params_at_their_limits() -> None:
    for name, (low, high) in wire._RANGES.items():
        for value in (low, high):
            assert getattr(wire.read_params(json.dumps({**PARAMS, name: value}).encode()), name) == value
        for value in (low - 0.01, high + 0.01, "1", None, True):
            with pytest.raises(SettingError, match=name):
                wire.read_params(json.dumps({**PARAMS, name: value}).encode())


@pytest.mark.parametrize(
    "tail",
    [
        *(b"", b"[]", b"null", b"\xff", b"[" * 4096, b'{"a":' * 800, b'{"mode":"restore","mode":"restore"}'),
        *(json.dumps({**PARAMS, **change}).encode() for change in ({"mode": "x"}, {"model": "../x"}, {"model": ""})),
        json.dumps({**PARAMS, "more": 1}).encode(),
        json.dumps({name: value for name, value in PARAMS.items() if name != "zoom"}).encode(),
        json.dumps(PARAMS).replace("2.0", "NaN").encode(),
        json.dumps(PARAMS).replace("2.0", "1e999").encode(),
    ],
)
def test_params_that_make_no_sense_are_refused(tail: bytes) -> None:
    with pytest.raises(SettingError):
        wire.read_params(tail)


@pytest.mark.parametrize("cookie", ["", "0" * 31, "0" * 33, "g" * 32, "٠" * 32])
def test_a_cookie_is_32_hexadecimal_digits(cookie: str) -> None:
    with pytest.raises(SettingError):
        wire.read_place(json.dumps({"name": "/x", "cookie": cookie}).encode())


def test_a_reply_repeats_its_request_and_cuts_its_message_between_characters() -> None:
    data = wire.reply(FRAME, Status.FAILED, message="é" * 4000 + "x", elapsed=1.5, cached=True)
    header = Header.unpack(data)
    assert header == replace(FRAME, flags=wire.CACHED, elapsed=1_500_000, tail=4096, status=5)
    assert data[64:].decode() == "é" * 2048
    odd = wire.reply(FRAME, Status.FAILED, message="x" + "é" * 4000)
    assert (len(odd), odd[64:].decode()) == (64 + 4095, "x" + "é" * 2047)
    assert len(wire.reply(FRAME, Status.OK)) == 64
