"""Export and import of timelines: what a live 19.1.3.7 kept of one, as others recorded it (davinci-resolve-mcp)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import opentimelineio as otio
import pytest
from workbench import Bench, dump

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMATS = {
    "drt": ("EXPORT_DRT", "drt"),
    "fcpxml": ("EXPORT_FCPXML_1_10", "fcpxml"),
    "fcp7": ("EXPORT_FCP_7_XML", "xml"),
    "otio": ("EXPORT_OTIO", "otio"),
    "edl": ("EXPORT_EDL", "edl"),
}
TRANSFORM = {"ZoomX": 1.35, "Pan": 96.0, "RotationAngle": 12.0, "CropLeft": 40.0, "FlipX": True}
PLAIN = {"ZoomX": 1.0, "Pan": 0.0, "RotationAngle": 0.0, "CropLeft": 0.0, "FlipX": False}
CUT = [(1, 86400, 191, 0), (1, 86591, 47, 24), (1, 86638, 47, 48), (2, 86496, 47, 0)]
SOURCES = ["rt_source_1.mov", "rt_source_2.mov", "rt_source_1.mov", "rt_source_2.mov"]
SOME = {"tracks": (2, 2, 3), "transform": TRANSFORM, "colour": "Orange", "flags": [1, 0, 1, 0], "markers": (1, 1)}
LOST: dict[str, dict[str, Any]] = {
    "drt": {},
    "fcpxml": {"tracks": (2, 1, 3), "colour": "", "markers": (0, 0)},
    "fcp7": {"transform": TRANSFORM | {"FlipX": False}, "colour": "", "markers": (0, 0)},
    "otio": {"colour": "", "flags": [0, 0, 0, 0]},
    "edl": {"tracks": (1, 1, 3), "transform": PLAIN, "colour": "", "flags": [1, 0, 1], "markers": (0, 0)},
}
"""What differs from the reference after the way through each format, with the pool's clips used again."""


class Session:
    """The recorded session: a cut on two video tracks, with what a format may lose."""

    def __init__(self, clip: Callable[..., Path], folder: Path) -> None:
        self.folder = folder
        self.bench = Bench("19.1.3-studio", project="RICHRT")
        self.resolve = self.bench.resolve
        self.project = self.resolve.GetProjectManager().GetCurrentProject()
        self.pool = self.project.GetMediaPool()
        self.paths = [
            clip(f"rt_source_{number}.mov", frames=192, width=64, height=36, metadata={"timecode": "01:00:00:00"})
            for number in (1, 2)
        ]
        one, two = self.resolve.GetMediaStorage().AddItemListToMediaPool([str(path) for path in self.paths])
        for each in self.bench.project.clips():
            each.asset = replace(each.asset, audio_channels=1)
        self.timeline = self.pool.CreateEmptyTimeline("RR_REFERENCE")
        spine = [(one, 0, 191), (two, 24, 71), (one, 48, 95)]
        self.pool.AppendToTimeline(
            [{"mediaPoolItem": clip, "startFrame": start, "endFrame": end} for clip, start, end in spine]
        )
        overlay = {"mediaPoolItem": two, "startFrame": 0, "endFrame": 47, "trackIndex": 2, "mediaType": 1}
        self.pool.AppendToTimeline([overlay | {"recordFrame": self.timeline.GetStartFrame() + 96}])

    def decorate(self) -> None:
        items = self.timeline.GetItemListInTrack("video", 1)
        for key, value in TRANSFORM.items():
            assert items[1].SetProperty(key, value) is True
        items[0].SetClipColor("Orange")
        items[2].AddFlag("Blue")
        items[0].AddMarker(1, "Blue", "RRM", "note", 1)
        self.timeline.AddMarker(5, "Green", "RRTL", "note", 1)

    def move_media(self) -> Path:
        """Where it is after: the clips of the pool are offline."""
        there = self.folder / "there"
        there.mkdir()
        for path, each in zip(self.paths, self.bench.project.clips(), strict=False):
            (there / path.name).write_bytes(path.read_bytes())
            each.asset = replace(each.asset, path=str(self.folder / "away" / path.name))
        return there

    def export(self, name: str) -> Path:
        constant, suffix = FORMATS[name]
        path = self.folder / f"rr_{name}.{suffix}"
        kind = getattr(self.resolve, constant)
        assert self.timeline.Export(str(path), kind, self.resolve.EXPORT_NONE) is True
        return path / "Info.fcpxml" if path.is_dir() else path

    def bring_back(self, path: Path, **options: Any) -> Any:
        return self.pool.ImportTimelineFromFile(str(path), options)


def cut_of(timeline: Any) -> list[tuple[int, ...]]:
    return [
        (track, item.GetStart(), item.GetDuration(), item.GetLeftOffset())
        for track in range(1, timeline.GetTrackCount("video") + 1)
        for item in timeline.GetItemListInTrack("video", track)
    ]


def videos(timeline: Any) -> list[Any]:
    count = timeline.GetTrackCount("video")
    return [item for track in range(1, count + 1) for item in timeline.GetItemListInTrack("video", track)]


def described(timeline: Any) -> dict[str, Any]:
    items, sounds = videos(timeline), timeline.GetTrackCount("audio")
    heard = sum(len(timeline.GetItemListInTrack("audio", track)) for track in range(1, sounds + 1))
    return {
        "tracks": (timeline.GetTrackCount("video"), sounds, heard),
        "transform": {key: items[1].GetProperty(key) for key in TRANSFORM},
        "colour": items[0].GetClipColor(),
        "flags": [len(item.GetFlagList()) for item in items],
        "markers": (len(items[0].GetMarkers()), len(timeline.GetMarkers())),
    }


def sources(timeline: Any) -> list[str | None]:
    clips = [item.GetMediaPoolItem() for item in videos(timeline)]
    return [clip.GetClipProperty("File Name") if clip else None for clip in clips]


@pytest.fixture
def session(clip: Callable[..., Path], tmp_path: Path) -> Session:
    return Session(clip, tmp_path)


def test_the_reference_is_as_recorded(session: Session) -> None:
    """Appending above the topmost track made a video and an audio track; a flag shows on every item of its clip."""
    session.decorate()
    assert cut_of(session.timeline) == CUT
    assert sources(session.timeline) == SOURCES
    assert described(session.timeline) == SOME


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_loses_what_was_recorded(session: Session, name: str) -> None:
    """Facts 1.2."""
    session.decorate()
    path = session.export(name)
    options = {"timelineName": f"RR_{name}_a", "importSourceClips": False}
    folders = [session.pool.GetRootFolder()]
    made = session.bring_back(path, **({} if name == "drt" else {**options, "sourceClipsFolders": folders}))
    assert made.GetName() == ("rr_drt" if name == "drt" else f"RR_{name}_a")
    assert cut_of(made) == (CUT[:3] if name == "edl" else CUT)
    assert sources(made) == ([None] * 4 if name == "otio" else SOURCES[:3] if name == "edl" else SOURCES)
    assert described(made) == SOME | LOST[name]
    assert len(session.pool.GetRootFolder().GetClipList()) == 4


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "drt"])
def test_with_its_media_imported_every_format_is_linked(session: Session, name: str) -> None:
    made = session.bring_back(session.export(name), timelineName="New", sourceClipsPath=str(session.paths[0].parent))
    assert sources(made) == SOURCES[: len(videos(made))]


def test_an_edl_has_the_recorded_size(session: Session) -> None:
    """395 bytes for three events of these names."""
    content = session.export("edl").read_bytes()
    assert len(content) == 395
    assert content.splitlines()[6] == b"002  AX       V     C        01:00:01:00 01:00:02:23 01:00:07:23 01:00:09:22  "


def test_fcpxml_1_10_alone_is_a_folder_that_cannot_be_imported_itself(session: Session) -> None:
    path = session.export("fcpxml").parent
    assert path.name == "rr_fcpxml.fcpxml"
    assert session.pool.ImportTimelineFromFile(str(path), {}) is None
    for version in ("8", "9"):
        file = session.folder / f"{version}.fcpxml"
        assert session.timeline.Export(str(file), getattr(session.resolve, f"EXPORT_FCPXML_1_{version}")) is True
        assert f'version="1.{version}"' in file.read_text()


@pytest.mark.parametrize("name", FORMATS)
def test_a_name_that_is_there_gives_none(session: Session, name: str) -> None:
    """Facts 1.2, measured."""
    path = session.export(name)
    taken = "rr_drt" if name == "drt" else "Taken"
    session.pool.CreateEmptyTimeline(taken)
    before = dump(session.bench.project)
    assert session.bring_back(path, timelineName=taken) is None
    assert dump(session.bench.project) == before


@pytest.mark.parametrize(("name", "linked"), [("fcpxml", True), ("fcp7", True), ("edl", False), ("drt", False)])
def test_media_that_has_moved_is_found_in_the_named_folder(session: Session, name: str, linked: bool) -> None:
    """Recorded: XML finds it there, EDL and DRT keep to the offline clips of the pool."""
    there = session.move_media()
    made = session.bring_back(session.export(name), timelineName="Found", sourceClipsPath=str(there))
    assert cut_of(made)[:3] == CUT[:3]
    status = {item.GetMediaPoolItem().GetClipProperty("Online Status") for item in videos(made)}
    assert status == {"Online" if linked else "Offline"}


def test_an_otio_of_media_that_has_moved_gives_none(session: Session) -> None:
    """Recorded."""
    session.move_media()
    before = dump(session.bench.project)
    assert session.bring_back(session.export("otio"), timelineName="Found") is None
    assert dump(session.bench.project) == before


def test_opentimelineio_reads_what_is_written(session: Session) -> None:
    """Source ranges count on the timecode of the media (facts 1.2)."""
    timeline = otio.adapters.read_from_file(str(session.export("otio")))
    clips = list(timeline.video_tracks()[0])
    assert [clip.source_range.start_time.value for clip in clips] == [86400, 86424, 86448]
    assert timeline.range_of_child(timeline.video_tracks()[1][1]).start_time.value == 96
    assert timeline.global_start_time == otio.opentime.RationalTime(86400, 24)


@pytest.mark.parametrize(("kind", "separator"), [("CSV", ","), ("TAB", "\t")])
def test_tables_have_a_row_for_each_item(session: Session, kind: str, separator: str) -> None:
    path = session.folder / "index.txt"
    assert session.timeline.Export(str(path), getattr(session.resolve, f"EXPORT_TEXT_{kind}")) is True
    head, first, *rest = [line.split(separator) for line in path.read_text().splitlines()]
    assert head[6:11] == ["Source In", "Source Out", "Record In", "Record Out", "Name"]
    assert first[6:11] == ["01:00:00:00", "01:00:07:23", "01:00:00:00", "01:00:07:23", "rt_source_1.mov"]
    assert [row[3] for row in rest] == ["A1", "V2", "V1", "A1", "V1", "A1"]


def test_what_is_not_written_gives_false(session: Session, tmp_path: Path) -> None:
    """Facts 1.2: an EDL takes a subtype."""
    export, resolve, path = session.timeline.Export, session.resolve, str(tmp_path / "out")
    assert export(path, resolve.EXPORT_EDL) is False
    assert export(path, resolve.EXPORT_AAF, resolve.EXPORT_AAF_NEW) is False
    assert export(path, "EDL", resolve.EXPORT_NONE) is False
    assert export(str(tmp_path / "none" / "out"), resolve.EXPORT_OTIO) is False
    assert resolve.EXPORT_FCPXML_1_7 is None
    assert list(tmp_path.glob("out*")) == []
    (tmp_path / "notes.edl.txt").write_text("hello")
    assert session.pool.ImportTimelineFromFile(str(tmp_path / "notes.edl.txt"), {}) is None


@pytest.mark.parametrize(("name", "known"), [("fcpxml", True), ("otio", True), ("edl", True), ("fcp7", False)])
def test_speed_comes_back_but_not_its_span_from_fcp_7(tmp_path: Path, name: str, known: bool) -> None:
    """Facts 1.3: 0/0 for xmeml."""
    bench = Bench(rate=25)
    (tmp_path / "fast.mov").touch()
    clip = bench.add_media(tmp_path / "fast.mov", frames=400, rate=Fraction(25), start=90000)
    bench.add_item(clip, 90000, 50, source=20, speed=2)
    path, (constant, suffix) = tmp_path / "speed", FORMATS[name]
    path = path.with_suffix(f".{suffix}")
    timeline, resolve = bench.handle(bench.timeline), bench.resolve
    assert timeline.Export(str(path), getattr(resolve, constant), resolve.EXPORT_NONE) is True
    pool = resolve.GetProjectManager().GetCurrentProject().GetMediaPool()
    file = path / "Info.fcpxml" if path.is_dir() else path
    made = pool.ImportTimelineFromFile(str(file), {"timelineName": "Back"})
    [item] = made.GetItemListInTrack("video", 1)
    assert (item.GetStart(), item.GetDuration()) == (90000, 50)
    assert (item.GetSourceStartFrame(), item.GetSourceEndFrame()) == ((20, 120) if known else (0, 0))
