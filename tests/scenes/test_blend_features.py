from __future__ import annotations

import numpy as np
import pytest

from scenery import WHITE, dissolve, shot, wipe
from snapupscale.scenes.blend_features import stretch_features
from snapupscale.scenes.blends import COURSE, blocks_of, course, stretches
from snapupscale.scenes.features import PAIR, describe
from snapupscale.scenes.watch import steps_from

FIRST, SECOND = shot(1, 80), shot(2, 80)
DETAILS = len(COURSE) + len(PAIR) + 2
LEAST = DETAILS + 9 + 4 + 2 + 1
"""The least difference of frames before and after, by PAIR; the medians follow, then what is found again."""
AGAIN, LEGS = LEAST + 2 * len(PAIR), LEAST + 2 * len(PAIR) + 2
BLOCKS = PAIR.index("blocks")


def features_of(pictures: np.ndarray, start: int, length: int) -> np.ndarray:
    frames = describe(pictures)
    courses = course(blocks_of(frames.small), start, start + 1, length)
    places = np.array([start]), np.array([length])
    return stretch_features(frames, steps_from(frames, 0), *places, courses)[0]


def joined(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts)


def test_no_stretches_have_no_rows() -> None:
    frames = describe(FIRST)
    assert stretch_features(frames, steps_from(frames, 0), *stretches(frames, 0, len(frames))).shape[0] == 0


def test_details_fade_in_a_dissolve_alone() -> None:
    """Details of two shots don't add up; a picture that a curtain uncovers keeps them."""
    mixed, covered = (features_of(joined(FIRST, way(FIRST, SECOND, 17), SECOND), 79, 18) for way in (dissolve, wipe))
    middle = DETAILS + 3  # of three stops
    assert mixed[middle] < -0.3
    assert covered[middle] > mixed[middle] + 0.2


def test_after_a_burst_of_light_the_picture_of_before_comes_back() -> None:
    light = np.repeat(WHITE, 3, axis=0)
    rise = dissolve(FIRST, light, 8)
    burst = features_of(joined(FIRST, rise, light, rise[::-1], FIRST), 79, 9)
    fade = features_of(joined(FIRST, rise, light, dissolve(light, SECOND, 8), SECOND), 79, 9)
    assert burst[LEAST + BLOCKS] < 0.1
    assert fade[LEAST + BLOCKS] > 0.3
    assert burst[AGAIN] > fade[AGAIN] + 0.2


def test_a_camera_that_moves_finds_the_picture_again_elsewhere() -> None:
    pan = features_of(shot(4, 90, speed=(0, 1)), 40, 18)
    still = features_of(FIRST, 40, 18)
    cut = features_of(joined(FIRST, SECOND), 70, 18)
    assert pan[LEGS] > cut[LEGS] + 0.2
    structure = LEGS + 4 + 2
    assert pan[structure] > still[structure] + 0.02


@pytest.mark.parametrize(("count", "start", "length"), [(3, 0, 2), (8, 1, 6), (20, 15, 4)])
def test_near_the_ends_of_the_footage(count: int, start: int, length: int) -> None:
    found = features_of(dissolve(FIRST, SECOND, count), start, length)
    assert np.isfinite(found).all()
    assert len(found) == LEGS + 10
