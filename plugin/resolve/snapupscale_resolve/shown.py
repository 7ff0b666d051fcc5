"""Which source the user sees under the playhead: of a still that was made here, the footage that it was made of."""

from typing import TYPE_CHECKING, Optional

from snapupscale_resolve import items as api
from snapupscale_resolve.editor import WITH_PLAYHEAD
from snapupscale_resolve.editor_faults import NothingChosen
from snapupscale_resolve.kept import Kept

if TYPE_CHECKING:
    from fusionscript import MediaPoolItem, TimelineItem

    from snapupscale_resolve.editor import Editor

_STILL = ".snapupscale.mov"
"""How the names of the movies of stills end."""


def path_under_playhead(editor: "Editor") -> str:
    """The file of the clip under the playhead. Raises NothingChosen."""
    with Kept(editor, WITH_PLAYHEAD):
        item = editor.under_playhead()
        if item is None:
            raise NothingChosen("no clip of a video track is under the playhead")
        path = _path(api.media_of(item))
        if path.endswith(_STILL):
            path = _path_of_take(item) or _path_below(editor, item)
        if not path:
            raise NothingChosen("%s has no source file" % api.name_of(item))
        return path


def _path_of_take(item: "TimelineItem") -> str:
    """The file of the first take, which is the user's own; empty for what is no take selector."""
    return _path(api.take_media(item, 1)) if api.takes(item) else ""


def _path_below(editor: "Editor", still: "TimelineItem") -> str:
    """The file of the topmost clip that the still lies over and that is none itself; empty where there is none."""
    over, still_id = api.span(still), api.id_of(still)
    beneath = False
    for track in range(editor.track_count(), 0, -1):
        there = editor.on_track(track)
        if beneath:
            for item in there:
                span = api.span(item)
                path = _path(api.media_of(item)) if over and span and _overlap(span, over) else ""
                if path and not path.endswith(_STILL):
                    return path
        beneath = beneath or any(api.id_of(item) == still_id for item in there)
    return ""


def _overlap(one: api.Span, other: api.Span) -> bool:
    return one.start < other.end and other.start < one.end


def _path(media: "Optional[MediaPoolItem]") -> str:
    return "" if media is None else api.media_facts(media).get("File Path", "")
