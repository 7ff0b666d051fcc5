"""An NVIDIA GPU as CUDA's driver knows it, without torch, which shares its context."""

from __future__ import annotations

import ctypes
from functools import cache, cached_property

from snapupscale.errors import KernelUnavailable
from snapupscale.upscale.kernels.driver import check
from snapupscale.upscale.kernels.source import Card

_NAME_BYTES = 256
_CAPABILITY = (75, 76)
_BLOCK_BYTES, _PROCESSOR_BYTES, _PROCESSORS = 97, 81, 16
"""CU_DEVICE_ATTRIBUTE_ COMPUTE_CAPABILITY_MAJOR and _MINOR, MAX_SHARED_MEMORY_PER_ BLOCK_OPTIN and MULTIPROCESSOR, and
MULTIPROCESSOR_COUNT."""


class Gpu:
    """The GPU with this number, of those that CUDA_VISIBLE_DEVICES shows. Raises KernelUnavailable if there is none."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._device = ctypes.c_int()
        try:
            check("cuInit", 0)
            check("cuDeviceGet", ctypes.byref(self._device), number)
        except RuntimeError as error:
            raise KernelUnavailable(f"CUDA finds no GPU {number}: {error}") from error

    @cached_property
    def name(self) -> str:
        """As its maker calls it."""
        text = ctypes.create_string_buffer(_NAME_BYTES)
        check("cuDeviceGetName", text, _NAME_BYTES, self._device)
        return text.value.decode(errors="replace")

    @cached_property
    def card(self) -> Card:
        """What the choice of kernels depends on."""
        major, minor = (self._attribute(number) for number in _CAPABILITY)
        return Card(
            capability=(major, minor),
            block_bytes=self._attribute(_BLOCK_BYTES),
            processor_bytes=self._attribute(_PROCESSOR_BYTES),
        )

    @cached_property
    def processors(self) -> int:
        """Streaming multiprocessors."""
        return self._attribute(_PROCESSORS)

    @cached_property
    def context(self) -> ctypes.c_void_p:
        """The primary context: this process's one view of the GPU, whoever asks for it."""
        context = ctypes.c_void_p()
        check("cuDevicePrimaryCtxRetain", ctypes.byref(context), self._device)
        return context

    def activate(self) -> None:
        """Let this thread call functions that work on the current GPU."""
        check("cuCtxSetCurrent", self.context)

    def free_memory(self) -> int:
        """Bytes. The GPU must be active."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        check("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return free.value

    def synchronise(self) -> None:
        """Wait until all that was asked of it is done. The GPU must be active."""
        check("cuCtxSynchronize")

    def _attribute(self, number: int) -> int:
        value = ctypes.c_int()
        check("cuDeviceGetAttribute", ctypes.byref(value), number, self._device)
        return value.value


@cache
def gpu(number: int = 0) -> Gpu:
    """The GPU, looked up once. Raises KernelUnavailable."""
    return Gpu(number)
