"""The pieces that the cuts of their sources divide timeline items into, and the stills that are held for them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from snapupscale.timeline.mapping import at_edit_point, boundaries, shot_of
from snapupscale.timeline.scope import scoped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from snapupscale.timeline.found import Found
    from snapupscale.timeline.mapping import FrameMap
    from snapupscale.timeline.memory import Remembered
    from snapupscale.timeline.scope import Target
    from snapupscale.timeline.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True, order=True)
class Piece:
    """The part of an item that shows one shot of its source; the pieces of an item follow each other without a gap.

    `number` counts the pieces of the item from 1, `shot` is the number of the shot in the source. Source frames, as the
    editor counts them, and absolute record frames are ranges with exclusive ends; a still of the piece is to be picked
    from the source range, and held for `frames` frames of the timeline.
    """

    item: str
    media: str
    number: int
    shot: int
    source_start: int
    source_end: int
    record_start: int
    record_end: int

    @property
    def frames(self) -> int:
        """Number of record frames."""
        return self.record_end - self.record_start


@dataclass(frozen=True, kw_only=True)
class Held:
    """A still as a movie of `frames` frames at the timeline's rate."""

    path: str
    frames: int


def pieces(
    snapshot: Snapshot, findings: Mapping[str, Found | str], memory: Iterable[Remembered] = ()
) -> tuple[Piece, ...]:
    """The pieces of all items in scope whose media have findings, in the order of the snapshot's items."""
    found: list[Piece] = []
    for target in scoped(snapshot, memory).targets:
        finding = findings.get(target.media.id)
        if finding is not None and not isinstance(finding, str):
            found.extend(pieces_of(target, finding))
    return tuple(found)


def pieces_of(target: Target, found: Found) -> tuple[Piece, ...]:
    """The pieces of one item, in the order of play."""
    counted = found.at_rate(target.media.rate or found.rate)
    cuts, frames = counted.cuts, target.frames.within(counted.frames)
    starts = [boundary.record for boundary in boundaries(frames, cuts)]
    inner = [record for record in starts if not at_edit_point(record, frames)]
    result = []
    for number, (start, end) in enumerate(pairwise([frames.start, *inner, frames.end]), start=1):
        shown_start, shown_end = _largest_part(start, end, starts)
        source_start, source_end = frames.used_between(shown_start, shown_end)
        result.append(
            Piece(
                item=target.item.id,
                media=target.media.id,
                number=number,
                shot=_shot(frames, shown_start, cuts),
                source_start=source_start,
                source_end=source_end,
                record_start=start,
                record_end=end,
            )
        )
    return tuple(result)


def _largest_part(start: int, end: int, starts: Sequence[int]) -> tuple[int, int]:
    """Of a piece that begins or ends with a single frame of another shot: the part without it."""
    edges = [start, *starts[bisect_right(starts, start) : bisect_left(starts, end)], end]
    return max(pairwise(edges), key=lambda part: part[1] - part[0])


def _shot(frames: FrameMap, record: int, cuts: Sequence[int]) -> int:
    return shot_of(frames.source_at(record), cuts)
