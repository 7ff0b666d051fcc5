"""Reads the clips of an OpenTimelineIO timeline. Loads opentimelineio, so `reading` imports it when it is needed."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from opentimelineio.core import Item, deserialize_json_from_string
from opentimelineio.exceptions import OTIOError
from opentimelineio.opentime import RationalTime
from opentimelineio.schema import Clip, SerializableCollection, Timeline, Track

from snapupscale.errors import ListUnreadable, SettingError
from snapupscale.timecode import exact_rate
from snapupscale.timeline.listing import Event, Frames, Listing
from snapupscale.timeline.otio import STILLS_TRACK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

_DEEPEST = 200
# A string, whole or without its end, or a bracket.
_STRUCTURE = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
# How far a time may be from a whole frame: some programs write what they computed in floats.
_OFF = 0.01


def read_otio(text: str) -> Listing:
    """The clips of all video tracks, but for the stills that `to_otio` lays over the shots. No adapter, hook or media
    linker runs, and no media is looked for. Raises ListUnreadable."""
    _require_shallow(text)
    try:
        root = deserialize_json_from_string(text)
    except Exception as error:  # the library raises KeyError, ValueError and others for one and the same fault
        raise ListUnreadable(f"the timeline cannot be read: {str(error)[:200]}") from error
    try:
        timeline = _timeline(root)
        if timeline.tracks is None:
            raise ListUnreadable("the timeline has no tracks")  # the library's process would die of asking for them
        tracks = [track for track in timeline.video_tracks() if track.name != STILLS_TRACK]
        events = [event for track in tracks for event in _events(timeline, track)]
    except (OTIOError, ValueError, OverflowError) as error:
        raise ListUnreadable(f"the timeline cannot be read: {str(error)[:200]}") from error
    except SettingError as error:
        raise ListUnreadable(str(error)) from error
    return Listing(events=tuple(events), rate=None)


def _require_shallow(text: str) -> None:
    """The library reads by recursion, and its process would die of a text that is nested too deeply."""
    depth = 0
    for match in _STRUCTURE.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > _DEEPEST:
                raise ListUnreadable("the timeline is nested too deeply")
        elif match[0] in "]}":
            depth -= 1


def _timeline(root: object) -> Timeline:
    """`root`, or the only timeline in a collection."""
    found = [root, *root] if isinstance(root, SerializableCollection) else [root]
    timelines = [each for each in found if isinstance(each, Timeline)]
    if len(timelines) != 1:
        raise ListUnreadable(f"the file holds {len(timelines) or 'no'} timelines", hint="Export a single timeline.")
    return timelines[0]


def _events(timeline: Timeline, track: Track) -> Iterator[Event]:
    position: RationalTime | None = timeline.global_start_time
    for number, item in enumerate(track, start=1):
        if not isinstance(item, Item):
            continue  # a transition, which takes no time of its own
        length = item.trimmed_range().duration
        position = RationalTime(0, length.rate) if position is None else position
        # The timeline may run at another rate than the footage.
        nearest = RationalTime(round(position.rescaled_to(length.rate).value), length.rate)
        record = _points(nearest, length, 0, relative=False)
        position += length
        if isinstance(item, Clip):
            source, names = _shown(item)
            place = f"track {track.name[:40]!r}, item {number}"
            yield Event(place=place, names=names, reel="", source=source, record=record)


def _shown(clip: Clip) -> tuple[tuple[Frames, Frames], tuple[str, ...]]:
    """Which frames of its footage `clip` shows, and the names of the footage."""
    span, reference = clip.trimmed_range(), clip.media_reference
    available = None if reference is None else reference.available_range
    names = [clip.name, "" if reference is None else reference.name, getattr(reference, "target_url", "")]
    known = tuple(unquote(name) if "://" in name else name for name in names if name)
    if available is None:
        return _points(span.start_time, span.duration, 0, relative=False), known
    first = available.start_time.rescaled_to(span.start_time.rate)
    return _points(span.start_time, span.duration, _whole(first), relative=True), known


def _points(start: RationalTime, length: RationalTime, first: int, *, relative: bool) -> tuple[Frames, Frames]:
    rate = _rate(length)
    begin, count = _whole(start.rescaled_to(length.rate)) - first, _whole(length)
    return (
        Frames(number=begin, rate=rate, relative=relative),
        Frames(number=begin + count, rate=rate, relative=relative),
    )


def _rate(time: RationalTime) -> Fraction:
    if not math.isfinite(time.rate):
        raise ListUnreadable(f"{time.rate} is no frame rate")
    return exact_rate(time.rate)


def _whole(time: RationalTime) -> int:
    value = float(time.value)
    if not math.isfinite(value) or abs(value - round(value)) > _OFF:
        raise ListUnreadable(f"{value:g} is no number of a frame")
    return round(value)
