"""What is measured of a stretch that may be a gradual transition: its ends, what is about it, and the way between."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.scenes.blends import NOISE
from snapupscale.scenes.features import PAIR, pair_features
from snapupscale.scenes.matching import found_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snapupscale.scenes.features import Descriptors

_ABOUT = (0, 3, 8, 16)
"""Frames before the first and after the last: after light or motion the picture of before comes back in one of them."""
_FAR = 8
_STOPS = (0.0, 0.25, 0.5, 0.75, 1.0)
_PACE = tuple(PAIR.index(name) for name in ("blocks", "luma", "structure"))
"""Columns of PAIR whose course from stop to stop counts."""


def stretch_features(
    frames: Descriptors,
    steps: NDArray[np.float32],
    starts: NDArray[np.intp],
    lengths: NDArray[np.intp],
    courses: NDArray[np.float32],
) -> NDArray[np.float32]:
    """M x FEATURES of candidates.

    Found again, of a picture in another: the first in the last, one from before in one from after, and from stop to
    stop the least and the mean: a camera that moves finds it again elsewhere.
    """
    ends = np.minimum(starts + lengths, len(frames) - 1)
    inner = [_greatest_step(steps, start, end) for start, end in zip(starts, ends, strict=True)]
    levels = [frames.small[place][..., 0].mean(axis=(1, 2)) / 255 for place in (starts, ends)]
    legs = list(pairwise(starts + np.rint(part * (ends - starts)).astype(np.intp) for part in _STOPS))
    outside = _before(starts, _FAR), _after(frames, ends, _FAR)
    again = found_between(frames.medium, [(starts, ends), outside, *legs])
    columns = (
        courses,
        pair_features(frames, starts, ends),
        again[0],
        _details(frames.medium, starts, ends),
        np.array(inner, dtype=np.float32).reshape(len(starts), 4),
        np.stack(levels, axis=1),
        np.log(lengths)[:, None] / 4,
        _about(frames, starts, ends),
        again[1],
        again[2:].min(axis=0),
        again[2:].mean(axis=0),
        _pace(frames, legs),
    )
    return np.concatenate(columns, axis=1).astype(np.float32)


def _about(frames: Descriptors, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.float32]:
    """M x 2 PAIR: the least and the median difference of frames before and frames after."""
    after = np.concatenate([_after(frames, ends, by) for by in _ABOUT])
    rows = [pair_features(frames, np.tile(_before(starts, by), len(_ABOUT)), after) for by in _ABOUT]
    cross = np.sort(np.concatenate(rows).reshape(len(_ABOUT) ** 2, len(starts), len(PAIR)), axis=0)
    # The median of an even number; numpy's own imports all of numpy.ma.
    middle = cross[len(cross) // 2 - 1 : len(cross) // 2 + 1].mean(axis=0)
    return np.concatenate((cross[0], middle), axis=1)


def _pace(frames: Descriptors, legs: list[tuple[NDArray[np.intp], NDArray[np.intp]]]) -> NDArray[np.float32]:
    """M x 6: how much the picture differs from stop to stop, the most and the mean."""
    ones, others = (np.concatenate(places) for places in zip(*legs, strict=True))
    apart = pair_features(frames, ones, others)[:, _PACE].reshape(len(legs), -1, len(_PACE))
    return np.concatenate((apart.max(axis=0), apart.mean(axis=0)), axis=1)


def _before(starts: NDArray[np.intp], by: int) -> NDArray[np.intp]:
    return np.maximum(starts - by, 0)


def _after(frames: Descriptors, ends: NDArray[np.intp], by: int) -> NDArray[np.intp]:
    return np.minimum(ends + by, len(frames) - 1)


def _details(medium: NDArray[np.float32], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.float32]:
    """M x 9: for three stops, the power of fine detail over that of the ends mixed, and over that of one of two
    pictures laid over each other (details of two shots don't add up, so in a dissolve they fade: Lienhart 1999), and
    how far the picture is from such a mixture, over the distance of the ends."""
    first, last = (medium[place] for place in (starts, ends))
    way = last - first
    power = np.einsum("nij,nij->n", way, way) + NOISE * way[0].size if len(way) else np.zeros(0, np.float32)
    details = _detail(first), _detail(last)
    columns = []
    for part in _STOPS[1:-1]:
        there = medium[starts + np.rint(part * (ends - starts)).astype(np.intp)]
        gone = there - first
        share = np.clip(np.einsum("nij,nij->n", gone, way) / power, 0, 1)
        detail = _detail(there) + 1
        columns.append(np.log(detail / ((1 - share) * details[0] + share * details[1] + 1)))
        columns.append(np.log(detail / ((1 - share) ** 2 * details[0] + share**2 * details[1] + 1)))
        rest = gone - share[:, None, None] * way
        columns.append(np.sqrt(np.einsum("nij,nij->n", rest, rest) / power))
    return np.stack(columns, axis=1).astype(np.float32)


def _detail(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean square of differences between neighbouring pixels."""
    across = np.square(np.diff(pictures, axis=2)).mean(axis=(1, 2))
    down = np.square(np.diff(pictures, axis=1)).mean(axis=(1, 2))
    power: NDArray[np.float32] = across + down
    return power


def _greatest_step(steps: NDArray[np.float32], start: int, end: int) -> NDArray[np.float32]:
    """Of the step from a frame to the next, blocks and luma: the greatest inside, and the mean in 12 frames outside."""
    columns = [1, 4]
    inside = steps[start + 1 : end + 1, columns]
    outside = np.concatenate((steps[max(1, start - 11) : start + 1, columns], steps[end + 1 : end + 13, columns]))
    mean = outside.mean(axis=0) if len(outside) else np.zeros(2)
    return np.concatenate((inside.max(axis=0) if len(inside) else np.zeros(2), mean))
