"""A real sidecar process with its real workers, and the jobs that are handed to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sidecar.fakes import Answer, ask, wait_for
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from snapupscale.sidecar.discovery import Discovery

COMMAND = (sys.executable, "-m", "snapupscale", "sidecar", "serve")
# What `COMMAND` does, with all that is logged in the log.
DEBUG = """
import logging
from snapupscale.sidecar import serve

def make():
    logging.getLogger().setLevel(logging.DEBUG)
    return serve.users_service()

serve.serve(make)
"""


@dataclass
class Real:
    """A sidecar that serves."""

    process: subprocess.Popen[str]
    found: Discovery
    slowest: float = 0.0
    """Seconds of the longest wait for an answer."""

    def ask(self, method: str, path: str, data: object = None, **headers: str) -> Answer:
        began = time.monotonic()
        answer = ask(self.found, method, path, data, **headers)
        self.slowest = max(self.slowest, time.monotonic() - began)
        return answer

    def submit(self, kind: str, source: Path, **fields: Any) -> str:
        """The id of a new job."""
        answer = self.ask("POST", "/v1/jobs", {"kind": kind, "source": str(source), **fields})
        assert answer.status == 201, answer.data
        return str(answer.data["id"])

    def job(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/v1/jobs/{name}").data
        return found

    def ended(self, name: str, seconds: float = 60.0) -> dict[str, Any]:
        """The job once it has ended."""
        return until(lambda: job if (job := self.job(name))["state"] in {"done", "failed"} else None, seconds)


def start(*command: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command or COMMAND,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(*command: str, **environment: str) -> Iterator[Real]:
    """A sidecar that serves, ended by force at the end."""
    process = start(*command, **environment)
    try:
        yield Real(process, wait_for(process))
    finally:
        process.kill()
        process.communicate()
