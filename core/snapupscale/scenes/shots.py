"""Shots: the stretches between cuts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True, order=True)
class Shot:
    """The frames from `start` up to, not including, `end`; `number` counts from 1."""

    number: int
    start: int
    end: int

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.end - self.start


@dataclass(frozen=True, kw_only=True, order=True)
class Transition:
    """A gradual change from one shot to the next: frames `start` up to, not including, `end`; `kind` is
    `dissolve`, `fade` or `wipe`."""

    start: int
    end: int
    kind: str

    @property
    def middle(self) -> int:
        """The frame at which the one shot gives way to the other."""
        return (self.start + self.end) // 2


def to_shots(cuts: Iterable[int], frames: int) -> tuple[Shot, ...]:
    """The shots that `cuts` divide `frames` frames into; cuts outside 1..frames-1 are dropped, order does not matter.

    Example: `to_shots([30], 100)` gives the shots 0..30 and 30..100.
    """
    if frames <= 0:
        return ()
    inner = sorted({cut for cut in cuts if 0 < cut < frames})
    edges = [0, *inner, frames]
    return tuple(
        Shot(number=number, start=start, end=end)
        for number, (start, end) in enumerate(pairwise(edges), start=1)
    )
