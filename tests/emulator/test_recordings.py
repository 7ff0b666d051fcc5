"""The emulator against what a live 19.1.3.7 answered, as others recorded in August 2026 (davinci-resolve-mcp).

Each case is a recorded probe of what is emulated, in a project with one movie of 48 frames on the timeline PROBE_TL.
What they show of exports is in `test_exchange`; rendering is not emulated.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from resolve_emulator.application import UNTITLED
from workbench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Session:
    """What a probe may ask: the objects of the recorded session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.resolve = Bench("19.1.3-studio", project=UNTITLED).resolve
        self.pm = self.resolve.GetProjectManager()
        self.project = self.pm.CreateProject("Run")
        self.pm.SaveProject()
        self.pool = self.project.GetMediaPool()
        self.item: Any = None

    def set_up(self, movie: Path) -> None:
        [self.clip] = self.pool.ImportMedia([str(movie)])
        self.timeline = self.pool.CreateEmptyTimeline("PROBE_TL")
        self.item = self.pool.AppendToTimeline([self.clip])[0]


@pytest.fixture
def session(clip: Callable[..., Path], tmp_path: Path) -> Session:
    made = Session(tmp_path)
    made.set_up(clip("probe_source.mov", frames=48, rate=Fraction(24)))
    return made


RECORDED: dict[str, tuple[Callable[[Session], Any], Any]] = {
    "app.product_name": (lambda s: s.resolve.GetProductName(), "DaVinci Resolve Studio"),
    "app.version_string": (lambda s: s.resolve.GetVersionString(), "19.1.3.7"),
    "app.version": (lambda s: s.resolve.GetVersion(), [19, 1, 3, 7, ""]),
    "app.current_page": (lambda s: s.resolve.GetCurrentPage(), "edit"),
    "app.keyframe_mode": (lambda s: s.resolve.GetKeyframeMode(), None),
    "app.fusion_handle": (lambda s: bool(s.resolve.Fusion()), True),
    "app.fusion_current_comp": (lambda s: bool(s.resolve.Fusion().GetCurrentComp()), False),
    "app.media_storage": (lambda s: bool(s.resolve.GetMediaStorage()), True),
    "pm.current_database": (lambda s: s.pm.GetCurrentDatabase(), {"DbType": "Disk", "DbName": "Local Database"}),
    "pm.current_folder": (lambda s: s.pm.GetCurrentFolder(), ""),
    "pm.folder_list": (lambda s: s.pm.GetFolderListInCurrentFolder(), []),
    "pm.project_list": (lambda s: len(s.pm.GetProjectListInCurrentFolder()) > 0, True),
    "pm.save_named_project": (lambda s: s.pm.SaveProject(), True),
    "pm.export_project": (lambda s: s.pm.ExportProject("Run", str(s.folder / "exported.drp")), True),
    "project.setting_count": (lambda s: len(s.project.GetSetting()) > 0, True),
    "project.read_frame_rate": (lambda s: s.project.GetSetting("timelineFrameRate"), 24.0),
    "project.set_resolution": (lambda s: _set(s.project, "timelineResolutionWidth", "1920"), (True, "1920")),
    "project.set_colour_science": (lambda s: _set(s.project, "colorScienceMode", "davinciYRGB"), (True, "davinciYRGB")),
    "project.unique_id_shape": (lambda s: type(s.project.GetUniqueId()).__name__, "str"),
    "project.render_jobs": (lambda s: s.project.GetRenderJobList(), []),
    "project.is_rendering": (lambda s: s.project.IsRenderingInProgress(), False),
    "project.refresh_luts": (lambda s: s.project.RefreshLUTList(), True),
    "project.groups": (lambda s: s.project.GetColorGroupsList(), []),
    "pool.clip_count": (lambda s: len(s.pool.GetRootFolder().GetClipList()), 2),
    "pool.root_folder": (lambda s: s.pool.GetRootFolder().GetName(), "Master"),
    "pool.is_stale": (lambda s: s.pool.GetRootFolder().GetIsFolderStale(), False),
    "pool.add_subfolder": (lambda s: _moved_into_a_bin(s.pool), True),
    "timeline.name": (lambda s: s.timeline.GetName(), "PROBE_TL"),
    "timeline.start_frame": (lambda s: s.timeline.GetStartFrame(), 86400),
    "timeline.start_timecode": (lambda s: s.timeline.GetStartTimecode(), "01:00:00:00"),
    "timeline.current_timecode": (lambda s: s.timeline.GetCurrentTimecode(), "01:00:00:00"),
    "timeline.markers": (lambda s: s.timeline.GetMarkers(), {}),
    "timeline.track_count_video": (lambda s: s.timeline.GetTrackCount("video"), 1),
    "audio.track_count": (lambda s: s.timeline.GetTrackCount("audio"), 1),
    "audio.add_delete_track": (
        lambda s: (s.timeline.AddTrack("audio", "stereo"), s.timeline.DeleteTrack("audio", 2)),
        (True, True),
    ),
    "audio.set_track_name": (lambda s: s.timeline.SetTrackName("audio", 1, "PROBE_AUDIO"), True),
    "timeline.add_delete_track": (
        lambda s: (s.timeline.AddTrack("video"), s.timeline.DeleteTrack("video", 2)),
        (True, True),
    ),
    "timeline.set_current_timecode": (lambda s: s.timeline.SetCurrentTimecode("01:00:00:00"), True),
    "timeline.current_video_item": (lambda s: bool(s.timeline.GetCurrentVideoItem()), True),
    "timeline.marker_roundtrip": (lambda s: _marked(s.timeline), (True, 1)),
    "timeline.set_name": (lambda s: s.timeline.SetName("PROBE_RENAMED"), True),
    "timeline.set_track_name": (
        lambda s: (s.timeline.SetTrackName("video", 1, "PROBE_TRACK"), s.timeline.GetTrackName("video", 1)),
        (True, "PROBE_TRACK"),
    ),
    "timeline.track_enable_roundtrip": (lambda s: s.timeline.SetTrackEnable("video", 1, False), True),
    "timeline.grab_still": (lambda s: bool(s.timeline.GrabStill()), True),
    "item.name": (lambda s: s.item.GetName(), "probe_source.mov"),
    "item.duration": (lambda s: s.item.GetDuration(), 48),
    "item.left_offset": (lambda s: s.item.GetLeftOffset(), 0),
    "item.set_zoom_property": (
        lambda s: (s.item.SetProperty("ZoomX", 1.25), s.item.GetProperty("ZoomX")),
        (True, 1.25),
    ),
    "item.marker_roundtrip": (lambda s: _marked(s.item), (True, 1)),
    "item.flag_roundtrip": (lambda s: s.item.AddFlag("Blue"), True),
    "item.set_clip_color": (lambda s: s.item.SetClipColor("Orange"), True),
    "item.media_pool_item": (lambda s: bool(s.item.GetMediaPoolItem()), True),
    "color.node_graph": (lambda s: s.item.GetNodeGraph().GetNumNodes(), 1),
    "color.node_label": (lambda s: s.item.GetNodeGraph().GetNodeLabel(1), ""),
    "color.node_lut": (lambda s: s.item.GetNodeGraph().GetLUT(1), ""),
    "color.tools_in_node": (lambda s: s.item.GetNodeGraph().GetToolsInNode(1), []),
    "color.set_node_enabled": (lambda s: s.item.GetNodeGraph().SetNodeEnabled(1, True), True),
    "color.reset_all_grades": (lambda s: s.item.GetNodeGraph().ResetAllGrades(), True),
    "color.group_roundtrip": (lambda s: s.item.AssignToColorGroup(s.project.AddColorGroup("PROBE_GROUP")), True),
    "fusion.comp_count": (lambda s: s.item.GetFusionCompCount(), 0),
    "fusion.add_delete_comp": (
        lambda s: (bool(s.item.AddFusionComp()), s.item.DeleteFusionCompByName("Composition 1")),
        (True, False),
    ),
    "gallery.album_count": (lambda s: len(s.project.GetGallery().GetGalleryStillAlbums()), 1),
    "gallery.stills": (lambda s: s.project.GetGallery().GetCurrentStillAlbum().GetStills(), []),
    "gallery.export_stills": (lambda s: _exported_still(s.project), False),
    "gallery.export_current_frame": (
        lambda s: (s.project.ExportCurrentFrameAsStill(str(s.folder / "frame.png")), (s.folder / "frame.png").exists()),
        (True, True),
    ),
    "lifecycle.load_and_close": (lambda s: _loaded_and_closed(s.pm), (True, True, False)),
    "resolve.GetProjectManager().Nothing": (lambda s: s.pm.Nothing, None),
}


@pytest.mark.parametrize("probe", RECORDED)
def test_the_answer_is_the_recorded_one(session: Session, probe: str) -> None:
    ask, expected = RECORDED[probe]
    answer = ask(session)
    assert answer == expected
    assert type(answer) is type(expected)


@pytest.mark.parametrize("page", ["media", "cut", "edit", "fusion", "color", "fairlight", "deliver"])
def test_every_page_opens(session: Session, page: str) -> None:
    assert session.resolve.OpenPage(page) is True
    assert session.resolve.GetCurrentPage() == page


def test_layout_presets(session: Session) -> None:
    path = session.folder / "layout.preset"
    assert session.resolve.SaveLayoutPreset("PROBE_LAYOUT") is True
    assert session.resolve.ExportLayoutPreset("PROBE_LAYOUT", str(path)) is True
    assert path.stat().st_size > 0
    assert session.resolve.LoadLayoutPreset("PROBE_LAYOUT") is True
    assert session.resolve.DeleteLayoutPreset("PROBE_LAYOUT") is True


def test_duplicating_through_the_pool_raises(session: Session) -> None:
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        session.pool.DuplicateTimeline("PROBE_DUP")


def _set(project: Any, name: str, value: str) -> tuple[bool, str]:
    return project.SetSetting(name, value), project.GetSetting(name)


def _moved_into_a_bin(pool: Any) -> Any:
    folder = pool.AddSubFolder(pool.GetRootFolder(), "PROBE_BIN")
    moved = pool.SetCurrentFolder(folder)
    pool.SetCurrentFolder(pool.GetRootFolder())
    pool.DeleteFolders([folder])
    return moved


def _marked(owner: Any) -> tuple[bool, int]:
    added, count = owner.AddMarker(1, "Blue", "PROBE", "note", 1), len(owner.GetMarkers())
    owner.DeleteMarkerAtFrame(1)
    return added, count


def _exported_still(project: Any) -> Any:
    still = project.GetCurrentTimeline().GrabStill()
    return project.GetGallery().GetCurrentStillAlbum().ExportStills([still], "/nowhere", "probe", "jpg")


def _loaded_and_closed(manager: Any) -> tuple[bool, bool, bool]:
    manager.CreateProject("PROBE_LIFECYCLE2")
    loaded = bool(manager.LoadProject("PROBE_LIFECYCLE2"))
    closed = bool(manager.CloseProject(manager.GetCurrentProject()))
    manager.LoadProject("Run")
    return loaded, closed, manager.DeleteProject("PROBE_LIFECYCLE2")
