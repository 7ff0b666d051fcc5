"""The levels of a picture by kernels: means, the shift fitted to them, and that taken off, clipped and rounded."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING, Any

from snapupscale.upscale.kernels import compiler, source
from snapupscale.upscale.kernels.driver import MOST_DOWN, Kernel, Module
from snapupscale.upscale.levels import RADIUS, SMOOTHING, SQUARE, Shift
from snapupscale.upscale.picture import LEVELS

if TYPE_CHECKING:
    import numpy as np

    from snapupscale.upscale.kernels.gpu import Gpu
    from snapupscale.upscale.kernels.planes import Memory, Planes
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
    def of(cls, planes: Planes) -> _Planes:
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
    """The kernels of levels.cu on `gpu`; what they make lies in `memory`. Raises KernelUnavailable."""

    def __init__(self, gpu: Gpu, memory: Memory) -> None:
        module = _module(gpu)
        self._memory = memory
        self._kernels = {name: Kernel(module, f"level_{name}", _THREADS) for name in LEVELS}
        self._means, self._fit, self._around = (Kernel(module, name, _THREADS) for name in ("means", "fit", "around"))

    def means(self, values: Planes, edge: int, *, clip: bool = False) -> Any:
        """The means of the `edge` x `edge` blocks of `values` (1x3xHxW), 1x3xhxw; the last ones may be smaller.

        clip: values below 0 and above 1 count as those.
        """
        rows, columns = (-(-length // edge) for length in values.shape[2:])
        result = self._memory.floats(1, 3, rows, columns)
        operands = (_Planes.of(values), ctypes.c_uint64(result.data_ptr()))
        numbers = (ctypes.c_int(each) for each in (edge, columns, rows, clip))
        self._means.launch((columns, min(rows, MOST_DOWN), 3), [*operands, *numbers])
        return result

    def fitted(self, picture: Planes, output: Planes, region: Box) -> Shift[Planes]:
        """The shift between `picture`, in [0, 1], and `output`, which is clipped to that; both are of `region`."""
        before = self.means(picture, picture.shape[3] // region.width * SQUARE)
        after = self.means(output, output.shape[3] // region.width * SQUARE, clip=True)
        rows, columns = before.shape[2:]
        steep, height, slope, offset = (self._memory.floats(*before.shape) for _ in range(4))
        grid = (-(-columns // _THREADS), min(rows, MOST_DOWN), 3)
        numbers = [ctypes.c_int(each) for each in (columns, rows, RADIUS)]
        addresses = [ctypes.c_uint64(each.data_ptr()) for each in (before, after, steep, height)]
        self._fit.launch(grid, [*addresses, *numbers, ctypes.c_float(SMOOTHING)])
        for rough, result in ((steep, slope), (height, offset)):
            operands = [ctypes.c_uint64(each.data_ptr()) for each in (rough, result)]
            self._around.launch(grid, [*operands, *numbers])
        return Shift(slope=slope, offset=offset, smooth=before, region=region)

    def write(
        self,
        shift: Shift[Planes],
        output: Planes,
        picture: Planes,
        box: Box,
        result: Planes,
        dtype: np.dtype[np.generic],
    ) -> None:
        """Write the part `box` (in cells) of `output` without the shift into `result`, as samples of `dtype`.

        output, picture: as for `fitted`. result: HxWx3, HxW for grey, or 3xHxW seen as HxWx3, on the device.
        """
        scale = output.shape[3] // shift.region.width
        target = box.seen_from(shift.region).times(scale)
        grey = len(result.shape) == 2
        row, column, plane = (*result.stride(), 0) if grey else result.stride()
        shape = _Box(
            left=target.left,
            top=target.top,
            width=target.width,
            height=target.height,
            row=row,
            column=column,
            plane=plane,
            levels=LEVELS[dtype.name],
            picture_step=picture.shape[3] / output.shape[3],
            square_step=1 / (scale * SQUARE),
            grey=grey,
        )
        addresses = (ctypes.c_uint64(each.data_ptr()) for each in (shift.slope, shift.offset, result))
        operands = [_Planes.of(each) for each in (output, picture, shift.smooth)]
        grid = (-(-target.width // _THREADS), min(target.height, MOST_DOWN), 1)
        self._kernels[dtype.name].launch(grid, [*operands, *addresses, shape])


@cache
def _module(gpu: Gpu) -> Module:
    """levels.cu, loaded once: nothing unloads it."""
    _, levels = source.beside(gpu.card.capability)
    code = compiler.compiled(levels)
    gpu.activate()
    return Module(code, gpu.context)
