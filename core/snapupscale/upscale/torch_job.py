"""One picture on its way through a torch device: what goes in, the canvas that fills, the progress."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from snapupscale.upscale import devices
from snapupscale.upscale.meter import Meter
from snapupscale.upscale.picture import LEVELS, LUMA
from snapupscale.upscale.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

_CANVAS = {"uint8": torch.uint8, "uint16": torch.int16, "float32": torch.float32}
"""torch has next to no uint16, so that its bits are carried as int16."""

_CANVAS_SHARE = 0.25
"""Share of a device's free memory that a canvas may take; the rest is for the tiles, and for resampling it."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """`source`: 1x3xHxW float32 on the device; `whole`: its area in cells; `meter`: the progress.

    `canvas`: HxW or HxWx3 of `dtype` on the host, or planes, 1x3xHxW float32, on the device or the host.
    """

    source: Tensor
    whole: Box
    canvas: Tensor
    dtype: np.dtype[Any]
    meter: Meter

    @classmethod
    def start(
        cls,
        pixels: NDArray[Any],
        dtype: np.dtype[Any],
        cell: int,
        scale: int,
        device: torch.device,
        report: Callable[[float], None],
    ) -> Job:
        """`pixels`: HxW or HxWx3; the canvas is `scale` times as large, with as many channels, on the host."""
        height, width = pixels.shape[:2]
        shape = (height * scale, width * scale, *pixels.shape[2:])
        # Page-locked memory is filled by the GPU itself while it computes on.
        canvas = torch.empty(shape, dtype=_CANVAS[dtype.name], pin_memory=device.type == "cuda")
        return cls._of(upload(pixels, device), canvas, dtype, cell, report)

    @classmethod
    def of_planes(cls, planes: Tensor, cell: int, scale: int, report: Callable[[float], None]) -> Job:
        """`planes`: 1x3xHxW float32 on the device, and so is the canvas, `scale` times as large, if there is room."""
        height, width = planes.shape[2:]
        shape = (1, 3, height * scale, width * scale)
        free = devices.free_memory(planes.device)
        fits = 4 * math.prod(shape) < _CANVAS_SHARE * free
        canvas = torch.empty(shape, device=planes.device if fits else "cpu", pin_memory=planes.is_cuda and not fits)
        return cls._of(planes, canvas, np.dtype(np.float32), cell, report)

    @classmethod
    def _of(
        cls, source: Tensor, canvas: Tensor, dtype: np.dtype[Any], cell: int, report: Callable[[float], None]
    ) -> Job:
        height, width = source.shape[2:]
        meter = Meter(report, lambda: devices.synchronise(source.device), height * width)
        whole = Box(0, 0, width // cell, height // cell)
        return cls(source=source, whole=whole, canvas=canvas, dtype=dtype, meter=meter)

    def put(self, box: Box, values: Tensor) -> None:
        """Write `values` (1x3xHxW float32) to `box` of the canvas: clipped, and for integers rounded half to even."""
        values = values.clamp(0, 1)
        if self.canvas.dim() == 4:
            target = part(self.canvas, box)
        else:
            target = self.canvas[box.top : box.bottom, box.left : box.right]
            values = samples(values, self.dtype, grey=self.canvas.dim() == 2)
        target.copy_(values, non_blocking=values.is_cuda and target.is_contiguous())

    def put_by(self, box: Box, write: Callable[[Tensor, np.dtype[Any]], None]) -> None:
        """Have `write` fill `box` of the canvas: a tensor on the device, HxWx3 or HxW, of samples of a type."""
        planar = self.canvas.dim() == 4
        target = part(self.canvas, box) if planar else self.canvas[box.top : box.bottom, box.left : box.right]
        made = target if target.is_cuda else torch.empty_like(target, device=self.source.device)
        write(made[0].permute(1, 2, 0) if planar else made, self.dtype)
        if made is not target:
            target.copy_(made, non_blocking=target.is_contiguous())

    def settle(self) -> None:
        """Wait for what the device still writes, unless the canvas is its own."""
        if self.canvas.device != self.source.device:
            devices.synchronise(self.source.device)

    def result(self) -> NDArray[Any]:
        """The canvas as an array. The device must have finished."""
        return self.canvas.numpy().view(self.dtype)


def samples(values: Tensor, dtype: np.dtype[Any], *, grey: bool) -> Tensor:
    """`values` (1x3xHxW in [0, 1]) as HxWx3, or HxW with `grey`; integers rounded half to even.

    The type is the one that torch has for the bits of `dtype`.
    """
    result = luma(values)[0, 0] if grey else values[0].permute(1, 2, 0)
    if dtype != np.float32:
        result = (result * LEVELS[dtype.name]).round().to(torch.int32)
    return result.to(_CANVAS[dtype.name])


def luma(values: Tensor) -> Tensor:
    """1x1xHxW of 1x3xHxW."""
    return (values * torch.tensor(LUMA, device=values.device).view(1, 3, 1, 1)).sum(1, keepdim=True)


def part(values: Tensor, box: Box) -> Tensor:
    """The rows and columns of `box` in `values` (1xCxHxW), without a copy."""
    return values[:, :, box.top : box.bottom, box.left : box.right]


def means(values: Tensor, edge: int) -> Tensor:
    """Means of the `edge` x `edge` blocks of `values` (1xCxHxW), 1xCxhxw; the last ones may be smaller."""
    return F.avg_pool2d(values, edge, ceil_mode=True, count_include_pad=False)


def upload(pixels: NDArray[Any], device: torch.device) -> Tensor:
    """`pixels` (HxW or HxWx3) on `device` as 1x3xHxW float32, white being 1."""
    levels = LEVELS[pixels.dtype.name]
    host = np.array(pixels, np.uint8 if pixels.dtype == np.uint8 else np.float32)
    values = torch.from_numpy(host).to(device).float().div_(levels)
    colour = values.permute(2, 0, 1) if values.dim() == 3 else values.expand(3, -1, -1)
    return colour.unsqueeze(0)
