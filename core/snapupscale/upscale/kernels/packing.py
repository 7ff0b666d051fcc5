"""Weights in the order in which the kernels read them."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]
    """Of any precision."""

_ROW = 8
"""Values of half precision in 16 bytes, the unit of the swizzle."""


def packed(weight: Floats, outputs: int, plane: int) -> Floats:
    """`weight` (CxIxSxS) for blocks of `outputs` of its C channels, flat.

    For each block, `plane` (32 or 64) inputs and column of the kernel: a matrix of the kernel's rows times `outputs` by
    the inputs, each row swizzled as the shared memory is (PTX ISA, matrix descriptors: 128 bytes, or 64 for 32 inputs).
    """
    return weight.reshape(-1).take(_places(weight.shape, outputs, plane))


@cache
def _places(shape: tuple[int, ...], outputs: int, plane: int) -> NDArray[np.intp]:
    """Where in a weight of `shape` each packed value comes from: hundreds of layers share a few shapes."""
    channels, inputs, side = shape[:3]
    numbers = np.arange(math.prod(shape)).reshape(shape)
    parts = []
    for start in range(0, channels, outputs):
        block = numbers[start : start + outputs][_order(outputs)]
        for low in range(0, inputs, plane):
            part = block[:, low : low + plane]
            for column in range(side):
                # The last row of the kernel comes first: it belongs to the output row that is complete first.
                rows = [part[:, :, row, column] for row in reversed(range(side))]
                parts.append(_swizzled(np.concatenate(rows)).reshape(-1))
    return np.concatenate(parts)


def phases(weight: Floats) -> Floats:
    """A 3x3 kernel behind an enlargement by 2 to nearest neighbours, as four 2x2 kernels before it: 4CxIx2x2, float32,
    top left, top right, bottom left, bottom right."""
    weight = weight.astype(np.float32)
    down = _pairs(weight, 2)
    return np.concatenate([kernel for rows in down for kernel in _pairs(rows, 3)])


def halves(weight: Floats) -> Floats:
    """`weight` (CxIx3x3) for pixels that were split by `split` in pixels.cu, Cx3Ix3x3 in half precision."""
    near = weight.astype(np.float16)
    rest = (weight.astype(np.float32) - near.astype(np.float32)).astype(np.float16)
    return np.concatenate([near, near, rest], 1)


def padded(values: Floats, *sizes: int) -> Floats:
    """`values` with zeros appended along its first axes up to `sizes`."""
    result = np.zeros((*sizes, *values.shape[len(sizes) :]), values.dtype)
    result[tuple(slice(size) for size in values.shape)] = values
    return result


def _order(outputs: int) -> NDArray[np.intp]:
    """The output channel of each row: a thread's sums, pairs in up to 4 tiles of 8 rows, become contiguous channels."""
    tiles = min(4, outputs // 8)
    row = np.arange(outputs)
    tile, quad, odd = row // 8, row % 8 // 2, row % 2
    return tile // tiles * 8 * tiles + 2 * tiles * quad + 2 * (tile % tiles) + odd


def _swizzled(matrix: NDArray[np.intp]) -> NDArray[np.intp]:
    """Each row's units of 16 bytes exchanged by the bits of its number that the hardware takes."""
    rows, channels = matrix.shape
    units = matrix.reshape(rows, channels // _ROW, _ROW)
    number = np.arange(rows)[:, None]
    mask = number % 8 if channels == 64 else number // 2 % 4
    # The exchange undoes itself, so that it can be read as well as written.
    return np.take_along_axis(units, (np.arange(channels // _ROW)[None, :] ^ mask)[:, :, None], 1)


def _pairs(weight: Floats, axis: int) -> tuple[Floats, Floats]:
    """The kernel along `axis` for the first and the second of two neighbours that came from one pixel."""
    before, at, after = np.split(weight, 3, axis)
    return np.concatenate([before, at + after], axis), np.concatenate([before + at, after], axis)
