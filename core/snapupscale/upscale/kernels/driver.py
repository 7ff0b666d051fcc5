"""The few functions of the CUDA driver that launching a kernel of one's own takes, on the streams of torch."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import TYPE_CHECKING

import torch

from snapupscale.errors import KernelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Argument = ctypes.Structure | ctypes.Array[ctypes.c_char] | ctypes.c_uint64 | ctypes.c_int64 | ctypes.c_int

MOST_DOWN = 65_535
"""Blocks of a grid along its second axis."""
_HALF = 6
"""CU_TENSOR_MAP_DATA_TYPE_FLOAT16."""
_SWIZZLES = {32: 2, 64: 3}
"""By channels: rows of 64 or of 128 bytes."""
_MAP_BYTES, _MAP_ALIGNMENT = 128, 64
_INVALID_CONTEXT = 201
"""CUDA_ERROR_INVALID_CONTEXT."""
_SHARED_BYTES = 8
"""CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES."""
_PROMOTE = {32: 1, 64: 2}
"""To lines of 64 or 128 bytes in the L2 cache."""


class Kernel:
    """A kernel that was loaded. threads: of a block. shared: bytes that a block takes beyond what the code declares."""

    def __init__(self, module: Module, name: str, threads: int, shared: int = 0) -> None:
        self._module = module
        self._function = ctypes.c_void_p()
        self._threads = threads
        self._shared = shared
        _check("cuModuleGetFunction", ctypes.byref(self._function), module.handle, name.encode())
        if shared:
            _check("cuFuncSetAttribute", self._function, _SHARED_BYTES, shared)
        blocks = ctypes.c_int()
        occupancy = "cuOccupancyMaxActiveBlocksPerMultiprocessor"
        _check(occupancy, ctypes.byref(blocks), self._function, threads, ctypes.c_size_t(shared))
        self.blocks_a_processor = max(1, blocks.value)

    def launch(self, grid: tuple[int, int, int], arguments: Sequence[Argument]) -> None:
        """Launch on torch's current stream. Nothing waits, and nothing keeps the memory of tensors alive."""
        self.prepared(grid, arguments)()

    def prepared(self, grid: tuple[int, int, int], arguments: Sequence[Argument]) -> Launch:
        """`launch`, to be called any number of times with the same arguments: much less work for the host."""
        return Launch((self._function, *grid, self._threads, 1, 1, self._shared), arguments)


class Launch:
    """A launch that is prepared. call: what cuLaunchKernel takes before the stream."""

    def __init__(self, call: tuple[object, ...], arguments: Sequence[Argument]) -> None:
        self._call = call
        self._arguments = tuple(arguments)  # which the pointers don't keep alive
        self._pointers = (ctypes.c_void_p * len(arguments))(*(ctypes.addressof(each) for each in arguments))
        self._function = _driver().cuLaunchKernel

    def __call__(self) -> None:
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
        _checked(self._function, *self._call, stream, self._pointers, None)


class Module:
    """Machine code, loaded on torch's current device."""

    def __init__(self, code: bytes) -> None:
        self.handle = ctypes.c_void_p()
        _check("cuModuleLoadData", ctypes.byref(self.handle), code)


class TensorMap:
    """What TMA has to know of planes of `channels` (32 or 64) half-precision channels to load boxes of 1 x `columns`.

    address: of the first pixel. sizes: columns, rows, planes. strides: bytes from a column, row, plane to the next.
    """

    def __init__(
        self, address: int, channels: int, sizes: tuple[int, int, int], strides: tuple[int, int, int], columns: int
    ) -> None:
        self._memory = ctypes.create_string_buffer(_MAP_BYTES + _MAP_ALIGNMENT)
        offset = -ctypes.addressof(self._memory) % _MAP_ALIGNMENT
        self.value = (ctypes.c_char * _MAP_BYTES).from_buffer(self._memory, offset)
        _check(
            "cuTensorMapEncodeTiled",
            ctypes.byref(self.value),
            _HALF,
            4,
            ctypes.c_void_p(address),
            (ctypes.c_uint64 * 4)(channels, *sizes),
            (ctypes.c_uint64 * 3)(*strides),
            (ctypes.c_uint32 * 4)(channels, columns, 1, 1),
            (ctypes.c_uint32 * 4)(1, 1, 1, 1),
            0,
            _SWIZZLES[channels],
            _PROMOTE[channels],
            0,
        )


@cache
def _driver() -> ctypes.CDLL:
    try:
        return ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError as error:
        raise KernelUnavailable(f"the CUDA driver cannot be loaded: {error}") from error


def _check(name: str, *arguments: object) -> None:
    _checked(getattr(_driver(), name), *arguments)


def _checked(function: Callable[..., int], *arguments: object) -> None:
    code = function(*arguments)
    if code == _INVALID_CONTEXT:
        # The driver knows no device on a thread on which torch has not used it yet.
        torch.cuda.synchronize()
        code = function(*arguments)
    if code:
        text = ctypes.c_char_p()
        _driver().cuGetErrorName(code, ctypes.byref(text))
        what = (text.value or b"unknown").decode()
        # Worded as torch words it, so that running out of memory is told from the rest.
        what = "out of memory" if "OUT_OF_MEMORY" in what else what
        raise RuntimeError(f"CUDA error in {getattr(function, '__name__', 'the driver')}: {what}")
