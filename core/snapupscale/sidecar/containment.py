"""What ties the process of a worker to the service: it ends with it, and leaves the processor to the editor.

Each system does it in its own way. Linux kills the worker when the thread that started it ends (worker.py asks for
that). Windows ends all processes of a job object when its last handle is closed, which it is when the service ends,
however that is. macOS has neither: there, as everywhere, the worker ends when its input does.
"""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
from contextlib import suppress
from functools import cache
from typing import Any

PARENT = "SNAPUPSCALE_PARENT"
"""The variable that tells a worker the process that started it."""
MEMORY_SHARE = "SNAPUPSCALE_MEMORY_SHARE"
"""The variable that tells a worker how much of the machine's memory it may take, 0..1."""
NICENESS = 10
"""What a worker that computes on the processor yields to others: the editor that works beside it."""
_EXTENDED_LIMIT_INFORMATION = 9
_DIE_ON_UNHANDLED_EXCEPTION = 0x0400
_KILL_ON_JOB_CLOSE = 0x2000
_TERMINATE_AND_SET_QUOTA = 0x0001 | 0x0100
_log = logging.getLogger(__name__)


class BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION of winnt.h."""

    _fields_ = (
        ("per_process_user_time_limit", ctypes.c_int64),
        ("per_job_user_time_limit", ctypes.c_int64),
        ("limit_flags", ctypes.c_uint32),
        ("minimum_working_set_size", ctypes.c_size_t),
        ("maximum_working_set_size", ctypes.c_size_t),
        ("active_process_limit", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority_class", ctypes.c_uint32),
        ("scheduling_class", ctypes.c_uint32),
    )


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION of winnt.h."""

    _fields_ = (
        ("basic", BasicLimits),
        ("io_counters", ctypes.c_uint64 * 6),
        ("process_memory_limit", ctypes.c_size_t),
        ("job_memory_limit", ctypes.c_size_t),
        ("peak_process_memory_used", ctypes.c_size_t),
        ("peak_job_memory_used", ctypes.c_size_t),
    )


def start(command: list[str], environment: dict[str, str], *, modest: bool) -> subprocess.Popen[bytes]:
    """Start a worker with pipes to it. Linux ends it with the calling thread, which has to live as long.

    environment: what is set beside the variables of this process. modest: let the processor do all else first.
    Raises OSError.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment, PARENT: str(os.getpid())},
        **_options(modest=modest),
    )
    if sys.platform == "win32":
        if not adopt(_kernel(), _job(), process.pid):
            _log.warning("the worker is in no job object, and ends with the service by the end of its input alone")
    elif modest:
        # Here rather than in the worker: threads that it starts later have the same.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    return process


def _options(*, modest: bool) -> dict[str, Any]:
    if sys.platform == "win32":
        priority = subprocess.BELOW_NORMAL_PRIORITY_CLASS if modest else 0
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP | priority}
    # Ctrl-C in the terminal of the service is for the service.
    return {"start_new_session": True}


def new_job(kernel: Any) -> int | None:
    """The handle of a new job object that ends its processes when it is closed, and shows no dialog when one crashes.

    kernel: kernel32.dll. None when Windows refuses.
    """
    kernel.CreateJobObjectW.restype = ctypes.c_void_p
    job: int | None = kernel.CreateJobObjectW(None, None)
    if not job:
        return None
    limits = ExtendedLimits()
    limits.basic.limit_flags = _KILL_ON_JOB_CLOSE | _DIE_ON_UNHANDLED_EXCEPTION
    size = ctypes.c_uint32(ctypes.sizeof(limits))
    handle = ctypes.c_void_p(job)
    if kernel.SetInformationJobObject(handle, _EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), size):
        return job
    kernel.CloseHandle(handle)
    return None


def adopt(kernel: Any, job: int | None, pid: int) -> bool:
    """Put the process `pid` into the job object; whether that was done."""
    kernel.OpenProcess.restype = ctypes.c_void_p
    process = kernel.OpenProcess(_TERMINATE_AND_SET_QUOTA, False, pid) if job else None
    if not process:
        return False
    done = kernel.AssignProcessToJobObject(ctypes.c_void_p(job), ctypes.c_void_p(process))
    kernel.CloseHandle(ctypes.c_void_p(process))
    return bool(done)


if sys.platform == "win32":

    @cache
    def _kernel() -> Any:
        return ctypes.WinDLL("kernel32", use_last_error=True)

    @cache
    def _job() -> int | None:
        """The job object of this process, open to its end."""
        return new_job(_kernel())
