"""Point samples of decoded frames: all that is measured of a frame comes from a few thousand of its pixels."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np

from snapupscale.media import pixels

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray

Thumbnails: TypeAlias = "NDArray[np.uint8]"
"""N x ROWS x COLUMNS x 3."""
ROWS, COLUMNS = 36, 64
"""Of a thumbnail."""
SAMPLE = (72, 128)
"""Rows and columns of a sample."""
_CENTRE = 128
_BT709 = 1


def sample(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Y'CbCr of `frame` at SAMPLE places of a regular grid, whatever its size: uint8, 72 x 128 x 3, levels of
    full range, chroma about 128, by the matrix of its tags (of RGB: that of BT.709). Chroma is read at every other
    place.

    Much cheaper than converting the picture: at 1080p one pixel in 225 is read, and of interlaced frames one field.
    """
    return merged(sampled_planes(frame))


def sampled_planes(frame: av.VideoFrame) -> list[NDArray[np.uint8]]:
    """What `merged` makes a sample of: less to keep, where chroma is of half the size."""
    tags = pixels.frame_tags(frame)
    planar = pixels.planar_of(frame)
    bits = max(component.bits for component in planar.format.components)
    rgb = pixels.is_rgb(planar.format)
    grids = (SAMPLE, *((SAMPLE if rgb else (ROWS, COLUMNS),) * 2)) if len(planar.planes) > 2 else (SAMPLE,)
    levels = [_levels(_taken(pixels.plane_of(planar, index), *grid), bits) for index, grid in enumerate(grids)]
    if rgb:
        green, blue, red = levels
        return list(cv2.split(cv2.transform(cv2.merge((red, green, blue)), _from_rgb())))  # type: ignore[arg-type]
    if not tags.full_range:
        levels = [np.asarray(cv2.LUT(each, table)) for each, table in zip(levels, _to_full_range(), strict=False)]
    return levels


def merged(planes: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The sample, 72 x 128 x 3, of its planes; grey where there is no chroma."""
    luma, *chroma = planes
    if not chroma:
        chroma = [np.full(SAMPLE, _CENTRE, dtype=np.uint8)] * 2
    if chroma[0].shape != SAMPLE:
        chroma = [np.asarray(cv2.resize(each, SAMPLE[::-1], interpolation=cv2.INTER_NEAREST)) for each in chroma]
    return np.asarray(cv2.merge((luma, *chroma)), dtype=np.uint8)


def thumbnail(sampled: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`sampled`, 72 x 128 x 3, averaged over 2 x 2."""
    return np.asarray(cv2.resize(sampled, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def between(left: NDArray[np.uint8], right: NDArray[np.uint8], part: float) -> NDArray[np.uint8]:
    """The values `part` of the way from `left` to `right`."""
    if part in (0, 1):
        return right if part else left
    return np.asarray(cv2.addWeighted(left, 1 - part, right, part, 0), dtype=np.uint8)


def to_rgb(sampled: NDArray[np.uint8], matrix: int) -> NDArray[np.uint8]:
    """`sampled` as R'G'B'. matrix: its code point of ITU-T H.273; 0 for pictures that were RGB."""
    return np.asarray(cv2.transform(sampled, _to_rgb(matrix)), dtype=np.uint8)


def _taken(values: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """A plane at the places of a grid. Whole rows are copied first: of a large picture that is quicker than to reach
    for single samples."""
    chosen: NDArray[Any] = values.take(_rows(values.shape[0], rows), axis=0)[:, _columns(values.shape[1], columns)]
    return chosen


@cache
def _rows(size: int, count: int) -> NDArray[np.intp]:
    """The middles of `count` equal parts of `size` rows; even ones where there are enough, which are of one field."""
    places = (np.arange(count) * 2 + 1) * size // (2 * count)
    return places & ~1 if size >= 2 * count else places


@cache
def _columns(size: int, count: int) -> slice | NDArray[np.intp]:
    """The middles of `count` equal parts of `size` columns; a slice where it fits, which is quicker."""
    if size % count == 0:
        return slice(size // count // 2, None, size // count)
    return (np.arange(count) * 2 + 1) * size // (2 * count)


def _levels(values: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """8-bit levels of samples of so many bits; 32 are float ones, 0 to 1."""
    if bits == 32:
        values, bits = np.rint(np.clip(np.nan_to_num(values), 0, 1) * 255), 8
    levels = values if bits <= 8 else values >> (bits - 8)
    return np.ascontiguousarray(levels, dtype=np.uint8)


@cache
def _to_full_range() -> tuple[NDArray[np.uint8], ...]:
    """What each level of limited range is in full range, for Y', Cb and Cr: 256 each."""
    levels = np.arange(256.0)
    luma = np.rint(np.clip((levels - 16) / 219, 0, 1) * 255).astype(np.uint8)
    chroma = np.rint(np.clip((levels - _CENTRE) * 255 / 224 + _CENTRE, 0, 255)).astype(np.uint8)
    return luma, chroma, chroma


@cache
def _to_rgb(matrix: int) -> NDArray[np.float64]:
    """3 x 4: R'G'B' of full-range Y'CbCr, ITU-T H.273 equations 38 to 40 solved for R'G'B'."""
    red, blue = pixels.LUMA_WEIGHTS[matrix or _BT709]
    green = 1 - red - blue
    by_cb = np.array([0, -2 * (1 - blue) * blue / green, 2 * (1 - blue)])
    by_cr = np.array([2 * (1 - red), -2 * (1 - red) * red / green, 0])
    return np.column_stack((np.ones(3), by_cb, by_cr, -_CENTRE * (by_cb + by_cr)))


@cache
def _from_rgb() -> NDArray[np.float64]:
    """3 x 4: Y'CbCr by BT.709 of R'G'B'."""
    square = np.linalg.inv(_to_rgb(_BT709)[:, :3])
    return np.column_stack((square, [0, _CENTRE, _CENTRE]))
