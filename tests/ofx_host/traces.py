"""What a process has and what it leaves, as Linux tells."""

from __future__ import annotations

import gc
import os
from pathlib import Path


def resident() -> int:
    """Bytes of this process in memory, without what Python is about to free."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def count(kind: str) -> int:
    """How many this process has: 'fd' for open files, 'task' for threads."""
    return len(list(Path(f"/proc/self/{kind}").iterdir()))


def mapped() -> int:
    """How many pieces of shared memory this process has."""
    return Path("/proc/self/maps").read_text().count("snapupscale-")


def mappings(pid: int) -> list[str]:
    """The files of mappings that a process made and that are there still."""
    return [path.name for path in Path("/dev/shm").glob(f"snapupscale-{pid}-*")]
