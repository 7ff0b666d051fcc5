"""Reads the timeline into a snapshot, as the sidecar wants it, with no more calls than needed."""

from bisect import bisect_left
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Set, Tuple

from snapupscale import protocol
from snapupscale.protocol import Object
from snapupscale_resolve import items as api
from snapupscale_resolve.editor_faults import NothingChosen, Unreadable

if TYPE_CHECKING:
    from fusionscript import MediaPoolItem, TimelineItem

    from snapupscale_resolve.editor import Editor

PLAYHEAD, SELECTION, TIMELINE = protocol.SCOPES
_LONGEST_NAME = 200
_LONGEST_NOTE = 1000
_MEDIA = {
    "path": "File Path",
    "type": "Type",
    "rate": "FPS",
    "frames": "Frames",
    "start_timecode": "Start TC",
    "resolution": "Resolution",
    "online": "Online Status",
    "drop": "Drop frame",
    "field": "Field Dominance",
    "colour_space": "Input Color Space",
    "par": "PAR",
    "alpha": "Alpha mode",
}
"""The editor's names of what a snapshot tells of a medium."""
_NEEDED = ("id", "path", "type", "rate", "frames")


class Chosen(NamedTuple):
    """What an action is to work on: a scope, and the ids of the items in it, of which all is read; None: all items."""

    scope: str
    ids: Optional[Set[str]]
    said: str
    """For the user."""


NOTHING = Chosen(TIMELINE, set(), "")
"""For what goes by what stands on the timeline, whatever is chosen."""


def choose(editor: "Editor", scope: str = "") -> Chosen:
    """The items of `scope`; by default the selected clips, else the clip under the playhead, else the whole timeline.

    Raises NothingChosen.
    """
    note = ""
    if scope in ("", SELECTION):
        if editor.can_tell_selection():
            found = _ids(editor.selected())
            if found:
                return Chosen(SELECTION, found, "Working on the selected clips.")
        elif scope:
            note = "This version of DaVinci Resolve does not tell which clips are selected (21.0.4 and later do). "
    if scope != TIMELINE:
        item = editor.under_playhead()
        if item is not None:
            name = api.name_of(item)
            return Chosen(PLAYHEAD, _ids([item]), note + "Working on the clip under the playhead: %s." % name)
        if scope:
            raise NothingChosen(note + "no clip of a video track is under the playhead")
        note = "No clip is selected, and none is under the playhead. "
    return Chosen(TIMELINE, None, note + "Working on the whole timeline.")


def take_snapshot(editor: "Editor", chosen: Chosen, with_items: bool = True) -> Object:
    """The snapshot; of items that are not `chosen` only what a plan needs of neighbours.

    Raises Unreadable, or NothingChosen when none of the chosen items is on a video track.
    """
    tracks = [_track(editor, index) for index in range(1, editor.track_count() + 1)]
    reader = _Reader(chosen.ids)
    for track in tracks if with_items else ():
        for item in editor.on_track(track["index"]):
            reader.read(item, track["index"])
    reader.complete()
    if chosen.ids != set() and not any(item.get("in_scope") for item in reader.items):
        raise NothingChosen("there is no clip on a video track to work on")
    return {
        "protocol": protocol.NUMBER,
        "host": {"product": editor.product, "version": editor.version},
        "project": {"id": _known("project", editor.project_id()), "name": editor.project_name()},
        "timeline": _timeline(editor),
        "tracks": tracks,
        "scope": chosen.scope,
        "items": reader.items,
        "media": list(reader.media.values()),
        "markers": [_cut(dict(marker._asdict())) for marker in editor.markers()],
    }


class _Reader(object):
    """The items read so far, and their media, each once."""

    def __init__(self, chosen: Optional[Set[str]]) -> None:
        self.items = []  # type: List[Object]
        self.media = {}  # type: Dict[str, Object]
        self._chosen = chosen
        self._parts: Optional[bool] = None
        self._brief: "List[Tuple[TimelineItem, Object]]" = []
        """What was read without its source."""

    def read(self, item: "TimelineItem", track: int) -> None:
        """Add one item. Raises Unreadable."""
        span = api.span(item)
        name = api.name_of(item)[:_LONGEST_NAME]
        if span is None:
            raise Unreadable("DaVinci Resolve does not tell where %s on video track %d stands" % (name, track))
        item_id = api.id_of(item)
        in_scope = self._chosen is None or item_id in self._chosen
        media = api.media_of(item)
        found = {"id": item_id, "name": name, "track": track, "start": span.start, "end": max(span.start, span.end)}
        usual = {
            "type": (api.type_of(item), ""),
            "media": ("" if media is None else self._media_id(media), ""),
            "enabled": (api.is_item_enabled(item), True),
            "takes": (0 if media is None else api.takes(item) or 0, 0),
            "in_scope": (in_scope, False),
        }
        if in_scope and media is not None:
            usual.update(self._source(item))
        if usual["takes"][0]:
            usual["take"] = (api.selected_take(item), 0)
        _add(found, usual)
        self.items.append(found)
        if not in_scope and media is not None:
            self._brief.append((item, found))

    def complete(self) -> None:
        """Add the sources of what lies under or over items in scope: a still of ours stands for the clip under it."""
        scope = _merged([(item["start"], item["end"]) for item in self.items if item.get("in_scope")])
        starts = [start for start, _ in scope]
        for item, found in self._brief:
            index = bisect_left(starts, found["end"]) - 1
            if index >= 0 and scope[index][1] > found["start"]:
                _add(found, self._source(item))

    def _source(self, item: "TimelineItem") -> Dict[str, Tuple[object, object]]:
        """What the item uses of its source, each with the value that may be left out."""
        if self._parts is None:
            self._parts = api.can_tell_parts(item)
        left, right = api.offsets(item, self._parts)
        start, end = api.source_range(item) if self._parts else (None, None)
        return {
            "left_offset": (left, None),
            "right_offset": (right, None),
            "source_start": (start, None),
            "source_end": (end, None),
            "speed": (api.speed(item), None),
            "fusion_comps": (api.fusion_comps(item), 0),
        }

    def _media_id(self, media: "MediaPoolItem") -> str:
        media_id = api.media_id(media)
        if media_id and media_id not in self.media:
            told = api.media_facts(media)
            found = {name: told.get(key, "") for name, key in _MEDIA.items()}
            found["id"] = media_id
            self.media[media_id] = {name: value for name, value in found.items() if value or name in _NEEDED}
        return media_id


def _add(found: Object, usual: Dict[str, Tuple[object, object]]) -> None:
    """Add each value, unless it is its usual one."""
    found.update({key: value for key, (value, default) in usual.items() if value != default})


def _merged(spans: List[Tuple[int, int]]) -> List[Tuple[int, int]]:
    merged: List[Tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _timeline(editor: "Editor") -> Object:
    span = editor.timeline_span()
    rate = editor.timeline_setting("timelineFrameRate")
    if not rate:
        raise Unreadable("DaVinci Resolve does not tell the frame rate of the timeline")
    return {
        "id": _known("timeline", editor.timeline_id()),
        "name": editor.timeline_name()[:_LONGEST_NAME],
        "rate": rate,
        "start_frame": span.start,
        "end_frame": span.end,
        "start_timecode": editor.start_timecode(),
        "width": _size(editor.timeline_setting("timelineResolutionWidth")),
        "height": _size(editor.timeline_setting("timelineResolutionHeight")),
        "playhead": editor.playhead(),
    }


def _known(what: str, name: str) -> str:
    if not name:
        raise Unreadable("DaVinci Resolve does not tell which %s is open" % what)
    return name


def _track(editor: "Editor", index: int) -> Object:
    return {
        "index": index,
        "name": editor.track_name(index),
        "locked": editor.is_locked(index),
        "enabled": editor.is_enabled(index),
    }


def _size(text: str) -> int:
    return int(float(text)) if text.replace(".", "", 1).isdigit() else 0


def _cut(marker: Object) -> Object:
    return dict(marker, name=marker["name"][:_LONGEST_NOTE], note=marker["note"][:_LONGEST_NOTE])


def _ids(found: "List[TimelineItem]") -> Set[str]:
    return {name for name in (api.id_of(item) for item in found) if name}
