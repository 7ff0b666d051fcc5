from __future__ import annotations

import sys
import time

from snapupscale.sidecar.child import Start, Worker
from snapupscale.sidecar.processes import start_time

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
