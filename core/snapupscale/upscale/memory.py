"""How much memory of the machine a program may take, without help from a library."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

_UNKNOWN = 4 << 30
_MEMINFO = Path("/proc/meminfo")
_CGROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
)


def available() -> int:
    """Bytes that can be taken before the machine, or the container this runs in, has to swap."""
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        # macOS names no such number; half of what is built in leaves room for the rest.
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return min(_linux(), _container())


def _linux() -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return _UNKNOWN


def _container() -> int:
    """What a container's limit leaves; without one, more than any machine has."""
    for folder, limit, used in _CGROUPS:
        with suppress(OSError, ValueError):
            # Cached files count as used, and go when memory is asked for.
            most, taken = int((folder / limit).read_text()), int((folder / used).read_text())
            return max(0, most - taken + _cached(folder / "memory.stat"))
    return sys.maxsize


def _cached(path: Path) -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in path.read_text().splitlines():
            if line.startswith("inactive_file "):
                return int(line.split()[1])
    return 0


def _windows() -> int:
    import ctypes  # noqa: PLC0415 - needed on this system alone

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            *((name, ctypes.c_uint64) for name in ("total", "free", "page", "page_free", "space", "left", "rest")),
        )

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.WinDLL("kernel32").GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined]
        return _UNKNOWN
    return int(status.free)
