"""Sessions that make stills, over jobs of every stage that end when a test says so."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sidecar.sessions import FOUND
from sidecar.snapshots import of_clips
from snapupscale.errors import QueueFull, SnapUpscaleError
from snapupscale.sidecar.timelines import Timelines
from snapupscale.timeline.memory import HELD_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable

ENDED = {"done", "failed"}


class StagedJobs:
    """Jobs that end when a test says so."""

    def __init__(self) -> None:
        self.table: dict[str, dict[str, Any]] = {}
        self.cancelled: list[str] = []
        self.room = 1000
        self.error: SnapUpscaleError | None = None

    def submit(self, data: Any, /) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        if sum(job["state"] not in ENDED for job in self.table.values()) >= self.room:
            raise QueueFull("full")
        name = f"j{len(self.table)}"
        self.table[name] = {"id": name, "state": "queued", "result": None, "error": None, "asked": data}
        return self.table[name]

    def job(self, job_id: str, /) -> dict[str, Any] | None:
        return self.table.get(job_id)

    def brief(self, job_id: str, /) -> dict[str, Any] | None:
        job = self.table.get(job_id)
        return None if job is None else {name: job[name] for name in ("id", "state")}

    def cancel(self, job_id: str, /) -> bool:
        self.cancelled.append(job_id)
        return True

    def waiting(self, kind: str) -> list[dict[str, Any]]:
        return [job for job in self.table.values() if job["asked"]["kind"] == kind and job["state"] not in ENDED]

    def end(self, kind: str, *, most: int = 1000, error: str = "") -> int:
        """End what waits of one kind; how many there were."""
        ending = self.waiting(kind)[:most]
        for job in ending:
            if error:
                job.update(state="failed", error={"code": error, "message": f"it is {error}", "hint": "Mend it."})
            else:
                job.update(state="done", result=RESULTS[kind](job["asked"]))
        return len(ending)


def upscaled(asked: dict[str, Any]) -> dict[str, Any]:
    """A still of the middle of each shot in the range."""
    edges = [asked["first"], *(cut for cut in (20, 40) if asked["first"] < cut < asked["end"]), asked["end"]]
    middles = [(start + end) // 2 for start, end in pairwise(edges)]
    shots = [1 + sum(middle >= cut for cut in (20, 40)) for middle in middles]
    return {
        "made": [
            {"name": f"clip_s{shot:03}_f{middle:05}_x2_still.png", "shot": shot, "number": middle}
            for shot, middle in zip(shots, middles, strict=True)
        ]
    }


def held(asked: dict[str, Any]) -> dict[str, Any]:
    return {"movie": f"{Path(asked['source']).stem}_{asked['frames']}f{HELD_SUFFIX}", "frames": asked["frames"]}


RESULTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "cuts": lambda asked: FOUND,
    "upscale": upscaled,
    "hold": held,
}


class Bench:
    """Sessions over fake jobs; `restart` begins anew on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs = StagedJobs()
        self.stills = folder / "films"
        self.timelines = self.restart()

    def restart(self) -> Timelines:
        self.timelines = Timelines(self.folder / "timelines", self.jobs, stills=lambda: self.stills)
        return self.timelines

    def begin(self, *clips: str, snapshot: Any = None, **options: Any) -> str:
        data = {"action": "stills", "snapshot": snapshot or of_clips(*clips or ["/a.mov"]), "options": options}
        return str(self.timelines.open(data)["id"])

    def session(self, name: str) -> dict[str, Any]:
        found = self.timelines.session(name)
        assert found is not None
        return found

    def finish(self) -> None:
        """End all jobs of all stages, and look once after each."""
        for kind in ("cuts", "upscale", "hold"):
            self.jobs.end(kind)
            self.timelines.advance()

    def plan(self, name: str) -> dict[str, Any]:
        plan = self.timelines.plan(name)
        assert plan is not None
        return plan


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
