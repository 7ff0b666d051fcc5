"""Weights in the order in which the kernels read them."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

_ROW = 8
"""Values of half precision in 16 bytes, the unit of the swizzle."""


def packed(weight: Tensor, outputs: int, plane: int) -> Tensor:
    """`weight` (CxIxSxS) for blocks of `outputs` of its C channels, as a flat tensor on the same device.

    For each block, `plane` (32 or 64) inputs and column of the kernel: a matrix of the kernel's rows times `outputs` by
    the inputs, each row swizzled as the shared memory is (PTX ISA, matrix descriptors: 128 bytes, or 64 for 32 inputs).
    """
    return weight.reshape(-1)[_places(tuple(weight.shape), outputs, plane, weight.device)]


@cache
def _places(shape: tuple[int, ...], outputs: int, plane: int, device: torch.device) -> Tensor:
    """Where in a weight of `shape` each packed value comes from: hundreds of layers share a few shapes."""
    channels, inputs, side = shape[:3]
    numbers = torch.arange(math.prod(shape)).reshape(shape)
    parts = []
    for start in range(0, channels, outputs):
        block = numbers[start : start + outputs][_order(outputs)]
        for low in range(0, inputs, plane):
            part = block[:, low : low + plane]
            for column in range(side):
                # The last row of the kernel comes first: it belongs to the output row that is complete first.
                rows = [part[:, :, row, column] for row in reversed(range(side))]
                parts.append(_swizzled(torch.cat(rows)).flatten())
    return torch.cat(parts).to(device)


def phases(weight: Tensor) -> Tensor:
    """A 3x3 kernel behind an enlargement by 2 to nearest neighbours, as four 2x2 kernels before it: 4CxIx2x2, float32,
    top left, top right, bottom left, bottom right."""
    weight = weight.float()
    down = _pairs(weight, 2)
    return torch.cat([kernel for rows in down for kernel in _pairs(rows, 3)])


def halves(weight: Tensor) -> Tensor:
    """`weight` (CxIx3x3) for pixels that were split by `split` in pixels.cu, Cx3Ix3x3 in half precision."""
    near = weight.half()
    rest = (weight.float() - near.float()).half()
    return torch.cat([near, near, rest], 1)


def padded(values: Tensor, *sizes: int) -> Tensor:
    """`values` with zeros appended along its first axes up to `sizes`."""
    result = values.new_zeros((*sizes, *values.shape[len(sizes) :]))
    result[tuple(slice(size) for size in values.shape)] = values
    return result


def _order(outputs: int) -> Tensor:
    """The output channel of each row: a thread's sums, pairs in up to 4 tiles of 8 rows, become contiguous channels."""
    tiles = min(4, outputs // 8)
    row = torch.arange(outputs)
    tile, quad, odd = row // 8, row % 8 // 2, row % 2
    return tile // tiles * 8 * tiles + 2 * tiles * quad + 2 * (tile % tiles) + odd


def _swizzled(matrix: Tensor) -> Tensor:
    """Each row's units of 16 bytes exchanged by the bits of its number that the hardware takes."""
    rows, channels = matrix.shape
    units = matrix.reshape(rows, channels // _ROW, _ROW)
    number = torch.arange(rows)[:, None]
    mask = number % 8 if channels == 64 else number // 2 % 4
    place = torch.arange(channels // _ROW)[None, :] ^ mask
    return torch.empty_like(units).scatter_(1, place[:, :, None].expand_as(units), units)


def _pairs(weight: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """The kernel along `dim` for the first and the second of two neighbours that came from one pixel."""
    before, at, after = (weight.narrow(dim, index, 1) for index in range(3))
    return torch.cat([before, at + after], dim), torch.cat([before + at, after], dim)
