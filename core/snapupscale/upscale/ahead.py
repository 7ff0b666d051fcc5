"""What takes its time before the first picture and needs no torch, begun while torch is being imported."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def begin(backend: str) -> None:
    """Have the driver set up the first NVIDIA GPU, on a thread, if `backend` may want one; torch finds it ready.

    What fails fails again in torch, which tells of it.
    """
    if backend in {"auto", "cuda"} and "torch" not in sys.modules:
        # The driver reads it when it is set up; torch would set the same, but later.
        os.environ.setdefault("CUDA_MODULE_LOADING", "LAZY")
        # No daemon: the process must not end in the midst of the driver.
        threading.Thread(target=_set_up, name="cuda").start()


def _set_up() -> None:
    """Make the context that torch, and all else in this process, share: the primary one of CUDA's driver interface."""
    with suppress(OSError, AttributeError):
        driver = ctypes.CDLL(_DRIVER)
        device, context = ctypes.c_int(), ctypes.c_void_p()
        if not driver.cuInit(0) and not driver.cuDeviceGet(ctypes.byref(device), 0):
            driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
