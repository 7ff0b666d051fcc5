from __future__ import annotations

import numpy as np
import pytest

from scenery import BLACK, WHITE, dissolve, shot, wipe
from snapupscale.scenes.adaptive import KINDS
from snapupscale.scenes.blends import (
    COURSE,
    LENGTHS,
    blocks_of,
    course,
    kind,
    likely,
    refined,
    stretches,
)
from snapupscale.scenes.features import describe

FIRST, SECOND = shot(1, 80), shot(2, 80)
FADED = np.repeat(BLACK, 80, axis=0)


def joined(way: object, count: int, second: np.ndarray = SECOND) -> np.ndarray:
    """80 frames, `count` of a transition, and 80 more."""
    return np.concatenate((FIRST, way(FIRST, second, count), second))  # type: ignore[operator]


def row_of(pictures: np.ndarray, start: int, length: int) -> np.ndarray:
    return course(blocks_of(describe(pictures).small), start, start + 1, length)[0]


def course_of(pictures: np.ndarray, start: int, length: int) -> dict[str, float]:
    return dict(zip(COURSE, row_of(pictures, start, length).tolist(), strict=True))


def name_of(pictures: np.ndarray, start: int, length: int) -> str:
    return KINDS[kind(row_of(pictures, start, length))]


@pytest.mark.parametrize("count", [3, 8, 17, 33])
def test_a_dissolve_goes_along_a_line_at_an_even_pace(count: int) -> None:
    found = course_of(joined(dissolve, count), 79, count + 1)
    assert found["change"] > 0.5
    assert max(found[name] for name in ("off_line", "spread", "back")) < 0.03
    assert found["uneven"] < 0.15
    assert max(found["before"], found["after"]) < 0.03
    assert min(found["flat_first"], found["flat_last"]) > 0.5


def test_in_a_wipe_blocks_are_ahead_of_others() -> None:
    found = course_of(joined(wipe, 17), 79, 18)
    assert found["spread"] > 0.3
    assert found["back"] < 0.03
    assert name_of(joined(wipe, 17), 79, 18) == "wipe"


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_a_fade_has_an_end_of_one_colour(colour: np.ndarray) -> None:
    pictures = joined(dissolve, 17, np.repeat(colour, 80, axis=0))
    assert course_of(pictures, 79, 18)["flat_last"] < 0.02
    assert course_of(pictures[::-1], 79, 18)["flat_first"] < 0.02
    assert name_of(pictures, 79, 18) == name_of(pictures[::-1], 79, 18) == "fade"
    assert name_of(joined(dissolve, 17), 79, 18) == "dissolve"


def test_a_cut_is_one_jump() -> None:
    found = course_of(np.concatenate((FIRST, SECOND)), 70, 18)
    assert found["jump"] > 0.9
    assert found["uneven"] > 0.4
    assert course_of(joined(dissolve, 17), 79, 18)["jump"] < 0.2


def test_there_and_back_is_no_way_forward() -> None:
    up = dissolve(FIRST, SECOND, 11)
    found = course_of(np.concatenate((FIRST, up, up[4::-1], FIRST[:1], SECOND)), 79, 18)
    assert found["back"] > 0.3


def test_a_camera_that_moves_leaves_the_line() -> None:
    pan = course_of(shot(4, 90, speed=(0, 3)), 40, 18)
    assert pan["off_line"] > 0.5
    assert min(pan["before"], pan["after"]) > 0.5


def test_a_dissolve_is_likelier_than_a_pan_a_cut_and_stillness() -> None:
    pairs = [
        (joined(dissolve, 17), 79),
        (shot(4, 90, speed=(0, 3)), 40),
        (np.concatenate((FIRST, SECOND)), 70),
        (FIRST, 30),
    ]
    scores = [likely(row_of(pictures, start, 18)[None])[0] for pictures, start in pairs]
    assert scores[0] > 0.8
    assert max(scores[1:]) < scores[0] - 0.2
    assert scores[3] < 0


@pytest.mark.parametrize("count", [4, 5, 7, 10, 14, 19, 25, 33, 40])
@pytest.mark.parametrize("seed", [2, 5])
def test_start_and_end_of_dissolves_are_found(count: int, seed: int) -> None:
    frames = describe(joined(dissolve, count, shot(seed, 80)))
    starts, lengths, courses = stretches(frames, 0, len(frames))
    best = int(np.argmax(likely(courses)))
    start, end = refined(frames.small, int(starts[best]), int(lengths[best]))
    assert abs(start - 80) <= 2
    assert abs(end - 80 - count) <= 2


def test_ends_that_are_off_are_moved_in_and_out() -> None:
    small = describe(joined(dissolve, 20)).small
    for start, length in ((79, 21), (73, 33), (84, 13), (75, 18)):
        first, end = refined(small, start, length)
        assert abs(first - 80) <= 2
        assert abs(end - 100) <= 2


def test_stretches_near_the_end_of_the_footage_fit_into_it() -> None:
    frames = describe(np.concatenate((FIRST, dissolve(FIRST, SECOND, 12), SECOND[:2])))
    starts, lengths, courses = stretches(frames, 0, len(frames))
    assert len(starts) == len(lengths) == len(courses) > 0
    assert (starts + lengths < len(frames)).all()
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        first, end = refined(frames.small, start, length)
        assert 0 < first < end <= len(frames)


def test_of_part_of_the_footage_there_are_the_stretches_that_begin_in_it() -> None:
    frames = describe(joined(dissolve, 20))
    starts, lengths, courses = stretches(frames, 0, len(frames))
    inside = (starts >= 78) & (starts < 84)
    assert 0 < inside.sum() < len(starts)
    part = stretches(frames, 78, 84)
    assert np.array_equal(part[0], starts[inside])
    assert np.array_equal(part[1], lengths[inside])
    assert part[2] == pytest.approx(courses[inside], abs=1e-5)


def test_a_course_beyond_the_footage_goes_on_with_its_last_frame() -> None:
    short = joined(dissolve, 8)[:90]
    held = np.concatenate((short, np.repeat(short[-1:], 40, axis=0)))
    for length in (9, 34):
        assert row_of(short, 79, length) == pytest.approx(row_of(held, 79, length), abs=1e-4)


def test_still_footage_has_no_stretches() -> None:
    frames = describe(FIRST)
    starts, lengths, _ = stretches(frames, 0, len(frames))
    assert len(starts) == 0
    assert set(lengths.tolist()) <= set(LENGTHS)
