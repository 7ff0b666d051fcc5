"""The last step of a picture in one kernel: the shift of the levels taken off, clipped, rounded."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING

import torch

from snapupscale.upscale.kernels import compiler, source
from snapupscale.upscale.kernels.driver import MOST_DOWN, Kernel, Module
from snapupscale.upscale.levels import SQUARE
from snapupscale.upscale.picture import LEVELS

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from snapupscale.upscale.levels import Shift
    from snapupscale.upscale.tiling import Box

_THREADS = 128


class _Planes(ctypes.Structure):
    """What levels.cu calls Planes."""

    _fields_ = (
        ("first", ctypes.c_void_p),
        ("plane", ctypes.c_int64),
        ("row", ctypes.c_int64),
        *((name, ctypes.c_int) for name in ("column", "width", "height")),
    )

    @classmethod
    def of(cls, planes: Tensor) -> _Planes:
        """planes: 1x3xHxW, float32."""
        _, plane, row, column = planes.stride()
        height, width = planes.shape[2:]
        return cls(first=planes.data_ptr(), plane=plane, row=row, column=column, width=width, height=height)


class _Box(ctypes.Structure):
    """What levels.cu calls Box."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("left", "top", "width", "height")),
        *((name, ctypes.c_int64) for name in ("row", "column", "plane")),
        *((name, ctypes.c_float) for name in ("levels", "picture_step", "square_step")),
        ("grey", ctypes.c_int),
    )


class Levelling:
    """The kernels of levels.cu on torch's current device. Raises KernelUnavailable."""

    def __init__(self) -> None:
        _, levels = source.beside(torch.cuda.get_device_capability())
        module = Module(compiler.compiled(levels))
        self._kernels = {name: Kernel(module, f"level_{name}", _THREADS) for name in LEVELS}
        self._means = Kernel(module, "means", _THREADS)

    def means(self, values: Tensor, edge: int) -> Tensor:
        """The means of the `edge` x `edge` blocks of `values` (1x3xHxW), 1x3xhxw; the last ones may be smaller."""
        rows, columns = (-(-length // edge) for length in values.shape[2:])
        result = torch.empty((1, 3, rows, columns), device=values.device)
        operands = (_Planes.of(values), ctypes.c_uint64(result.data_ptr()))
        numbers = (ctypes.c_int(edge), ctypes.c_int(columns), ctypes.c_int(rows))
        self._means.launch((columns, min(rows, MOST_DOWN), 3), [*operands, *numbers])
        return result

    def write(
        self, shift: Shift, output: Tensor, picture: Tensor, box: Box, result: Tensor, dtype: np.dtype[np.generic]
    ) -> None:
        """Write the part `box` (in cells) of `output` without the shift into `result`, as samples of `dtype`.

        output, picture: as for Shift.taken_off. result: HxWx3, HxW for grey, or 3xHxW seen as HxWx3, on the device.
        """
        scale = output.shape[3] // shift.region.width
        target = box.seen_from(shift.region).times(scale)
        slope, offset, smooth = (each.contiguous() for each in (shift.slope, shift.offset, shift.smooth))
        strides = result.stride() if result.dim() == 3 else (*result.stride(), 0)
        shape = _Box(
            left=target.left,
            top=target.top,
            width=target.width,
            height=target.height,
            row=strides[0],
            column=strides[1],
            plane=strides[2],
            levels=LEVELS[dtype.name],
            picture_step=picture.shape[3] / output.shape[3],
            square_step=1 / (scale * SQUARE),
            grey=result.dim() == 2,
        )
        addresses = (ctypes.c_uint64(each.data_ptr()) for each in (slope, offset, result))
        operands = [_Planes.of(each) for each in (output, picture, smooth)]
        grid = (-(-target.width // _THREADS), min(target.height, MOST_DOWN), 1)
        self._kernels[dtype.name].launch(grid, [*operands, *addresses, shape])


@cache
def levelling(device: int) -> Levelling:
    """Of a device of torch, made once. Raises KernelUnavailable."""
    with torch.cuda.device(device):
        return Levelling()
