"""What the editor's timeline holds, as the menu script read it, with the editor's texts turned into exact values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction  # noqa: TC003  # wire.decode reads the annotations
from functools import cached_property
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from snapupscale.errors import SettingError
from snapupscale.timecode import Timecode, can_drop, exact_rate
from snapupscale.timeline.text import printable
from snapupscale.timeline.wire import decode, read_shown, read_text, read_whole, wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

Scope = Literal["playhead", "selection", "timeline"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
_DROP = re.compile(r"\s*DF\s*$", re.IGNORECASE)
_LAST_COLON = re.compile(r":(?=[0-9]+\s*$)")
_SHOWN: dict[str, Any] = {"read": read_shown}


def _read_rate(value: object, place: str) -> str:
    text = _rate_text(value, place)
    try:
        exact_rate(_DROP.sub("", text))
    except SettingError as error:
        raise wrong(place, str(error)) from error
    return text


def _read_media_rate(value: object, place: str) -> Fraction | None:
    try:
        return exact_rate(_DROP.sub("", _rate_text(value, place)))
    except SettingError:
        return None  # sound and graphics have none


def _rate_text(value: object, place: str) -> str:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else read_text(value, place)


def _read_count(value: object, place: str) -> int | None:
    if isinstance(value, int | float):
        return read_whole(value, place)
    text = read_text(value, place).strip()
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None


def _read_online(value: object, place: str) -> bool:
    return "offline" not in read_text(value, place).lower()


def _read_scope(value: object, place: str) -> Scope:
    text = read_text(value, place)
    for scope in SCOPES:
        if scope == text:
            return scope
    raise wrong(place, f"is none of {', '.join(SCOPES)}")


@dataclass(frozen=True, kw_only=True)
class Host:
    """The editor's program."""

    product: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Project:
    """The project that is open."""

    id: str
    name: str = field(metadata=_SHOWN)


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The current timeline. Record frames are absolute: the first is `start_frame`, the end is exclusive."""

    id: str
    name: str = field(metadata=_SHOWN)
    rate_text: str = field(metadata={"key": "rate", "read": _read_rate})
    start_frame: int
    end_frame: int
    start_timecode: str
    width: int
    height: int
    playhead: str

    @cached_property
    def rate(self) -> Fraction:
        """Frames per second, exact."""
        return exact_rate(_DROP.sub("", self.rate_text))

    def timecode(self, frame: int) -> str:
        """The timecode of an absolute record frame, as the editor shows it."""
        drop = can_drop(self.rate) and (bool(_DROP.search(self.rate_text)) or ";" in self.start_timecode)
        try:
            label = _LAST_COLON.sub(";", self.start_timecode) if drop else self.start_timecode
            start = Timecode.parse(label, self.rate).frame
        except SettingError:
            start = self.start_frame
        return str(Timecode(frame=max(0, start + frame - self.start_frame), rate=self.rate, drop=drop))


@dataclass(frozen=True, kw_only=True)
class Track:
    """A video track; `index` counts from 1, at the bottom."""

    index: int
    name: str = field(metadata=_SHOWN)
    locked: bool
    enabled: bool


@dataclass(frozen=True, kw_only=True)
class Item:
    """What stands on a video track from record frame `start` up to, not including, `end`.

    What has its usual value is left out on the wire, since a film has thousands of items. The source fields are the
    editor's own, None where its version doesn't tell: `source_start` and `source_end` count
    frames of the file at the file's rate, `left_offset` and `right_offset` frames of the retimed clip.
    """

    id: str
    name: str = field(metadata=_SHOWN)
    track: int
    start: int
    end: int
    type: str = ""
    media: str = ""
    left_offset: float | None = None
    right_offset: float | None = None
    source_start: int | None = None
    source_end: int | None = None
    source_start_time: float | None = None
    source_end_time: float | None = None
    speed: float | None = None
    """Per cent; 0 is a freeze frame, negative runs backwards."""
    fusion_comps: int = 0
    enabled: bool = True
    takes: int = 0
    take: int = 0
    in_scope: bool = False

    @property
    def length(self) -> int:
        """Number of record frames."""
        return self.end - self.start

    def overlaps(self, start: int, end: int) -> bool:
        """Whether it stands on a record frame from `start` up to, not including, `end`."""
        return self.start < end and start < self.end


@dataclass(frozen=True, kw_only=True)
class Media:
    """A clip of the media pool. `rate` is None where there is no picture, `frames` where the editor doesn't say."""

    id: str
    path: str
    type: str
    rate: Fraction | None = field(metadata={"read": _read_media_rate})
    frames: int | None = field(metadata={"read": _read_count})
    start_timecode: str = ""
    resolution: str = ""
    online: bool = field(default=True, metadata={"read": _read_online})
    drop: str = ""
    field: str = ""
    colour_space: str = ""
    par: str = ""
    alpha: str = ""

    @property
    def name(self) -> str:
        """The file's name, safe to show, cut to the longest that file systems allow."""
        return printable(PureWindowsPath(self.path).name)[:255]

    def timecode(self, frame: int) -> str:
        """The timecode of a source frame; counted from 00:00:00:00 where the source has none, empty without a rate."""
        if self.rate is None:
            return ""
        try:
            start = Timecode.parse(self.start_timecode, self.rate)
        except SettingError:
            start = Timecode(frame=0, rate=self.rate)
        return str(start.shifted(frame))


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A marker of the timeline; `frame` counts from the timeline's start, `custom` is hidden from the editor."""

    frame: int
    color: str
    name: str = field(metadata=_SHOWN)
    note: str = field(metadata=_SHOWN)
    duration: int
    custom: str = field(metadata=_SHOWN)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A timeline at one moment: all its video items, the media they use, and its markers."""

    protocol: int
    host: Host
    project: Project
    timeline: Timeline
    tracks: tuple[Track, ...] = field(metadata={"most": 1000})
    scope: Scope = field(metadata={"read": _read_scope})
    items: tuple[Item, ...] = field(metadata={"most": 20_000})
    media: tuple[Media, ...] = field(metadata={"most": 5000})
    markers: tuple[Marker, ...] = field(metadata={"most": 100_000})

    @cached_property
    def media_by_id(self) -> dict[str, Media]:
        """The media under their ids."""
        return {media.id: media for media in self.media if media.id}

    @cached_property
    def track_by_index(self) -> dict[int, Track]:
        """The tracks under their numbers."""
        return {track.index: track for track in self.tracks}


def read_snapshot(data: object) -> Snapshot:
    """The snapshot in the JSON that a menu script sends (protocol 1).

    At most 20000 items, 5000 media and 100000 markers. Raises SettingError, which names the place, for what `decode`
    refuses, rates that are none, items that end before they start or stand on a track that isn't there, ids twice, and
    a project or timeline without one. Names and notes that are long or hold NUL are no mistake of the client's: they
    are cut and cleaned.
    """
    snapshot = decode(Snapshot, data)
    for place, own_id in (("project.id", snapshot.project.id), ("timeline.id", snapshot.timeline.id)):
        if not own_id:
            raise wrong(place, "is empty, so that what is made could not be told from that of others")
    if snapshot.timeline.end_frame < snapshot.timeline.start_frame:
        raise wrong("timeline.end_frame", "is before start_frame")
    _check_once("tracks", "index", [track.index for track in snapshot.tracks])
    _check_once("media", "id", [media.id for media in snapshot.media])
    _check_once("items", "id", [item.id for item in snapshot.items])
    for index, item in enumerate(snapshot.items):
        if item.end < item.start:
            raise wrong(f"items[{index}].end", "is before its start")
        if item.track not in snapshot.track_by_index:
            raise wrong(f"items[{index}].track", "is no track of the timeline")
    return snapshot


def _check_once(place: str, key: str, values: Sequence[str | int]) -> None:
    seen: set[str | int] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise wrong(f"{place}[{index}].{key}", "is there twice")
        if value != "":
            seen.add(value)
