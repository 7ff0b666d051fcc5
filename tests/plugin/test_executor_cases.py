"""Plans applied to a timeline that changed, is locked, or holds things of the user; and what a plan costs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from footage import make_video
from plugin.hosts import Chosen, Desk, open_host
from snapupscale_resolve.editor import Editor

from resolve_emulator.quirks import read_quirks  # isort: skip  # plugin.hosts puts its folder on the path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def footage(clip: Callable[..., Path]) -> Path:
    return clip("executor_cases.mp4", frames=200)


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str], Path]:
    """Make the movie of a still, each once."""
    folder = tmp_path_factory.mktemp("held")

    def make(frames: int, name: str) -> Path:
        path = folder / f"{name}.snapupscale.mov"
        return path if path.exists() else make_video(path, frames=frames, codec="mpeg4", width=64, height=36)

    return make


@pytest.fixture
def desk(footage: Path, held: Any) -> Desk:
    """One clip with a cut in it, and one without."""
    host = open_host()
    host.film((footage, 10, 100, 0), (footage, 60, 100, 100))
    host.misbehave()
    return Desk(host, cuts=(50,), frames=200, held=held)


def overlays(desk: Desk) -> list[Any]:
    return [item for lane in desk.host.lanes() if lane.name.startswith("SnapUpscale") for item in lane.items]


def refused(desk: Desk, plan: dict[str, Any], reason: str) -> None:
    """The plan is refused for that reason, and nothing is changed."""
    before, seen = desk.host.contents(), desk.host.seen()
    outcome = desk.apply(plan)
    assert reason in outcome.trouble
    assert outcome.stays == []
    assert not any(result["ok"] for result in outcome.results)
    assert outcome.results[0]["message"] == outcome.trouble
    after = desk.host.contents()
    assert {**after, "bins": {**after["bins"], "SnapUpscale": []}} == {
        **before,
        "bins": {**before["bins"], "SnapUpscale": []},
    }
    assert desk.host.seen() == seen
    assert desk.memory == ()


@pytest.mark.parametrize("action", ["mark", "stills"])
def test_a_timeline_that_was_changed_is_left_alone(desk: Desk, footage: Path, action: str) -> None:
    plan = desk.plan(action)
    first, second = desk.host.lanes()[0].items
    second.start += 1
    refused(desk, plan, "executor_cases.mp4 was moved or trimmed")
    second.start -= 1
    desk.host.timeline.DeleteClips([desk.host.timeline.GetItemListInTrack("video", 1)[1]], False)
    refused(desk, plan, "a clip at frame 86500 is gone")
    desk.host.project.GetMediaPool().CreateEmptyTimeline("Other")
    refused(desk, plan, "another timeline is open")
    desk.host.app.open(desk.host.app.new_project("Second"))
    desk.host.film((footage, 0, 10, 0))
    refused(desk, plan, "another project is open")
    assert first.duration == 90


def test_a_project_that_was_closed_is_told_of(desk: Desk) -> None:
    plan, editor = desk.plan("mark"), Editor(desk.host.resolve)
    desk.host.app.open(desk.host.app.new_project("Empty"))
    outcome = desk.apply(plan, editor)
    assert outcome.trouble == "no timeline is open in DaVinci Resolve"
    assert desk.memory == ()


def test_clips_that_are_added_elsewhere_do_no_harm(desk: Desk, footage: Path) -> None:
    plan = desk.plan("mark")
    desk.host.film((footage, 0, 30, 400))
    assert desk.apply(plan).trouble == ""


def test_a_track_that_was_locked_since_is_told_of(desk: Desk) -> None:
    desk.do("stills")
    desk.do("undo")
    desk.host.timeline.AddTrack("video")
    desk.host.timeline.SetTrackName("video", 2, "SnapUpscale")
    plan = desk.plan("stills")
    desk.host.timeline.SetTrackLock("video", 2, True)
    refused(desk, plan, "video track 2 (SnapUpscale) is locked: unlock it and run again")


def test_stills_that_are_dropped_are_told_of(desk: Desk) -> None:
    plan = desk.plan("stills")
    desk.host.misbehave("append_drops")
    refused(desk, plan, "places no still at frame 86400 of video track 2")


def test_stills_that_vanish_later_are_told_of(desk: Desk) -> None:
    plan = desk.plan("stills")

    def drop() -> None:
        if desk.host.app.log[-1].method == "CopyGrades" and overlays(desk):
            lane = desk.host.lanes()[1]
            lane.items[0].gone = True
            del lane.items[0]

    before = desk.host.contents()
    desk.host.at_call(1, drop)
    outcome = desk.apply(plan)
    assert "dropped" in outcome.trouble
    assert desk.host.contents()["tracks"][0][2][0] == before["tracks"][0][2][0]
    assert overlays(desk) == []


def test_a_still_that_is_gone_from_the_disk_is_told_of(desk: Desk, held: Any) -> None:
    plan = desk.plan("stills")
    path = next(each["path"] for each in plan["operations"] if each["op"] == "import_media")
    for each in plan["operations"]:
        if each["op"] == "import_media" and each["path"] == path:
            each["path"] = f"{path}.gone.mov"
    refused(desk, plan, "does not import")


def test_a_movie_of_another_length_is_told_of(desk: Desk, held: Any) -> None:
    plan = desk.plan("stills")
    next(each for each in plan["operations"] if each["op"] == "import_media")["frames"] += 1
    refused(desk, plan, "frames, not with")


def test_a_movie_says_what_it_is_and_keeps_the_colour_space_of_its_source(desk: Desk) -> None:
    source = desk.host.timeline.GetItemListInTrack("video", 1)[0].GetMediaPoolItem()
    assert source.SetClipProperty("Input Color Space", "Rec.709 Gamma 2.4")
    assert desk.do("stills").trouble == ""
    placed = desk.host.timeline.GetItemListInTrack("video", 2)
    assert len(placed) == len(overlays(desk)) > 0
    for item in placed:
        movie = item.GetMediaPoolItem()
        assert movie.GetMetadata("Comments").startswith("SnapUpscale: a still of shot ")
        assert movie.GetClipProperty("Input Color Space") == "Rec.709 Gamma 2.4"


def test_a_second_run_replaces_the_first(desk: Desk) -> None:
    desk.do("stills")
    first = [(item.start, item.end) for item in overlays(desk)]
    ids = {item.id for item in overlays(desk)}
    outcome = desk.do("stills")
    assert outcome.trouble == ""
    assert [(item.start, item.end) for item in overlays(desk)] == first
    assert not ids & {item.id for item in overlays(desk)}
    assert len(desk.host.lanes()) == 2


def test_undo_leaves_what_is_the_users(desk: Desk, footage: Path) -> None:
    desk.do("stills")
    own = desk.host.film((footage, 0, 20, 600), track=2)[0].GetUniqueId()
    folder = next(each for each in desk.host.app.project.bins() if each.name == "SnapUpscale")
    kept = [clip.asset.path for clip in folder.clips if clip.timeline is None][:1]
    still = next(each for each in folder.clips if each.asset.path == kept[0])
    for timeline in desk.host.app.project.timelines[1:]:
        timeline.tracks["video"][0].items[0].clip = still
    outcome = desk.do("undo")
    assert outcome.trouble == ""
    assert [item.id for lane in desk.host.lanes()[1:] for item in lane.items] == [own]
    assert [clip.asset.path for clip in folder.clips if clip.timeline is None] == kept, "another timeline shows it"


def test_undo_removes_a_take_that_is_not_selected_too(desk: Desk) -> None:
    desk.do("stills")
    item = desk.host.timeline.GetItemListInTrack("video", 1)[1]
    assert item.GetTakesCount() == 2
    item.SelectTakeByIndex(1)
    desk.do("undo")
    item = desk.host.timeline.GetItemListInTrack("video", 1)[1]
    assert (item.GetTakesCount(), item.GetMediaPoolItem().GetName()) == (1, "executor_cases.mp4")


def test_the_still_sits_and_looks_as_the_clip_under_it(desk: Desk) -> None:
    clip = desk.host.lanes()[0].items[0]
    desk.host.timeline.GetItemListInTrack("video", 1)[0].SetProperty("ZoomGang", False)
    for name, value in {"ZoomX": 2.0, "ZoomY": 3.0, "Pan": 12.5, "FlipX": True, "Opacity": 40.0}.items():
        desk.host.timeline.GetItemListInTrack("video", 1)[0].SetProperty(name, value)
    clip.grade = "warm"
    assert all(result["ok"] for result in desk.do("stills").results)
    for still in overlays(desk):
        assert {name: still.properties[name] for name in clip.properties} == clip.properties
        assert (still.properties["Scaling"], still.grade, still.color) == (2, "warm", "Teal")


@pytest.mark.parametrize("scaling", [3, 4])
def test_a_still_fills_or_is_stretched_where_the_clip_under_it_is(desk: Desk, scaling: int) -> None:
    desk.host.timeline.GetItemListInTrack("video", 1)[0].SetProperty("Scaling", scaling)
    assert all(result["ok"] for result in desk.do("stills").results)
    assert {still.properties["Scaling"] for still in overlays(desk)} == {scaling}


def test_nothing_is_set_that_is_so_already(desk: Desk) -> None:
    desk.do("stills")
    calls = [call.arguments for call in desk.host.app.log if call.method == "SetProperty"]
    assert calls == [("Scaling", 2)] * len(overlays(desk))


def test_a_marker_of_the_user_that_came_meanwhile_stays(desk: Desk) -> None:
    plan = desk.plan("mark")
    desk.host.timeline.AddMarker(40, "Red", "mine", "", 1, "")
    outcome = desk.apply(plan)
    assert (outcome.trouble, [result["ok"] for result in outcome.results]) == ("", [True, False])
    assert "another marker stands on frame 40" in outcome.results[1]["message"]
    assert desk.host.timeline.GetMarkers()[40]["name"] == "mine"


def test_markers_that_were_updated_are_put_back_when_the_script_is_ended(desk: Desk) -> None:
    desk.do("mark")
    before = desk.host.contents()["markers"]
    desk.cuts = (60,)
    plan = desk.plan("mark")
    assert [each["op"] for each in plan["operations"]] == ["require", "remove_marker", "add_marker"]

    def end() -> None:
        if desk.host.app.log[-1].method == "AddMarker":
            desk.host.app.__dict__.pop("record")
            raise KeyboardInterrupt

    desk.host.at_call(1, end)
    outcome = desk.apply(plan)
    assert (outcome.trouble, outcome.stays) == ("the script was ended", [])
    assert desk.host.contents()["markers"] == before


def test_all_markers_of_ours_are_removed_and_no_other(desk: Desk) -> None:
    desk.do("mark")
    desk.host.timeline.AddMarker(7, "Red", "mine", "", 1, "")
    desk.host.timeline.AddMarker(8, "Red", "old", "", 1, "snapupscale:mark:gone:1")
    desk.host.timeline.AddMarker(9, "Red", "old", "", 1, "snapupscale:mark:gone:1")
    outcome = desk.do("remove_markers")
    assert all(result["ok"] for result in outcome.results)
    assert desk.host.contents()["markers"] == [""]


def test_other_pages_come_back_and_the_fairlight_page_does_no_harm(desk: Desk) -> None:
    for page in ("media", "fusion", "fairlight", "color"):
        desk.host.app.page = page
        assert desk.do("stills").trouble == ""
        assert desk.do("undo").trouble == ""
        assert desk.host.app.page == page


def test_five_hundred_cuts_on_two_hours(footage: Path, clip: Callable[..., Path]) -> None:
    host = open_host()
    host.film((footage, 0, 200, 0))
    # Made by hand: footage of two hours would take long.
    item = host.lanes()[0].items[0]
    frames = 2 * 3600 * 24
    item.clip.asset = type(item.clip.asset)(**{**vars(item.clip.asset), "frames": frames})
    item.duration *= frames // 200
    desk = Desk(host, cuts=tuple(range(300, frames - 300, (frames - 600) // 500))[:500], frames=frames)
    plan = desk.plan("mark")
    host.misbehave()
    began = time.monotonic()
    outcome = desk.apply(plan)
    took = time.monotonic() - began
    assert sum(result["ok"] for result in outcome.results) == 501
    assert host.calls("AddMarker") == 500
    assert host.calls() <= 500 + 5 + 35, "the markers are read once for a hundred"
    assert desk.told <= 22
    assert took < 5
    host.misbehave()
    assert all(result["ok"] for result in desk.do("undo").results)
    assert host.calls() <= 500 + 10 + 60
    assert host.contents()["markers"] == []


def test_only_the_chosen_clip_is_worked_on(desk: Desk) -> None:
    chosen = Chosen("playhead", {desk.host.lanes()[0].items[1].id}, "")
    outcome = desk.do("stills", chosen)
    assert outcome.trouble == ""
    assert overlays(desk) == []
    assert [item.take for item in desk.host.lanes()[0].items] == [0, 2]


def test_the_emulator_was_given_nothing_odd(desk: Desk) -> None:
    for action in ("mark", "stills", "stills", "undo", "undo", "undo", "remove_markers"):
        desk.do(action)
    assert desk.host.app.faults == []


@pytest.mark.parametrize("quirks", ["", "take_false", "lost_count"])
def test_takes_of_the_user_stay(desk: Desk, held: Any, quirks: str) -> None:
    item = desk.host.timeline.GetItemListInTrack("video", 1)[1]
    other = desk.host.project.GetMediaPool().ImportMedia([str(held(40, "own"))])[0]
    item.AddTake(other, 0, 40)
    item.SelectTakeByIndex(1)
    state = desk.host.lanes()[0].items[1]
    before = [take.clip.name for take in state.takes], state.take
    plan = desk.plan("stills")
    desk.host.misbehave("" if quirks == "lost_count" else quirks)
    if quirks == "lost_count":

        def lose() -> None:
            log = desk.host.app.log
            lost = log[-1].method == "GetTakesCount" and sum(call.method == "GetTakesCount" for call in log) < 3
            desk.host.app.quirks = read_quirks("modal" if lost else "")

        desk.host.at_call(1, lose)
    assert desk.apply(plan).trouble == ""
    desk.host.app.__dict__.pop("record", None)
    desk.host.misbehave()
    assert [take.clip.name for take in state.takes][:2] == before[0]
    assert desk.do("undo").trouble == ""
    assert ([take.clip.name for take in state.takes], state.take) == before
