"""Timelines: tracks, playhead, timecode, settings, and the edits that the API has (facts 1.2)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from workbench import Bench

NTSC = Fraction(30000, 1001)


def bench_of(*spans: tuple[int, int], **more: Any) -> tuple[Bench, Any, list[Any]]:
    """Items with sound at (start after the timeline's, duration)."""
    bench = Bench(**more)
    clip = bench.add_media("/nowhere/a.mov", frames=5000, audio_channels=2)
    items = [bench.add_item(clip, bench.timeline.start + start, length, sound=True) for start, length in spans]
    return bench, bench.handle(bench.timeline), [bench.handle(item) for item in items]


def starts(timeline: Any, kind: str = "video") -> list[int]:
    return [item.GetStart() - timeline.GetStartFrame() for item in timeline.GetItemListInTrack(kind, 1)]


@pytest.mark.parametrize(
    ("rate", "drop", "first", "label"),
    [(Fraction(24), False, 86400, "01:00:00:00"), (NTSC, True, 107892, "01:00:00;00"),
     (NTSC, False, 108000, "01:00:00:00"), (Fraction(24000, 1001), False, 86400, "01:00:00:00")],
)  # fmt: skip
def test_a_timeline_starts_at_one_hour(rate: Fraction, drop: bool, first: int, label: str) -> None:
    timeline = bench_of(rate=rate, drop=drop)[1]
    assert (timeline.GetStartFrame(), timeline.GetStartTimecode()) == (first, label)
    assert timeline.GetEndFrame() == first


def test_the_end_is_that_of_the_last_item_exclusive() -> None:
    assert bench_of((0, 48), (48, 10))[1].GetEndFrame() == 86458


def test_setting_the_start_timecode_moves_the_items_and_not_the_markers() -> None:
    _, timeline, items = bench_of((0, 48))
    timeline.AddMarker(5, "Blue", "", "", 1)
    assert timeline.SetStartTimecode("00:00:10:00") is True
    assert (timeline.GetStartFrame(), items[0].GetStart(), list(timeline.GetMarkers())) == (240, 240, [5])
    assert timeline.SetStartTimecode("nonsense") is False


def test_the_playhead_is_there_on_some_pages_alone() -> None:
    bench, timeline, _ = bench_of((0, 48))
    for page in ("cut", "edit", "color", "fairlight", "deliver"):
        assert bench.resolve.OpenPage(page) is True
        assert timeline.SetCurrentTimecode("01:00:01:00") is True
        assert timeline.GetCurrentTimecode() == "01:00:01:00"
    for page in ("media", "fusion"):
        bench.resolve.OpenPage(page)
        assert timeline.SetCurrentTimecode("01:00:02:00") is False
        assert not timeline.GetCurrentTimecode()
    assert bench.timeline.playhead == 86424


def test_with_drop_frame_labels_that_are_left_out_are_refused() -> None:
    _, timeline, _ = bench_of((0, 4000), rate=NTSC, drop=True)
    assert timeline.SetCurrentTimecode("01:01:00;02") is True
    assert timeline.GetCurrentTimecode() == "01:01:00;02"
    assert timeline.SetCurrentTimecode("01:01:00;00") is False
    assert timeline.SetCurrentTimecode("00:59:59;29") is False


def test_the_current_item_is_the_topmost_that_is_on() -> None:
    bench, timeline, items = bench_of((0, 48), (48, 48))
    clip = bench.project.clips()[0]
    above = bench.add_item(clip, 86410, 10, track=2)
    bench.add_transition(86448, 8)
    bench.move_playhead(86415)
    assert timeline.GetCurrentVideoItem().GetUniqueId() == above.id
    timeline.SetTrackEnable("video", 2, False)
    assert timeline.GetCurrentVideoItem().GetUniqueId() == items[0].GetUniqueId()
    bench.move_playhead(86448)
    assert timeline.GetCurrentVideoItem().GetUniqueId() == items[1].GetUniqueId()
    bench.move_playhead(86496)
    assert timeline.GetCurrentVideoItem() is None


def test_selected_items_are_told_from_21_0_4_on() -> None:
    bench, timeline, items = bench_of((0, 48), (48, 48), profile="21.0.4-studio")
    bench.select(items[1]._face.state)
    assert [item.GetUniqueId() for item in timeline.GetSelectedClips()] == [items[1].GetUniqueId()]
    assert bench_of(profile="21.0-studio")[1].GetSelectedClips is None


def test_tracks_are_added_named_locked_and_deleted() -> None:
    _, timeline, _ = bench_of((0, 48))
    assert [timeline.GetTrackCount(kind) for kind in ("video", "audio", "subtitle", "data")] == [1, 1, 0, 0]
    assert timeline.AddTrack("video") is True
    assert timeline.GetTrackName("video", 2) == "Video 2"
    assert timeline.SetTrackName("video", 2, "Mine") is True
    assert timeline.AddTrack("audio", {"audioType": "5.1", "index": 1}) is True
    assert (timeline.GetTrackSubType("audio", 1), timeline.GetTrackSubType("video", 1)) == ("5.1", "")
    assert timeline.AddTrack("audio", "nonsense") is False
    assert timeline.SetTrackLock("video", 2, True) is True
    assert timeline.GetIsTrackLocked("video", 2) is True
    assert timeline.DeleteTrack("video", 2) is False
    timeline.SetTrackLock("video", 2, False)
    assert timeline.DeleteTrack("video", 2) is True
    assert (timeline.GetTrackName("video", 2), timeline.GetItemListInTrack("video", 2)) == ("", [])


def test_track_options_came_with_19_0() -> None:
    assert bench_of(profile="18.6-studio")[1].AddTrack("audio", {"audioType": "5.1"}) is False
    assert bench_of(profile="18.6-studio")[1].AddTrack("audio", "5.1") is True


def test_deleting_leaves_the_linked_sound() -> None:
    _, timeline, items = bench_of((0, 48), (48, 48))
    assert timeline.DeleteClips([items[0]]) is True
    assert (starts(timeline), starts(timeline, "audio")) == ([48], [0, 48])
    assert timeline.GetItemListInTrack("audio", 1)[0].GetLinkedItems() == []


def test_ripple_closes_the_gap() -> None:
    """Measured on 21.0.4: of three clips, the third slides to where the second was. The sound of the second is left
    behind, and so that of the third stays."""
    _, timeline, items = bench_of((0, 24), (24, 24), (48, 24))
    assert timeline.DeleteClips([items[1]], True) is True
    assert (starts(timeline), starts(timeline, "audio")) == ([0, 24], [0, 24, 48])


def test_ripple_over_several_items_with_their_sound() -> None:
    _, timeline, items = bench_of((0, 48), (48, 48), (96, 10))
    sound = timeline.GetItemListInTrack("audio", 1)[:2]
    assert timeline.DeleteClips([items[0], items[1], *sound], True) is True
    assert (starts(timeline), starts(timeline, "audio")) == ([0], [0])


def test_deleting_needs_another_page_than_fairlight() -> None:
    """Measured on 21.0: False however often it is tried, until another page is open."""
    bench, timeline, items = bench_of((0, 48))
    bench.resolve.OpenPage("fairlight")
    assert [timeline.DeleteClips([items[0]]) for _ in range(3)] == [False] * 3
    bench.resolve.OpenPage("edit")
    assert timeline.DeleteClips([items[0]]) is True


def test_deleting_may_fail_the_first_time() -> None:
    _, timeline, items = bench_of((0, 48), quirks="first_delete_fails")
    assert [timeline.DeleteClips([items[0]]) for _ in range(2)] == [False, True]


def test_nothing_is_deleted_from_a_locked_track_or_from_another_timeline() -> None:
    bench, timeline, items = bench_of((0, 48))
    bench.lock()
    assert timeline.DeleteClips([items[0]]) is False
    bench.lock(locked=False)
    other = bench.handle(bench.add_timeline("Other"))
    assert other.DeleteClips([items[0]]) is False
    assert timeline.DeleteClips([]) is False


def test_the_locked_quirk_locks_the_tracks_that_are_there() -> None:
    timeline = bench_of(quirks="locked")[1]
    assert timeline.GetIsTrackLocked("video", 1) is True
    assert timeline.AddTrack("video") is True
    assert timeline.GetIsTrackLocked("video", 2) is False


def test_a_transition_is_an_item_without_properties_and_clip() -> None:
    """Measured on 21.0.4."""
    bench, timeline, _ = bench_of((0, 48), (48, 48), profile="21.1-studio")
    bench.add_transition(86448, 12)
    _, transition, _ = timeline.GetItemListInTrack("video", 1)
    assert (transition.GetName(), transition.GetStart(), transition.GetDuration()) == ("Cross Dissolve", 86442, 12)
    assert (transition.GetProperty(), transition.GetMediaPoolItem()) == ({}, None)
    assert transition.GetType() == "transition"
    assert timeline.DeleteClips([transition]) is True
    assert starts(timeline) == [0, 48]


def test_a_transition_can_be_added_where_there_are_frames_to_spare() -> None:
    """Measured on 21.1: 24 frames centred on a cut at 71 lie from 59 to 83; by default 8; none without handles."""
    bench = Bench("21.1-studio")
    clip = bench.add_media("/nowhere/a.mov", frames=200)
    first, second = (bench.handle(bench.add_item(clip, 86400 + at, 71, source=40)) for at in (0, 71))
    options = {"type": "Cross Dissolve", "category": "simple", "position": "end", "alignment": "center"}
    made = first.AddTransition({**options, "duration": 24})
    assert (made.GetStart() - 86400, made.GetEnd() - 86400) == (59, 83)
    assert second.AddTransition(options | {"position": "start"}).GetDuration() == 8
    bare = bench.add_media("/nowhere/b.mov", frames=20)
    tight = bench.handle(bench.add_item(bare, 86600, 20))
    bench.add_item(bare, 86620, 20)
    assert tight.AddTransition(options) is None


def test_duplicating_copies_everything_and_opens_the_copy() -> None:
    bench, timeline, items = bench_of((0, 48))
    timeline.AddMarker(5, "Blue", "m", "", 1, "mine")
    bench.timeline.tracks["video"][0].items[0].properties["ZoomX"] = 2.0
    copy = timeline.DuplicateTimeline("Copy")
    project = bench.resolve.GetProjectManager().GetCurrentProject()
    assert project.GetCurrentTimeline().GetUniqueId() == copy.GetUniqueId() != timeline.GetUniqueId()
    [video] = copy.GetItemListInTrack("video", 1)
    assert video.GetUniqueId() != items[0].GetUniqueId()
    assert video.GetProperty("ZoomX") == 2.0
    assert video.GetLinkedItems()[0].GetTrackTypeAndIndex() == ["audio", 1]
    assert video.GetMediaPoolItem().GetUniqueId() == items[0].GetMediaPoolItem().GetUniqueId()
    assert copy.GetMarkerByCustomData("mine")["name"] == "m"
    assert copy.DeleteMarkersByColor("All") is True
    assert len(timeline.GetMarkers()) == 1
    assert timeline.DuplicateTimeline("Copy") is None
    assert timeline.DuplicateTimeline().GetName() == "Timeline 1 copy"


def test_settings_are_those_of_the_project_until_the_timeline_has_its_own() -> None:
    """Facts 5."""
    bench, timeline, _ = bench_of()
    project = bench.resolve.GetProjectManager().GetCurrentProject()
    assert timeline.GetSetting("timelineFrameRate") == 24.0
    assert timeline.SetSetting("timelineResolutionWidth", "640") is False
    assert timeline.SetSetting("useCustomSettings", "1") is True
    assert timeline.SetSetting("timelineResolutionWidth", "640") is True
    assert timeline.SetSetting("timelineFrameRate", "29.97 DF") is True
    assert (timeline.GetSetting("timelineResolutionWidth"), timeline.GetStartFrame()) == ("640", 107892)
    assert project.GetSetting("timelineResolutionWidth") == "1920"
    assert timeline.GetSetting("nonsense") == ""


def test_a_timeline_of_another_rate_than_the_project() -> None:
    bench = Bench()
    timeline = bench.handle(bench.add_timeline("Other", rate=NTSC, drop=True))
    assert (timeline.GetSetting("timelineFrameRate"), timeline.GetSetting("timelineDropFrameTimecode")) == (29.97, "1")
    assert timeline.GetStartTimecode() == "01:00:00;00"


def test_compound_and_fusion_clips_take_the_place_of_items() -> None:
    bench, timeline, items = bench_of((0, 48), (48, 48), profile="21.0.4-studio")
    made = timeline.CreateCompoundClip(items, {"name": "Both", "startTimecode": "00:00:00:00"})
    assert (made.GetName(), made.GetStart(), made.GetDuration()) == ("Both", 86400, 96)
    clip = made.GetMediaPoolItem()
    assert (clip.GetClipProperty("Type"), clip.GetClipProperty("File Path")) == ("Compound", "")
    assert clip.GetTimeline() is None
    fusion = timeline.CreateFusionClip([made])
    assert fusion.GetFusionCompCount() == 1
    pool = bench.resolve.GetProjectManager().GetCurrentProject().GetMediaPool()
    assert pool.CreateCompoundClip is None


def test_titles_and_generators_land_on_the_first_track_or_nowhere() -> None:
    """Measured on 21.0.4: a locked first track makes the insert fail."""
    bench, timeline, _ = bench_of()
    title = timeline.InsertTitleIntoTimeline("Text")
    assert (title.GetTrackTypeAndIndex(), title.GetMediaPoolItem()) == (["video", 1], None)
    assert timeline.InsertGeneratorIntoTimeline("Solid Color") is None
    bench.move_playhead(90000)
    colour = timeline.InsertGeneratorIntoTimeline("Solid Color")
    assert colour.GetProperty() is None
    assert (colour.SetClipColor("Teal"), colour.GetClipColor()) == (True, "")
    bench.move_playhead(100000)
    bench.lock()
    assert timeline.InsertFusionTitleIntoTimeline("Text+") is None
