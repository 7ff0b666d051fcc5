"""AppendToTimeline, in all its forms (facts 1.4)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from workbench import Bench

if TYPE_CHECKING:
    from resolve_emulator.state import Clip

FILM = Fraction(24000, 1001)


def pool_of(bench: Bench) -> Any:
    """Of a project with a timeline open."""
    assert bench.timeline
    return bench.resolve.GetProjectManager().GetCurrentProject().GetMediaPool()


def movie(bench: Bench, **facts: Any) -> Clip:
    return bench.add_media("/nowhere/a.mov", **({"frames": 1000, "audio_channels": 2} | facts))


def wish(bench: Bench, clip: Clip, start: int = 0, end: int = 48, **more: Any) -> dict[str, Any]:
    """Video alone on track 1 at the start of the timeline."""
    base = {"startFrame": start, "endFrame": end, "mediaType": 1, "trackIndex": 1, "recordFrame": bench.timeline.start}
    return {"mediaPoolItem": bench.handle(clip)} | base | more


def test_the_end_frame_is_exclusive_and_the_record_frame_absolute() -> None:
    bench = Bench()
    [item] = pool_of(bench).AppendToTimeline([wish(bench, movie(bench), 10, 58, recordFrame=86500)])
    assert (item.GetStart(), item.GetEnd(), item.GetDuration()) == (86500, 86548, 48)
    assert (item.GetLeftOffset(), item.GetSourceEndFrame()) == (10, 58)
    assert item.GetTrackTypeAndIndex() == ["video", 1]


def test_under_its_quirk_the_end_frame_is_inclusive() -> None:
    bench = Bench(quirks="end_inclusive")
    assert pool_of(bench).AppendToTimeline([wish(bench, movie(bench), 0, 47)])[0].GetDuration() == 48


@pytest.mark.parametrize(
    ("rate", "timeline", "frames", "duration"),
    [(Fraction(25), Fraction(24), 100, 96), (Fraction(24), FILM, 240, 239), (FILM, Fraction(24), 48, 48),
     (Fraction(30000, 1001), FILM, 101, 80)],
)  # fmt: skip
def test_other_rates_keep_real_time_and_drop_the_rest(
    rate: Fraction, timeline: Fraction, frames: int, duration: int
) -> None:
    bench = Bench(rate=timeline)
    [item] = pool_of(bench).AppendToTimeline([wish(bench, movie(bench, rate=rate), 0, frames)])
    assert item.GetDuration() == duration


def test_an_overlap_is_dropped_and_the_earlier_item_stays() -> None:
    """What comes back has no id, and nothing of it is on the timeline."""
    bench = Bench()
    pool, clip = pool_of(bench), movie(bench)
    [first] = pool.AppendToTimeline([wish(bench, clip)])
    [ghost] = pool.AppendToTimeline([wish(bench, clip, recordFrame=86447)])
    assert ghost.GetUniqueId() == ""
    assert ghost.GetDuration() is None
    [left] = bench.handle(bench.timeline).GetItemListInTrack("video", 1)
    assert left.GetUniqueId() == first.GetUniqueId() != ""
    [next_to_it] = pool.AppendToTimeline([wish(bench, clip, recordFrame=86448)])
    assert next_to_it.GetUniqueId() != ""


def test_under_its_quirk_nothing_is_placed() -> None:
    bench = Bench(quirks="append_drops")
    [ghost] = pool_of(bench).AppendToTimeline([wish(bench, movie(bench))])
    assert ghost.GetUniqueId() == ""
    assert bench.timeline.items() == []


def test_without_a_media_type_video_and_sound_are_placed_and_linked() -> None:
    bench = Bench()
    given = wish(bench, movie(bench))
    del given["mediaType"]
    video, sound = pool_of(bench).AppendToTimeline([given])
    assert (video.GetTrackTypeAndIndex(), sound.GetTrackTypeAndIndex()) == (["video", 1], ["audio", 1])
    [other] = video.GetLinkedItems()
    assert other.GetUniqueId() == sound.GetUniqueId()


def test_sound_that_comes_along_gets_its_tracks() -> None:
    """Measured on 21.0.4: without a media type a clip lands on video track 3 of a timeline with one audio track."""
    bench = Bench()
    timeline = bench.handle(bench.timeline)
    for _ in range(2):
        timeline.AddTrack("video")
    given = wish(bench, movie(bench), 0, 90, trackIndex=3, recordFrame=86500)
    del given["mediaType"]
    video, _ = pool_of(bench).AppendToTimeline([given])
    assert (video.GetTrackTypeAndIndex(), video.GetStart(), video.GetDuration()) == (["video", 3], 86500, 90)
    assert timeline.GetTrackCount("audio") == 3


def test_tracks_that_are_missing_are_made() -> None:
    """Recorded on 19.1.3: a picture for track 2 of a timeline with one made a video and an audio track."""
    bench = Bench()
    timeline = bench.handle(bench.timeline)
    [made] = pool_of(bench).AppendToTimeline([wish(bench, movie(bench), mediaType=1, trackIndex=2)])
    assert made.GetTrackTypeAndIndex() == ["video", 2]
    assert [timeline.GetTrackCount(kind) for kind in ("video", "audio")] == [2, 2]
    assert pool_of(bench).AppendToTimeline([wish(bench, movie(bench), mediaType=2, trackIndex=4)])
    assert [timeline.GetTrackCount(kind) for kind in ("video", "audio")] == [2, 4]


def test_what_was_placed_may_be_gone_after_saving() -> None:
    """Facts 1.4: errored placements vanish on save."""
    bench = Bench(quirks="append_vanishes")
    [kept] = [bench.add_item(movie(bench), 86400, 10)]
    made = pool_of(bench).AppendToTimeline([wish(bench, movie(bench), recordFrame=86500)])
    assert made[0].GetUniqueId() in {item.id for item in bench.timeline.items()}
    assert bench.resolve.GetProjectManager().SaveProject() is True
    assert bench.timeline.items() == [kept]
    assert made[0].GetUniqueId() == ""


def test_a_silent_movie_has_no_sound_to_place() -> None:
    bench = Bench()
    silent = movie(bench, audio_channels=0)
    assert len(pool_of(bench).AppendToTimeline([bench.handle(silent)])) == 1
    assert pool_of(bench).AppendToTimeline([wish(bench, silent, mediaType=2)]) == []


def test_clips_follow_each_other_where_no_place_is_named() -> None:
    bench = Bench()
    clip = bench.handle(movie(bench, frames=10, audio_channels=0))
    made = [*pool_of(bench).AppendToTimeline(clip, clip), *pool_of(bench).AppendToTimeline([clip])]
    assert [item.GetStart() for item in made] == [86400, 86410, 86420]


def test_the_marks_of_a_clip_count_where_no_frames_are_given() -> None:
    bench = Bench()
    clip = movie(bench, audio_channels=0)
    assert bench.handle(clip).SetMarkInOut(5, 14) is True
    [item] = pool_of(bench).AppendToTimeline([bench.handle(clip)])
    assert (item.GetDuration(), item.GetLeftOffset()) == (10, 5)


def still(bench: Bench) -> Clip:
    return bench.add_media("/nowhere/a.png", kind="still", frames=1)


def test_frames_of_a_still_are_ignored() -> None:
    """It gets the standard duration of 5 seconds."""
    bench = Bench()
    [item] = pool_of(bench).AppendToTimeline([wish(bench, still(bench), 0, 12)])
    assert (item.GetDuration(), item.GetLeftOffset()) == (120, 0)


@pytest.mark.parametrize(("quirks", "duration"), [("", 12), ("still_ignores_end", 120)])
def test_the_marks_of_a_still_are_honoured(quirks: str, duration: int) -> None:
    bench = Bench(quirks=quirks)
    clip = still(bench)
    bench.handle(clip).SetMarkInOut(0, 11, "video")
    assert pool_of(bench).AppendToTimeline([wish(bench, clip, 0, 99)])[0].GetDuration() == duration


@pytest.mark.parametrize(
    "change",
    [{"trackIndex": 101}, {"trackIndex": 0}, {"recordFrame": 0}, {"startFrame": 10, "endFrame": 10}, {"mediaType": 3},
     {"mediaPoolItem": None}, {"startFrame": -1}, {"endFrame": "48"}],
    ids=str,
)  # fmt: skip
def test_the_impossible_gives_an_empty_list(change: dict[str, Any]) -> None:
    bench = Bench()
    assert pool_of(bench).AppendToTimeline([wish(bench, movie(bench)) | change]) == []
    assert bench.timeline.items() == []


def test_a_locked_track_takes_nothing() -> None:
    bench = Bench()
    bench.lock()
    assert pool_of(bench).AppendToTimeline([wish(bench, movie(bench))]) == []


def test_whole_numbers_alone_were_taken_before_19_0_2() -> None:
    half = 86400.5
    for profile, placed in (("18.6-studio", False), ("19.1.3-studio", True)):
        bench = Bench(profile)
        made = pool_of(bench).AppendToTimeline([wish(bench, movie(bench), recordFrame=half)])
        assert bool(made) is placed
    assert (made[0].GetStart(), made[0].GetStart(True)) == (86400, half)


def test_a_timeline_can_be_nested_but_not_in_itself() -> None:
    bench = Bench()
    bench.add_item(movie(bench), 86400, 77)
    inner = bench.timeline
    outer = bench.add_timeline("Outer")
    [item] = pool_of(bench).AppendToTimeline([wish(bench, inner.clip, 0, 77)])  # type: ignore[arg-type]
    assert item.GetDuration() == 77
    assert item.GetMediaPoolItem().GetClipProperty("Type") == "Timeline"
    assert pool_of(bench).AppendToTimeline([wish(bench, outer.clip, 0, 5, recordFrame=90000)]) == []  # type: ignore[arg-type]


def test_a_timeline_from_clips_needs_their_bin_and_takes_no_track() -> None:
    """Facts 1.4."""
    bench = Bench()
    clip, pool = movie(bench, audio_channels=0), pool_of(bench)
    made = pool.CreateTimelineFromClips("From clips", [wish(bench, clip, 10, 20, recordFrame=86400)])
    [item] = made.GetItemListInTrack("video", 1)
    assert (made.GetName(), item.GetDuration(), item.GetLeftOffset()) == ("From clips", 10, 10)
    assert pool.CreateTimelineFromClips("From clips", bench.handle(clip)) is None
    bench.add_bin("Other", current=True)
    assert pool.CreateTimelineFromClips("Elsewhere", bench.handle(clip)) is None
