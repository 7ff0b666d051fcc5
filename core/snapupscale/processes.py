"""When a process began, so that a recorded one isn't mistaken for another that was given its number later."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def start_time(pid: int) -> str | None:
    """An opaque text that differs between two processes with the same number; None when no such process lives."""
    if pid < 1:
        return None
    if sys.platform == "linux":
        return _from_proc(pid)
    elif sys.platform == "win32":  # noqa: RET505  mypy leaves out the branches of other systems only so
        return _from_windows(pid)
    else:
        return _from_ps(pid)


def _from_proc(pid: int) -> str | None:
    """Clock ticks from boot to start; see proc_pid_stat(5). A process that ended and waits for its parent is dead."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name of the program is in brackets and may hold blanks and brackets itself.
    fields = line.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else fields[19]


def _from_ps(pid: int) -> str | None:
    import subprocess  # noqa: PLC0415  slow to import, and needed on macOS alone

    command = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    # In the local time the same moment would read otherwise once the computer has travelled, or in summer.
    env = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    state, _, started = result.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else " ".join(started.split())


if sys.platform == "win32":

    def _from_windows(pid: int) -> str | None:
        import ctypes  # noqa: PLC0415  nothing else needs it

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = ctypes.c_void_p
        query_limited_information = 0x1000
        handle = kernel.OpenProcess(query_limited_information, False, pid)
        if not handle:
            return None
        try:
            times = [ctypes.c_uint64() for _ in range(4)]
            known = kernel.GetProcessTimes(ctypes.c_void_p(handle), *(ctypes.byref(value) for value in times))
            created, exited = times[0].value, times[1].value
            return str(created) if known and not exited else None
        finally:
            kernel.CloseHandle(ctypes.c_void_p(handle))
