"""Memory of a GPU without torch: arrays that give back what they held, page-locked memory, copies between the two."""

from __future__ import annotations

import ctypes
import math
import threading
import weakref
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from snapupscale.upscale import failures
from snapupscale.upscale.kernels.driver import check

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_LOCKED = 2
"""Pieces of page-locked memory that are kept for the next picture: making them takes longer than filling them."""
_HOST, _DEVICE = 1, 2
"""CU_MEMORYTYPE_ HOST and DEVICE."""
_SIDE: tuple[tuple[str, Any], ...] = (
    ("left", ctypes.c_size_t),
    ("top", ctypes.c_size_t),
    ("kind", ctypes.c_int),
    ("host", ctypes.c_void_p),
    ("device", ctypes.c_uint64),
    ("array", ctypes.c_void_p),
    ("pitch", ctypes.c_size_t),
)


class _Copy(ctypes.Structure):
    """CUDA_MEMCPY2D."""

    _fields_ = (
        *((f"source_{name}", kind) for name, kind in _SIDE),
        *((f"target_{name}", kind) for name, kind in _SIDE),
        ("width", ctypes.c_size_t),
        ("height", ctypes.c_size_t),
    )


@dataclass(frozen=True, kw_only=True)
class Array:
    """`shape` values of a type in GPU memory; `strides` lie between neighbours, in values. See planes.Planes."""

    block: _Block
    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]

    def data_ptr(self) -> int:
        return self.address

    def stride(self) -> tuple[int, ...]:
        return self.strides

    def permute(self, *axes: int) -> Array:
        shape, strides = (tuple(values[axis] for axis in axes) for values in (self.shape, self.strides))
        return self._view(self.address, shape, strides)

    def __getitem__(self, index: int | slice | tuple[int | slice, ...]) -> Array:
        """A part without a copy. index: for each of the first axes a number, or a slice without a step."""
        index = index if isinstance(index, tuple) else (index,)
        address, shape, strides = self.address, [], []
        for axis, length in enumerate(self.shape):
            wanted, stride = index[axis] if axis < len(index) else slice(None), self.strides[axis]
            start, end, _ = wanted.indices(length) if isinstance(wanted, slice) else (wanted, wanted, 1)
            address += start * stride * self.dtype.itemsize
            if isinstance(wanted, slice):
                shape.append(max(0, end - start))
                strides.append(stride)
        return self._view(address, tuple(shape), tuple(strides))

    def _view(self, address: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
        return Array(block=self.block, address=address, shape=shape, strides=strides, dtype=self.dtype)


class GpuMemory:
    """See planes.Memory. What is no longer used is kept for arrays of the same size: pictures come one after another.

    All is done in the order of the GPU's default stream, so that memory can be used again at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unused: dict[int, list[int]] = defaultdict(list)
        self._locked: list[tuple[int, int]] = []
        # Finalizers append here, which is atomic: they may run on any thread, and while the lock is held.
        self._returned: deque[tuple[int, int]] = deque()
        self._unlocked: deque[tuple[int, int]] = deque()

    def halves(self, *shape: int) -> Array:
        return self.array(shape, np.float16)

    def floats(self, *shape: int) -> Array:
        return self.array(shape, np.float32)

    def array(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """Of any type, not set. Raises RuntimeError when memory runs out."""
        kind = np.dtype(dtype)
        block = self.block(max(1, math.prod(shape)) * kind.itemsize)
        strides = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
        return Array(block=block, address=block.address, shape=shape, strides=strides, dtype=kind)

    def uploaded(self, values: NDArray[Any]) -> Array:
        values = np.ascontiguousarray(values)
        result = self.array(values.shape, values.dtype)
        check("cuMemcpyHtoD_v2", ctypes.c_uint64(result.address), _address(values), ctypes.c_size_t(values.nbytes))
        return result

    def downloaded(self, source: Array) -> NDArray[Any]:
        """The values of `source`, which lie side by side; waits for them."""
        result = np.empty(source.shape, source.dtype)
        size = ctypes.c_size_t(result.nbytes)
        check("cuMemcpyDtoH_v2", _address(result), ctypes.c_uint64(source.address), size)
        return result

    def page_locked(self, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        """Memory of the host that the GPU fills by itself, not set; given back when nothing refers to it any more.

        Where the system locks no more pages it is ordinary memory, which is filled more slowly.
        """
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        try:
            address = self._lock_pages(size)
        except RuntimeError as error:
            if not failures.ran_out(error):
                raise
            return np.empty(shape, kind)
        held = (ctypes.c_char * size).from_address(address)
        weakref.finalize(held, self._unlocked.append, (ctypes.addressof(held), size)).atexit = False
        return np.frombuffer(held, kind).reshape(shape)

    def fill(self, target: NDArray[Any], source: Array) -> None:
        """Have the GPU copy `source` to `target`, from `page_locked` and of the same shape.

        The samples of a row lie side by side in both. Nothing waits: see Gpu.synchronise.
        """
        size = target.itemsize
        copy = _Copy(
            source_kind=_DEVICE,
            source_device=source.address,
            source_pitch=source.strides[0] * size,
            target_kind=_HOST,
            target_host=target.ctypes.data,
            target_pitch=target.strides[0],
            width=math.prod(target.shape[1:]) * size,
            height=target.shape[0],
        )
        check("cuMemcpy2DAsync_v2", ctypes.byref(copy), None)

    def unused(self) -> int:
        """Bytes that are kept."""
        with self._lock:
            self._sort()
            return sum(size * len(addresses) for size, addresses in self._unused.items())

    def release(self) -> None:
        """Give back what is kept."""
        with self._lock:
            self._sort()
            addresses = [address for each in self._unused.values() for address in each]
            locked = [address for address, _ in self._locked]
            self._unused.clear()
            self._locked.clear()
        for address in addresses:
            check("cuMemFree_v2", ctypes.c_uint64(address))
        for address in locked:
            check("cuMemFreeHost", ctypes.c_void_p(address))

    def block(self, size: int) -> _Block:
        """`size` bytes. Raises RuntimeError when memory runs out."""
        with self._lock:
            self._sort()
            kept = self._unused[size].pop() if self._unused[size] else None
        address = self._allocated(size) if kept is None else kept
        result = _Block(address=address)
        weakref.finalize(result, self._returned.append, (address, size)).atexit = False
        return result

    def _allocated(self, size: int) -> int:
        try:
            return _allocated(size)
        except RuntimeError as error:
            if not failures.ran_out(error):
                raise
        self.release()
        return _allocated(size)

    def _lock_pages(self, size: int) -> int:
        with self._lock:
            self._sort()
            fitting = next((each for each in self._locked if each[1] == size), None)
            if fitting:
                self._locked.remove(fitting)
                return fitting[0]
            old = self._locked[:-_MOST_LOCKED]
            del self._locked[:-_MOST_LOCKED]
        for address, _ in old:
            check("cuMemFreeHost", ctypes.c_void_p(address))
        result = ctypes.c_void_p()
        check("cuMemHostAlloc", ctypes.byref(result), ctypes.c_size_t(size), 0)
        assert result.value
        return result.value

    def _sort(self) -> None:
        """Take in what finalizers gave back. The lock must be held."""
        while self._returned:
            address, size = self._returned.popleft()
            self._unused[size].append(address)
        while self._unlocked:
            self._locked.append(self._unlocked.popleft())


@dataclass(frozen=True, eq=False)
class _Block:
    """A piece of memory, which goes back when nothing refers to it any more."""

    address: int


def _address(values: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(values.ctypes.data)


def _allocated(size: int) -> int:
    address = ctypes.c_uint64()
    check("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
    return address.value
