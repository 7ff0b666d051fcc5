"""Operations that bring stills into the project and onto the timeline."""

from functools import partial
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Set, Tuple

from snapupscale.protocol import Object
from snapupscale_resolve import items as api
from snapupscale_resolve.items import Span
from snapupscale_resolve.removing import find_track
from snapupscale_resolve.run import BUSY, Failed, Run, Spoiled, delete, ids_on, same_path

if TYPE_CHECKING:
    from fusionscript import MediaPoolItem, TimelineItem


def checkpoint(run: Run, operation: Object) -> Object:
    """Duplicate the timeline and come back to the original."""
    name = operation["name"]
    run.remember(operation, "the timeline %s" % name, partial(_remove_copy, run, name))
    copy = run.editor.duplicate(name)
    if copy is None:
        copy = run.editor.duplicate(name)
    if not (run.editor.come_back() or run.editor.come_back()):
        raise Failed("the copy of the timeline is open now, and DaVinci Resolve does not open the original again")
    if copy is None:
        raise Failed("DaVinci Resolve does not duplicate the timeline, which was to be kept as it was")
    return {"timeline": run.editor.id_of_timeline(copy)}


def _remove_copy(run: Run, name: str) -> bool:
    return run.editor.come_back() and run.editor.delete_timeline(name)


def use_bin(run: Run, operation: Object) -> Object:
    """Find or add the bin and make it current."""
    name = operation["name"]
    folder = run.editor.find_bin(name)
    if folder is None:
        run.remember(operation, "the bin %s" % name, partial(_remove_bin, run, name))
        run.editor.add_bin(name)
        folder = run.editor.find_bin(name)
    if folder is None:
        run.editor.add_bin(name)
        folder = run.editor.find_bin(name)
    if folder is None or not (run.editor.go_to_bin(folder) or run.editor.go_to_bin(folder)):
        raise Failed("DaVinci Resolve does not open the bin %s" % name)
    run.bin = folder
    return {"id": run.editor.bin_id(folder)}


def _remove_bin(run: Run, name: str) -> bool:
    """Remove the bin that was added, unless there is something in it by now."""
    folder = run.editor.find_bin(name)
    if folder is None:
        return True
    if run.editor.clips_in(folder) or run.editor.clips_in(folder):
        return False
    run.editor.delete_bin(folder)
    return run.editor.find_bin(name) is None


def import_media(run: Run, operation: Object) -> Object:
    """Import a movie into the current bin, unless an earlier run did."""
    path, frames = operation["path"], operation["frames"]
    if run.in_bin is None:
        run.in_bin = _clips(run)
    media = _showing(run.in_bin, path, frames)
    if media is None:
        known = {api.media_id(clip) for clip, told in run.in_bin if same_path(told.get("File Path", ""), path)}
        run.remember(operation, path, partial(_remove_media, run, path, known))
        media = run.editor.import_file(path)
        if media is None:
            media = _showing(_clips(run), path, frames)
        if media is None:
            media = run.editor.import_file(path)
    if media is None:
        raise Failed("DaVinci Resolve does not import %s" % path)
    told = api.media_facts(media)
    if api.media_count(told, "Frames") != frames or not same_path(told.get("File Path", ""), path):
        raise Failed("%s was imported with %s frames, not with %d" % (path, told.get("Frames") or "no", frames))
    run.media[operation["ref"]] = (media, path)
    return {"media": api.media_id(media), "path": path, "frames": frames}


def _clips(run: Run) -> "List[Tuple[MediaPoolItem, Dict[str, str]]]":
    """What is in the bin, with what the editor tells of it."""
    clips = [] if run.bin is None else run.editor.clips_in(run.bin)
    return [(clip, api.media_facts(clip)) for clip in clips]


def _showing(
    clips: "List[Tuple[MediaPoolItem, Dict[str, str]]]", path: str, frames: int
) -> "Optional[MediaPoolItem]":
    for clip, told in clips:
        if api.media_count(told, "Frames") == frames and same_path(told.get("File Path", ""), path):
            return clip
    return None


def _remove_media(run: Run, path: str, known: "Set[str]") -> bool:
    """Remove what shows the movie, but for what was there before."""
    new = _new_clips(run, path, known)
    # With a medium goes every item that shows it.
    unused = [clip for clip, told in new if api.media_count(told, "Usage") == 0]
    if unused:
        run.editor.delete_media(unused)
    return not new or not _new_clips(run, path, known)


def _new_clips(run: Run, path: str, known: "Set[str]") -> "List[Tuple[MediaPoolItem, Dict[str, str]]]":
    found = [(clip, told) for clip, told in _clips(run) if same_path(told.get("File Path", ""), path)]
    return [(clip, told) for clip, told in found if api.media_id(clip) not in known]


def own_track(run: Run, operation: Object) -> Object:
    """Find the video track of that name, or add one on top."""
    name = operation["name"]
    index = find_track(run, name) or find_track(run, name)
    made = not index
    if made:
        index = _add_track(run, operation, name)
    run.unlocked(index)
    run.tracks[operation["ref"]] = index
    return {"index": index, "name": name, "made": made}


def _add_track(run: Run, operation: Object, name: str) -> int:
    count = run.editor.track_count()
    run.remember(operation, "the video track %s" % name, partial(_remove_track, run, count + 1))
    for _ in range(2):
        if run.editor.track_count() == count:
            run.editor.add_track()
    index = run.editor.track_count()
    if index != count + 1:
        raise Failed("DaVinci Resolve adds no video track")
    if not (run.editor.name_track(index, name) or run.editor.name_track(index, name)):
        found = {"index": index, "name": name, "made": True}
        raise Failed("DaVinci Resolve does not name the new video track %s" % name, found)
    return index


def _remove_track(run: Run, index: int) -> bool:
    """Remove the topmost track that was added, unless something is on it by now."""
    if run.editor.track_count() < index:
        return True
    if run.editor.on_track(index) or run.editor.on_track(index):
        return False
    run.editor.delete_track(index)
    return run.editor.track_count() < index


def place(run: Run, operation: Object) -> Object:
    """Put a movie on a track, for exactly so many frames."""
    track, record, frames = run.tracks[operation["track"]], operation["record"], operation["frames"]
    end = operation["end"] - run.inclusive
    what = "a still at frame %d of video track %d" % (record, track)
    run.remember(operation, what, partial(_remove_placed, run, operation))
    for _ in range(2):
        item = _append(run, operation, end)
        item_id, span = api.id_of(item), api.span(item)
        if span == Span(record, record + frames):
            run.placed[operation["ref"]] = item
            run.on_tracks.setdefault(track, {})[item_id] = operation
            return _placed(item, item_id, track, span)
        if not delete(run.editor, item, item_id, track):
            raise Spoiled("a still was placed wrongly at frame %d and can't be deleted" % record, {"item": item_id})
        if span is None or span.start != record:
            break
        # Some versions count the end in.
        run.inclusive += span.end - span.start - frames
        end = operation["end"] - run.inclusive
        if not operation["start"] < end:
            break
    raise Failed("DaVinci Resolve does not place the still for %d frames at frame %d" % (frames, record))


def _append(run: Run, operation: Object, end: int) -> "TimelineItem":
    """The item that stands there after AppendToTimeline, whose answer may be an item that isn't there."""
    media, _ = run.media[operation["media"]]
    track, record = run.tracks[operation["track"]], operation["record"]
    for _ in range(2):
        item = run.editor.append(media, operation["start"], end, track, record)
        if item is not None and api.id_of(item):
            return item
        there = _standing_at(run, operation)
        if there:
            return there[0]
    reason = "something else may stand there" if run.editor.answers() else BUSY
    raise Failed("DaVinci Resolve places no still at frame %d of video track %d: %s" % (record, track, reason))


def _standing_at(run: Run, operation: Object) -> "List[TimelineItem]":
    """The items that show the movie of the operation where it is to be placed."""
    media_id = api.media_id(run.media[operation["media"]][0])
    found = []
    for item in run.editor.on_track(run.tracks[operation["track"]]):
        span, shown = api.span(item), api.media_of(item)
        if span and span.start == operation["record"] and shown is not None and api.media_id(shown) == media_id:
            found.append(item)
    return found


def _remove_placed(run: Run, operation: Object) -> bool:
    track = run.tracks[operation["track"]]
    return all(delete(run.editor, item, api.id_of(item), track) for item in _standing_at(run, operation))


def _placed(item: "TimelineItem", item_id: str, track: int, span: Span) -> Object:
    offset, _ = api.offsets(item, False)
    return {"item": item_id, "track": track, "start": span.start, "end": span.end, "left_offset": offset}


def confirm_placed(run: Run) -> List[Object]:
    """The operations whose stills are no longer where they were placed: some are dropped after a while."""
    gone = []
    for track, placed in sorted(run.on_tracks.items()):
        there = ids_on(run.editor, track)
        gone += [operation for item_id, operation in placed.items() if item_id not in there]
    return gone


def take(run: Run, operation: Object) -> Object:
    """Add a movie as a take of an item and select it; judged by how the item then stands."""
    standing = run.item(operation["item"])
    run.unlocked(standing.track)
    media, path = run.media[operation["media"]]
    item, name = standing.item, api.name_of(standing.item)
    before = _before(item, media)
    run.remember(operation, "a take of %s" % name, partial(_remove_takes, before))
    index = _add_take(before, media, operation)
    shown = api.media_of(item) if index and _select(item, index) else None
    span = api.span(item)
    if shown is None or api.media_id(shown) != api.media_id(media) or span is None or span != before.span:
        if not (_remove_takes(before) or _remove_takes(before)):
            raise Spoiled("a take was added to %s and can't be removed again" % name)
        raise Failed("DaVinci Resolve adds no take to %s that stands where it stands" % name)
    found = {"item": operation["item"], "start": span.start, "end": span.end}
    return dict(found, takes=index, take=index, path=path)


class _Before(NamedTuple):
    """An item as it stood before a take was added, and the movie of the take."""

    item: "TimelineItem"
    span: Span
    takes: int
    selected: int
    media: "MediaPoolItem"


def _before(item: "TimelineItem", media: "MediaPoolItem") -> _Before:
    span, takes, selected = api.span(item), api.takes(item), api.selected_take(item)
    if span is None or takes is None:
        raise Failed("DaVinci Resolve does not tell how %s stands" % api.name_of(item))
    return _Before(item, span, takes, selected, media)


def _add_take(before: _Before, media: "MediaPoolItem", operation: Object) -> int:
    """The number of the new take; 0 when there is none, whatever AddTake says."""
    for _ in range(2):
        api.add_take(before.item, media, operation["start"], operation["end"])
        index = api.takes(before.item) or 0
        if index > max(1, before.takes):
            return index
    return 0


def _select(item: "TimelineItem", index: int) -> bool:
    return api.select_take(item, index) or api.select_take(item, index)


def _remove_takes(before: _Before) -> bool:
    """Remove the takes that were added, the first being the original; whether the item stands as before."""
    kept = max(1, before.takes)
    for index in range(api.takes(before.item) or 0, kept, -1):
        shown = api.take_media(before.item, index)
        if shown is not None and api.media_id(shown) == api.media_id(before.media):
            _select(before.item, before.selected or 1)
            api.delete_take(before.item, index)
    left = api.takes(before.item)
    return left is not None and left <= kept and api.span(before.item) == before.span
