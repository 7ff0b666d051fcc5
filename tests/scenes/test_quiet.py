from __future__ import annotations

import cv2
import numpy as np
import pytest

from snapupscale.media.samples import COLUMNS, ROWS
from snapupscale.scenes.quiet import midway, quiet


def picture(seed: int, left: int = 0) -> np.ndarray:
    """A thumbnail out of a wide picture, `left` pixels on."""
    detail = np.random.default_rng(seed).integers(20, 230, (6, 20), dtype=np.uint8)
    luma = cv2.resize(detail, (COLUMNS * 2, ROWS), interpolation=cv2.INTER_CUBIC)[:, left : left + COLUMNS]
    return np.dstack((luma, np.full_like(luma, 128), np.full_like(luma, 128)))


def test_a_frame_and_itself_and_with_a_little_noise_are_quiet() -> None:
    noise = np.random.default_rng(0).integers(-6, 7, (ROWS, COLUMNS, 3))
    assert quiet(picture(1), picture(1))
    assert quiet(picture(1), np.clip(picture(1) + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("left", [1, 2])
def test_a_pan_is_quiet(left: int) -> None:
    assert quiet(picture(1), picture(1, left))


@pytest.mark.parametrize("seed", range(2, 30))
def test_another_picture_is_not(seed: int) -> None:
    assert not quiet(picture(1), picture(seed))


def test_a_mirrored_picture_a_flash_and_another_colour_are_not() -> None:
    first = picture(3)
    assert not quiet(first, np.ascontiguousarray(first[:, ::-1]))
    assert not quiet(first, np.full_like(first, 250))
    tinted = first.copy()
    tinted[..., 1] += 20
    assert not quiet(first, tinted)


def test_dark_pictures_are_compared_by_their_contrast() -> None:
    dark = [(picture(seed) * np.array([0.2, 1, 1])).astype(np.uint8) for seed in (4, 5)]
    assert not quiet(dark[0], dark[1])


def test_a_fade_is_not() -> None:
    first = picture(6)
    faded = first.copy()
    faded[..., 0] = (first[..., 0] * 0.7).astype(np.uint8)
    assert not quiet(first, faded)
    assert not quiet(np.full_like(first, 1), np.full_like(first, 4))


def mixed(first: np.ndarray, last: np.ndarray, share: float, noise: int = 0) -> np.ndarray:
    grain = np.random.default_rng(7).integers(-noise, noise + 1, first.shape)
    return np.clip(first * (1 - share) + last * share + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("noise", [0, 2])
def test_halfway_through_a_fade_and_a_dissolve_is_midway(noise: int) -> None:
    first = picture(1)
    for last in (picture(2), np.full_like(first, 16)):
        assert midway(first, mixed(first, last, 0.5, noise), last)
        assert midway(mixed(first, last, 0.2), mixed(first, last, 0.4, noise), mixed(first, last, 0.6))


@pytest.mark.parametrize("share", [0, 0.25, 0.75, 1])
def test_a_cut_and_an_uneven_fade_are_not_midway(share: float) -> None:
    first, last = picture(1), picture(2)
    assert not midway(first, mixed(first, last, share), last)


def test_a_wipe_and_a_flash_are_not_midway() -> None:
    first, last = picture(1), picture(2)
    covered = first.copy()
    covered[:, : COLUMNS // 2] = last[:, : COLUMNS // 2]
    assert not midway(first, covered, last)
    assert not midway(first, np.full_like(first, 250), first)
    assert not midway(first, first, first)
