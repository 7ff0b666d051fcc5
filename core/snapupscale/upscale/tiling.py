"""Rectangles of a picture, and how to cut it into tiles that make as little work as memory allows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

_SMALLEST = 16


@dataclass(frozen=True)
class Box:
    """A rectangle; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def area(self) -> int:
        return self.width * self.height

    def grown(self, halo: int, within: Box) -> Box:
        """This box with `halo` more on every side, clipped at `within`: beyond a picture's border there is nothing."""
        return Box(
            max(within.left, self.left - halo),
            max(within.top, self.top - halo),
            min(within.right, self.right + halo),
            min(within.bottom, self.bottom + halo),
        )

    def seen_from(self, other: Box) -> Box:
        """This box in coordinates whose origin is the corner of `other`."""
        return Box(self.left - other.left, self.top - other.top, self.right - other.left, self.bottom - other.top)

    def times(self, factor: int) -> Box:
        """The same area in units `factor` times smaller."""
        return Box(self.left * factor, self.top * factor, self.right * factor, self.bottom * factor)

    def covered(self, factor: int) -> Box:
        """The smallest box around this one in units `factor` times larger."""
        return Box(self.left // factor, self.top // factor, -(-self.right // factor), -(-self.bottom // factor))

    def halves(self) -> tuple[Box, Box]:
        """Two boxes that cover this one, cut across its longer side."""
        if self.width > self.height:
            middle = self.left + self.width // 2
            return Box(self.left, self.top, middle, self.bottom), Box(middle, self.top, self.right, self.bottom)
        middle = self.top + self.height // 2
        return Box(self.left, self.top, self.right, middle), Box(self.left, middle, self.right, self.bottom)


def grid(whole: Box, columns: int, rows: int) -> list[Box]:
    """`whole` as columns x rows boxes of almost equal size, row by row."""
    xs = [whole.left + whole.width * i // columns for i in range(columns + 1)]
    ys = [whole.top + whole.height * i // rows for i in range(rows + 1)]
    return [Box(left, top, right, bottom) for top, bottom in pairwise(ys) for left, right in pairwise(xs)]


def blocks(whole: Box, edge: int) -> list[Box]:
    """`whole` in boxes of `edge` x `edge`, those at the right and bottom cut off, row by row."""
    return [
        Box(left, top, left + edge, top + edge).grown(0, whole)
        for top in range(whole.top, whole.bottom, edge)
        for left in range(whole.left, whole.right, edge)
    ]


def by_edge(whole: Box, edge: int) -> list[Box]:
    """`whole` in boxes of at most `edge` x `edge`."""
    return grid(whole, ceil(whole.width / edge), ceil(whole.height / edge))


def by_area(whole: Box, *, halo: int, most: float) -> list[Box]:
    """`whole` in the boxes that make the least work, none of them more than `most` in area once it has its halo.

    Work is the area with halos. Boxes of 16 x 16 are the smallest ever made, also where they exceed `most`.
    """
    if whole.area <= most:
        return [whole]
    best, least = (ceil(whole.width / _SMALLEST), ceil(whole.height / _SMALLEST)), float("inf")
    for columns in range(1, ceil(whole.width / _SMALLEST) + 1):
        width = min(whole.width, ceil(whole.width / columns) + 2 * halo)
        tall = int(min(most, whole.area) // width)
        if tall >= whole.height:
            rows = 1
        elif tall - 2 * halo >= _SMALLEST:
            rows = ceil(whole.height / (tall - 2 * halo))
        else:
            continue
        height = min(whole.height, ceil(whole.height / rows) + 2 * halo)
        work = columns * width * rows * height
        if work < least:
            best, least = (columns, rows), work
    return grid(whole, *best)
