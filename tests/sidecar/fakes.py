"""A service in memory, a sidecar process that serves it, and a client for both."""

from __future__ import annotations

import http.client
import json
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapupscale.errors import SettingError, SnapUpscaleError
from snapupscale.sidecar import discovery
from snapupscale.sidecar.frames.desk import Desk
from snapupscale.sidecar.timelines import Timelines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snapupscale.sidecar.discovery import Discovery

TESTS = Path(__file__).parents[1]


@dataclass
class MemoryService:
    """Keeps jobs in a dict; {"kind": "endless"} stays in the queue until it is cancelled."""

    table: dict[str, dict[str, Any]] = field(default_factory=dict)
    happened: list[dict[str, Any]] = field(default_factory=list)
    paths: dict[str, Path] = field(default_factory=dict)
    """What every job hands out: by the number of a still, the name of a timeline, and as "report"."""
    closed: bool = False

    def __post_init__(self) -> None:
        # Nothing is written there until a session is begun.
        self.timelines = Timelines(Path(tempfile.gettempdir(), f"timelines-{secrets.token_hex(8)}"), self)

    @cached_property
    def frames(self) -> Desk:
        """Made when it is asked for, since it begins a thread."""
        return Desk()

    def submit(self, data: object, /) -> dict[str, Any]:
        if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
            raise SettingError("kind: it is missing")
        logging.getLogger("fake").debug("job %r", data)
        name = f"job-{len(self.table)}"
        self.table[name] = {"id": name, "kind": data["kind"], "state": "queued"}
        self.tell(name, "queued")
        return self.table[name]

    def job(self, job_id: str, /) -> dict[str, Any] | None:
        return self.table.get(job_id)

    def brief(self, job_id: str, /) -> dict[str, Any] | None:
        return self.table.get(job_id)

    def jobs(self) -> list[dict[str, Any]]:
        return list(self.table.values())

    def cancel(self, job_id: str, /) -> bool:
        found = self.table.get(job_id)
        if found is None or found["state"] == "failed":
            return False
        found["state"] = "failed"
        self.tell(job_id, "failed")
        return True

    def events(self, after: int, job: str | None, limit: int, /) -> list[dict[str, Any]]:
        return [each for each in self.happened if each["id"] > after and job in {None, each["job"]}][:limit]

    def still(self, job_id: str, index: int, /) -> Path | None:
        return self.timeline(job_id, str(index))

    def timeline(self, job_id: str, name: str, /) -> Path | None:
        return self.paths.get(name) if job_id in self.table else None

    def report(self, job_id: str, /) -> Path | None:
        return self.timeline(job_id, "report")

    def busy(self) -> bool:
        return any(each["kind"] == "endless" and each["state"] == "queued" for each in self.table.values())

    def close(self) -> None:
        if "frames" in vars(self):
            self.frames.close()
        self.closed = True

    def tell(self, job: str, state: str) -> None:
        number = len(self.happened) + 1
        self.happened.append({"id": number, "job": job, "kind": "state", "data": {"state": state}, "time": 0.0})


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """That of the error."""
        return str(self.data["error"]["code"])


def ask(found: Discovery, method: str, path: str, data: object = None, **headers: str) -> Answer:
    """One request with the token, as a client sends it; `headers` with _ for - are added, or left out when empty."""
    all_headers = {"Authorization": f"Bearer {found.token}", "Content-Type": "application/json"}
    all_headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    body = data if isinstance(data, bytes) else json.dumps({} if data is None else data).encode()
    connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=10)
    try:
        sent = {name: value for name, value in all_headers.items() if value}
        connection.request(method, path, body=body if method == "POST" else None, headers=sent)
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def start(*arguments: str) -> subprocess.Popen[str]:
    """A process that serves a MemoryService; see `main` for the arguments."""
    return subprocess.Popen(
        [sys.executable, "-m", "sidecar.fakes", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str]) -> Discovery:
    """What `process` published, once it has."""
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        found = discovery.read()
        if found is not None and found.pid == process.pid:
            return found
        time.sleep(0.01)
    process.kill()
    raise AssertionError(f"no sidecar: {process.communicate()[1]}")


@contextmanager
def sidecar(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Discovery]]:
    """A sidecar process that serves, ended at the end."""
    process = start(*arguments)
    try:
        yield process, wait_for(process)
    finally:
        process.kill()
        process.communicate()


def main(idle: float = 60.0, level: str = "INFO", report: str = "") -> int:
    from snapupscale.sidecar.serve import serve

    def make() -> MemoryService:
        logging.getLogger().setLevel(level)
        return MemoryService(paths={"report": Path(report)} if report else {})

    try:
        serve(make, idle=idle)
    except SnapUpscaleError as error:
        print(f"error: {error}\ncode: {error.code}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*(kind(text) for kind, text in zip((float, str, str), sys.argv[1:], strict=False))))
