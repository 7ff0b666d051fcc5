"""Where on a timeline stills can be placed: which record ranges are covered, and which track is free for them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate, count
from typing import TYPE_CHECKING

from snapupscale.timeline.memory import TRACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from snapupscale.timeline.snapshot import Item, Snapshot

Range = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Occupied:
    """The record frames that some items stand on."""

    rows: tuple[_Row, ...]

    @classmethod
    def by(cls, items: Iterable[Item]) -> Occupied:
        """The frames of `items`."""
        tracks: dict[int, list[Item]] = {}
        for item in items:
            tracks.setdefault(item.track, []).append(item)
        return cls(rows=tuple(_Row.of(tracks[track]) for track in sorted(tracks)))

    def over(self, start: int, end: int) -> tuple[Item, ...]:
        """The items that stand on a record frame from `start` up to, not including, `end`; lower tracks first."""
        return tuple(item for row in self.rows for item in row.over(start, end))


@dataclass(frozen=True, kw_only=True)
class _Row:
    """The items of one track, by start; they hardly ever overlap, which keeps `over` short."""

    items: tuple[Item, ...]
    starts: tuple[int, ...]
    reach: tuple[int, ...]
    """The furthest end of the items up to each."""

    @classmethod
    def of(cls, items: list[Item]) -> _Row:
        ordered = tuple(sorted(items, key=lambda item: (item.start, item.end)))
        reach = tuple(accumulate((item.end for item in ordered), max))
        return cls(items=ordered, starts=tuple(item.start for item in ordered), reach=reach)

    def over(self, start: int, end: int) -> list[Item]:
        found: list[Item] = []
        index = bisect_left(self.starts, end) - 1
        while index >= 0 and self.reach[index] > start:
            if self.items[index].overlaps(start, end):
                found.insert(0, self.items[index])
            index -= 1
        return found


def free_track(snapshot: Snapshot, ranges: Sequence[Range], above: int, leaving: frozenset[str]) -> str:
    """The name of the lowest-numbered track of ours that is free on all `ranges`: the first of `SnapUpscale`,
    `SnapUpscale 2`, ... that is not there yet, or is there above track `above`, enabled, not locked, and holds nothing
    there but items whose ids are in `leaving`, which go before."""
    for number in count(1):
        name = TRACK if number == 1 else f"{TRACK} {number}"
        tracks = [track for track in snapshot.tracks if track.name == name]
        if not tracks:
            return name
        if len(tracks) == 1 and tracks[0].index > above and tracks[0].enabled and not tracks[0].locked:
            held = Occupied.by(
                item for item in snapshot.items if item.track == tracks[0].index and item.id not in leaving
            )
            if not any(held.over(start, end) for start, end in ranges):
                return name
    raise AssertionError("unreachable")
