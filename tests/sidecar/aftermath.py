"""What a storm has left: samples of the service, its files and processes, and whether they are as they should be."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sidecar.soak import Storm

GROWTH, GROWTH_PER_JOB = 4 << 20, 32 << 10
"""Bytes by which the service may be larger in the last quarter of its life than in the second: to tell a longer list of
jobs takes more, in each of the threads that tell it."""
LARGEST = 80 << 20
"""Bytes of the service at any time."""
NOT_TEMPORARY = {".snapupscale.lock"}
MOST_WORKERS = 2
"""Of a machine without a GPU."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the system says of the service at one moment; memory and sizes in bytes."""

    service: int
    seconds: float
    memory: int
    descriptors: int
    threads: int
    workers: int
    worker_memory: int
    temporary_files: int
    database: int
    jobs: int
    """In the list."""


def take_sample(pid: int, root: Path, **known: Any) -> Sample:
    """The process `pid`, which keeps its files in `root`, as it is now; `known` are the other fields."""
    workers = children(pid)
    return Sample(
        **known,
        memory=resident(pid),
        descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=len(list(Path(f"/proc/{pid}/task").iterdir())),
        workers=len(workers),
        worker_memory=sum(map(resident, workers)),
        temporary_files=len(temporary_files(root)),
        database=sum(path.stat().st_size for path in (root / "data").rglob("jobs.sqlite*")),
    )


def outcome(job: dict[str, Any]) -> object:
    """What must not depend on what happened on the way."""
    if job["state"] == "failed":
        return job["error"]["code"]
    return {name: value for name, value in (job["result"] or {}).items() if name != "kept"}


def judge(storm: Storm, jobs: dict[str, dict[str, Any]], right: dict[str, Any], stills: dict[str, bytes]) -> None:
    """Add to the storm's faults all that is not as it should be.

    right: how each request ends when it is undisturbed, by its label; stills: those it then makes, by their names.
    """
    say = storm.faults.append
    for name in storm.asked.keys() - jobs.keys():
        say(f"job {name} is forgotten")
    for name, job in jobs.items():
        label = storm.asked.get(name)
        killed = sum(job["created"] - 1 <= moment <= job["updated"] + 1 for moment in storm.kills)
        code = job["error"]["code"] if job["state"] == "failed" else None
        excused = (code == "cancelled" and name in storm.cancelled) or (code == "poisoned" and killed >= 2)
        # One that doesn't heed its cancelling is ended by force.
        if job["attempts"] > killed + (name in storm.cancelled):
            say(f"{label} counts {job['attempts']} deaths and saw {killed} kills")
        if not excused and (outcome(job) != right[label] if label else outcome(job) not in right.values()):
            say(f"{label} ended otherwise than undisturbed: {job['state']} {job['error']} {job['result']}")
    for path, data in pictures(storm.root).items():
        if stills.get(path.name) != data:
            say(f"{path.relative_to(storm.root)} is not as in an undisturbed run")
    for path in temporary_files(storm.root):
        say(f"{path.relative_to(storm.root)} is left")
    judge_samples([each for each in storm.samples if each.service == storm.samples[-1].service], say)
    if "Traceback" in (storm.root / "stderr").read_text():
        say("a sidecar wrote a traceback to its standard error")


def judge_samples(samples: list[Sample], say: Callable[[str], None]) -> None:
    """The samples are those of one service."""
    _, (second, fewer), _, (last, more) = quarters(samples)
    largest = max(each.memory for each in samples)
    if last - second > GROWTH + (more - fewer) * GROWTH_PER_JOB or largest > LARGEST:
        say(f"the service grew from {second / 2**20:.1f} to {last / 2**20:.1f} MiB, at the most {largest / 2**20:.1f}")
    quiet, busiest = samples[-1], max(samples, key=lambda each: each.descriptors)
    if quiet.descriptors > 40 or busiest.descriptors > 90:
        say(f"{quiet.descriptors} descriptors when all is quiet, {busiest.descriptors} at the most")
    if max(each.workers for each in samples) > MOST_WORKERS or quiet.threads > 60:
        say(f"{max(each.workers for each in samples)} workers, {quiet.threads} threads")


def quarters(samples: list[Sample]) -> list[tuple[float, float]]:
    """The median memory, and number of jobs, in each quarter of the time."""
    size = max(1, len(samples) // 4)
    parts = [samples[size * number :][: None if number == 3 else size] or samples for number in range(4)]
    return [(median(each.memory for each in part), median(each.jobs for each in part)) for part in parts]


def pictures(root: Path) -> dict[Path, bytes]:
    """The stills under `root`."""
    return {path: path.read_bytes() for name in ("out", "data") for path in (root / name).rglob("*.png")}


def temporary_files(root: Path) -> list[Path]:
    hidden = [path for name in ("out", "data", "cache", "run") for path in (root / name).rglob(".*")]
    return [path for path in hidden if path.name not in NOT_TEMPORARY]


def children(pid: int) -> list[int]:
    """The processes that `pid` has started and that live."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text().split())
    return [child for child in found if lives(child)]


def lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return False


def resident(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def orphans(root: Path) -> list[int]:
    """Processes other than this one that were started for `root` and live."""
    mark, found = f"={root}".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        pid = int(path.parent.name)
        with suppress(OSError):
            if pid != os.getpid() and mark in path.read_bytes() and lives(pid):
                found.append(pid)
    return found
