"""Snapshots of made-up timelines, and a small editor that applies plans to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from snapupscale.timeline import operations as edits
from snapupscale.timeline.memory import Remembered, Result
from snapupscale.timeline.snapshot import Marker, Snapshot, Track, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.timeline.plan import Plan
    from snapupscale.timeline.snapshot import Item, Media


def make_item(name: str, start: int, end: int, **changes: Any) -> dict[str, Any]:
    """A clip of `m1` at 100 %, used from its first frame on, in a timeline of its own rate; `changes` are keys."""
    source = changes.get("source_start", 0)
    item = {
        "id": f"id-{name}",
        "name": name,
        "track": 1,
        "start": start,
        "end": end,
        "type": "",
        "media": "m1",
        "left_offset": source,
        "right_offset": 0,
        "source_start": source,
        "source_end": None if source is None else source + end - start,
        "source_start_time": None,
        "source_end_time": None,
        "speed": None,
        "fusion_comps": 0,
        "enabled": True,
        "takes": 0,
        "take": 0,
        "in_scope": True,
    }
    return item | changes


def make_media(name: str = "m1", **changes: Any) -> dict[str, Any]:
    """An online movie of 1000 frames at 24."""
    media = {
        "id": name,
        "path": f"/footage/{name}.mov",
        "type": "Video + Audio",
        "rate": "24.0",
        "frames": "1000",
        "start_timecode": "00:00:00:00",
        "resolution": "1920x1080",
        "online": "Online",
        "drop": "0",
        "field": "Progressive",
        "colour_space": "",
        "par": "Square",
        "alpha": "None",
    }
    return media | changes


def make_json(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What a menu script sends: a timeline of 24 frames a second from 01:00:00:00; `changes` are keys of the whole, or
    of the timeline."""
    timeline = {
        "id": "tl",
        "name": "Edit",
        "rate": "24",
        "start_frame": 86400,
        "end_frame": max([86400, *(item["end"] for item in items)]),
        "start_timecode": "01:00:00:00",
        "width": 1920,
        "height": 1080,
        "playhead": "01:00:00:00",
    }
    whole = {
        "protocol": 1,
        "host": {"product": "DaVinci Resolve Studio", "version": "21.0"},
        "project": {"id": "pr", "name": "Film"},
        "timeline": timeline | {key: changes.pop(key) for key in list(changes) if key in timeline},
        "tracks": [
            {"index": index, "name": f"Video {index}", "locked": False, "enabled": True}
            for index in range(1, max([1, *(item["track"] for item in items)]) + 1)
        ],
        "scope": "timeline",
        "items": list(items),
        "media": [make_media()],
        "markers": [],
    }
    return whole | changes


def make_snapshot(*items: dict[str, Any], **changes: Any) -> Snapshot:
    """`make_json`, read."""
    return read_snapshot(make_json(*items, **changes))


def make_marker(frame: int, custom: str = "", **changes: Any) -> dict[str, Any]:
    """A marker; the editor's own unless `custom` says otherwise."""
    return {"frame": frame, "color": "Blue", "name": "", "note": "", "duration": 1, "custom": custom} | changes


class Editor:
    """Applies plans to a snapshot with the rules that are known of DaVinci Resolve; `refuses_takes`: AddTake fails."""

    def __init__(self, snapshot: Snapshot, *, refuses_takes: bool = False) -> None:
        self.snapshot = snapshot
        self.refuses_takes = refuses_takes
        self.checkpoints: list[str] = []
        self.pool: dict[str, Media] = {}
        self._refs: dict[str, Any] = {}
        self._made = 0

    def apply(self, plan: Plan, *, until: int | None = None) -> Remembered:
        """Make the edits, the first `until` of them, and give what is remembered of it."""
        self._refs = {}
        results: list[Result] = []
        for operation in plan.operations[:until]:
            self._do(operation, results)
        return Remembered(plan=plan, results=tuple(results))

    def _do(self, operation: edits.Operation, results: list[Result]) -> None:
        handlers: dict[type[edits.Operation], Callable[..., dict[str, Any]]] = {
            edits.Require: self._require,
            edits.Checkpoint: self._checkpoint,
            edits.AddMarker: self._add_marker,
            edits.RemoveMarker: self._remove_marker,
            edits.ImportMedia: self._import_media,
            edits.OwnTrack: self._track,
            edits.Place: self._place,
            edits.RemoveItems: self._remove_items,
            edits.RemoveTake: self._remove_take,
            edits.RemoveTrack: self._remove_track,
            edits.RemoveMedia: self._remove_media,
        }
        if isinstance(operation, edits.Take):
            found = self._take(operation)
            results.append(Result(id=operation.id, ok=bool(found), found=found, message=""))
            for inner in () if found else operation.otherwise:
                self._do(inner, results)
            return
        found = handlers.get(type(operation), self._nothing)(operation)
        results.append(Result(id=operation.id, ok=True, found=found, message=""))

    def _nothing(self, operation: Any) -> dict[str, Any]:
        assert getattr(operation, "to", None) in {None, *self._refs}
        return {}

    def _require(self, operation: edits.Require) -> dict[str, Any]:
        assert (operation.project, operation.timeline) == (self.snapshot.project.id, self.snapshot.timeline.id)
        there = {(item.id, item.start, item.end) for item in self.snapshot.items}
        assert all((item.id, item.start, item.end) in there for item in operation.items)
        return {}

    def _checkpoint(self, operation: edits.Checkpoint) -> dict[str, Any]:
        assert operation.name not in self.checkpoints
        self.checkpoints.append(operation.name)
        return {"timeline": operation.name}

    def _add_marker(self, operation: edits.AddMarker) -> dict[str, Any]:
        assert all(marker.frame != operation.frame for marker in self.snapshot.markers), "the frame is occupied"
        length = self.snapshot.timeline.end_frame - self.snapshot.timeline.start_frame
        assert 0 <= operation.frame < length
        values = {name: getattr(operation, name) for name in ("frame", "color", "name", "note", "duration", "custom")}
        self.snapshot = replace(self.snapshot, markers=(*self.snapshot.markers, Marker(**values)))
        return values

    def _remove_marker(self, operation: edits.RemoveMarker) -> dict[str, Any]:
        left = tuple(marker for marker in self.snapshot.markers if marker.custom != operation.custom)
        assert len(left) < len(self.snapshot.markers)
        self.snapshot = replace(self.snapshot, markers=left)
        return {"left": 0}

    def _import_media(self, operation: edits.ImportMedia) -> dict[str, Any]:
        self._made += 1
        known = make_snapshot(media=[make_media(f"held-{self._made}", path=operation.path, frames=operation.frames)])
        media = replace(known.media[0], rate=self.snapshot.timeline.rate)
        self.snapshot = replace(self.snapshot, media=(*self.snapshot.media, media))
        self.pool[operation.path] = media
        self._refs[operation.ref] = media
        return {"media": media.id, "path": media.path, "frames": operation.frames}

    def _track(self, operation: edits.OwnTrack) -> dict[str, Any]:
        found = [track for track in self.snapshot.tracks if track.name == operation.name]
        if not found:
            track = Track(index=len(self.snapshot.tracks) + 1, name=operation.name, locked=False, enabled=True)
            self.snapshot = replace(self.snapshot, tracks=(*self.snapshot.tracks, track))
        self._refs[operation.ref] = found[0] if found else track
        return {"index": self._refs[operation.ref].index, "name": operation.name, "made": not found}

    def _place(self, operation: edits.Place) -> dict[str, Any]:
        media, track = self._refs[operation.media], self._refs[operation.track]
        end = operation.record + operation.end - operation.start
        assert not track.locked
        on_track = [item for item in self.snapshot.items if item.track == track.index]
        assert not any(item.overlaps(operation.record, end) for item in on_track)
        assert end - operation.record == operation.frames == media.frames
        self._made += 1
        raw = make_item(f"placed-{self._made}", operation.record, end, track=track.index, media=media.id)
        item = make_snapshot(raw).items[0]
        self.snapshot = replace(self.snapshot, items=(*self.snapshot.items, item))
        self._refs[operation.ref] = item
        return {"item": item.id, "track": track.index, "start": item.start, "end": item.end, "left_offset": 0}

    def _take(self, operation: edits.Take) -> dict[str, Any]:
        item = self.item(operation.item)
        assert not self.snapshot.track_by_index[item.track].locked
        if self.refuses_takes:
            return {}
        media = self._refs[operation.media]
        self._replace(replace(item, media=media.id, takes=max(1, item.takes) + 1, take=max(1, item.takes) + 1))
        now = self.item(operation.item)
        found = {"item": now.id, "start": now.start, "end": now.end, "takes": now.takes, "take": now.take}
        return found | {"path": media.path}

    def _remove_items(self, operation: edits.RemoveItems) -> dict[str, Any]:
        left = tuple(item for item in self.snapshot.items if item.id not in operation.items)
        assert len(left) == len(self.snapshot.items) - len(operation.items)
        self.snapshot = replace(self.snapshot, items=left)
        return {}

    def _remove_take(self, operation: edits.RemoveTake) -> dict[str, Any]:
        item = self.item(operation.item)
        assert item.takes > 0
        self._replace(replace(item, media="m1", takes=0, take=0))
        return {}

    def _remove_track(self, operation: edits.RemoveTrack) -> dict[str, Any]:
        track = next(track for track in self.snapshot.tracks if track.name == operation.name)
        assert all(item.track != track.index for item in self.snapshot.items)
        left = tuple(other for other in self.snapshot.tracks if other is not track)
        self.snapshot = replace(self.snapshot, tracks=left)
        return {}

    def _remove_media(self, operation: edits.RemoveMedia) -> dict[str, Any]:
        used = {item.media for item in self.snapshot.items}
        going = {media.id for media in self.snapshot.media if media.path in operation.paths}
        assert not used & going
        self.snapshot = replace(
            self.snapshot, media=tuple(media for media in self.snapshot.media if media.id not in going)
        )
        return {}

    def item(self, item_id: str) -> Item:
        """The item with that id."""
        return next(item for item in self.snapshot.items if item.id == item_id)

    def _replace(self, new: Item) -> None:
        items = tuple(new if item.id == new.id else item for item in self.snapshot.items)
        self.snapshot = replace(self.snapshot, items=items)
