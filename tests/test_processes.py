from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from snapupscale import processes
from snapupscale.processes import start_time

SLEEPS = (sys.executable, "-c", "import time; time.sleep(60)")


def test_a_process_has_one_time_and_another_has_another() -> None:
    own = start_time(os.getpid())
    assert own
    time.sleep(0.05)
    with subprocess.Popen(SLEEPS) as other:
        assert start_time(os.getpid()) == own
        assert start_time(other.pid) not in {None, own}
        other.kill()


def test_one_that_ended_has_none_before_its_parent_knows() -> None:
    with subprocess.Popen(SLEEPS) as process:
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT) if sys.platform != "win32" else process.wait()
        assert start_time(process.pid) is None
    assert start_time(process.pid) is None


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_no_such_process(pid: int) -> None:
    assert start_time(pid) is None


@pytest.mark.skipif(sys.platform != "linux", reason="names processes by prctl")
def test_the_name_of_a_program_may_hold_anything() -> None:
    program = "import ctypes; ctypes.CDLL(None).prctl(15, b') Z 1 (', 0, 0, 0); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        found = start_time(process.pid)
        assert found
        assert found.isdigit()
        process.communicate(b"\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no ps")
def test_the_time_that_ps_tells_is_the_same_in_every_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for zone in ("UTC", "Asia/Tokyo", "JST-9"):
        monkeypatch.setenv("TZ", zone)
        found.add(processes._from_ps(os.getpid()))

    assert len(found) == 1
    assert None not in found
