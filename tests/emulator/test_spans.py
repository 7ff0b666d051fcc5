"""Which source frames an item tells that it shows, in the cases that were measured (facts 1.3 and 5)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from workbench import Bench

from snapupscale.timecode import Timecode

NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)


def item_of(rate: Fraction | int, frames: int, duration: int, *, timeline: Fraction | int = 24, **more: Any) -> Any:
    """A handle of an item of a source of that rate."""
    bench = Bench("21.1-studio", rate=timeline)
    start = more.pop("timecode", 0)
    clip = bench.add_media("/nowhere/a.mov", rate=Fraction(rate), frames=frames, start=start)
    return bench.handle(bench.add_item(clip, bench.timeline.start, duration, **more))


def span(item: Any) -> tuple[int, int]:
    return item.GetSourceStartFrame(), item.GetSourceEndFrame()


def test_the_end_is_exclusive_and_the_duration_is_what_lies_between() -> None:
    item = item_of(24, 48, 48)
    assert (item.GetStart(), item.GetEnd(), item.GetDuration()) == (86400, 86448, 48)


def test_with_equal_rates_the_source_end_is_exclusive() -> None:
    assert span(item_of(24, 200, 50, source=10)) == (10, 60)


@pytest.mark.parametrize(
    ("rate", "timeline", "start", "sent_end", "duration"),
    [
        (Fraction(24), NTSC, 4800, 5235, 543),
        (NTSC, Fraction(24), 300, 393, 74),
        (NTSC, Fraction(24), 0, 100, 80),
        (Fraction(25), Fraction(24), 0, 100, 96),
    ],
)
def test_with_other_rates_the_source_end_is_inclusive(
    rate: Fraction, timeline: Fraction, start: int, sent_end: int, duration: int
) -> None:
    """Measured on 19.1.3: one less than the end that was sent."""
    item = item_of(rate, 9000, duration, timeline=timeline, source=start)
    assert span(item) == (start, sent_end - 1)
    assert item.GetLeftOffset() == start


def test_with_other_rates_the_source_start_is_now_and_then_one_off_and_the_left_offset_never() -> None:
    starts = [item_of(NTSC, 9000, 50, source=frame) for frame in range(40)]
    off = [item.GetSourceStartFrame() - frame for frame, item in enumerate(starts)]
    assert [item.GetLeftOffset() for item in starts] == list(range(40))
    assert set(off) == {-1, 0}


def test_source_times_count_from_midnight_of_the_timecode() -> None:
    """Measured: with a camera that starts at 04:18:37;25, a start time of 15527.812 for what is 10.010 s into it."""
    begins = Timecode.parse("04:18:37;25", NTSC).frame
    plain, camera = (item_of(NTSC, 1799, 74, source=300, timecode=start) for start in (0, begins))
    assert plain.GetSourceStartTime() == pytest.approx(10.010, abs=1e-3)
    assert camera.GetSourceStartTime() == pytest.approx(15527.812, abs=1e-3)
    assert camera.GetSourceStartFrame() == plain.GetSourceStartFrame() == 300
    lengths = [item.GetSourceEndTime() - item.GetSourceStartTime() for item in (plain, camera)]
    assert lengths[0] == pytest.approx(lengths[1]) == pytest.approx(74 / 24)


def test_at_200_per_cent_the_source_span_is_twice_as_long() -> None:
    item = item_of(24, 400, 48, source=10, speed=2)
    assert span(item) == (10, 106)
    assert item.GetLeftOffset() == 5
    assert item.GetRightOffset() == (400 - 106) / 2


def test_at_half_speed_and_frozen() -> None:
    assert span(item_of(24, 200, 96, speed=Fraction(1, 2))) == (0, 48)
    assert span(item_of(24, 200, 96, source=96, speed=0)) == (96, 96)


def test_reversed_the_start_lies_behind_the_end() -> None:
    """Measured: of 96 frames, reversed, 24 in and 48 long, reads back 71 -> 23."""
    item = item_of(24, 96, 48, source=71, speed=-1)
    assert span(item) == (71, 23)
    assert (item.GetLeftOffset(), item.GetRightOffset()) == (24, 24)


def test_an_unknown_span_reads_as_zero() -> None:
    item = item_of(24, 96, 48, source=10, span_known=False)
    assert span(item) == (0, 0)
    assert item.GetSourceStartTime() == item.GetSourceEndTime() == 0.0


def test_offsets_of_sound_count_in_frames_of_the_timeline() -> None:
    """Measured on 21.0.3: on an audio item the left offset runs at the rate of the timeline."""
    bench = Bench(rate=NTSC)
    sound = bench.add_media("/nowhere/a.wav", kind="audio", rate=Fraction(24), frames=9600, audio_channels=2)
    item = bench.handle(bench.add_item(sound, bench.timeline.start, 543, source=4800, kind="audio"))
    assert item.GetSourceStartFrame() == 4800
    assert item.GetLeftOffset() == int(4800 * NTSC / 24)


def test_fractions_of_frames_are_told_when_asked_for() -> None:
    item = item_of(25, 500, 48, source=10)
    assert item.GetRightOffset() == 440
    assert item.GetRightOffset(True) == 440.0
    assert item_of(24, 500, 48, speed=3, source=10).GetLeftOffset(True) == pytest.approx(10 / 3)
    assert isinstance(item.GetStart(True), float)


def test_film_in_a_film_timeline_is_exact_over_two_hours() -> None:
    frames = 2 * 3600 * 24
    assert span(item_of(FILM, frames, frames - 5, timeline=FILM, source=5)) == (5, frames)


def test_speed_can_be_read_and_set_from_21_1_alone() -> None:
    """Facts 1.3: SetSpeed leaves the duration as it is unless the timeline ripples."""
    item = item_of(24, 400, 48)
    assert item.GetSpeed()["Percentage"] == 100.0
    assert item.SetSpeed({"Percentage": 50}) is True
    assert (item.GetDuration(), span(item)) == (48, (0, 24))
    assert item.SetSpeed({"Percentage": 100, "RippleTimeline": True}) is True
    assert item.GetDuration() == 24
    assert item.SetSpeed({}) is False
