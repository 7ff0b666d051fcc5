from __future__ import annotations

import numpy as np
import pytest

from snapupscale.upscale.plausibility import fault, worst


def picture(seed: int = 0, blocks: int = 40) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(seed).random((blocks, 3), np.float32)


def test_the_same_picture_is_plausible() -> None:
    before = picture()
    assert fault(before, before) is None
    assert fault(before, before + 0.02) is None


def test_a_single_value_that_is_not_finite_is_found() -> None:
    for value in (np.nan, np.inf, -np.inf):
        after = picture()
        after[7, 1] = value
        assert fault(picture(), after) == "values that are not finite"


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_flat_result_is_found(level: float) -> None:
    assert fault(picture(), np.full_like(picture(), level)) is not None
    dark = picture() * 0.1
    assert fault(dark, np.full_like(dark, 0.05)) == "a flat area where the picture has contrast"


def test_a_flat_picture_may_stay_flat() -> None:
    flat = np.full((40, 3), 0.3, np.float32)
    assert fault(flat, flat) is None
    assert fault(np.zeros_like(flat), np.zeros_like(flat)) is None


def test_another_picture_is_found() -> None:
    assert "brightness" in str(fault(picture(0), picture(1)))


def test_one_black_block_is_found() -> None:
    before = np.full((400, 3), 0.5, np.float32)
    after = before.copy()
    after[123] = 0
    assert "0.50 at most" in str(fault(before, after))
    assert worst(before, after) == 123


def test_a_picture_of_one_block() -> None:
    one = np.full((1, 3), 0.4, np.float32)
    assert fault(one, one + 0.01) is None
    assert fault(one, one * 0) is not None
