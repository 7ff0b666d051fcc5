"""What an editor holds in memory: projects, bins, clips, timelines and their items, as plain mutable data.

Positions of items are frames of the timeline, absolute; positions in sources are frames of the source, from 0. Both are
exact fractions, whole unless a script asked for less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

TRACK_TYPES = ("video", "audio", "subtitle")


@dataclass(frozen=True, kw_only=True)
class Asset:
    """What a clip of the media pool stands for; `frames` at `rate`, `start` is the frame of its start timecode."""

    kind: str
    """video, audio, still, timeline, compound, fusion, multicam."""
    path: str = ""
    file_name: str = ""
    rate: Fraction = Fraction(24)
    frames: int = 1
    width: int = 0
    height: int = 0
    start: int = 0
    drop: bool = False
    audio_channels: int = 0
    container: str = ""
    codec: str = ""
    audio_codec: str = ""
    bit_depth: int = 8
    field_order: str = "Progressive"
    pixel_aspect: str = "Square"
    alpha: str = "None"

    @property
    def has_video(self) -> bool:
        return self.kind != "audio"

    @property
    def has_audio(self) -> bool:
        return self.kind == "audio" or self.audio_channels > 0


@dataclass(kw_only=True, eq=False)
class Live:
    """What a script may hold a handle of, after it has gone too."""

    gone: bool = False


@dataclass(kw_only=True, eq=False)
class Marked(Live):
    """What markers hang on: frame -> colour, duration, note, name and customData."""

    markers: dict[float, dict[str, Any]] = field(default_factory=dict)
    marks: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Mark in and out, both part of the range, by video and audio."""


@dataclass(kw_only=True, eq=False)
class Coloured(Live):
    """What has a colour and flags."""

    color: str = ""
    flags: list[str] = field(default_factory=list)


@dataclass(kw_only=True, eq=False)
class Clip(Marked, Coloured):
    """An entry of the media pool."""

    id: str
    media_id: str
    name: str
    asset: Asset
    timeline: Timeline | None = None
    """The timeline it stands for."""
    metadata: dict[str, str] = field(default_factory=dict)
    third_party: dict[str, str] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    """Clip properties that were set."""
    proxy: str = ""
    offline: bool = False


@dataclass(kw_only=True, eq=False)
class Bin(Live):
    """A folder of the media pool."""

    id: str
    name: str
    clips: list[Clip] = field(default_factory=list)
    folders: list[Bin] = field(default_factory=list)


@dataclass(kw_only=True)
class Take:
    """One choice of a take selector; `end` exclusive, both in frames of its clip."""

    clip: Clip
    start: Fraction
    end: Fraction


@dataclass(kw_only=True, eq=False)
class Item(Marked, Coloured):
    """A piece of a track, from `start` for `duration` frames of the timeline."""

    id: str
    kind: str
    """video, audio, generator, title, transition, subtitle."""
    name: str
    clip: Clip | None
    start: Fraction
    duration: Fraction
    source_in: Fraction = Fraction(0)
    """The frame of the source that is shown first."""
    speed: Fraction = Fraction(1)
    """1 is 100 %; negative runs backwards, 0 is a freeze frame."""
    span_known: bool = True
    enabled: bool = True
    properties: dict[str, Any] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    takes: list[Take] = field(default_factory=list)
    take: int = 0
    comps: list[str] = field(default_factory=list)
    active_comp: str = ""
    grade: str = ""
    """Stands for the node graph: equal texts are equal grades."""
    versions: list[str] = field(default_factory=lambda: ["Version 1"])
    version: str = "Version 1"
    group: str = ""
    fades: tuple[int, int] = (0, 0)

    @property
    def end(self) -> Fraction:
        return self.start + self.duration


@dataclass(kw_only=True, eq=False)
class Track:
    """A lane of a timeline; an empty name reads as `Video 2`."""

    name: str = ""
    sub_type: str = ""
    enabled: bool = True
    locked: bool = False
    items: list[Item] = field(default_factory=list)


@dataclass(kw_only=True, eq=False)
class Timeline(Marked):
    """A sequence; `start` is the frame of its start timecode."""

    id: str
    name: str
    rate: Fraction
    drop: bool
    start: int
    playhead: int
    clip: Clip | None = None
    tracks: dict[str, list[Track]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    selection: list[str] = field(default_factory=list)
    scene_cuts: tuple[int, ...] | None = None
    """Cuts that DetectSceneCuts makes, absolute, where a test gave them."""

    def all_tracks(self) -> list[tuple[str, int, Track]]:
        """Every track with its type and its number from 1."""
        return [
            (kind, number, track) for kind in TRACK_TYPES for number, track in enumerate(self.tracks.get(kind, []), 1)
        ]

    def items(self) -> list[Item]:
        return [item for _, _, track in self.all_tracks() for item in track.items]


@dataclass(kw_only=True, eq=False)
class Album(Live):
    """A gallery album of stills."""

    id: str
    name: str
    stills: list[Still] = field(default_factory=list)


@dataclass(kw_only=True, eq=False)
class Still(Live):
    id: str
    label: str = ""


@dataclass(kw_only=True, eq=False)
class Group(Live):
    """A colour group."""

    name: str


@dataclass(kw_only=True, eq=False)
class Project(Live):
    """A project with its media pool and its timelines."""

    id: str
    name: str
    root: Bin
    folder: Bin
    """The current bin."""
    settings: dict[str, Any]
    pool_id: str = ""
    timelines: list[Timeline] = field(default_factory=list)
    timeline: Timeline | None = None
    selected_clips: list[Clip] = field(default_factory=list)
    albums: list[Album] = field(default_factory=list)
    album: Album | None = None
    power_albums: list[Album] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    render_jobs: list[dict[str, Any]] = field(default_factory=list)
    saved: bool = False

    def bins(self) -> list[Bin]:
        """Every bin, the root first."""
        found = [self.root]
        for folder in found:
            found.extend(folder.folders)
        return found

    def clips(self) -> list[Clip]:
        return [clip for folder in self.bins() for clip in folder.clips]


@dataclass(frozen=True)
class Pool:
    """The media pool of a project."""

    project: Project


@dataclass(frozen=True)
class Gallery:
    """The gallery of a project."""

    project: Project


@dataclass(frozen=True)
class Graph:
    """The node graph of an item, a timeline or a group."""

    owner: Any


@dataclass(frozen=True)
class Comp:
    """A Fusion composition of an item."""

    item: Item
    name: str


@dataclass(frozen=True)
class Root:
    """An object of which the application has one, by its class: Resolve, ProjectManager, MediaStorage, Fusion."""

    kind: str
