"""From source frames to record frames, against counting every record frame by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshots import make_item, make_media, make_snapshot
from snapupscale.timeline.mapping import FREEZE, RAMP, UNKNOWN, FrameMap, boundaries, map_item

FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)


def mapped(item: dict[str, Any], media: dict[str, Any] | None = None, rate: str = "24") -> FrameMap | str:
    snapshot = make_snapshot(item, media=[media or make_media()], rate=rate)
    return map_item(snapshot.items[0], snapshot.media[0], snapshot.timeline.rate)


def frames_of(item: dict[str, Any], media: dict[str, Any] | None = None, rate: str = "24") -> FrameMap:
    found = mapped(item, media, rate)
    assert isinstance(found, FrameMap), found
    return found


def test_the_same_rate_is_counted_one_to_one() -> None:
    frames = frames_of(make_item("a", 86500, 86600, source_start=40), make_media(rate="23.976"), "23.976")

    assert frames.used == (40, 140)
    assert frames.source_at(86510) == 50
    assert frames.record_of_cut(50) == 86510


def test_25_in_24_keeps_real_time() -> None:
    item = make_item("a", 86400, 86424, source_start=0, source_end=24)
    frames = frames_of(item, make_media(rate="25"))

    assert frames.step == Fraction(25, 24)
    assert [frames.source_at(record) for record in (86400, 86401, 86423)] == [0, 1, 23]
    assert frames.record_of_cut(12) == 86412
    assert frames.record_of_cut(13) == 86413
    assert frames.source_at(86412) == 12


def test_2997_drop_frame_counts_frames_not_labels() -> None:
    media = make_media(rate="29.97", start_timecode="14:00:00;00")
    frames = frames_of(make_item("a", 107892, 107992, source_start=5), media, "29.97 DF")

    assert frames.step == 1
    assert frames.record_of_cut(30) == 107917


@pytest.mark.parametrize("speed", [50, None])
def test_half_speed_shows_each_frame_twice(speed: float | None) -> None:
    frames = frames_of(make_item("a", 100, 200, source_start=10, source_end=60, speed=speed, left_offset=20))

    assert frames.step == Fraction(1, 2)
    assert [frames.source_at(record) for record in (100, 101, 102, 199)] == [10, 10, 11, 59]
    assert frames.record_of_cut(11) == 102


@pytest.mark.parametrize("speed", [200, None])
def test_double_speed_shows_every_second_frame(speed: float | None) -> None:
    frames = frames_of(make_item("a", 100, 150, source_start=10, source_end=110, speed=speed, left_offset=5))

    assert [frames.source_at(record) for record in (100, 101, 149)] == [10, 12, 108]
    assert frames.record_of_cut(11) == frames.record_of_cut(12) == 101
    assert frames.record_of_cut(13) == 102


@pytest.mark.parametrize("speed", [-100, None])
def test_backwards_the_frame_before_the_cut_comes_first(speed: float | None) -> None:
    frames = frames_of(make_item("a", 100, 200, source_start=299, source_end=199, speed=speed))

    assert frames.used == (200, 300)
    assert frames.record_of_cut(250) == 150
    assert [frames.source_at(record) for record in (149, 150)] == [250, 249]


def test_backwards_from_the_very_end_begins_on_the_last_frame() -> None:
    assert frames_of(make_item("a", 0, 1000, source_start=1000, source_end=0)).source_at(0) == 999


def test_backwards_at_half_speed_mirrors_forwards() -> None:
    frames = frames_of(make_item("a", 0, 10, source_start=54, source_end=49, speed=-50))

    assert [frames.source_at(record) for record in range(10)] == [54, 54, 53, 53, 52, 52, 51, 51, 50, 50]


def test_a_slow_clip_of_another_rate_is_inferred() -> None:
    item = make_item("a", 0, 240, source_start=100, source_end=224)

    assert frames_of(item, make_media(rate="25")).step == Fraction(25, 24) * Fraction(1, 2)


def test_the_left_offset_decides_where_the_source_start_is_one_off() -> None:
    assert frames_of(make_item("a", 0, 100, source_start=41, source_end=140, left_offset=40)).first == 40
    assert frames_of(make_item("a", 0, 100, source_start=40, source_end=140, left_offset=20)).first == 40


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source_start": 0, "source_end": 0}, UNKNOWN),
        ({"source_start": 7, "source_end": 7}, UNKNOWN),
        ({"source_start": 0, "source_end": 0, "speed": 100}, UNKNOWN),
        ({"speed": 0}, FREEZE),
        ({"source_start": 0, "source_end": 150, "speed": 100}, RAMP),
        ({"source_start": 150, "source_end": 50, "speed": 100}, RAMP),
        ({"source_start": 0, "source_end": 100, "speed": -100}, RAMP),
        ({"source_start": None, "source_end": None, "left_offset": None}, UNKNOWN),
        ({"source_start": None, "source_end": None, "left_offset": 5, "right_offset": 5}, UNKNOWN),
        ({"source_start": None, "source_end": None, "left_offset": 5, "right_offset": None}, UNKNOWN),
        ({"source_start": None, "source_end": None, "left_offset": 5, "speed": 50}, UNKNOWN),
    ],
)
def test_what_cannot_be_followed_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert mapped(make_item("a", 0, 100, **changes)) == reason


def test_0_to_0_is_unknown_in_another_rate_too_unless_one_frame_is_used() -> None:
    media = make_media(rate="25")

    assert mapped(make_item("a", 0, 100, source_start=0, source_end=0), media) == UNKNOWN
    assert frames_of(make_item("a", 0, 1, source_start=0, source_end=0), media).used == (0, 1)


def test_old_versions_tell_offsets_alone() -> None:
    item = make_item("a", 50, 150, source_start=None, source_end=None, left_offset=300, right_offset=600)

    assert frames_of(item).used == (300, 400)
    assert frames_of(item | {"speed": 100, "right_offset": None}).used == (300, 400)
    assert mapped(item, make_media(rate="25")) == UNKNOWN


def test_a_long_clip_at_a_rounded_speed_does_not_drift() -> None:
    frames = frames_of(make_item("a", 0, 90_000, source_start=0, source_end=30_000, speed=33.33), make_media(frames=""))

    assert frames.source_at(89_999) == 29_999


def test_no_frame_outside_the_source_is_shown() -> None:
    frames = frames_of(make_item("a", 0, 1001, source_start=0, source_end=1001))

    assert frames.used == (0, 1000)


def test_cuts_on_one_record_frame_are_one_boundary() -> None:
    frames = frames_of(make_item("a", 0, 100, source_start=0, source_end=400, speed=400))

    assert [(b.record, b.shot, b.frame) for b in boundaries(frames, (41, 42, 44, 200))] == [(11, 4, 44), (50, 5, 200)]


steps = st.fractions(min_value=Fraction(1, 20), max_value=20, max_denominator=1001).map(
    lambda value: value or Fraction(1)
)


@st.composite
def maps(draw: st.DrawFn) -> FrameMap:
    start = draw(st.integers(-50, 200_000))
    step = draw(st.one_of(steps, st.sampled_from([Fraction(1), Fraction(25, 24), FILM / 25, NTSC / FILM])))
    return FrameMap(
        start=start,
        end=start + draw(st.integers(1, 120)),
        first=draw(st.integers(0, 300)) + draw(st.integers(0, 20)) * step,
        step=step * draw(st.sampled_from([1, -1])),
        frames=draw(st.sampled_from([None, 301, 400])),
    )


@settings(deadline=None)
@given(maps(), st.sets(st.integers(1, 400), max_size=40))
def test_boundaries_are_the_first_frames_of_the_shots_as_shown(frames: FrameMap, cuts: set[int]) -> None:
    ordered = sorted(cuts if frames.frames is None else {cut for cut in cuts if cut < frames.frames})

    def shot(record: int) -> int:
        return 1 + sum(cut <= frames.source_at(record) for cut in ordered)

    expected = [r for r in range(frames.start + 1, frames.end) if shot(r) != shot(r - 1)]
    found = boundaries(frames, ordered)
    assert [boundary.record for boundary in found] == expected
    assert [boundary.shot for boundary in found] == [shot(record) for record in expected]
    assert [boundary.frame for boundary in found] == [frames.source_at(record) for record in expected]


@settings(deadline=None)
@given(maps(), st.integers(1, 400))
def test_a_cut_lands_on_the_first_frame_that_shows_the_new_shot(frames: FrameMap, cut: int) -> None:
    low, high = frames.used
    if not low < cut < high:
        return

    def beyond(record: int) -> bool:
        shown = frames.source_at(record)
        return shown >= cut if frames.step > 0 else shown < cut

    first = next(record for record in range(frames.start, frames.end) if beyond(record))
    assert frames.record_of_cut(cut) == first
    if frames.step in {1, -1}:
        assert frames.source_at(first) == (cut if frames.step > 0 else cut - 1)


@settings(deadline=None)
@given(maps())
def test_the_used_range_is_what_is_shown(frames: FrameMap) -> None:
    shown = [frames.source_at(record) for record in range(frames.start, frames.end)]

    assert frames.used == (min(shown), max(shown) + 1)


@settings(deadline=None)
@given(
    source=st.sampled_from(["23.976", "24", "25", "29.97", "30", "50", "59.94"]),
    rate=st.sampled_from(["23.976", "24", "25", "29.97 DF", "60"]),
    speed=st.sampled_from([100, 50, 200, 25, 110, 400, 75]),
    backwards=st.booleans(),
    told=st.booleans(),
    length=st.integers(1, 3000),
    first=st.integers(0, 5000),
)
def test_the_range_that_the_editor_tells_gives_back_its_speed(
    source: str, rate: str, speed: int, backwards: bool, told: bool, length: int, first: int
) -> None:
    media = make_media(rate=source, frames="")
    snapshot = make_snapshot(media=[media], rate=rate)
    ratio = (snapshot.media[0].rate or 0) / snapshot.timeline.rate
    exact = FrameMap(start=0, end=length, first=first + 50_000, step=ratio * speed / 100 * (-1 if backwards else 1))
    end = exact.source_at(length) if ratio == 1 else exact.source_at(length - 1)
    signed = -speed if backwards else speed
    item = make_item("a", 0, length, source_start=exact.first, source_end=end, speed=signed if told else None)
    if end == exact.first and not told:
        return  # a range of less than a frame tells nothing

    found = mapped(item, media, rate)

    if isinstance(found, str):
        assert (found, end) == (UNKNOWN, exact.first)
        return
    drift = max(abs(found.source_at(record) - exact.source_at(record)) for record in (0, length // 2, length - 1))
    assert drift <= (0 if told else 2 + abs(exact.step))


def through_edit(source: str, rate: str, speed: int, trimmed: int, length: int, told: bool) -> tuple[Any, list[int]]:
    """What is left of a clip after `trimmed` record frames, as the editor tells it, and the frames that it shows."""
    ratio = (make_snapshot(media=[make_media(rate=source)]).media[0].rate or 0) / make_snapshot(rate=rate).timeline.rate
    step = ratio * speed / 100
    shown = [100 + (trimmed + record) * step // 1 for record in range(length)]
    begin, end = 100 + trimmed * step, 100 + (trimmed + length) * step
    item = make_item(
        "a",
        trimmed,
        trimmed + length,
        source_start=begin // 1,
        source_end=-(-end // 1) if ratio == 1 else shown[-1],
        left_offset=float(begin / speed * 100),
        speed=speed if told else None,
    )
    return frames_of(item, make_media(rate=source, frames=""), rate), [int(frame) for frame in shown]


@settings(deadline=None)
@given(
    rates=st.sampled_from(
        [("25", "24"), ("23.976", "25"), ("25", "23.976"), ("50", "25"), ("29.97", "23.976"), ("24", "24")]
    ),
    speed=st.sampled_from([100, 50, 200, 75]),
    trimmed=st.integers(0, 500),
    length=st.integers(1, 200),
)
def test_a_clip_that_was_divided_goes_on_with_the_frame_it_would_have_shown(
    rates: tuple[str, str], speed: int, trimmed: int, length: int
) -> None:
    frames, shown = through_edit(*rates, speed, trimmed, length, told=True)

    assert [frames.source_at(trimmed + record) for record in range(length)] == shown


@pytest.mark.parametrize("rates", [("50", "25"), ("59.94", "29.97"), ("25", "23.976"), ("23.976", "25"), ("24", "24")])
@pytest.mark.parametrize("speed", [100, 50, 200])
def test_the_roundest_speed_is_inferred(rates: tuple[str, str], speed: int) -> None:
    for length in range(8, 400, 7):
        frames, shown = through_edit(*rates, speed, 0, length, told=False)

        assert [frames.source_at(record) for record in range(length)] == shown


def test_one_frame_of_a_faster_source_is_known() -> None:
    assert frames_of(make_item("a", 7, 8, source_start=40, source_end=40), make_media(rate="50"), "25").used == (40, 41)


def test_the_length_that_a_subclip_tells_is_not_that_of_its_file() -> None:
    frames = frames_of(make_item("a", 0, 50, source_start=500, left_offset=0), make_media(frames="100"))

    assert frames.used == (500, 550)
    assert frames.within(540).used == (500, 540)
