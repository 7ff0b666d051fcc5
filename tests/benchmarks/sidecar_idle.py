"""Start-up time and idle memory of the sidecar with its real service. Run: python tests/benchmarks/sidecar_idle.py

The time runs from the start of the process to its first answer; the memory is what the system counts as resident.
"""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from snapupscale.sidecar import discovery

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 10
PROGRAM = "from snapupscale.sidecar.serve import serve; serve()"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            os.environ[name] = folder
        rounds = [measure() for _ in range(ROUNDS + 1)][1:]
    seconds, kibibytes = zip(*rounds, strict=True)
    print(f"first answer after {statistics.median(seconds):.3f} s, at most {max(seconds):.3f} s")
    print(f"resident after a second of rest: {statistics.median(kibibytes) / 1024:.1f} MiB")


def measure() -> tuple[float, int]:
    """Seconds until a new sidecar answers, and KiB it then takes; it is ended afterwards."""
    with started() as (process, seconds):
        time.sleep(1)
        return seconds, resident(process)


@contextmanager
def started() -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A sidecar that has answered, and the seconds that this took."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM])
    try:
        while (found := discovery.read()) is None or found.pid != process.pid:
            if process.poll() is not None:
                raise RuntimeError(f"the sidecar ended with {process.returncode}")
            time.sleep(0.002)
        connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=10)
        connection.request("GET", "/v1/health", headers={"Authorization": f"Bearer {found.token}"})
        connection.getresponse().read()
        connection.close()
        yield process, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def resident(process: subprocess.Popen[bytes]) -> int:
    """Resident memory of `process` in KiB."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    main()
