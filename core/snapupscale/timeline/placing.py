"""The edits that put held stills in the place of the pieces that they were made of, above the originals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snapupscale.timeline.markers import NOT_ANALYSED, required, variable_warning
from snapupscale.timeline.memory import BIN, is_own_overlay, own_paths
from snapupscale.timeline.operations import (
    Bin,
    Checkpoint,
    ClipColour,
    CopyGrade,
    CopyProperties,
    Describe,
    ImportMedia,
    OwnTrack,
    Place,
    RemoveItems,
    RemoveTake,
    Take,
)
from snapupscale.timeline.pieces import pieces_of
from snapupscale.timeline.plan import Plan, Summary
from snapupscale.timeline.scope import scoped, skipped
from snapupscale.timeline.text import printable
from snapupscale.timeline.tracks import Occupied, free_track

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from snapupscale.timeline.found import Found
    from snapupscale.timeline.memory import Remembered
    from snapupscale.timeline.operations import Operation
    from snapupscale.timeline.options import Options
    from snapupscale.timeline.pieces import Held, Piece
    from snapupscale.timeline.plan import Skipped
    from snapupscale.timeline.scope import Target
    from snapupscale.timeline.snapshot import Item, Snapshot

COPIED = (
    *("Pan", "Tilt", "ZoomX", "ZoomY", "ZoomGang", "RotationAngle", "AnchorPointX", "AnchorPointY", "Pitch", "Yaw"),
    *("FlipX", "FlipY", "CropLeft", "CropRight", "CropTop", "CropBottom", "CropSoftness", "CropRetain"),
    *("CompositeMode", "Opacity", "Distortion"),
)
"""The properties that say where and how a picture sits."""
_FIT = {"Scaling": 2}  # an enlarged picture would otherwise look zoomed where the project crops to the frame
_NOT_MADE = "No still was made of it."
_COVERED = "Another clip lies over it, which a still on top would hide: {}."
_KEPT = "A still of SnapUpscale lies over it, {}, on a locked track; unlock it and choose the menu again."
_TRANSITION = "A transition touches {} at {}: the still covers it."
_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True)
class _Placement:
    """A still to put in the place of a piece: as a take of the item, or over it, or only as a take."""

    target: Target
    piece: Piece
    held: Held
    ref: str
    take: bool
    over: bool


@dataclass(frozen=True, kw_only=True)
class _Placements:
    placements: tuple[_Placement, ...]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    shots: int


def plan_stills(
    snapshot: Snapshot,
    session: str,
    findings: Mapping[str, Found | str],
    held: Mapping[Piece, Held | str],
    options: Options,
    memory: Sequence[Remembered] = (),
    stamp: str = "",
) -> Plan:
    """Each still in the place of its piece, for exactly its length, and what an earlier run left there removed.

    An item that is one piece gets a take; all others, and an item whose take doesn't read back right, an overlay on a
    track of ours. `stamp` tells checkpoints apart, such as the local time; without one the session does.
    """
    scope = scoped(snapshot, memory)
    found = _placements(snapshot, scope.targets, findings, held, own_paths(memory))
    operations: list[Operation] = []
    if found.placements:
        if options.checkpoint:
            name = printable(snapshot.timeline.name)[:_LONGEST_NAME]
            operations.append(Checkpoint(name=f"{name} before SnapUpscale {stamp or session}"))
        operations.extend(_edits(snapshot, found.placements, options, memory))
    return Plan(
        session=session,
        action="stills",
        operations=(required(snapshot, scope.items), *operations),
        summary=Summary(
            shots=found.shots,
            stills=len(found.placements),
            skipped=(*scope.skipped, *found.skipped),
            warnings=found.warnings,
        ),
    )


def _placements(
    snapshot: Snapshot,
    targets: Iterable[Target],
    findings: Mapping[str, Found | str],
    held: Mapping[Piece, Held | str],
    paths: frozenset[str],
) -> _Placements:
    """What can be placed, and what not and why."""
    above = _Above.of(snapshot, paths)
    placements: list[_Placement] = []
    skips, warnings, shots = [], [], 0
    for target in targets:
        found = findings.get(target.media.id, NOT_ANALYSED)
        if isinstance(found, str):
            skips.append(skipped(snapshot, target.item, found))
            continue
        parts = pieces_of(target, found)
        shots += len(parts)
        warnings += [variable_warning(target)] if found.variable else []
        for piece in parts:
            placement = _placement(target, piece, held, above, whole=len(parts) == 1, ref=f"m{len(placements) + 1}")
            if isinstance(placement, _Placement):
                placements.append(placement)
                warnings += _transition_warnings(snapshot, placement, above)
            else:
                skips.append(skipped(snapshot, target.item, placement, piece.record_start))
    return _Placements(
        placements=tuple(placements), skipped=tuple(skips), warnings=tuple(dict.fromkeys(warnings)), shots=shots
    )


def _placement(
    target: Target, piece: Piece, held: Mapping[Piece, Held | str], above: _Above, *, whole: bool, ref: str
) -> _Placement | str:
    still = held.get(piece, _NOT_MADE)
    if isinstance(still, str):
        return still
    if still.frames != piece.frames:
        return f"Its still is held for {still.frames} frames, not for the {piece.frames} that it stands for."
    # How the speed of an item changes a take of it is not known.
    take = (
        whole
        and target.frames.step == _natural(target, above.rate)
        and not above.locked(target.item.track)
        # A take has no frames beyond the item, which a transition would need.
        and not above.touching(piece, target.item.track)
    )
    covering = above.covering(piece, target.item.track)
    if covering is not None and not take:
        return above.reason(covering)
    return _Placement(target=target, piece=piece, held=still, ref=ref, take=take, over=covering is None)


def _natural(target: Target, rate: Fraction) -> Fraction:
    return (target.media.rate or rate) / rate


@dataclass(frozen=True, kw_only=True)
class _Above:
    """What can hide a still, or is hidden by it."""

    rate: Fraction
    seen: Occupied
    transitions: Occupied
    locked_tracks: frozenset[int]
    own: frozenset[str]
    """The ids of overlays of earlier runs that can't be removed."""

    @classmethod
    def of(cls, snapshot: Snapshot, paths: frozenset[str]) -> _Above:
        shown = {track.index for track in snapshot.tracks if track.enabled}
        seen = (
            item
            for item in snapshot.items
            if item.enabled
            and item.track in shown
            and item.type != "transition"
            and not _is_removable(item, snapshot, paths)
        )
        return cls(
            rate=snapshot.timeline.rate,
            seen=Occupied.by(seen),
            # Before 21.1 a transition tells no type; among items without media, it alone overlaps others on its track.
            transitions=Occupied.by(
                item
                for item in snapshot.items
                if item.type == "transition" or not (item.type or item.media)
            ),
            locked_tracks=frozenset(track.index for track in snapshot.tracks if track.locked),
            own=frozenset(
                item.id
                for item in snapshot.items
                if is_own_overlay(item, snapshot, paths) and not _is_removable(item, snapshot, paths)
            ),
        )

    def locked(self, track: int) -> bool:
        return track in self.locked_tracks

    def touching(self, piece: Piece, track: int) -> list[Item]:
        """The transitions on `track` that stand on the piece."""
        touching = self.transitions.over(piece.record_start, piece.record_end)
        return [transition for transition in touching if transition.track == track]

    def covering(self, piece: Piece, track: int) -> Item | None:
        """A clip over the piece, if there is one."""
        items = self.seen.over(piece.record_start, piece.record_end)
        return next((item for item in items if item.track > track), None)

    def reason(self, covering: Item) -> str:
        """Why there can be no still under that clip."""
        said = _KEPT if covering.id in self.own else _COVERED
        return said.format(f"{printable(covering.name)} on track {covering.track}")


def _transition_warnings(snapshot: Snapshot, placement: _Placement, above: _Above) -> list[str]:
    item = placement.target.item
    return [
        _TRANSITION.format(printable(item.name), snapshot.timeline.timecode(transition.start))
        for transition in above.touching(placement.piece, item.track)
    ]


def _is_removable(item: Item, snapshot: Snapshot, paths: frozenset[str]) -> bool:
    """Whether it is an overlay of an earlier run, on a track that is not locked."""
    return is_own_overlay(item, snapshot, paths) and not snapshot.track_by_index[item.track].locked


def _edits(
    snapshot: Snapshot, placements: Sequence[_Placement], options: Options, memory: Sequence[Remembered]
) -> Iterator[Operation]:
    earlier = _earlier_overlays(snapshot, placements, own_paths(memory))
    ranges = [(place.piece.record_start, place.piece.record_end) for place in placements if place.over]
    highest = max((place.target.item.track for place in placements if place.over), default=0)
    track = free_track(snapshot, ranges, highest, frozenset(earlier))
    yield Bin(name=BIN)
    if earlier:
        yield RemoveItems(items=earlier)
    yield from _earlier_takes(snapshot, placements, memory)
    for placement in placements:
        yield ImportMedia(path=placement.held.path, frames=placement.held.frames, ref=placement.ref)
        yield _description(placement)
    if any(not placement.take for placement in placements):
        yield OwnTrack(name=track, ref="t0")
    for placement in placements:
        yield from _put(placement, track, options)


def _description(placement: _Placement) -> Describe:
    media, piece = placement.target.media, placement.piece
    first, last = media.timecode(piece.source_start), media.timecode(piece.source_end - 1)
    # What follows the project needs no setting, and "Project" comes with words that differ from version to version.
    space = "" if media.colour_space.startswith("Project") else media.colour_space
    note = f"SnapUpscale: a still of shot {piece.shot} of {media.name}, {first} to {last}"
    return Describe(media=placement.ref, note=note, colour_space=space)


def _put(placement: _Placement, track: str, options: Options) -> Iterator[Operation]:
    if not placement.take:
        yield from _over(placement, "t0", options)
        return
    ref = f"t{placement.ref}"
    yield Take(
        item=placement.target.item.id,
        media=placement.ref,
        start=0,
        end=placement.held.frames,
        otherwise=(OwnTrack(name=track, ref=ref), *_over(placement, ref, options)) if placement.over else (),
    )


def _over(placement: _Placement, track: str, options: Options) -> Iterator[Operation]:
    piece, original, ref = placement.piece, placement.target.item.id, f"p{placement.ref}"
    yield Place(
        media=placement.ref,
        track=track,
        record=piece.record_start,
        start=0,
        end=placement.held.frames,
        frames=placement.held.frames,
        ref=ref,
    )
    yield CopyProperties(copy_from=original, to=ref, names=COPIED, values=dict(_FIT))
    yield CopyGrade(copy_from=original, to=ref)
    yield ClipColour(to=ref, colour=options.clip_colour)


def _earlier_overlays(
    snapshot: Snapshot, placements: Sequence[_Placement], paths: frozenset[str]
) -> tuple[str, ...]:
    """The ids of overlays of an earlier run in the ranges that are placed anew."""
    own = Occupied.by(item for item in snapshot.items if item.id and _is_removable(item, snapshot, paths))
    found = [
        item.id
        for placement in placements
        for item in own.over(placement.piece.record_start, placement.piece.record_end)
    ]
    return tuple(dict.fromkeys(found))


def _earlier_takes(
    snapshot: Snapshot, placements: Sequence[_Placement], memory: Sequence[Remembered]
) -> Iterator[RemoveTake]:
    """The takes that an earlier run added to items that get another one, and that aren't selected now."""
    selectors = {placement.target.item.id for placement in placements if placement.target.item.takes > 0}
    taken = dict.fromkeys(take for session in memory for take in session.takes if take[0] in selectors and take[1])
    return (RemoveTake(item=item, media=path) for item, path in taken)
