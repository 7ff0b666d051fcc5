"""Putting clips on tracks: what AppendToTimeline does with a clip, and with a piece of one (facts 1.4)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from resolve_emulator.face import need, number, whole
from resolve_emulator.spans import record_duration
from resolve_emulator.state import Clip, Item, Timeline, Track

if TYPE_CHECKING:
    from resolve_emulator.application import Application

SOUND = 2
MOST_TRACKS = 100
_MEDIA_TYPES = {1: ("video",), SOUND: ("audio",), None: ("video", "audio")}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a script asks to be placed; frames of the clip with `end` exclusive, `record` absolute."""

    clip: Clip
    start: Fraction | None = None
    end: Fraction | None = None
    media: int | None = None
    track: int = 1
    record: Fraction | None = None


def read_wish(app: Application, given: Any) -> Wish:
    """A clip, or a dict with mediaPoolItem. Refuses what is neither."""
    if isinstance(given, Clip):
        return Wish(clip=given)
    need(isinstance(given, dict) and isinstance(given.get("mediaPoolItem"), Clip))
    start, end, record = (_fraction(given.get(key)) for key in ("startFrame", "endFrame", "recordFrame"))
    media = given.get("mediaType")
    need(media in _MEDIA_TYPES)
    if app.profile.version < (19, 0, 2):
        need(record is None or record.denominator == 1)
    return Wish(
        clip=given["mediaPoolItem"],
        start=start,
        end=end,
        media=media,
        track=whole(given.get("trackIndex", 1)),
        record=record,
    )


def place(app: Application, timeline: Timeline, wish: Wish) -> list[Item]:
    """Put one piece on its tracks, video and audio linked unless one of them was asked for.

    A piece that would overlap is dropped, and the earlier one stays: what comes back is then an item without an id.
    Tracks that are missing are made. Refuses a locked track and an empty piece.
    """
    kinds = [kind for kind in _MEDIA_TYPES[wish.media] if _has(wish.clip, kind)]
    need(kinds and wish.clip is not timeline.clip)
    source_in, duration = _extent(app, timeline, wish)
    start = wish.record if wish.record is not None else _append_point(timeline, kinds)
    need(start >= timeline.start)
    _make_tracks(timeline, wish)
    lanes = [timeline.tracks[kind][wish.track - 1] for kind in kinds]
    need(not any(lane.locked for lane in lanes))
    items = [
        Item(
            id="",
            kind=kind,
            name=wish.clip.name,
            clip=wish.clip,
            start=start,
            duration=Fraction(duration),
            source_in=source_in,
        )
        for kind in kinds
    ]
    if app.quirks.append_drops or any(_is_taken(lane, items[0]) for lane in lanes):
        return [_ghost(item) for item in items]
    for item, lane in zip(items, lanes, strict=True):
        item.id = app.new_id()
        insert(lane, item)
    link(items)
    if app.quirks.append_vanishes:
        app.doomed += items
    return items


def insert(track: Track, item: Item) -> None:
    """Put an item at its place in the order of its track."""
    track.items.append(item)
    track.items.sort(key=lambda other: other.start)


def link(items: list[Item]) -> None:
    """Tie items together, as the video and the sound of one clip are."""
    for item in items:
        item.linked = [other.id for other in items if other is not item]


def _extent(app: Application, timeline: Timeline, wish: Wish) -> tuple[Fraction, int]:
    asset = wish.clip.asset
    if asset.kind == "still":
        return Fraction(0), _still_duration(app, timeline, wish.clip)
    first, last = wish.clip.marks.get("video", wish.clip.marks.get("audio", (0, asset.frames - 1)))
    start = Fraction(first) if wish.start is None else wish.start
    end = Fraction(last + 1) if wish.end is None else wish.end + (1 if app.quirks.end_inclusive else 0)
    end = min(end, Fraction(asset.frames))
    need(0 <= start < end)
    return start, max(1, record_duration(end - start, asset.rate, timeline.rate))


def _still_duration(app: Application, timeline: Timeline, clip: Clip) -> int:
    """What was asked for is ignored: the marks of the clip count, else the preference (facts 1.4)."""
    if "video" in clip.marks and not app.quirks.still_ignores_end:
        first, last = clip.marks["video"]
        return last - first + 1
    return round(app.still_seconds * timeline.rate)


def _has(clip: Clip, kind: str) -> bool:
    return clip.asset.has_video if kind == "video" else clip.asset.has_audio


def _make_tracks(timeline: Timeline, wish: Wish) -> None:
    """The tracks that are missing: of both types for a picture, as recorded on 19.1.3 for one above the topmost."""
    need(1 <= wish.track <= MOST_TRACKS)
    for kind in ("audio",) if wish.media == SOUND else ("video", "audio"):
        tracks = timeline.tracks[kind]
        while len(tracks) < wish.track:
            tracks.append(Track(sub_type="stereo" if kind == "audio" else ""))


def _append_point(timeline: Timeline, kinds: list[str]) -> Fraction:
    ends = [item.end for kind in kinds for track in timeline.tracks[kind] for item in track.items]
    return max(ends, default=Fraction(timeline.start))


def _is_taken(track: Track, item: Item) -> bool:
    return any(
        other.kind != "transition" and other.start < item.end and item.start < other.end for other in track.items
    )


def _ghost(item: Item) -> Item:
    item.gone = True
    return item


def _fraction(value: Any) -> Fraction | None:
    return None if value is None else Fraction(number(value)).limit_denominator(1000)
