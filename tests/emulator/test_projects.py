"""Projects and their database: what is saved, loaded, closed and lost (facts 1.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from resolve_emulator import start
from resolve_emulator.application import UNTITLED
from resolve_emulator.archive import decoded, encoded
from resolve_emulator.host import app_object
from workbench import Bench, dump

if TYPE_CHECKING:
    from pathlib import Path


def manager(profile: str = "19.1.3-studio", **more: Any) -> Any:
    resolve: Any = app_object(start(profile, **more), "Resolve")
    return resolve.GetProjectManager()


def test_the_database_is_empty_but_for_the_untitled_project() -> None:
    found = manager()
    assert found.GetProjectListInCurrentFolder() == []
    project = found.GetCurrentProject()
    assert (project.GetName(), project.GetTimelineCount(), project.GetCurrentTimeline()) == (UNTITLED, 0, None)
    assert project.GetMediaPool().GetRootFolder().GetClipList() == []
    assert found.GetCurrentDatabase() == {"DbType": "Disk", "DbName": "Local Database"}


def test_the_untitled_project_cannot_be_saved() -> None:
    assert manager().SaveProject() is False


def test_a_project_that_was_never_saved_is_gone_when_another_is_opened() -> None:
    """Measured on 19.1.3."""
    found = manager()
    first = found.CreateProject("A")
    assert first.GetName() == "A"
    assert found.CreateProject("A") is None
    assert found.CreateProject("B").GetName() == "B"
    assert first.GetName() is None
    assert found.LoadProject("A") is None
    assert found.GetCurrentProject().GetName() == "B"


def test_what_is_saved_comes_back_and_what_is_not_is_lost() -> None:
    found = manager()
    project = found.CreateProject("A")
    project.GetMediaPool().CreateEmptyTimeline("Cut")
    assert found.SaveProject() is True
    project.GetCurrentTimeline().AddMarker(1, "Blue", "", "", 1)
    assert found.CloseProject(project) is True
    assert found.GetCurrentProject().GetName() == UNTITLED
    timeline = found.LoadProject("A").GetCurrentTimeline()
    assert (timeline.GetName(), timeline.GetMarkers()) == ("Cut", {})
    assert found.GetProjectListInCurrentFolder() == ["A"]


def test_loading_the_open_project_gives_it_as_it_is() -> None:
    found = manager()
    project = found.CreateProject("A")
    assert found.LoadProject("A").GetUniqueId() == project.GetUniqueId()
    assert project.GetName() == "A"


def test_a_project_is_deleted_once_it_was_closed() -> None:
    """Facts of 19.1.3: not while it is open, nor after another was merely loaded over it."""
    found = manager()
    found.CreateProject("A")
    found.SaveProject()
    assert found.DeleteProject("A") is False
    found.CreateProject("B")
    found.SaveProject()
    assert found.DeleteProject("A") is False
    found.LoadProject("A")
    found.CloseProject(found.GetCurrentProject())
    assert found.DeleteProject("A") is True
    assert found.DeleteProject("A") is False
    assert found.GetProjectListInCurrentFolder() == ["B"]


def test_the_database_folder_outlives_the_application(tmp_path: Path) -> None:
    found = manager(database=tmp_path)
    ident = found.CreateProject("A/B").GetUniqueId()
    found.SaveProject()
    again = manager(database=tmp_path)
    assert again.GetProjectListInCurrentFolder() == ["A/B"]
    assert again.LoadProject("A/B").GetUniqueId() == ident
    assert again.GetCurrentProject().GetMediaPool().CreateEmptyTimeline("T").GetUniqueId() != ident


def test_a_whole_project_survives_saving() -> None:
    bench = Bench(drop=True, rate=29.97)
    clip, other = (bench.add_media(f"/nowhere/{name}.mov", frames=100, audio_channels=2) for name in "ab")
    item = bench.add_item(clip, 107892, 50, source=3, speed=2, sound=True, comps=["Composition 1"], grade="g")
    bench.add_takes(item, other)
    bench.add_transition(107942, 8)
    bench.add_bin("Bin", current=True)
    bench.select(item)
    bench.cut_at(107900)
    for thing in (bench.timeline, item, clip):
        bench.handle(thing).AddMarker(5, "Blue", "n", "t", 2, "c")
    bench.handle(clip).SetMarkInOut(1, 9)
    bench.handle(item).SetProperty("ZoomX", 2)
    read = decoded(encoded(bench.project))
    assert dump(read, ids=True) == dump(bench.project, ids=True)
    assert read.timelines[0].items()[0].clip is read.clips()[0]
    assert read.timelines[0].clip.timeline is read.timelines[0]  # type: ignore[union-attr]


def test_projects_are_exported_and_imported(tmp_path: Path) -> None:
    found = manager()
    found.CreateProject("A")
    path = tmp_path / "a.drp"
    assert found.ExportProject("A", str(path)) is True
    assert found.ImportProject(str(path), "Again") is True
    assert found.LoadProject("Again").GetName() == "Again"
    assert found.ExportProject("Nobody's", str(path)) is False


@pytest.mark.parametrize(
    ("value", "number", "drop"),
    [("25", 25.0, "0"), (23.976, 23.976, "0"), ("29.97 DF", 29.97, "1"), ("59.94", 59.94, "0"), (24, 24.0, "0")],
)
def test_the_rate_is_set_as_text_or_number_and_told_as_a_number(value: Any, number: float, drop: str) -> None:
    project = manager().CreateProject("A")
    assert project.SetSetting("timelineFrameRate", value) is True
    assert project.GetSetting("timelineFrameRate") == number
    assert project.GetSetting("timelineDropFrameTimecode") == drop


@pytest.mark.parametrize(
    ("name", "value"),
    [("timelineFrameRate", "24.5"), ("timelineFrameRate", "25 DF"), ("timelinePlaybackFrameRate", "25"),
     ("nonsense", "1"), ("timelineResolutionWidth", "5"), ("timelineInputResMismatchBehavior", "stretchy")],
)  # fmt: skip
def test_other_settings_are_refused(name: str, value: str) -> None:
    project = manager().CreateProject("A")
    before = project.GetSetting()
    assert project.SetSetting(name, value) is False
    assert project.GetSetting() == before


def test_the_rate_is_fixed_once_there_is_a_timeline() -> None:
    project = manager().CreateProject("A")
    project.GetMediaPool().CreateEmptyTimeline("T")
    assert project.SetSetting("timelineFrameRate", "25") is False
    assert project.SetSetting("timelineResolutionWidth", "3840") is True


def test_21_1_has_settings_as_a_dict() -> None:
    project = manager("21.1-studio").CreateProject("A")
    assert project.SetSettings({"timelineFrameRate": "25", "superScale": 2}) is True
    assert {key: project.GetSettings()[key] for key in ("timelineFrameRate", "superScale")} == {
        "timelineFrameRate": 25.0,
        "superScale": 2,
    }


def test_a_name_is_given_once() -> None:
    found = manager()
    project = found.CreateProject("A")
    found.SaveProject()
    assert project.SetName("B") is True
    assert (project.GetName(), found.GetProjectListInCurrentFolder()) == ("B", ["B"])
    assert project.SetName(UNTITLED) is False
