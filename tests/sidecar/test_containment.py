from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from typing import Any

import pytest

from snapupscale.processes import start_time
from snapupscale.sidecar import containment
from snapupscale.sidecar.containment import NICENESS, BasicLimits, ExtendedLimits, adopt, new_job, start
from waiting import until


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="sizes of 64-bit systems")
def test_structures_are_laid_out_as_in_winnt_h() -> None:
    assert ctypes.sizeof(BasicLimits) == 64
    assert ctypes.sizeof(ExtendedLimits) == 144
    assert [getattr(BasicLimits, name).offset for name in ("limit_flags", "affinity", "scheduling_class")] == [
        *(16, 48, 60)
    ]
    names = ("io_counters", "process_memory_limit", "peak_job_memory_used")
    assert [getattr(ExtendedLimits, name).offset for name in names] == [64, 112, 136]


class Function:
    """A function of a library that keeps its arguments."""

    def __init__(self, result: int | None) -> None:
        self.restype: type | None = None
        self.result = result
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any) -> int | None:
        self.calls.append(arguments)
        return self.result


class Kernel:
    """What is used of kernel32, with handles above 32 bits."""

    def __init__(self) -> None:
        self.CreateJobObjectW = Function(2**33)
        self.SetInformationJobObject = Function(1)
        self.OpenProcess = Function(2**34)
        self.AssignProcessToJobObject = Function(1)
        self.CloseHandle = Function(1)


def test_a_job_object_that_ends_its_processes_when_closed() -> None:
    kernel = Kernel()
    assert new_job(kernel) == 2**33
    assert kernel.CreateJobObjectW.restype is ctypes.c_void_p
    handle, kind, limits, size = kernel.SetInformationJobObject.calls[0]
    assert (handle.value, kind, size.value) == (2**33, 9, ctypes.sizeof(ExtendedLimits))
    assert limits._obj.basic.limit_flags == 0x2400
    assert not kernel.CloseHandle.calls


def test_a_process_in_the_job_object() -> None:
    kernel = Kernel()
    assert adopt(kernel, 2**33, 77)
    assert kernel.OpenProcess.restype is ctypes.c_void_p
    assert kernel.OpenProcess.calls == [(0x101, False, 77)]
    (arguments,) = kernel.AssignProcessToJobObject.calls
    assert [each.value for each in arguments] == [2**33, 2**34]
    assert [each[0].value for each in kernel.CloseHandle.calls] == [2**34]


def test_refused_by_windows() -> None:
    kernel = Kernel()
    kernel.SetInformationJobObject.result = 0
    assert new_job(kernel) is None
    assert [each[0].value for each in kernel.CloseHandle.calls] == [2**33]
    kernel.CreateJobObjectW.result = None
    assert new_job(kernel) is None
    assert not adopt(kernel, None, 77)
    kernel.AssignProcessToJobObject.result = 0
    assert not adopt(kernel, 2**33, 77)
    kernel.OpenProcess.result = None
    assert not adopt(kernel, 2**33, 77)


TELLS = "import os, threading; threading.Thread(target=lambda: print(os.getpriority(os.PRIO_PROCESS, 0))).start()"


@pytest.mark.skipif(sys.platform == "win32", reason="niceness of POSIX")
@pytest.mark.parametrize("modest", [False, True])
def test_a_modest_worker_yields_with_all_its_threads(*, modest: bool) -> None:
    with start([sys.executable, "-c", f"input()\n{TELLS}"], {}, modest=modest) as process:
        output, _ = process.communicate(b"\n")
    expected = os.getpriority(os.PRIO_PROCESS, 0)
    assert int(output) == (max(expected, NICENESS) if modest else expected)


def test_what_is_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv("KEPT", "yes")
    names = ["CUDA_VISIBLE_DEVICES", "KEPT", containment.PARENT]
    program = f"import os; print([os.environ[name] for name in {names}])"
    with start([sys.executable, "-c", program], {"CUDA_VISIBLE_DEVICES": "1"}, modest=False) as process:
        output, _ = process.communicate()
    assert output.decode().strip() == str(["1", "yes", str(os.getpid())])


WORKER = (sys.executable, "-P", "-m", "snapupscale.sidecar.worker")
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux ends it")


@linux
def test_a_worker_whose_parent_ended_before_it_began() -> None:
    # Its input stays open, and no signal will come.
    environment = {**os.environ, containment.PARENT: "1"}
    with subprocess.Popen(WORKER, stdin=subprocess.PIPE, env=environment) as process:
        assert process.wait(20) == 1


@linux
def test_it_lives_as_long_as_the_thread_that_started_it() -> None:
    """What Linux calls the parent is the thread: a supervisor starts its worker on the thread that lives with it."""
    reading, writing = os.pipe()
    until_then = threading.Event()
    started: list[subprocess.Popen[bytes]] = []

    def live() -> None:
        environment = {**os.environ, containment.PARENT: str(os.getpid())}
        started.append(subprocess.Popen(WORKER, stdin=reading, stdout=subprocess.PIPE, env=environment))
        until_then.wait()

    thread = threading.Thread(target=live)
    thread.start()
    until(lambda: started)
    os.write(writing, b'{"id": "a", "kind": "probe", "params": {"source": "/"}}\n')
    output = started[0].stdout
    assert output
    assert b"progress" in output.readline()
    assert start_time(started[0].pid)
    until_then.set()
    thread.join()
    assert started[0].wait(2) == -9
    output.close()
    os.close(reading)
    os.close(writing)


@linux
def test_the_limits_of_a_worker() -> None:
    program = """
import resource
from pathlib import Path
from snapupscale.sidecar import contained
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
contained.limit_memory()
contained.limit_files()
print(Path("/proc/self/oom_score_adj").read_text().strip(), *resource.getrlimit(resource.RLIMIT_CORE))
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], resource.getrlimit(resource.RLIMIT_DATA)[0])
"""
    environment = {**os.environ, containment.MEMORY_SHARE: "0.25"}
    result = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    score, *core, files, data = map(int, result.stdout.split())
    assert (score, core, files) == (500, [0, 0], 4096)
    assert data == int(0.25 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
