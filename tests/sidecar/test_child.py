from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from snapupscale.processes import start_time
from snapupscale.sidecar import child as module
from snapupscale.sidecar.child import Start, Worker

# It begins a process that holds its errors open, and says so.
PROGRAM = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(8)"], stdout=2)
print("{}", flush=True)
time.sleep(60)
"""


def test_what_a_worker_has_started_does_not_hold_up_its_end() -> None:
    worker = Worker(Start(command=(sys.executable, "-c", PROGRAM)))
    assert worker.reply(10) == {}
    begun = time.monotonic()

    worker.stop()

    assert time.monotonic() - begun < 4
    assert start_time(worker.pid) is None


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_one_that_cannot_be_ended_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one is that waits in the driver of a GPU."""
    monkeypatch.setattr(module, "_UNENDING", 0.2)
    worker = Worker(Start(command=(sys.executable, "-c", "import time; time.sleep(60)")))
    os.kill(worker.pid, signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(worker._process, "kill", lambda: None)
        begun = time.monotonic()

        assert worker.stop() == "it cannot be ended"

        assert time.monotonic() - begun < 4
    worker._process.kill()
    worker._process.wait()
