"""CUDA's driver on the host: memory is the host's, and each kernel is done in numpy by the arguments that it is given.

Stands in for a GPU of the Ampere kind where there is none. What it can't show is whether the CUDA C++ is right.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from snapupscale.upscale.kernels import compiler, convolution, driver, gpu, levelling, packing, source

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from numpy.typing import NDArray

    Values = NDArray[Any]

OUT_OF_MEMORY, INVALID_CONTEXT, FAILED = 2, 201, 719
_NAMES = {OUT_OF_MEMORY: b"CUDA_ERROR_OUT_OF_MEMORY", FAILED: b"CUDA_ERROR_LAUNCH_FAILED"}
_ATTRIBUTES = {75: 8, 76: 6, 97: 101_376, 81: 102_400, 16: 82}
_CONTEXT = 77
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class HostCuda:
    """As much of the driver as is used. room: bytes that can be had. failing: functions that give an error."""

    def __init__(self, room: float = 1e9) -> None:
        self.room = room
        self.failing: dict[str, int] = {}
        self.calls: Counter[str] = Counter()
        self.held: dict[int, Any] = {}
        self.launched: Callable[[str], None] = lambda _: None
        self._names: dict[int, str] = {}
        self._threads = threading.local()

    def taken(self) -> int:
        """Bytes of GPU memory."""
        return sum(map(len, self.held.values()))

    def __getattr__(self, name: str) -> Callable[..., int]:
        if not name.startswith("cu"):
            raise AttributeError(name)

        def call(*arguments: Any) -> int:
            self.calls[name] += 1
            if name in self.failing:
                return self.failing[name]
            found = getattr(HostCuda, f"_{name[2:].removesuffix('_v2')}", None)
            return (found(self, *arguments) if found else None) or 0

        call.__name__ = name
        return call

    def _GetErrorName(self, code: int, text: Any) -> None:
        text._obj.value = _NAMES[code]

    def _DeviceGetName(self, text: Any, size: int, device: Any) -> None:
        text.value = b"A GPU of numbers"

    def _DeviceGetAttribute(self, value: Any, number: int, device: Any) -> None:
        value._obj.value = _ATTRIBUTES[number]

    def _DevicePrimaryCtxRetain(self, context: Any, device: Any) -> None:
        context._obj.value = _CONTEXT

    def _CtxSetCurrent(self, context: Any) -> None:
        self._threads.current = context.value

    def _MemGetInfo(self, free: Any, total: Any) -> None:
        free._obj.value, total._obj.value = int(self.room - self.taken()), int(self.room)

    def _MemAlloc(self, address: Any, size: Any) -> int:
        return self._allocated(address, size.value)

    def _MemHostAlloc(self, address: Any, size: Any, flags: int) -> int:
        return self._allocated(address, size.value)

    def _allocated(self, address: Any, size: int) -> int:
        if self.taken() + size > self.room:
            return OUT_OF_MEMORY
        # Of not a number in every type, so that what nobody wrote shows.
        memory = (ctypes.c_char * size).from_buffer(bytearray(b"\xff" * size))
        address._obj.value = ctypes.addressof(memory)
        self.held[ctypes.addressof(memory)] = memory
        return 0

    def _MemFree(self, address: Any) -> None:
        del self.held[address.value]

    def _MemFreeHost(self, address: Any) -> None:
        del self.held[address.value]

    def _MemcpyHtoD(self, target: Any, origin: Any, size: Any) -> None:
        ctypes.memmove(target.value, origin.value, size.value)

    def _MemcpyDtoH(self, target: Any, origin: Any, size: Any) -> None:
        ctypes.memmove(target.value, origin.value, size.value)

    def _Memcpy2DAsync(self, copy: Any, stream: None) -> None:
        each = copy._obj
        for row in range(each.height):
            to, origin = each.target_host + row * each.target_pitch, each.source_device + row * each.source_pitch
            ctypes.memmove(to, origin, each.width)

    def _ModuleGetFunction(self, function: Any, module: Any, name: bytes) -> None:
        function._obj.value = number = len(self._names) + 1
        self._names[number] = name.decode()

    def _OccupancyMaxActiveBlocksPerMultiprocessor(self, blocks: Any, *rest: Any) -> None:
        blocks._obj.value = 2

    def _LaunchKernel(self, function: Any, *call: Any) -> int:
        if getattr(self._threads, "current", None) != _CONTEXT:
            return INVALID_CONTEXT
        name, pointers = self._names[function.value], call[-2]
        self.launched(name)
        arguments = [pointers[index] for index in range(len(pointers))]
        _KERNELS[name.partition("_")[0]](name, *arguments)
        return 0


def install(monkeypatch: pytest.MonkeyPatch, cuda: HostCuda) -> HostCuda:
    """Have the kernels find `cuda`, and nothing compiled."""
    for kept in (gpu.gpu, convolution.library):
        kept.cache_clear()
    monkeypatch.setattr(driver, "driver", lambda: cuda)
    monkeypatch.setattr(compiler, "compiled", lambda program: b"code")
    monkeypatch.setattr(compiler, "all_compiled", lambda programs: [b"code"] * len(programs))
    return cuda


def _int(address: int) -> int:
    return ctypes.c_int.from_address(address).value


def _long(address: int) -> int:
    return ctypes.c_int64.from_address(address).value


def _float(address: int) -> float:
    return ctypes.c_float.from_address(address).value


def _view(address: int, shape: tuple[int, ...], strides: tuple[int, ...], kind: Any) -> Values:
    """Values in memory; strides in values."""
    size = np.dtype(kind).itemsize
    length = (1 + sum((count - 1) * stride for count, stride in zip(shape, strides, strict=True))) * size
    memory = (ctypes.c_char * length).from_address(address)
    return np.ndarray(shape, kind, memory, strides=tuple(stride * size for stride in strides))


def _full(address: int, shape: tuple[int, ...], kind: Any = np.float32) -> Values:
    return _view(address, shape, tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))), kind)


def _planes(name: str, pixels: int, out: int, width: int, height: int, samples: int, levels: int) -> None:
    shape = _int(height), _int(width)
    origin = _full(_long(pixels), (*shape, _int(samples)), name.partition("_")[2])
    _full(_long(out), (3, *shape))[:] = origin.transpose(2, 0, 1).astype(np.float32) / np.float32(_float(levels))


def _split(name: str, *arguments: int) -> None:
    picture, plane, row, column, out, width, height = arguments
    cell = 1 if name == "split_3" else 2
    shape, values = (_int(height), _int(width)), 3 * cell**2
    strides = _long(plane), _long(row), _int(column)
    origin = _view(_long(picture), (3, shape[0] * cell, shape[1] * cell), strides, np.float32)
    cells = origin.reshape(3, shape[0], cell, shape[1], cell).transpose(1, 3, 0, 2, 4).reshape(*shape, values)
    near = cells.astype(np.float16)
    channels = _full(_long(out), (*shape, 32 if cell == 1 else 64), np.float16)
    channels[:] = 0
    rest = (cells - near).astype(np.float16)
    channels[:, :, : 3 * values] = np.concatenate([near, rest, near], 2)


def _shuffle(name: str, *arguments: int) -> None:
    detail, picture, plane, row, column, out, width, height = arguments
    rows, columns = _int(height), _int(width)
    base = _view(_long(picture), (3, rows, columns), (_long(plane), _long(row), _int(column)), np.float32)
    made = _full(_long(detail), (rows, columns, 64), np.float16)[:, :, :48].astype(np.float32)
    made = made.reshape(rows, columns, 3, 4, 4).transpose(2, 0, 3, 1, 4).reshape(3, 4 * rows, 4 * columns)
    _full(_long(out), (3, 4 * rows, 4 * columns))[:] = made + base.repeat(4, 1).repeat(4, 2)


def _seen(address: int) -> Values:
    """What levels.cu calls Planes."""
    each = levelling._Planes.from_address(address)
    return _view(each.first, (3, each.height, each.width), (each.plane, each.row, each.column), np.float32)


def _means(name: str, values: int, result: int, edge: int, columns: int, rows: int, clip: int) -> None:
    origin, size = _seen(values), _int(edge)
    origin = np.clip(origin, 0, 1) if _int(clip) else origin
    target = _full(_long(result), (3, _int(rows), _int(columns)))
    for row, column in itertools.product(range(target.shape[1]), range(target.shape[2])):
        block = origin[:, row * size : (row + 1) * size, column * size : (column + 1) * size]
        target[:, row, column] = block.mean((1, 2))


def _windows(planes: Values, radius: int) -> Values:
    """The mean of each place and its neighbours."""
    result = np.empty_like(planes)
    for y, x in itertools.product(range(planes.shape[1]), range(planes.shape[2])):
        near = planes[:, max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
        result[:, y, x] = near.mean((1, 2))
    return result


def _fit(name: str, *arguments: int) -> None:
    columns, rows, radius = map(_int, arguments[4:7])
    before, after, slope, offset = (_full(_long(each), (3, rows, columns)) for each in arguments[:4])
    change = after - before
    mean, mean_change = _windows(before, radius), _windows(change, radius)
    variance = _windows(before * before, radius) - mean * mean
    slope[:] = (_windows(before * change, radius) - mean * mean_change) / (variance + _float(arguments[7]))
    offset[:] = mean_change - slope * mean


def _around(name: str, values: int, result: int, columns: int, rows: int, radius: int) -> None:
    shape = (3, _int(rows), _int(columns))
    _full(_long(result), shape)[:] = _windows(_full(_long(values), shape), _int(radius))


def _between(values: Values, box: Any, step: float) -> Values:
    """Bilinear interpolation at the pixels of `box`."""
    for axis, start, length in ((1, box.top, box.height), (2, box.left, box.width)):
        at = np.maximum(0, (np.arange(start, start + length) + 0.5) * step - 0.5)
        low = np.minimum(at.astype(int), values.shape[axis] - 1)
        high, share = np.minimum(low + 1, values.shape[axis] - 1), at - low
        share = share.reshape((-1, 1) if axis == 1 else (1, -1))
        values = values.take(low, axis) * (1 - share) + values.take(high, axis) * share
    return values


def _level(name: str, output: int, picture: int, squares: int, slope: int, offset: int, result: int, box: int) -> None:
    shape, smooth = levelling._Box.from_address(box), _seen(squares)
    steep, height = (_between(_full(_long(each), smooth.shape), shape, shape.square_step) for each in (slope, offset))
    shift = height + np.maximum(steep, 0) * _between(_seen(picture), shape, shape.picture_step)
    shift = shift + np.minimum(steep, 0) * _between(smooth, shape, shape.square_step)
    rows, columns = (slice(start, start + length) for start, length in (
        (shape.top, shape.height), (shape.left, shape.width)))
    values = np.clip(np.clip(_seen(output)[:, rows, columns], 0, 1) - shift, 0, 1)
    kind = np.dtype(name.partition("_")[2])
    values = values if kind == np.float32 else np.rint(values * shape.levels)
    if shape.grey:
        values = np.tensordot(_LUMA, values, 1)[None]
        values = values if kind == np.float32 else np.rint(values)
    strides = (shape.plane, shape.row, shape.column)
    _view(_long(result), (len(values), shape.height, shape.width), strides, kind)[:] = values


def _convolve(name: str, *arguments: int) -> None:
    instance = _instances()[name]
    layer, shape = instance.layer, convolution._Shape.from_address(arguments[-1])
    weights, bias, slope, first, second, target = map(_long, arguments[1:-1])
    enlarged, pixels = layer.epilogue == "ENLARGED", layer.epilogue == "PIXELS"
    total = instance.outputs * shape.splits
    sums = _sums(arguments[0], instance, shape, weights, total)
    channels = total // 4 if enlarged else total
    sums += np.tile(_full(bias, (channels,)), total // channels)[:, None, None]
    if layer.epilogue == "PRELU":
        sums = np.where(sums > 0, sums, sums * _full(slope, (channels,))[:, None, None])
    elif layer.epilogue in {"LEAKY", "ENLARGED"}:
        sums = np.where(sums > 0, sums, sums * np.float32(0.2))
    elif layer.epilogue == "RESIDUAL":
        for address, row, pitch, scale in (
            (first, shape.first_row, shape.first_pitch, shape.first_scale),
            (second, shape.second_row, shape.second_pitch, shape.second_scale),
        ):
            if address:
                sums = sums * scale + _pixels(address, sums.shape, row, pitch)
    if pixels:
        strides = (shape.out_pitch, shape.out_row, 1)
        _view(target, (3, shape.height, shape.width), strides, np.float32)[:] = sums[:3]
    elif enlarged:
        for phase, (down, right) in enumerate(itertools.product((0, 1), (0, 1))):
            address = target + 2 * (down * shape.out_row + right) * shape.out_pitch
            strides = (1, 2 * shape.out_row * shape.out_pitch, 2 * shape.out_pitch)
            part = sums[phase * channels : (phase + 1) * channels]
            _view(address, part.shape, strides, np.float16)[:] = part
    else:
        _pixels(target, sums.shape, shape.out_row, shape.out_pitch)[:] = sums


def _pixels(address: int, shape: tuple[int, ...], row: int, pitch: int) -> Values:
    return _view(address, shape, (1, row * pitch, pitch), np.float16)


def _sums(operand: int, instance: source.Mma, shape: Any, weights: int, total: int) -> Values:
    layer, origin = instance.layer, convolution._Source.from_address(operand)
    side, around = layer.side, 1
    size = (total, layer.inputs, side, side)
    places = packing._places(size, instance.outputs, instance.plane)
    weight = np.empty(places.size, np.float32)
    weight[places] = _full(weights, (places.size,), np.float16)
    weight = weight.reshape(size)
    deep = min(layer.inputs, 64)
    rows = []
    for low in range(0, layer.inputs, deep):
        many = min(deep, layer.inputs - low)
        address = origin.pixels + 2 * (low // 64) * origin.plane
        rows.append(_pixels(address, (many, origin.rows, shape.width), origin.row, origin.pitch))
    picture = np.pad(np.concatenate(rows).astype(np.float32), ((0, 0), (around, around), (around, around)))
    sums = np.zeros((total, shape.height, shape.width), np.float32)
    for down, right in itertools.product(range(side), range(side)):
        for part in range(4 if side == 2 else 1):
            # Of the four phases each reads from a corner of its own.
            top, left = (part // 2 + down, part % 2 + right) if side == 2 else (down, right)
            top += shape.skipped
            some = slice(part * total // 4, (part + 1) * total // 4) if side == 2 else slice(None)
            seen = picture[:, top : top + shape.height, left : left + shape.width]
            sums[some] += np.tensordot(weight[some, :, down, right], seen, 1)
    return sums


@cache
def _instances() -> dict[str, source.Mma]:
    """By the names of their kernels."""
    card = source.Card(capability=(8, 6), block_bytes=_ATTRIBUTES[97], processor_bytes=_ATTRIBUTES[81])
    family = source.choose(card)
    assert family
    instances = (family.instance(layer) for layer in source.COMPACT + source.RRDB)
    return {source.name(each): each for each in instances if isinstance(each, source.Mma)}


_KERNELS = {
    "planes": _planes,
    "split": _split,
    "shuffle": _shuffle,
    "means": _means,
    "fit": _fit,
    "around": _around,
    "level": _level,
    "convolve": _convolve,
}
