"""The edits that take back exactly what one session made on a timeline, as far as it is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snapupscale.errors import SettingError
from snapupscale.timeline.markers import MARK, required
from snapupscale.timeline.memory import BIN, is_own_track, shows_own_media
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from snapupscale.timeline.memory import Remembered
    from snapupscale.timeline.operations import Operation
    from snapupscale.timeline.snapshot import Item, Snapshot


def plan_undo(snapshot: Snapshot, session: str, memory: Sequence[Remembered], target: str = "") -> Plan:
    """The end of what session `target` made: of the newest one in `memory`, which is sorted newest first, when empty.

    Nothing is taken back that isn't there any more, and nothing that the editor made. Where nothing is remembered, the
    markers tell: those of the session whose id sorts last go. Raises SettingError when there is nothing to undo.
    """
    chosen = next((each for each in memory if target in {"", each.plan.session}), None)
    operations = _by_markers(snapshot, target) if chosen is None else tuple(_operations(snapshot, chosen, memory))
    return Plan(
        session=session,
        action="undo",
        operations=(required(snapshot, ()), *operations),
        summary=Summary(warnings=() if operations else ("Nothing of that session is left on the timeline.",)),
    )


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
    takes = {item.id: item for item in snapshot.items if item.takes > 0}
    for item_id, path in dict.fromkeys(session.takes):
        if item_id in takes and path:
            yield RemoveTake(item=item_id, media=path)
    gone = {item.id for item in items}
    for name in _empty_tracks(snapshot, gone, memory):
        yield RemoveTrack(name=name)
    paths = _unused(snapshot, session, gone)
    if paths:
        yield RemoveMedia(paths=paths, bin=BIN)


def _placed(snapshot: Snapshot, session: Remembered, memory: Sequence[Remembered]) -> tuple[Item, ...]:
    """What the session placed: known by the id that was read back, or, when the client was stopped before it could
    report, and of what was divided since, as one of its movies on a track of ours."""
    paths = frozenset(session.paths.values())
    others = {item for each in memory if each.plan.session != session.plan.session for item in each.placed}
    others |= session.originals
    found = []
    for item in snapshot.items:
        if not item.id or item.id in others or not shows_own_media(item, snapshot, paths):
            continue
        shows_its = snapshot.media_by_id[item.media].path in paths
        if item.id in session.placed or (shows_its and is_own_track(snapshot.track_by_index[item.track].name)):
            found.append(item)
    return tuple(found)


def _empty_tracks(snapshot: Snapshot, gone: set[str], memory: Sequence[Remembered]) -> Iterator[str]:
    """The tracks that any session added and that hold nothing once `gone` are removed."""
    made = {name for session in memory for name in session.made_tracks}
    held = {item.track for item in snapshot.items if item.id not in gone}
    for track in snapshot.tracks:
        if track.name in made and is_own_track(track.name) and track.index not in held:
            yield track.name


def _unused(snapshot: Snapshot, session: Remembered, gone: set[str]) -> tuple[str, ...]:
    """The movies of the session that nothing shows any more on the timeline."""
    undone = {item for item, _ in session.takes}
    shown = {
        snapshot.media_by_id[item.media].path
        for item in snapshot.items
        if item.media in snapshot.media_by_id and item.id not in gone | undone
    }
    return tuple(path for path in dict.fromkeys(session.paths.values()) if path not in shown)
