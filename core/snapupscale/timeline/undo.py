"""The edits that take back exactly what one session made on a timeline, as far as it is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snapupscale.errors import SettingError
from snapupscale.timeline.markers import MARK, required
from snapupscale.timeline.memory import BIN, is_own_overlay, is_own_track, own_paths, path_key, shows_own_media
from snapupscale.timeline.operations import (
    AddMarker,
    RemoveItems,
    RemoveMarker,
    RemoveMedia,
    RemoveTake,
    RemoveTrack,
    flat,
)
from snapupscale.timeline.plan import Plan, Summary
from snapupscale.timeline.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from snapupscale.timeline.memory import Remembered
    from snapupscale.timeline.operations import Operation
    from snapupscale.timeline.snapshot import Item, Snapshot


def plan_undo(snapshot: Snapshot, session: str, memory: Sequence[Remembered], target: str = "") -> Plan:
    """The end of what session `target` made: of the newest one in `memory`, which is sorted newest first, when empty.

    Nothing is taken back that isn't there any more, and nothing that the editor made. Where nothing is remembered, the
    markers tell: those of the session whose id sorts last go. Raises SettingError when there is nothing to undo, and
    when a track must be unlocked first.
    """
    chosen = next((each for each in memory if target in {"", each.plan.session}), None)
    operations = _by_markers(snapshot, target) if chosen is None else tuple(_operations(snapshot, chosen, memory))
    warnings = () if operations else ("Nothing of that session is left on the timeline.",)
    return Plan(
        session=session,
        action="undo",
        operations=(required(snapshot, ()), *operations),
        summary=Summary(warnings=(*warnings, *_finalized(snapshot, chosen))),
    )


def _finalized(snapshot: Snapshot, session: Remembered | None) -> Iterator[str]:
    """What can't be taken back: takes that the editor has finalized, which leaves the still alone."""
    taken = set() if session is None else {(item, path_key(path)) for item, path in session.takes if path}
    for item in snapshot.items:
        if item.takes == 0 and (item.id, _shown(item, snapshot)) in taken:
            yield f"{printable(item.name)} keeps its still, since its take was finalized."


def _by_markers(snapshot: Snapshot, target: str) -> tuple[Operation, ...]:
    own: dict[str, list[str]] = {}
    for marker in snapshot.markers:
        if marker.custom.startswith(MARK):
            own.setdefault(marker.custom.removeprefix(MARK).split(":")[0], []).append(marker.custom)
    name = target or max(own, default="")
    if name not in own:
        raise SettingError(
            f"nothing is known of session {name}" if name else "nothing was made on this timeline that can be undone",
            hint="Undo works on the timeline that is open; open the one that SnapUpscale changed.",
        )
    return tuple(RemoveMarker(custom=custom) for custom in dict.fromkeys(own[name]))


def _operations(snapshot: Snapshot, session: Remembered, memory: Sequence[Remembered]) -> Iterator[Operation]:
    there = {marker.custom for marker in snapshot.markers}
    for operation in flat(session.plan.operations):
        if isinstance(operation, AddMarker) and operation.custom in there:
            yield RemoveMarker(custom=operation.custom)
    items = _placed(snapshot, session, memory)
    if items:
        yield RemoveItems(items=tuple(item.id for item in items))
    takes = _takes(snapshot, session)
    _require_unlocked(snapshot, {*(item.id for item in items), *(item_id for item_id, _ in takes)})
    for item_id, path in takes:
        yield RemoveTake(item=item_id, media=path)
    gone = {item.id for item in items}
    for name in _empty_tracks(snapshot, gone, memory):
        yield RemoveTrack(name=name)
    paths = _unused(snapshot, session, gone | {item_id for item_id, _ in takes})
    if paths:
        yield RemoveMedia(paths=paths, bin=BIN)


def _placed(snapshot: Snapshot, session: Remembered, memory: Sequence[Remembered]) -> tuple[Item, ...]:
    """What the session placed: known by the id that was read back, or, when the client was stopped before it could
    report, and of what was divided since, as one of its movies on a track of ours."""
    paths = own_paths([session])
    others = {item for each in memory if each.plan.session != session.plan.session for item in each.placed}
    others |= session.ranges.keys()
    found = []
    for item in snapshot.items:
        if not item.id or item.id in others or not shows_own_media(item, snapshot, paths):
            continue
        shows_its = _shown(item, snapshot) in paths
        if item.id in session.placed or (shows_its and is_own_overlay(item, snapshot, paths)):
            found.append(item)
    return tuple(found)


def _require_unlocked(snapshot: Snapshot, ids: set[str]) -> None:
    """Half of an undo would be worse than none."""
    for item in snapshot.items:
        track = snapshot.track_by_index[item.track]
        if item.id in ids and track.locked:
            name = printable(track.name)[:100] or f"video {track.index}"
            raise SettingError(f"track {name} is locked", hint="Unlock it in DaVinci Resolve, then undo again.")


def _takes(snapshot: Snapshot, session: Remembered) -> tuple[tuple[str, str], ...]:
    """The items that hold a take of the session, each with the movie: those that it was added to, and what stands in
    their old places and shows it, since they may have been divided. A take that was finalized can't be removed."""
    shown = {item: _shown(item, snapshot) for item in snapshot.items if item.id and item.takes > 0}
    found: dict[tuple[str, str], None] = {}
    for item_id, path in session.takes:
        key, (start, end) = path_key(path), session.ranges.get(item_id, (0, 0))
        for item, movie in shown.items():
            if path and (item.id == item_id or (movie == key and start <= item.start and item.end <= end)):
                found[item.id, path] = None
    return tuple(found)


def _shown(item: Item, snapshot: Snapshot) -> str:
    """The key of the path of what the item shows; empty for what is no file."""
    media = snapshot.media_by_id.get(item.media)
    return "" if media is None else path_key(media.path)


def _empty_tracks(snapshot: Snapshot, gone: set[str], memory: Sequence[Remembered]) -> Iterator[str]:
    """The tracks that any session added and that hold nothing once `gone` are removed."""
    made = {name for session in memory for name in session.made_tracks}
    held = {item.track for item in snapshot.items if item.id not in gone}
    for track in snapshot.tracks:
        if track.name in made and is_own_track(track.name) and track.index not in held:
            yield track.name


def _unused(snapshot: Snapshot, session: Remembered, gone: set[str]) -> tuple[str, ...]:
    """The movies of the session that nothing shows any more on the timeline, once `gone` are removed or shown without
    their takes."""
    shown = {_shown(item, snapshot) for item in snapshot.items if item.id not in gone}
    return tuple(path for path in dict.fromkeys(session.paths.values()) if path_key(path) not in shown)
