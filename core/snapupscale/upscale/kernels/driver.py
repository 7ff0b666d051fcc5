"""The functions of the CUDA driver that computing with kernels of one's own takes."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import TYPE_CHECKING

from snapupscale.errors import KernelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Number = ctypes.c_uint64 | ctypes.c_int64 | ctypes.c_int | ctypes.c_float
    Argument = ctypes.Structure | ctypes.Array[ctypes.c_char] | Number
    Context = ctypes.c_void_p

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
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


class Module:
    """Machine code, loaded into `context`, which must be current."""

    def __init__(self, code: bytes, context: Context) -> None:
        self.context = context
        self.handle = ctypes.c_void_p()
        check("cuModuleLoadData", ctypes.byref(self.handle), code)


class Kernel:
    """A kernel that was loaded. threads: of a block. shared: bytes that a block takes beyond what the code declares."""

    def __init__(self, module: Module, name: str, threads: int, shared: int = 0) -> None:
        self._module = module
        self._function = ctypes.c_void_p()
        self._threads = threads
        self._shared = shared
        check("cuModuleGetFunction", ctypes.byref(self._function), module.handle, name.encode())
        if shared:
            check("cuFuncSetAttribute", self._function, _SHARED_BYTES, shared)
        blocks = ctypes.c_int()
        occupancy = "cuOccupancyMaxActiveBlocksPerMultiprocessor"
        check(occupancy, ctypes.byref(blocks), self._function, threads, ctypes.c_size_t(shared))
        self.blocks_a_processor = max(1, blocks.value)

    def launch(self, grid: tuple[int, int, int], arguments: Sequence[Argument]) -> None:
        """Launch on the default stream, which is torch's too. Nothing waits, and nothing keeps memory alive."""
        self.prepared(grid, arguments)()

    def prepared(self, grid: tuple[int, int, int], arguments: Sequence[Argument]) -> Launch:
        """`launch`, to be called any number of times with the same arguments: much less work for the host."""
        call = (self._function, *grid, self._threads, 1, 1, self._shared, None)
        return Launch(call, arguments, self._module.context)


class Launch:
    """A launch that is prepared. call: what cuLaunchKernel takes up to the stream."""

    def __init__(self, call: tuple[object, ...], arguments: Sequence[Argument], context: Context) -> None:
        self._arguments = tuple(arguments)  # which the pointers don't keep alive
        pointers = (ctypes.c_void_p * len(arguments))(*(ctypes.addressof(each) for each in arguments))
        self._call = (*call, pointers, None)
        self._context = context
        self._function = driver().cuLaunchKernel

    def __call__(self) -> None:
        code = self._function(*self._call)
        if code:
            _again(code, self._context, self._function, *self._call)


class TensorMap:
    """What TMA has to know of planes of `channels` (32 or 64) half-precision channels to load boxes of 1 x `columns`.

    address: of the first pixel. sizes: columns, rows, planes. strides: bytes from a column, row, plane to the next.
    context: of the memory.
    """

    def __init__(
        self,
        context: Context,
        address: int,
        channels: int,
        sizes: tuple[int, int, int],
        strides: tuple[int, int, int],
        columns: int,
    ) -> None:
        self._memory = ctypes.create_string_buffer(_MAP_BYTES + _MAP_ALIGNMENT)
        offset = -ctypes.addressof(self._memory) % _MAP_ALIGNMENT
        self.value = (ctypes.c_char * _MAP_BYTES).from_buffer(self._memory, offset)
        encode, call = driver().cuTensorMapEncodeTiled, (
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
        if code := encode(*call):
            _again(code, context, encode, *call)


@cache
def driver() -> ctypes.CDLL:
    """The library. Raises KernelUnavailable."""
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise KernelUnavailable(f"the CUDA driver cannot be loaded: {error}") from error


def check(name: str, *arguments: object) -> None:
    """Call the function `name`. Raises KernelUnavailable without a driver, and RuntimeError for its errors."""
    code = getattr(driver(), name)(*arguments)
    if code:
        raise _error(name, code)


def _again(code: int, context: Context, function: Callable[..., int], *arguments: object) -> None:
    """Call `function`, which failed with `code`, once more where that can help: on a thread that is new to the GPU."""
    if code == _INVALID_CONTEXT:
        check("cuCtxSetCurrent", context)
        code = function(*arguments)
    if code:
        raise _error(function.__name__, code)


def _error(name: str, code: int) -> RuntimeError:
    text = ctypes.c_char_p()
    driver().cuGetErrorName(code, ctypes.byref(text))
    what = (text.value or b"unknown").decode()
    # Worded as torch words it, so that running out of memory is told from the rest.
    return RuntimeError(f"CUDA error in {name}: {'out of memory' if 'OUT_OF_MEMORY' in what else what}")
