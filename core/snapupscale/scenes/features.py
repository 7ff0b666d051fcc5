"""What is measured of thumbnails: how much two frames differ, and how much frames around a place do."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snapupscale.media.samples import Thumbnails

GRID = 4
"""The picture is compared in GRID x GRID blocks."""
_LUMA_BINS = 16
_CHROMA_EDGES = (-28, -12, -4, 4, 12, 28)
"""Between the bins of either chroma axis: fine about grey, where most pixels are."""
_FLAT = 16.0
"""Variance, levels squared, below which a picture has no structure to compare."""
PAIR = ("global", "blocks", "blocks_low", "blocks_high", "luma", "chroma", "structure")
"""The columns of `pair_features`, in order."""


@dataclass(frozen=True, kw_only=True)
class Descriptors:
    """What is kept of N frames to compare them by."""

    luma: NDArray[np.float32]
    """N x blocks x bins: square roots of the histograms of luma in each block."""
    chroma: NDArray[np.float32]
    """N x blocks x bins: the same of chroma, both axes jointly."""
    whole_luma: NDArray[np.float32]
    whole_chroma: NDArray[np.float32]
    small: NDArray[np.float32]
    """N x 9 x 16 x 3: means of 4 x 4 pixels, in levels."""
    medium: NDArray[np.float32]
    """N x 18 x 32: means of luma over 2 x 2 pixels, in levels."""

    def __len__(self) -> int:
        return len(self.luma)

    def __getitem__(self, rows: slice) -> Descriptors:
        return Descriptors(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def room(described: Descriptors, count: int) -> Descriptors:
    """Room for the descriptors of `count` frames like those that are `described`."""
    return Descriptors(
        **{
            name: np.empty((count, *values.shape[1:]), dtype=values.dtype)
            for name, values in ((field.name, getattr(described, field.name)) for field in fields(described))
        }
    )


def put(frames: Descriptors, place: int, described: Descriptors) -> None:
    """Write the descriptors of frames over those in `frames` from `place` on; they may be a later part of the same."""
    for field in fields(frames):
        getattr(frames, field.name)[place : place + len(described)] = getattr(described, field.name)


def describe(thumbnails: Thumbnails) -> Descriptors:
    """The descriptors of thumbnails N x 36 x 64 x 3."""
    count, rows, columns, _ = thumbnails.shape
    blocks = _block_numbers(rows, columns)
    levels, blue, red = (np.asarray(each, np.uint8) for each in cv2.split(thumbnails.reshape(-1, columns, 3)))
    side = len(_CHROMA_EDGES) + 1
    shape = (count, rows, columns)
    luma = _histograms((levels >> 4).reshape(shape), blocks, _LUMA_BINS)
    bins = np.add(cv2.LUT(blue, _CHROMA_BIN * np.uint8(side)), cv2.LUT(red, _CHROMA_BIN), dtype=np.uint8)
    chroma = _histograms(bins.reshape(shape), blocks, side * side)
    small = _shrunk(thumbnails, 4)
    medium = _shrunk(levels.reshape(*shape, 1), 2)[..., 0]
    return Descriptors(
        luma=np.sqrt(luma),
        chroma=np.sqrt(chroma),
        whole_luma=np.sqrt(luma.mean(axis=1)),
        whole_chroma=np.sqrt(chroma.mean(axis=1)),
        small=small,
        medium=medium,
    )


def pair_features(frames: Descriptors, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.float32]:
    """How much frames `first` differ from frames `second`: N x len(PAIR), each 0 (alike) to about 1.

    global, blocks: Bhattacharyya distances of whole pictures and of blocks (mean; blocks_low and blocks_high are the
    4th and the 13th of 16 in ascending order); luma, chroma: mean absolute differences of small pictures over 64
    levels; structure: (1 - correlation) / 2 of small luma, which a change of exposure leaves alone.
    """
    whole = (frames.whole_luma[first] * frames.whole_luma[second]).sum(axis=1)
    whole += (frames.whole_chroma[first] * frames.whole_chroma[second]).sum(axis=1)
    blocks = np.einsum("nbk,nbk->nb", frames.luma[first], frames.luma[second])
    blocks += np.einsum("nbk,nbk->nb", frames.chroma[first], frames.chroma[second])
    distances = np.sort(_distance(blocks / 2), axis=1)
    one, other = frames.small[first], frames.small[second]
    differences = np.abs(one - other).mean(axis=(1, 2)) / 64
    columns = (
        _distance(whole / 2),
        distances.mean(axis=1),
        distances[:, GRID - 1],
        distances[:, -GRID],
        differences[:, 0],
        differences[:, 1:].sum(axis=1),
        (1 - _correlation(one[..., 0], other[..., 0])) / 2,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _distance(coefficient: NDArray[np.float32]) -> NDArray[np.float32]:
    distance: NDArray[np.float32] = np.sqrt(np.maximum(0, 1 - coefficient))
    return distance


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of pictures N x H x W; of flat ones it tends to 1, as there is nothing that differs."""
    one = one - one.mean(axis=(1, 2), keepdims=True)
    other = other - other.mean(axis=(1, 2), keepdims=True)
    size = one.shape[1] * one.shape[2]
    product = np.einsum("nij,nij->n", one, other) / size + _FLAT
    powers = (np.einsum("nij,nij->n", values, values) / size + _FLAT for values in (one, other))
    correlation: NDArray[np.float32] = product / np.sqrt(np.prod(list(powers), axis=0))
    return correlation


def _shrunk(pictures: NDArray[np.uint8], by: int) -> NDArray[np.float32]:
    """Means over `by` x `by` pixels of N x H x W x channels: all N at once, one below the other, as one picture."""
    count, rows, columns, channels = pictures.shape
    column = pictures.reshape(count * rows, columns, channels).astype(np.float32)
    size = (columns // by, count * rows // by)
    shrunk = np.asarray(cv2.resize(column, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    return shrunk.reshape(count, rows // by, columns // by, channels)


def _histograms(bins: NDArray[np.integer], blocks: NDArray[np.intp], count: int) -> NDArray[np.float32]:
    """N x blocks x `count`, each normalised to the sum 1, of bin numbers N x H x W."""
    frames = len(bins)
    slots = GRID * GRID * count
    first = np.arange(0, frames * slots, slots, dtype=np.intp)[:, None, None] + blocks * count
    places = np.add(bins, first, dtype=np.intp)
    counts = np.bincount(places.ravel(), minlength=frames * slots).reshape(frames, GRID * GRID, count)
    return counts.astype(np.float32) * np.float32(GRID * GRID / blocks.size)


def _block_numbers(rows: int, columns: int) -> NDArray[np.intp]:
    down = np.arange(rows) * GRID // rows
    right = np.arange(columns) * GRID // columns
    return down[:, None] * GRID + right[None, :]


_CHROMA_BIN = np.searchsorted(np.array(_CHROMA_EDGES), np.arange(256) - 128, side="right").astype(np.uint8)
