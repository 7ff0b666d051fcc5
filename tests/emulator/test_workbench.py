"""The test's side: dumps that are equal for equal edits, counted calls, and the script hosts side by side."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
import python_host
from lua_host import LuaHost
from workbench import Bench

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = """
pool = resolve.GetProjectManager().GetCurrentProject().GetMediaPool()
timeline = resolve.GetProjectManager().GetCurrentProject().GetCurrentTimeline()
clip = pool.GetRootFolder().GetClipList()[0]
pool.SetCurrentFolder(pool.AddSubFolder(pool.GetRootFolder(), "SnapUpscale"))
timeline.AddTrack("video")
made = pool.AppendToTimeline([{"mediaPoolItem": clip, "startFrame": 5, "endFrame": 15, "mediaType": 1,
                               "trackIndex": 2, "recordFrame": 86410}])
made[0].SetProperty("Scaling", 2)
made[0].SetProperty("ZoomX", 1.5)
timeline.AddMarker(10, "Sky", "é", "", 1, "snapupscale:1")
timeline.GetItemListInTrack("video", 1)[0].AddTake(clip)
"""
LUA = """
local pool = resolve:GetProjectManager():GetCurrentProject():GetMediaPool()
local timeline = resolve:GetProjectManager():GetCurrentProject():GetCurrentTimeline()
local clip = pool:GetRootFolder():GetClipList()[1]
pool:SetCurrentFolder(pool:AddSubFolder(pool:GetRootFolder(), 'SnapUpscale'))
timeline:AddTrack('video')
local made = pool:AppendToTimeline({{mediaPoolItem = clip, startFrame = 5, endFrame = 15, mediaType = 1,
                                     trackIndex = 2, recordFrame = 86410}})
made[1]:SetProperty('Scaling', 2)
made[1]:SetProperty('ZoomX', 1.5)
timeline:AddMarker(10, 'Sky', 'é', '', 1, 'snapupscale:1')
timeline:GetItemListInTrack('video', 1)[1]:AddTake(clip)
"""


def scene(profile: str = "21.1-studio", quirks: str = "") -> Bench:
    bench = Bench(profile, quirks)
    bench.add_item(bench.add_media("/nowhere/a.mov", frames=100), 86400, 50)
    return bench


def ran_in_python(bench: Bench, folder: Path) -> dict[str, Any]:
    script = folder / "script.py"
    script.write_text(PYTHON)
    return python_host.run(script)


def test_the_same_edits_in_python_and_lua_give_the_same_dump(tmp_path: Path) -> None:
    dumps = []
    for run in (ran_in_python, lambda _bench, _folder: LuaHost().execute(LUA)):
        bench = scene("21.1-free", "free_python")
        before = bench.dump()
        run(bench, tmp_path)
        dumps.append(bench.dump())
        assert bench.dump() != before
        assert bench.app.faults == []
    assert dumps[0] == dumps[1]
    assert '"snapupscale:1"' in dumps[0]


def test_a_dump_does_not_depend_on_ids_given_away_in_vain() -> None:
    first, second = scene(), scene()
    second.app.new_id()
    second.add_item(second.project.clips()[0], 86500, 5)
    first.add_item(first.project.clips()[0], 86500, 5)
    assert first.dump() == second.dump()
    assert first.dump(ids=True) != second.dump(ids=True)


def test_what_a_script_cannot_make_is_built_by_hand() -> None:
    bench = Bench("21.1-studio", rate=24)
    clip = bench.add_media("/nowhere/a.mov", frames=500, rate=Fraction(25))
    reverse = bench.add_item(clip, 86400, 48, source=499, speed=-1, sound=True)
    title = bench.add_item(None, 86448, 24, kind="title", name="Text+")
    bench.add_comp(title)
    nested = bench.add_item(bench.add_media(kind="compound", file_name="Both", frames=48), 86400, 48, track=3)
    bench.add_transition(86448, 8)
    bench.add_takes(reverse, bench.add_media("/nowhere/b.mov", frames=50))
    bench.take_offline(clip)
    bench.lock("video", 2)
    bench.move_playhead(86410)
    timeline = bench.handle(bench.timeline)
    first, transition, second = timeline.GetItemListInTrack("video", 1)
    assert first.GetSourceStartFrame() > first.GetSourceEndFrame()
    assert first.GetLinkedItems()[0].GetType() == "audio"
    assert first.GetMediaPoolItem().GetClipProperty("Online Status") == "Offline"
    assert (first.GetTakesCount(), second.GetFusionCompCount()) == (2, 1)
    assert (transition.GetType(), second.GetType()) == ("transition", "generator")
    assert timeline.GetCurrentVideoItem().GetUniqueId() == nested.id
    assert bench.handle(nested.clip).GetClipProperty("Type") == "Compound"
    assert [timeline.GetIsTrackLocked("video", index) for index in (1, 2, 3)] == [False, True, False]
    assert timeline.GetCurrentTimecode() == bench.timecode(86410) == "01:00:00:10"


def test_every_call_is_counted_and_kept_with_what_was_given() -> None:
    bench = scene()
    timeline = bench.handle(bench.timeline)
    bench.forget_calls()
    timeline.AddMarker(1, "Blue", "", "", 1)
    timeline.GetMarkers()
    timeline.GetMarkers()
    assert bench.calls() == ["Timeline.AddMarker", "Timeline.GetMarkers", "Timeline.GetMarkers"]
    assert len(bench.calls("GetMarkers")) == 2
    assert bench.app.log[0].arguments == (1, "Blue", "", "", 1)


def test_the_menu_gives_python_scripts_their_globals(tmp_path: Path) -> None:
    scene("21.0-free")
    script = tmp_path / "script.py"
    script.write_text("found = resolve.GetProductName(), fusion is not None, bmd.scriptapp('Resolve') is not None")
    assert python_host.run(script)["found"] == ("DaVinci Resolve", True, True)
    scene("21.1-free")
    with pytest.raises(LookupError, match="Scripts menu"):
        python_host.run(script)


def test_misbehaviour_can_begin_later() -> None:
    bench = scene()
    bench.app.misbehave("fairlight,locked,fail=1")
    timeline = bench.handle(bench.timeline)
    assert timeline.GetName() is None
    assert timeline.GetIsTrackLocked("video", 1) is True
    assert bench.resolve.GetCurrentPage() == "fairlight"
