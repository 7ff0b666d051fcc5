from __future__ import annotations

import numpy as np
import pytest

from scenery import texture
from snapupscale.scenes.matching import REACH, found_again

ROWS, COLUMNS = 18, 32


def window(seed: int, down: int = 0, right: int = 0) -> np.ndarray:
    """Part of a larger picture, from its middle by so many rows and columns."""
    sheet = texture(seed, 40, 60, cell=4)[..., 0].astype(np.float32)
    return sheet[10 + down : 10 + down + ROWS, 12 + right : 12 + right + COLUMNS]


def found(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    (row,) = found_again(one[None].astype(np.float32), other[None].astype(np.float32))
    return float(row[0]), float(row[1])


@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 3), (-2, -3), (3, -4), (0, 4)])
@pytest.mark.parametrize("seed", range(3))
def test_a_picture_that_moved_is_found_again(seed: int, down: int, right: int) -> None:
    assert (abs(down), abs(right)) <= REACH
    mean, share = found(window(seed), window(seed, down, right))
    assert mean > (0.98 if (down, right) == (0, 0) else 0.8)
    assert share > 0.6


@pytest.mark.parametrize("seed", range(3))
def test_what_stays_in_the_picture_is_found_again(seed: int) -> None:
    """A movement by which no block of the first picture leaves the other one."""
    bordered = np.full((ROWS, COLUMNS), 100, dtype=np.float32)
    bordered[3:-3, 4:-4] = window(seed)[3:-3, 4:-4]
    moved = np.roll(bordered, (2, 3), axis=(0, 1))
    assert found(bordered, moved)[0] > 0.9


def test_another_picture_is_not() -> None:
    results = np.array([found(window(0), window(seed)) for seed in range(1, 30)])
    assert np.median(results[:, 0]) < 0.7
    assert results[:, 0].max() < 0.8
    assert results[:, 1].max() <= 0.5


def test_farther_than_it_reaches_it_finds_less() -> None:
    assert found(window(0), window(0, 8, 9))[0] < 0.75


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0), (1, 60), (0.6, 70), (1.3, -30)])
def test_gain_and_offset_do_not_matter(gain: float, offset: float) -> None:
    plain = found(window(2), window(2, 1, 2))
    assert found(window(2), window(2, 1, 2) * gain + offset)[0] == pytest.approx(plain[0], abs=0.05)


def test_flat_pictures_are_found_again() -> None:
    flat = np.full((ROWS, COLUMNS), 90, dtype=np.float32)
    assert found(flat, flat + 20) == pytest.approx((1, 1), abs=1e-3)


def test_pairs_are_judged_alone() -> None:
    ones = np.stack([window(seed) for seed in range(4)])
    others = np.stack([window(0, 1, 1), window(5), window(2, -2, 0), window(6)])
    together = found_again(ones, others)
    assert together.shape == (4, 2)
    for row, (one, other) in enumerate(zip(ones, others, strict=True)):
        assert together[row] == pytest.approx(found(one, other), abs=1e-4)


def test_no_pairs() -> None:
    none = np.zeros((0, ROWS, COLUMNS), dtype=np.float32)
    assert found_again(none, none).shape == (0, 2)
