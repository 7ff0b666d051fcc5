"""Stretches of footage that may be gradual transitions: in which the picture goes from one to another along a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.scenes.adaptive import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snapupscale.scenes.features import Descriptors

LENGTHS = (4, 6, 9, 13, 18, 25, 34, 46, 62)
"""Frames from the last of one shot to the first of the next: the stretches that are tried at every frame."""
SPAN = 2 * LENGTHS[-1]
"""Frames each side of a place that matter for it."""
_STOPS = 8
"""Parts that a stretch is divided into to follow its course."""
_BLOCK = (3, 4)
_CHROMA_WEIGHT = 2.0
NOISE = 4.0
"""Mean square, levels squared, below which a difference says nothing."""
COURSE = ("change", "off_line", "spread", "back", "uneven", "jump", "before", "after", "flat_first", "flat_last")
_LEAST_CHANGE = 0.05
_LEAST_SCORE = 0.3
_FLAT_END, _WIPE_SPREAD = 0.2, 0.2
_ONWARD, _HARDLY, _ALONG, _SHORTEST = 0.35, 0.15, 0.7, 3


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Small pictures in blocks, with the first and the last repeated SPAN times before and after."""

    values: NDArray[np.float32]
    """Frames x blocks x values, in levels, chroma weighted."""
    contrast: NDArray[np.float32]
    """Of each frame: standard deviation of small luma over 32 levels, 1 at most."""

    def __len__(self) -> int:
        return len(self.contrast) - 2 * SPAN


def blocks_of(small: NDArray[np.float32]) -> Blocks:
    """The blocks of frames x 9 x 16 x 3."""
    count, rows, columns, _ = small.shape
    weighted = small * np.array([1, _CHROMA_WEIGHT, _CHROMA_WEIGHT], dtype=np.float32)
    height, width = _BLOCK
    split = weighted.reshape(count, rows // height, height, columns // width, width, 3)
    values = split.transpose(0, 1, 3, 2, 4, 5).reshape(count, rows // height * (columns // width), -1)
    contrast = np.minimum(1, small[..., 0].std(axis=(1, 2)) / 32)
    padding = ((SPAN, SPAN), (0, 0), (0, 0))
    return Blocks(values=np.pad(values, padding, mode="edge"), contrast=np.pad(contrast, SPAN, mode="edge"))


def course(blocks: Blocks, low: int, high: int, length: int) -> NDArray[np.float32]:
    """How the picture gets from a frame to the one `length` later, for the frames from `low` up to `high`:
    N x len(COURSE).

    Each block's way from its first to its last state is projected on the straight line between these. change: distance
    of the ends, over 64 levels; off_line: root mean square distance from the line, over that of the ends; spread: by
    how much blocks are ahead of others (near 0 in a dissolve, great in a wipe); back: by how much it moves backwards;
    uneven: largest deviation from an even pace; jump: largest advance between two stops; before, after: change in half
    the length outside, over that of the ends; flat_first, flat_last: whether the ends show one colour, 1 for none to 0.
    """

    def at(offset: int) -> NDArray[np.float32]:
        return blocks.values[SPAN + low + offset : SPAN + high + offset]

    first, end = at(0), at(length)
    way = end - first
    lengths = np.einsum("nbk,nbk->nb", way, way)
    total = lengths.sum(axis=1) + NOISE
    count, size = first.shape[0], first.shape[1] * first.shape[2] / 3
    done, off, spread = [np.zeros(count, np.float32)], np.zeros(count), np.zeros(count)
    for stop in range(1, _STOPS):
        gone = at(round(stop * length / _STOPS)) - first
        along = np.einsum("nbk,nbk->nb", gone, way) / (lengths + NOISE / first.shape[1])
        mean = (along * lengths).sum(axis=1) / total
        off += (np.einsum("nbk,nbk->nb", gone, gone) - along * along * lengths).clip(0).sum(axis=1)
        spread += ((along - mean[:, None]) ** 2 * lengths).sum(axis=1)
        done.append(mean)
    advance = np.diff(np.stack([*done, np.ones_like(done[0])]), axis=0)
    pace = np.abs(np.stack(done) - np.arange(_STOPS)[:, None] / _STOPS)
    half = max(2, length // 2)
    outside = []
    for inner, away in ((0, -half), (length, half)):
        moved = at(inner) - at(inner + away)
        outside.append(np.sqrt(np.einsum("nbk,nbk->n", moved, moved) / total))
    columns = (
        np.sqrt(total / size) / 64,
        np.sqrt(off / (_STOPS - 1) / total),
        np.sqrt(spread / (_STOPS - 1) / total),
        np.maximum(0, -advance).sum(axis=0),
        pace.max(axis=0),
        advance.max(axis=0),
        *(np.minimum(2, change) for change in outside),
        *(blocks.contrast[SPAN + low + offset : SPAN + high + offset] for offset in (0, length)),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def likely(courses: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much a course looks like a transition: a rough score for choosing candidates, below 0 for none."""
    change, off, _, back, uneven, _, before, after = courses.T[:8]
    score: NDArray[np.float32] = 1.0 - 0.9 * off - back - 0.6 * uneven - 0.3 * (before + after)
    return np.where(change > _LEAST_CHANGE, score * np.minimum(1, change * 3), -1.0).astype(np.float32)


def stretches(
    frames: Descriptors, low: int, high: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Candidates that begin from `low` up to `high`: their starts, their lengths, and their courses; the likeliest of
    those near each other."""
    blocks = blocks_of(frames.small)
    wide = max(0, low - LENGTHS[-1]), min(len(frames), high + LENGTHS[-1])
    courses = np.stack([course(blocks, *wide, length) for length in LENGTHS])
    scores = np.stack([likely(each) for each in courses])
    for row, length in enumerate(LENGTHS):
        scores[row, max(0, len(frames) - length - wide[0]) :] = -1
    rows, places = _local_maxima(scores)
    inside = (places >= low - wide[0]) & (places < high - wide[0])
    rows, places = rows[inside], places[inside]
    return places + wide[0], np.array(LENGTHS)[rows], courses[rows, places]


def _local_maxima(scores: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and places at which a score is the greatest within a third of its length, and high enough."""
    keep = scores > _LEAST_SCORE
    for row, length in enumerate(LENGTHS):
        reach = max(1, length // 3)
        padded = np.pad(scores[row], reach, constant_values=-1)
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
        keep[row] &= scores[row] >= windows.max(axis=1)
    rows, places = np.nonzero(keep)
    return rows, places


def kind(one: NDArray[np.float32]) -> int:
    """The place in KINDS for a course."""
    named = dict(zip(COURSE, one.tolist(), strict=True))
    if min(named["flat_first"], named["flat_last"]) < _FLAT_END:
        return KINDS.index("fade")
    return KINDS.index("wipe" if named["spread"] > _WIPE_SPREAD else "dissolve")


def refined(small: NDArray[np.float32], start: int, length: int) -> tuple[int, int]:
    """The first changed frame, and the first that shows the new shot alone, of a stretch: its ends are moved in over
    frames that hardly advance on its line, and out over such as go on along it."""
    first, last = start, min(start + length, len(small) - 1)
    low, high = max(0, first - length), min(len(small) - 1, last + length)
    pictures = small[low : high + 1].reshape(high + 1 - low, -1)
    way = small[last].ravel() - small[first].ravel()
    power = float(way @ way) + NOISE
    moves = np.diff(pictures, axis=0)
    steps = moves @ way / power
    aside = np.sqrt(np.maximum(0, np.einsum("nk,nk->n", moves, moves) / power - steps**2))
    on = (steps > _ONWARD / length) & (steps > aside * _ALONG)
    still = steps < _HARDLY / length
    first, last = first - low, last - low
    while last - first > _SHORTEST and still[first]:
        first += 1
    while last - first > _SHORTEST and still[last - 1]:
        last -= 1
    while first > 0 and on[first - 1]:
        first -= 1
    while last < len(on) and on[last]:
        last += 1
    return first + low + 1, last + low
