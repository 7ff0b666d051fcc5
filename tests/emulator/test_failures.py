"""A call that can't be answered gives False, None, [], {}, '' or 0, and never raises (facts 1.5)."""

from __future__ import annotations

from typing import Any

import pytest
from resolve_emulator import quit_application, start
from resolve_emulator.profiles import PROFILES
from resolve_emulator.quirks import read_quirks
from resolve_emulator.state import Comp, Gallery, Graph, Group, Pool, Root
from resolve_emulator.versions import methods_of
from workbench import Bench

ODD: tuple[tuple[Any, ...], ...] = (
    (),
    (None,),
    ("",),
    (-1,),
    (1e9,),
    (float("nan"),),
    ([],),
    ({},),
    ("video", 99),
    ([None], None),
    ({"mediaPoolItem": None}, 3),
    ("x", "y", "z"),
    (1, 2, 3, 4, 5, 6, 7, 8, 9),
)


def objects(bench: Bench) -> list[Any]:
    """A handle of each class."""
    clip = bench.add_media("/nowhere/a.mov", frames=100)
    item = bench.add_item(clip, 86400, 50)
    project = bench.project
    project.groups.append(Group(name="G"))
    things = [
        *(Root(kind) for kind in ("Resolve", "ProjectManager", "MediaStorage", "Fusion")),
        project, Pool(project), project.root, clip, bench.timeline, item, Gallery(project), project.album,
        Graph(item), project.groups[0], Comp(item, "Composition 1"),
    ]  # fmt: skip
    return [bench.handle(thing) for thing in things]


@pytest.mark.parametrize("profile", PROFILES)
def test_odd_arguments_never_raise(profile: str) -> None:
    bench = Bench(profile)
    for thing in objects(bench):
        for name in dir(thing):
            method = getattr(thing, name)
            for arguments in ODD if callable(method) and name != "Quit" else ():
                method(*arguments)
                method(*arguments, colour="Blue")


def test_too_many_or_too_few_arguments_fail_in_the_way_of_the_call() -> None:
    bench = Bench()
    timeline, item = bench.handle(bench.timeline), bench.handle(bench.add_item(None, 86400, 5))
    calls = (timeline.GetName, timeline.GetTrackCount, timeline.AddMarker, timeline.GetItemListInTrack)
    assert [call(*range(9)) for call in calls] == ["", 0, False, []]
    assert [call() for call in calls[1:]] == [0, False, []]
    assert timeline.DuplicateTimeline("a", "b") is None
    assert timeline.GetMarkers("a") == {}
    assert item.GetStart(True, True) == 0


def test_a_dialog_makes_every_call_fail() -> None:
    bench = Bench("21.0-studio")
    things = objects(bench)
    bench.app.misbehave("modal")
    for thing in things:
        for name, method in methods_of(thing._face.kind, (21, 0, 0)).items():
            answer = getattr(thing, name)()
            assert answer == {"bool": False, "list": []}.get(method.kind), f"{name} gave {answer}"


def test_call_number_n_fails_alone() -> None:
    bench = Bench(quirks="fail=3")
    timeline = bench.handle(bench.timeline)
    assert [timeline.GetName() for _ in range(4)] == ["Timeline 1", "Timeline 1", None, "Timeline 1"]
    assert read_quirks("fail=3,fail=5").fail == {3, 5}


def test_lists_that_fail_may_be_none() -> None:
    """Facts 1.5: [] or None."""
    bench = Bench(quirks="none_lists")
    timeline = bench.handle(bench.timeline)
    assert timeline.GetItemListInTrack("video", 9) is None
    assert timeline.GetItemListInTrack("video", 1) == []


def test_an_unknown_quirk_or_profile_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="fairlight"):
        read_quirks("nonsense")
    with pytest.raises(KeyError, match=r"18\.6-studio"):
        start("17")


def test_handles_of_a_project_that_was_closed_give_none() -> None:
    """Recorded on 19.1.3: every method of a stale clip gave None."""
    bench = Bench()
    clip = bench.handle(bench.add_media("/nowhere/a.mov", frames=100))
    manager = bench.resolve.GetProjectManager()
    assert clip.GetName() == "a.mov"
    assert manager.CloseProject(manager.GetCurrentProject()) is True
    assert clip.GetClipProperty("Resolution") is None
    assert clip.SetClipColor("Orange") is None
    assert clip.AddMarker(1, "Blue", "", "", 1) is None


def test_handles_of_a_deleted_item_give_none() -> None:
    bench = Bench()
    item = bench.add_item(bench.add_media("/nowhere/a.mov", frames=100), 86400, 50)
    handle = bench.handle(item)
    assert bench.handle(bench.timeline).DeleteClips([handle]) is True
    assert handle.GetStart() is None
    assert bench.handle(bench.timeline).DeleteClips([handle]) is False


def test_a_studio_feature_in_the_free_edition_blocks_what_comes_after() -> None:
    """Facts 1.5: the upsell makes unrelated later calls fail until it is closed."""
    bench = Bench("21.0-free")
    timeline = bench.handle(bench.timeline)
    assert timeline.GetName() == "Timeline 1"
    assert timeline.CreateSubtitlesFromAudio() is False
    assert timeline.GetName() is None
    assert bench.resolve.GetProjectManager() is None
    bench.app.upsold = False
    assert timeline.GetName() == "Timeline 1"


@pytest.mark.parametrize(("profile", "blocked"), [("21.0-free", True), ("21.0-studio", False), ("21.1-free", False)])
def test_touching_the_ui_manager_sells_the_studio_edition(profile: str, blocked: bool) -> None:
    """Facts 2: UIManager is None in the free edition, and the dialog opens."""
    bench = Bench(profile)
    assert bench.resolve.Fusion().UIManager is None
    assert bench.app.is_blocked is blocked


def test_ai_calls_answer_with_a_sentence() -> None:
    """Facts 1.5: a truthy text in the place of False."""
    clip = Bench("21.0-studio").add_media("/nowhere/a.mov")
    bench = Bench("21.0-studio")
    clip = bench.handle(bench.add_media("/nowhere/a.mov"))
    assert "not installed" in clip.AnalyzeForIntellisearch(True, False)


def test_the_environment_chooses_the_application(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    import DaVinciResolveScript as bmd

    for profile, found in (("19.1.3-studio", True), ("21.0-free", True), ("21.1-free", False)):
        quit_application()
        monkeypatch.setenv("RESOLVE_PROFILE", profile)
        monkeypatch.setenv("RESOLVE_QUIRKS", "fairlight")
        monkeypatch.setenv("RESOLVE_DATABASE", str(tmp_path))
        resolve = bmd.scriptapp("Resolve")
        assert (resolve is not None) is found
        assert resolve is None or resolve.GetCurrentPage() == "fairlight"
    assert bmd.scriptapp("Nothing") is None


def test_outside_the_application_scripting_takes_studio() -> None:
    """Facts 2."""
    import DaVinciResolveScript as bmd

    start("21.0-free", "external")
    assert bmd.scriptapp("Resolve") is None
    start("21.1-free", "free_python")
    assert bmd.scriptapp("Resolve").GetProductName() == "DaVinci Resolve"
