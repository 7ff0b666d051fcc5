from __future__ import annotations

import numpy as np
import pytest

from scenery import WHITE, shot
from snapupscale.scenes.candidates import REASONS, SPAN, candidate_features, candidates, reasons
from snapupscale.scenes.features import PAIR, Descriptors, describe, pair_features

BLOCKS = PAIR.index("blocks")
LEAST = len(PAIR) + BLOCKS
"""The column of the least difference between frames of both sides."""
CONTEXT = ("blocks", "luma", "structure")
BEFORE, AFTER = 3 * len(PAIR), 3 * len(PAIR) + len(CONTEXT)
"""The columns of the steps before and after, from PAIR's columns CONTEXT."""
BEFORE_MOST, AFTER_MOST = AFTER + len(CONTEXT), AFTER + 2 * len(CONTEXT)
FIRST, SECOND = shot(1, 20), shot(2, 20)


def steps_of(frames: Descriptors) -> np.ndarray:
    numbers = np.arange(len(frames))
    return pair_features(frames, np.maximum(numbers - 1, 0), numbers)


def features_at(pictures: np.ndarray, *places: int) -> np.ndarray:
    frames = describe(pictures)
    return candidate_features(frames, steps_of(frames), np.array(places, dtype=np.intp))


def found(pictures: np.ndarray) -> list[int]:
    return candidates(steps_of(describe(pictures))).tolist()


def test_cuts_are_candidates_and_still_frames_are_not() -> None:
    assert found(np.concatenate((FIRST, SECOND))) == [20]
    assert found(FIRST) == []
    assert found(FIRST[:1]) == []


def small_step(size: float, about: float) -> list[int]:
    """The candidates where blocks differ by `size` at frame 20, and by `about` at frames near it."""
    steps = np.zeros((40, len(PAIR)), dtype=np.float32)
    steps[[17, 23], BLOCKS] = about
    steps[20, BLOCKS] = size
    return candidates(steps).tolist()


def test_a_small_step_counts_where_it_stands_out_as_in_jump_cuts() -> None:
    assert small_step(0.1, 0.02) == [20]
    assert small_step(0.1, 0.09) == []
    assert small_step(0.03, 0) == []


def test_a_flash_is_a_candidate_at_both_ends() -> None:
    assert found(np.concatenate((FIRST, WHITE, WHITE, FIRST))) == [20, 22]


@pytest.mark.parametrize("length", [1, 2])
def test_frames_of_both_sides_show_that_a_flash_is_one(length: int) -> None:
    flash = np.concatenate((FIRST, np.repeat(WHITE, length, axis=0), FIRST))
    features = features_at(flash, 20, 20 + length)
    assert (features[:, BLOCKS] > 0.5).all()
    assert (features[:, LEAST] < 0.2).all()
    assert [REASONS[reason] for reason in reasons(features)] == ["flash", "flash"]


def test_a_cut_is_no_flash() -> None:
    features = features_at(np.concatenate((FIRST, SECOND)), 20)
    assert features[0, LEAST] > 0.5
    assert [REASONS[reason] for reason in reasons(features)] == ["motion"]


def test_a_white_shot_longer_than_a_flash_is_none() -> None:
    features = features_at(np.concatenate((FIRST, np.repeat(WHITE, 9, axis=0), FIRST)), 20, 29)
    assert [REASONS[reason] for reason in reasons(features)] == ["motion", "motion"]


def test_the_course_around_tells_a_cut_from_movement() -> None:
    cut = features_at(np.concatenate((FIRST, SECOND)), 20)[0]
    assert cut[[BEFORE, AFTER, BEFORE_MOST, AFTER_MOST]].max() < 0.1
    pan = features_at(shot(3, 40, speed=(0, 4)), 20)[0]
    assert pan[[BEFORE, AFTER, BEFORE_MOST, AFTER_MOST]].min() > 0.1


@pytest.mark.parametrize("place", [1, 2, 3])
def test_at_the_ends_no_step_is_taken_twice(place: int) -> None:
    """A frame number clipped at an end would make the cut itself its own neighbour."""
    at_start = features_at(np.concatenate((FIRST[:place], SECOND)), place)[0]
    assert at_start[[BEFORE, AFTER, BEFORE_MOST, AFTER_MOST]].max() < 0.1
    at_end = features_at(np.concatenate((FIRST, SECOND[:place])), 20)[0]
    assert at_end[[BEFORE, AFTER, BEFORE_MOST, AFTER_MOST]].max() < 0.1


def test_what_lies_farther_than_its_span_does_not_matter() -> None:
    tail, other = shot(5, 30), shot(6, 30)
    near = np.concatenate((FIRST, SECOND[: SPAN + 1]))
    one, two = (features_at(np.concatenate((near, end)), 20) for end in (tail, other))
    assert one == pytest.approx(two, abs=1e-4)
    touched = np.concatenate((FIRST, SECOND[:SPAN], tail))
    assert features_at(touched, 20) != pytest.approx(one, abs=1e-2)


def test_candidates_are_measured_alone() -> None:
    pictures = np.concatenate((FIRST, SECOND, WHITE, SECOND, shot(3, 20)))
    together = features_at(pictures, 20, 40, 41, 61)
    alone = [features_at(pictures, place)[0] for place in (20, 40, 41, 61)]
    assert together == pytest.approx(np.stack(alone), abs=1e-4)
    assert features_at(pictures).shape == (0, together.shape[1])
