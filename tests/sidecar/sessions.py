"""Sessions of timelines, over jobs that end when a test says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sidecar.snapshots import applied, markers, of_clips
from snapupscale.errors import QueueFull, SettingError, SourceMissing
from snapupscale.sidecar.timelines import Timelines

if TYPE_CHECKING:
    from pathlib import Path

FOUND = {
    "rate": "24",
    "frames": 60,
    "cuts": [20, 40],
    "numbers": [20, 40],
    "length": 60,
    "transitions": [],
    "variable": False,
}


class FakeJobs:
    """Jobs that end when a test says so; `missing` are paths without a file."""

    def __init__(self, *missing: str, room: int = 100) -> None:
        self.table: dict[str, dict[str, Any]] = {}
        self.asked: list[Any] = []
        self.cancelled: list[str] = []
        self.missing = missing
        self.room = room

    def submit(self, data: Any, /) -> dict[str, Any]:
        if not data["source"].startswith("/"):
            raise SettingError("source: it is no absolute path")
        if data["source"] in self.missing:
            raise SourceMissing(f"no file {data['source']}")
        if len(self.table) >= self.room:
            raise QueueFull("full")
        name = f"j{len(self.table)}"
        self.asked.append(data)
        self.table[name] = {"id": name, "state": "queued", "result": None, "stills": [], "error": None}
        return self.table[name]

    def job(self, job_id: str, /) -> dict[str, Any] | None:
        return self.table.get(job_id)

    def brief(self, job_id: str, /) -> dict[str, Any] | None:
        job = self.table.get(job_id)
        return None if job is None else {name: job[name] for name in ("id", "state", "error")}

    def cancel(self, job_id: str, /) -> bool:
        self.cancelled.append(job_id)
        return True

    def done(self, job_id: str = "j0", **changes: Any) -> None:
        self.table[job_id].update(state="done", result={**FOUND, **changes})

    def failed(self, job_id: str = "j0") -> None:
        error = {"code": "not-a-video", "message": "no film", "hint": "Take another."}
        self.table[job_id].update(state="failed", error=error)


@pytest.fixture
def jobs() -> FakeJobs:
    return FakeJobs()


@pytest.fixture
def timelines(tmp_path: Path, jobs: FakeJobs) -> Timelines:
    return Timelines(tmp_path / "timelines", jobs)


def mark(timelines: Timelines, jobs: FakeJobs, data: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """A session whose jobs have ended, and its plan."""
    first = len(jobs.table)
    session = timelines.open({"action": "mark", "snapshot": data or of_clips("/a.mov")})
    for name in list(jobs.table)[first:]:
        jobs.done(name)
    plan = timelines.plan(session["id"])
    assert plan is not None
    return session["id"], plan


def two_sessions(timelines: Timelines, jobs: FakeJobs) -> tuple[Any, Any, dict[str, Any]]:
    """Two sessions with their plans, both applied, and what the timeline holds then."""
    sessions = [mark(timelines, jobs) for _ in range(2)]
    for session, plan in sessions:
        timelines.read_back(session, applied(plan))
    # A frame holds one marker: the editor has moved the first ones.
    moved = [{**marker, "frame": marker["frame"] + 1} for marker in markers(sessions[1][1])]
    return *sessions, {**of_clips("/a.mov"), "markers": [*markers(sessions[0][1]), *moved]}


def state(timelines: Timelines, session: str) -> str:
    found = timelines.session(session)
    assert found is not None
    return str(found["state"])
