"""Convolutions by hand-written kernels, and the steps between them and pictures, on planes in GPU memory."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from snapupscale.errors import KernelUnavailable
from snapupscale.upscale.kernels import compiler, packing, source
from snapupscale.upscale.kernels.driver import MOST_DOWN, Kernel, Module, TensorMap
from snapupscale.upscale.kernels.gpu_memory import GpuMemory
from snapupscale.upscale.kernels.source import Mma
from snapupscale.upscale.picture import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snapupscale.upscale.kernels.driver import Argument, Launch
    from snapupscale.upscale.kernels.gpu import Gpu
    from snapupscale.upscale.kernels.planes import Memory, Planes
    from snapupscale.upscale.kernels.source import Family, Instance, Layer

    Floats = NDArray[Any]

PLANE = 64
"""Channels of a plane."""
_PIXEL_THREADS = 128
_PIXEL_KERNELS = ("split_3", "split_12", "shuffle", "planes_uint8", "planes_uint16", "planes_float32")
_MOST_MAPS = 64
_MOST_PREPARED = 32
"""Calls of one layer that are remembered: pictures of one size are given the same memory again and again."""


class _Shape(ctypes.Structure):
    """What common.h calls Shape."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("height", "width", "skipped", "strips", "splits")),
        *((name, ctypes.c_int) for name in ("out_row", "first_row", "second_row")),
        *((name, ctypes.c_int) for name in ("out_pitch", "first_pitch", "second_pitch")),
        *((name, ctypes.c_float) for name in ("first_scale", "second_scale")),
    )


class _Source(ctypes.Structure):
    """What ampere.cu calls Source."""

    _fields_ = (
        ("pixels", ctypes.c_void_p),
        ("plane", ctypes.c_int64),
        *((name, ctypes.c_int) for name in ("row", "pitch", "rows")),
    )


class Library:
    """The kernels of a family for `layers`, and those of pixels.cu, compiled and loaded on `gpu`.

    `memory` holds what belongs to the layers.
    """

    def __init__(self, gpu: Gpu, family: Family, layers: Sequence[Layer]) -> None:
        programs = family.programs(layers)
        # levels.cu, which is needed next, is compiled beside the rest.
        beside = source.beside(gpu.card.capability)
        *codes, pixel_code, _ = compiler.all_compiled([*programs.values(), *beside])
        gpu.activate()
        modules = {name: Module(code, gpu.context) for name, code in zip(programs, codes, strict=True)}
        pixels = Module(pixel_code, gpu.context)
        self.memory = GpuMemory()
        self._context = gpu.context
        self.family = family
        self._instances = {layer: family.instance(layer) for layer in layers}
        self._kernels = {
            layer: Kernel(modules[source.name(each)], source.name(each), each.threads, each.shared_bytes)
            for layer, each in self._instances.items()
        }
        self.pixels = {name: Kernel(pixels, name, _PIXEL_THREADS) for name in _PIXEL_KERNELS}
        self._processors = gpu.processors
        self._maps: dict[tuple[object, ...], TensorMap] = {}

    def kernel(self, layer: Layer) -> tuple[Instance, Kernel, int]:
        """The kernel for `layer`, and how many of its blocks the device runs at a time."""
        instance, kernel = self._instances[layer], self._kernels[layer]
        return instance, kernel, self._processors * kernel.blocks_a_processor

    def operand(self, instance: Instance, planes: Planes) -> tuple[Argument, ...]:
        """The arguments by which a kernel finds its input, `planes`."""
        if isinstance(instance, Mma):
            pitch = planes.stride()[2]
            row = planes.stride()[1] // pitch
            data = planes.data_ptr()
            return (_Source(pixels=data, plane=planes.stride()[0], row=row, pitch=pitch, rows=planes.shape[1]),)
        columns = instance.width + 2
        whole = self._map(planes, columns, min(PLANE, planes.shape[3]))
        half = self._map(planes, columns, PLANE // 2) if instance.layer.inputs % PLANE else whole
        return whole.value, half.value

    def _map(self, planes: Planes, columns: int, channels: int) -> TensorMap:
        """The map of `planes` for boxes of `columns` by `channels`."""
        key = (planes.data_ptr(), planes.shape, planes.stride(), columns, channels)
        if key not in self._maps:
            if len(self._maps) >= _MOST_MAPS:
                self._maps.clear()
            count, height, width, _ = planes.shape
            strides = (2 * planes.stride()[2], 2 * planes.stride()[1], 2 * planes.stride()[0])
            sizes = (width, height, count)
            self._maps[key] = TensorMap(self._context, planes.data_ptr(), channels, sizes, strides, columns)
        return self._maps[key]


class Convolution:
    """A layer with its weights. weight: CxIxSxS; bias, slope: C floats, slope for the epilogue PRELU alone."""

    def __init__(
        self, library: Library, layer: Layer, weight: Floats, bias: Floats, slope: Floats | None = None
    ) -> None:
        self._library = library
        self._instance, self._kernel, blocks = library.kernel(layer)
        self._splits = weight.shape[0] // self._instance.outputs
        self._blocks = max(1, blocks // self._splits) * self._splits
        packed = packing.packed(weight.astype(np.float16), self._instance.outputs, self._instance.plane)
        # A layer without slopes is given some address all the same.
        floats = np.stack([bias, bias if slope is None else slope]).astype(np.float32)
        self._weights, self._floats = library.memory.uploaded(packed), library.memory.uploaded(floats)
        self._pixels = layer.epilogue == "PIXELS"
        self._prepared: dict[tuple[object, ...], Launch] = {}

    def run(
        self,
        planes: Planes,
        target: Planes,
        *,
        channel: int = 0,
        skipped: int = 0,
        rows: int | None = None,
        first: Planes | None = None,
        second: Planes | None = None,
        scales: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """Convolve `rows` rows of `planes` (planes x H x W x channels, half), after `skipped` of them, into `target`,
        from its `channel` on: planes as well, or for the epilogue PIXELS 3xHxW of float32.

        Beyond the edges of `planes` there are zeros. first, second, scales: see the epilogue RESIDUAL; a layer has the
        same scales whenever it is run.
        """
        places = tuple(
            None if each is None else (each.data_ptr(), each.shape, each.stride())
            for each in (planes, target, first, second)
        )
        key = (*places, channel, skipped, rows)
        if key not in self._prepared:
            if len(self._prepared) >= _MOST_PREPARED:
                self._prepared.clear()
            shape = self._shape(planes, target, first, second)
            shape.height = planes.shape[1] if rows is None else rows
            shape.skipped = skipped
            shape.first_scale, shape.second_scale = scales
            operand = self._library.operand(self._instance, planes)
            addresses = map(ctypes.c_uint64, self._addresses(target, channel, first, second))
            self._prepared[key] = self._kernel.prepared((self._blocks, 1, 1), [*operand, *addresses, shape])
        self._prepared[key]()

    def _shape(self, planes: Planes, target: Planes, first: Planes | None, second: Planes | None) -> _Shape:
        width = planes.shape[2]
        shape = _Shape(width=width, strips=-(-width // self._instance.width), splits=self._splits)
        if self._pixels:
            shape.out_row, shape.out_pitch = target.stride()[1], target.stride()[0]
        else:
            shape.out_row, shape.out_pitch = target.stride()[1] // target.stride()[2], target.stride()[2]
        if first is not None:
            shape.first_row, shape.first_pitch = first.stride()[1] // first.stride()[2], first.stride()[2]
        if second is not None:
            shape.second_row, shape.second_pitch = second.stride()[1] // second.stride()[2], second.stride()[2]
        return shape

    def _addresses(self, target: Planes, channel: int, first: Planes | None, second: Planes | None) -> tuple[int, ...]:
        """Those of the weights and on, in the order of the kernels' parameters."""
        before = 0 if self._pixels else 2 * (channel // PLANE * target.stride()[0] + channel % PLANE)
        own = (each.data_ptr() for each in (self._weights, self._floats[0], self._floats[1]))
        added = (0 if each is None else each.data_ptr() for each in (first, second))
        return (*own, *added, target.data_ptr() + before)


def planes_like(memory: Memory, picture: Planes, planes: int, factor: int = 1) -> Planes:
    """Planes, not set, for features (1xCxHxW) or ones `factor` times as large: planes x H x W x 64."""
    height, width = picture.shape[2:]
    return memory.halves(planes, height * factor, width * factor, PLANE)


def split(library: Library, memory: Memory, picture: Planes, cell: int = 1) -> Planes:
    """A picture (1x3xHxW, float32) as channels for a first layer whose weights are `packing.halves`.

    cell: 1, or 2 for squares of 2x2 pixels as one position, as pixel_unshuffle has them.
    """
    height, width = (length // cell for length in picture.shape[2:])
    result = memory.halves(1, height, width, 32 if cell == 1 else 64)
    arguments = [*_picture(picture), ctypes.c_uint64(result.data_ptr()), *map(ctypes.c_int, (width, height))]
    grid = (-(-width // _PIXEL_THREADS), min(height, MOST_DOWN), 1)
    library.pixels[f"split_{3 * cell**2}"].launch(grid, arguments)
    return result


def shuffle(library: Library, memory: Memory, detail: Planes, picture: Planes) -> Planes:
    """The detail (1xHxWx64, of which 48 count) of each pixel of `picture` (1x3xHxW), added to it: 1x3x4Hx4W float32."""
    height, width = picture.shape[2:]
    result = memory.floats(1, 3, 4 * height, 4 * width)
    addresses = ctypes.c_uint64(detail.data_ptr()), *_picture(picture), ctypes.c_uint64(result.data_ptr())
    grid = (-(-width // _PIXEL_THREADS), min(height, MOST_DOWN), 3)
    library.pixels["shuffle"].launch(grid, [*addresses, ctypes.c_int(width), ctypes.c_int(height)])
    return result


def planes_of(library: Library, memory: Memory, pixels: Planes, kind: str) -> Any:
    """Samples (HxW or HxWx3, a type of picture.LEVELS) as 1x3xHxW float32, white being 1."""
    height, width = pixels.shape[:2]
    result = memory.floats(1, 3, height, width)
    addresses = ctypes.c_uint64(pixels.data_ptr()), ctypes.c_uint64(result.data_ptr())
    numbers = (ctypes.c_int(width), ctypes.c_int(height), ctypes.c_int(pixels.shape[2] if pixels.shape[2:] else 1))
    grid = (-(-width // _PIXEL_THREADS), min(height, MOST_DOWN), 3)
    library.pixels[f"planes_{kind}"].launch(grid, [*addresses, *numbers, ctypes.c_float(LEVELS[kind])])
    return result


def _picture(picture: Planes) -> tuple[Argument, ...]:
    _, plane, row, column = picture.stride()
    return ctypes.c_uint64(picture.data_ptr()), ctypes.c_int64(plane), ctypes.c_int64(row), ctypes.c_int(column)


@cache
def library(gpu: Gpu, layers: tuple[Layer, ...], *, generic: bool = False) -> Library:
    """The library of a GPU, made once. generic: see `source.choose`. Raises KernelUnavailable."""
    family = source.choose(gpu.card, generic=generic)
    if family is None:
        raise KernelUnavailable(f"{gpu.name} is too old for the kernels")
    return Library(gpu, family, layers)
