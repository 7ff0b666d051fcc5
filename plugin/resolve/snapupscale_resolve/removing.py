"""Operations that take away what earlier runs made. They can't be taken back."""

from typing import TYPE_CHECKING, List

from snapupscale.protocol import Object
from snapupscale_resolve import items as api
from snapupscale_resolve.run import Failed, Run, ids_on, same_path

if TYPE_CHECKING:
    from fusionscript import MediaPoolItem, TimelineItem


def remove_items(run: Run, operation: Object) -> Object:
    """Delete items, and leave gaps. Those that are gone already are no failure."""
    found = [run.standing(item_id) for item_id in operation["items"]]
    there = [standing for standing in found if standing is not None]
    tracks = sorted({standing.track for standing in there})
    for track in tracks:
        run.unlocked(track)
    wanted = set(operation["items"])
    for _ in range(2):
        left = _left(run, tracks, wanted)
        if left:
            run.editor.delete_items(left)
    stays = _left(run, tracks, wanted)
    run.forget([item_id for item_id in wanted if item_id not in {api.id_of(item) for item in stays}])
    if stays:
        raise Failed("DaVinci Resolve does not delete %d of %d clips" % (len(stays), len(wanted)))
    return {}


def _left(run: Run, tracks: List[int], wanted: "set[str]") -> "List[TimelineItem]":
    return [item for track in tracks for item_id, item in ids_on(run.editor, track).items() if item_id in wanted]


def remove_take(run: Run, operation: Object) -> Object:
    """Delete the takes of an item that show a movie; the first take, or the one that was selected, is shown then."""
    standing = run.standing(operation["item"])
    if standing is None:
        return {}
    item = standing.item
    if not _takes_of(item, operation["media"]):
        return {}
    run.unlocked(standing.track)
    for _ in range(2):
        for index in _takes_of(item, operation["media"]):
            if api.selected_take(item) == index:
                api.select_take(item, 1)
            api.delete_take(item, index)
    if _takes_of(item, operation["media"]):
        raise Failed("DaVinci Resolve does not delete the take of %s" % api.name_of(item))
    return {}


def _takes_of(item: "TimelineItem", path: str) -> List[int]:
    """The numbers of the takes that show the movie, the last first; the first take is the user's own."""
    found = []
    for index in range(api.takes(item) or 0, 1, -1):
        media = api.take_media(item, index)
        if media is not None and same_path(api.media_facts(media).get("File Path", ""), path):
            found.append(index)
    return found


def remove_track(run: Run, operation: Object) -> Object:
    """Delete a video track, if nothing is on it."""
    index = find_track(run, operation["name"])
    # A list may be empty because it can't be read: what is on the track would go with it.
    if not index or run.editor.on_track(index) or run.editor.on_track(index):
        return {}
    run.unlocked(index)
    count = run.editor.track_count()
    run.editor.delete_track(index)
    if run.editor.track_count() >= count:
        raise Failed("DaVinci Resolve does not delete the empty video track %s" % operation["name"])
    return {}


def find_track(run: Run, name: str) -> int:
    """The number of the topmost video track of that name; 0 when there is none."""
    count = run.editor.track_count()
    return next((index for index in range(count, 0, -1) if run.editor.track_name(index) == name), 0)


def remove_media(run: Run, operation: Object) -> Object:
    """Delete movies from a bin that no timeline uses."""
    folder = run.editor.find_bin(operation["bin"])
    wanted = operation["paths"]
    found = [] if folder is None else run.editor.clips_in(folder)
    unused = [media for media in found if _is_unused(media, wanted)]
    if unused and folder is not None:
        ids = {api.media_id(media) for media in unused}
        run.editor.delete_media(unused)
        left = {api.media_id(media) for media in run.editor.clips_in(folder)} & ids
        if left:
            raise Failed("DaVinci Resolve does not delete %d movies from the bin %s" % (len(left), operation["bin"]))
    return {}


def _is_unused(media: "MediaPoolItem", paths: List[str]) -> bool:
    told = api.media_facts(media)
    # What is not told to be unused may be shown by a timeline, and would go from there.
    return api.media_count(told, "Usage") == 0 and any(same_path(told.get("File Path", ""), path) for path in paths)
