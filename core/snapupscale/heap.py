"""The heap of glibc, which by and by keeps what is freed of larger and larger blocks."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of malloc.h."""
_LARGE = 256 << 10
"""Bytes. Less costs time, as every such block is cleared anew; with more, several MiB stay behind."""


def give_back_large_blocks() -> bool:
    """Have large blocks given back to the system as soon as they are freed; False where that can't be told."""
    if sys.platform != "linux":
        return False
    with suppress(AttributeError, OSError):
        return bool(ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE))
    return False
