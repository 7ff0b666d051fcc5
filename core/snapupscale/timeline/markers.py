"""The edits that put markers at the cuts of a timeline, keep them up to date, and remove them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snapupscale import protocol
from snapupscale.timeline.mapping import at_edit_point, boundaries, shot_of
from snapupscale.timeline.memory import is_own_overlay, own_paths
from snapupscale.timeline.operations import AddMarker, RemoveMarker, Require, RequiredItem
from snapupscale.timeline.plan import Plan, Summary
from snapupscale.timeline.scope import scoped, skipped
from snapupscale.timeline.tracks import Occupied

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from snapupscale.scenes.shots import Transition
    from snapupscale.timeline.found import Found
    from snapupscale.timeline.mapping import Boundary
    from snapupscale.timeline.memory import Remembered
    from snapupscale.timeline.options import Options
    from snapupscale.timeline.plan import Skipped
    from snapupscale.timeline.scope import Scoped, Target
    from snapupscale.timeline.snapshot import Item, Marker, Snapshot

MARK = f"{protocol.PREFIX}mark:"
"""How the custom data of a marker at a cut begins; the session and a number follow."""
NOT_ANALYSED = "Its source has not been analysed."


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A marker that shall stand on absolute record frame `record`, for a cut of `item`."""

    record: int
    duration: int
    name: str
    note: str
    item: Item


@dataclass(frozen=True, kw_only=True)
class _Wishes:
    wishes: dict[int, Wish]
    items: tuple[Item, ...]
    """The items whose markers are known."""
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    shots: int


def plan_marks(
    snapshot: Snapshot,
    session: str,
    findings: Mapping[str, Found | str],
    options: Options,
    memory: Iterable[Remembered] = (),
) -> Plan:
    """Markers at the cuts of the items in scope; those of an earlier run are kept, moved or removed.

    A frame that holds a marker of the editor's own, or one of ours that the editor has changed, is left as it is, and
    reported.
    """
    memory = tuple(memory)
    scope = scoped(snapshot, memory)
    wanted = _wishes(snapshot, scope, findings)
    own = {marker.frame: marker for marker in _own_in_reach(snapshot, wanted, memory)}
    first = snapshot.timeline.start_frame
    kept = {
        frame
        for frame, marker in own.items()
        if frame + first in wanted.wishes and _same(marker, wanted.wishes[frame + first], options)
    }
    taken = {marker.frame for marker in snapshot.markers if marker.frame not in own}
    blocked = [wish for record, wish in wanted.wishes.items() if record - first in taken]
    new = [wish for record, wish in sorted(wanted.wishes.items()) if record - first not in kept | taken]
    return Plan(
        session=session,
        action="mark",
        operations=(
            required(snapshot, scope.items),
            *(RemoveMarker(custom=own[frame].custom) for frame in sorted(own.keys() - kept)),
            *_additions(new, session, options, snapshot),
        ),
        summary=Summary(
            markers=len(kept) + len(new),
            shots=wanted.shots,
            skipped=(
                *wanted.skipped,
                *(skipped(snapshot, wish.item, _BLOCKED.format(wish.name), wish.record) for wish in blocked),
            ),
            warnings=wanted.warnings,
        ),
    )


_BLOCKED = "{} begins on a frame that holds another marker, which is left as it is."


def plan_remove_markers(snapshot: Snapshot, session: str) -> Plan:
    """The end of every marker that SnapUpscale made on the timeline."""
    own = sorted({marker.custom for marker in snapshot.markers if marker.custom.startswith(protocol.PREFIX)})
    return Plan(
        session=session,
        action="remove_markers",
        operations=(required(snapshot, ()), *(RemoveMarker(custom=custom) for custom in own)),
        summary=Summary(),
    )


def required(snapshot: Snapshot, items: Iterable[Item]) -> Require:
    """That the project, the timeline and `items` must be as they are in the snapshot."""
    return Require(
        project=snapshot.project.id,
        timeline=snapshot.timeline.id,
        items=tuple(RequiredItem(id=item.id, start=item.start, end=item.end) for item in items if item.id),
    )


def variable_warning(target: Target) -> str:
    """What an editor must know of a source without a constant rate."""
    return f"{target.media.name} has no constant frame rate: what is found in it may be a frame off on the timeline."


def _wishes(snapshot: Snapshot, scope: Scoped, findings: Mapping[str, Found | str]) -> _Wishes:
    wishes: dict[int, Wish] = {}
    done, skips, warnings, shots = [], list(scope.skipped), [], 0
    # Upper tracks hide lower ones, so theirs count where two cuts meet.
    for target in sorted(scope.targets, key=lambda target: -target.item.track):
        found = findings.get(target.media.id, NOT_ANALYSED)
        if isinstance(found, str):
            skips.append(skipped(snapshot, target.item, found))
            continue
        done.append(target.item)
        if found.variable:
            warnings.append(variable_warning(target))
        made = _wishes_of(target, found)
        shots += len(made) + 1
        for wish in made:
            wishes.setdefault(wish.record, wish)
    return _Wishes(
        wishes=wishes,
        items=tuple(done),
        skipped=tuple(skips),
        warnings=tuple(dict.fromkeys(warnings)),
        shots=shots,
    )


def _wishes_of(target: Target, found: Found) -> list[Wish]:
    """The markers of one item: one for each transition, one for each cut that is in none."""
    counted = found.at_rate(target.media.rate or found.rate)
    gradual = {}
    for transition in counted.transitions:
        wish = _transition_wish(target, counted, transition)
        if wish:
            gradual[transition] = wish
    sharp = [
        _cut_wish(target, counted, boundary)
        for boundary in boundaries(target.frames, counted.cuts)
        if not at_edit_point(boundary.record, target.frames)
        and not any(_within(boundary, wish) for wish in gradual.values())
    ]
    return [*gradual.values(), *sharp]


def _within(boundary: Boundary, wish: Wish) -> bool:
    return wish.record <= boundary.record <= wish.record + wish.duration


def _cut_wish(target: Target, found: Found, boundary: Boundary) -> Wish:
    note = f"{target.media.name} {target.media.timecode(boundary.frame)}"
    if found.confidences:
        # The cut that play crosses here begins the shot, or, backwards, ends it.
        cut = boundary.shot - 2 if target.frames.step > 0 else boundary.shot - 1
        note += f", confidence {found.confidences[cut]:.2f}"
    return Wish(record=boundary.record, duration=1, name=f"Shot {boundary.shot}", note=note, item=target.item)


def _transition_wish(target: Target, found: Found, transition: Transition) -> Wish | None:
    """The marker of a transition that begins inside the item: from its first to its last record frame."""
    frames = target.frames
    low, high = frames.used
    if transition.end <= low or transition.start >= high:
        return None
    ends = sorted((frames.record_of_cut(transition.start), frames.record_of_cut(transition.end)))
    if at_edit_point(ends[0], frames):
        return None
    last = min(max(ends[1], ends[0] + 1), frames.end)
    shot = shot_of(frames.source_at(last - 1), found.cuts)
    note = f"{transition.kind}, {target.media.name} {target.media.timecode(frames.source_at(ends[0]))}"
    return Wish(record=ends[0], duration=last - ends[0], name=f"Shot {shot}", note=note, item=target.item)


def _own_in_reach(snapshot: Snapshot, wanted: _Wishes, memory: Iterable[Remembered]) -> list[Marker]:
    """Markers of ours within the items that are known now, but for those of other items that stand there too; with the
    whole timeline in scope also those that stand on no other item, where clips have gone.

    Markers that the editor gave another name, note or colour stay, and so do those that can't be told apart by their
    hidden data.
    """
    first = snapshot.timeline.start_frame
    reach = _Reach.of(wanted.items)
    known = {item.id for item in wanted.items}
    paths = own_paths(memory)
    others = Occupied.by(
        item
        for item in snapshot.items
        if item.media and item.id not in known and not is_own_overlay(item, snapshot, paths)
    )
    made = {custom: look for session in memory for custom, look in session.markers.items()}
    copies = Counter(marker.custom for marker in snapshot.markers)

    def is_meant(marker: Marker) -> bool:
        record = marker.frame + first
        beside = others.over(record, record + 1)
        if reach.holds(record):
            return not any(_is_of(marker, item, snapshot) for item in beside)
        return snapshot.scope == "timeline" and not beside

    return [
        marker
        for marker in snapshot.markers
        if marker.custom.startswith(MARK)
        and copies[marker.custom] == 1
        and is_meant(marker)
        and not _is_changed(marker, made.get(marker.custom))
    ]


def _is_of(marker: Marker, item: Item, snapshot: Snapshot) -> bool:
    """Whether the marker's note names the source of the item."""
    media = snapshot.media_by_id.get(item.media)
    return media is not None and f" {media.name} " in f" {marker.note} "


def _is_changed(marker: Marker, made: tuple[object, ...] | None) -> bool:
    return made not in {None, (marker.name, marker.note, marker.color)}


@dataclass(frozen=True, kw_only=True)
class _Reach:
    """The record frames that some items stand on."""

    edges: tuple[int, ...]
    """Where they begin and end, alternately, ascending."""

    @classmethod
    def of(cls, items: Iterable[Item]) -> _Reach:
        edges: list[int] = []
        for start, end in sorted((item.start, item.end) for item in items):
            if edges and start <= edges[-1]:
                edges[-1] = max(edges[-1], end)
            else:
                edges += [start, end]
        return cls(edges=tuple(edges))

    def holds(self, record: int) -> bool:
        return shot_of(record, self.edges) % 2 == 0


def _same(marker: Marker, wish: Wish, options: Options) -> bool:
    return (marker.color, marker.name, marker.note, marker.duration) == (
        options.color,
        wish.name,
        wish.note,
        wish.duration,
    )


def _additions(wishes: Iterable[Wish], session: str, options: Options, snapshot: Snapshot) -> list[AddMarker]:
    prefix = f"{MARK}{session}:"
    # A session that is planned again must not give a marker that it kept the name of a new one.
    used = [marker.custom.removeprefix(prefix) for marker in snapshot.markers if marker.custom.startswith(prefix)]
    first = 1 + max((int(number) for number in used if number.isascii() and number.isdigit()), default=0)
    return [
        AddMarker(
            frame=wish.record - snapshot.timeline.start_frame,
            color=options.color,
            name=wish.name,
            note=wish.note,
            duration=wish.duration,
            custom=f"{prefix}{number}",
        )
        for number, wish in enumerate(wishes, start=first)
    ]
