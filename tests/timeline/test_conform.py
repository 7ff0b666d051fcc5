from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals import make_signal
from snapupscale.media.frames import FrameIndex
from snapupscale.media.source import probe
from snapupscale.scenes.methods import Detection
from snapupscale.scenes.shots import Transition
from snapupscale.timecode import Timecode
from snapupscale.timeline.conform import frame_numbers, to_edit_list
from snapupscale.timeline.editlist import Still

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.scenes.signal import Signal


def variable(ticks: list[int], tick: Fraction = Fraction(1, 1000)) -> Signal:
    count = len(ticks)
    index = FrameIndex(
        ticks=np.array(ticks, dtype=np.int64),
        tick=tick,
        keyframes=np.ones(count, dtype=np.bool_),
        damaged=np.zeros(count, dtype=np.bool_),
        interlaced=np.zeros(count, dtype=np.bool_),
        decoded=np.ones(count, dtype=np.bool_),
        signatures=np.zeros((count, 8, 8), dtype=np.uint8),
    )
    return make_signal(np.zeros(count, dtype=np.float32), index=index, constant_rate=False)


def test_a_constant_rate_counts() -> None:
    assert frame_numbers(make_signal(np.zeros(5, dtype=np.float32))).tolist() == [0, 1, 2, 3, 4]


def test_a_variable_rate_goes_by_time() -> None:
    assert frame_numbers(variable([0, 42, 83, 500, 542])).tolist() == [0, 1, 2, 12, 13]


def test_a_burst_shares_a_number_and_does_not_push_what_follows() -> None:
    assert frame_numbers(variable([0, 5, 10, 15, 500, 542])).tolist() == [0, 0, 0, 0, 12, 13]
    fast_then_slow = [10 * number for number in range(300)] + [3000 + 83 * number for number in range(50)]
    assert frame_numbers(variable(fast_then_slow))[300] == 72


@given(st.lists(st.integers(1, 300), min_size=1, max_size=50))
def test_numbers_never_fall_and_are_nearest_to_their_time(steps: list[int]) -> None:
    ticks = np.cumsum([0, *steps])
    numbers = frame_numbers(variable(ticks.tolist()))
    assert (np.diff(numbers) >= 0).all()
    assert np.abs(numbers - ticks * 24 / 1000).max() <= 0.5


def test_no_shot_vanishes_in_a_burst(source_path: Path) -> None:
    signal = variable([0, 5, 10, 15, 20])
    found = Detection(method="histogram", threshold=0.4, cuts=(1, 2, 4), transitions=(), distance=signal.distance)
    edit = to_edit_list(probe(source_path), signal, found, [Still(shot=4, frame=4, path=Path("/a.png"))])
    assert edit.cuts == (1, 2, 3)
    assert (edit.frames, edit.stills[0].frame) == (4, 3)


@pytest.fixture
def source_path(clip: Callable[..., Path]) -> Path:
    return clip("tc.mov", frames=10, metadata={"timecode": "10:11:12:13"}, aspect=Fraction(4, 3))


def test_everything_is_carried(source_path: Path) -> None:
    source = probe(source_path)
    signal = make_signal(np.zeros(10, dtype=np.float32))
    found = Detection(
        method="histogram",
        threshold=0.4,
        cuts=(4,),
        transitions=(Transition(start=6, end=9, kind="fade"),),
        distance=signal.distance,
    )
    still = Still(shot=2, frame=5, path=Path("/out/a.png"))
    edit = to_edit_list(source, signal, found, [still])
    assert (edit.name, edit.frames, edit.cuts) == ("tc", 10, (4, 7))  # at the cut, and in the middle of the fade
    assert edit.start == Timecode.parse("10:11:12:13", Fraction(24))
    assert (edit.width, edit.height) == (256, 108)
    assert edit.transitions == found.transitions
    assert edit.stills == (still,)
    assert to_edit_list(replace(source, start=None), signal, found).start.frame == 0


def test_shots_of_a_variable_rate_are_placed_by_time(source_path: Path) -> None:
    signal = variable([0, 42, 83, 500, 542])
    found = Detection(
        method="histogram",
        threshold=0.4,
        cuts=(3,),
        transitions=(Transition(start=2, end=5, kind="fade"),),
        distance=signal.distance,
    )
    edit = to_edit_list(probe(source_path), signal, found, [Still(shot=2, frame=4, path=Path("/a.png"))])
    assert edit.cuts == (12,)
    assert edit.frames == 14
    assert (edit.transitions[0].start, edit.transitions[0].end) == (2, 14)
    assert edit.stills[0].frame == 13
