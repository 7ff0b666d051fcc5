"""What takes its time before the first picture and needs no torch, begun while torch is being imported."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
_CAPABILITY = (75, 76)
_BLOCK_BYTES, _PROCESSOR_BYTES = 97, 81
"""CU_DEVICE_ATTRIBUTE_ COMPUTE_CAPABILITY_MAJOR and _MINOR, MAX_SHARED_MEMORY_PER_ BLOCK_OPTIN and MULTIPROCESSOR."""


def begin(backend: str, model: str = "auto", precision: str = "auto", *, reference: bool = False) -> None:
    """Have the driver set up the first NVIDIA GPU, on a thread, if `backend` may want one; torch finds it ready.

    Beside that the kernels are compiled that Upscaler, given the same, would compile. What fails fails again there,
    and is told.
    """
    if backend in {"auto", "cuda"} and "torch" not in sys.modules:
        # The driver reads it when it is set up; torch would set the same, but later.
        os.environ.setdefault("CUDA_MODULE_LOADING", "LAZY")
        wanted = "" if precision == "fp32" or reference else model
        # No daemon: the process must not end in the midst of the driver.
        threading.Thread(target=_set_up, args=(wanted,), name="cuda").start()


def _set_up(model: str) -> None:
    """Make the context that torch, and all else in this process, share: the primary one of CUDA's driver interface.

    model: whose kernels are compiled; empty for none.
    """
    # RuntimeError: the program ends already, and no thread can begin.
    with suppress(OSError, AttributeError, RuntimeError):
        driver = ctypes.CDLL(_DRIVER)
        device, context = ctypes.c_int(), ctypes.c_void_p()
        if not driver.cuInit(0) and not driver.cuDeviceGet(ctypes.byref(device), 0):
            if model:
                threading.Thread(target=_compile, args=(driver, device, model), name="kernels").start()
            driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)


def _compile(driver: ctypes.CDLL, device: ctypes.c_int, model: str) -> None:
    """Compile the kernels that `model` takes on `device`, where they are not kept from before."""
    from snapupscale.errors import SnapUpscaleError  # noqa: PLC0415 - only with a GPU
    from snapupscale.upscale import catalog  # noqa: PLC0415 - likewise
    from snapupscale.upscale.kernels import compiler, source  # noqa: PLC0415 - likewise

    major, minor = (_attribute(driver, device, number) for number in _CAPABILITY)
    card = source.Card(
        capability=(major, minor),
        block_bytes=_attribute(driver, device, _BLOCK_BYTES),
        processor_bytes=_attribute(driver, device, _PROCESSOR_BYTES),
    )
    family = source.choose(card)
    with suppress(SnapUpscaleError, RuntimeError):
        spec = catalog.find(catalog.auto_model("cuda")[0] if model == "auto" else model)
        if family:
            layers = source.COMPACT if spec.architecture == "compact" else source.RRDB
            compiler.all_compiled([*family.programs(layers).values(), *source.beside(card.capability)])


def _attribute(driver: ctypes.CDLL, device: ctypes.c_int, number: int) -> int:
    value = ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(value), number, device)
    return value.value
