from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from snapupscale.media.samples import COLUMNS, ROWS
from snapupscale.scenes.quiet import leaps, midway, quiet


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


def panned(*lefts: int) -> list[np.ndarray]:
    return [picture(8, left) for left in lefts]


def test_steps_that_go_as_far_as_those_beside_them_are_no_leaps() -> None:
    pan = panned(0, 12, 24, 36, 48)
    assert not any(quiet(one, other) for one, other in pairwise(pan))
    assert leaps(pan, [1, 2]) == []


def test_a_step_to_another_picture_is_a_leap_also_in_a_pan() -> None:
    still = [picture(8), picture(8), picture(9), picture(9)]
    assert leaps(still, [0, 1, 2]) == [1]
    pan = [*panned(0, 2, 4), *(picture(9, left) for left in (6, 8, 10))]
    assert leaps(pan, range(5)) == [2]


def test_a_change_of_light_or_colour_alone_is_a_leap() -> None:
    first = picture(10)
    darker, tinted = first.copy(), first.copy()
    darker[..., 0] = (first[..., 0] * 0.6).astype(np.uint8)
    tinted[..., 2] += 25
    for other in (darker, tinted):
        assert leaps([first, first, other, other], [1]) == [1]


def test_only_what_is_asked_for_is_told() -> None:
    assert leaps([picture(8), picture(9), picture(9)], [1]) == []
    assert leaps([picture(8), picture(9)], [0]) == [0]
