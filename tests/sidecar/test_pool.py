"""Several workers at once: who gets which GPU, who makes room for whom, and how they end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from footage import long_footage
from sidecar.scripted import COMMAND, ended, gone, job_of, running
from snapupscale.job import Settings, run
from snapupscale.processes import start_time
from snapupscale.sidecar import child, supervisor
from snapupscale.sidecar.pool import Pool, Running, to_give_way
from snapupscale.sidecar.store import Store
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
pytestmark = posix


def gpus(count: int) -> Callable[[], tuple[dict[str, str], ...]]:
    return lambda: tuple({"CUDA_VISIBLE_DEVICES": f"GPU-{number}"} for number in range(count))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "jobs.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def start(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Pool]]:
    monkeypatch.setattr(supervisor, "_FIRST_PAUSE", 0.02)
    started: list[Pool] = []

    def make(count: int = 0, **options: Any) -> Pool:
        started.append(Pool(store, **{"command": COMMAND, "find_gpus": gpus(count), **options}))
        return started[-1]

    yield make
    for pool in started:
        pool.close()


def add(store: Store, folder: Path | None = None, priority: str = "batch", **params: Any) -> str:
    if folder:
        folder.mkdir(exist_ok=True)
    return store.add("upscale", {**params, "folder": str(folder) if folder else None}, priority).id


def device(store: Store, job_id: str) -> str | None:
    progress = job_of(store, job_id).progress
    assert progress
    found: str | None = progress["device"]
    return found


def in_order(store: Store) -> list[str]:
    """The jobs in the order in which they began to run, each as often as it did."""
    return [event["job"] for event in store.events(0, None, 9999) if event["data"].get("state") == "running"]


def test_long_jobs_are_spread_over_the_gpus(store: Store, start: Callable[..., Pool]) -> None:
    ids = [add(store, sleep=60) for _ in range(4)]
    pool = start(3)
    for job_id in ids[:3]:
        running(store, job_id)
    assert {device(store, job_id) for job_id in ids[:3]} == {"GPU-0", "GPU-1", "GPU-2"}
    assert job_of(store, ids[3]).state == "queued"
    assert len(set(pool.worker_pids)) == 3


def test_without_a_gpu_there_is_one_with_the_environment_as_it_is(
    store: Store, start: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    ids = [add(store, sleep=0.1) for _ in range(2)]
    pool = start()
    ended(store, *ids)
    assert [device(store, job_id) for job_id in ids] == ["-1", "-1"]
    assert len(pool.worker_pids) == 1


def test_the_quick_one_sees_no_gpu(store: Store, start: Callable[..., Pool]) -> None:
    ids = [add(store, sleep=60) for _ in range(2)]
    pool = start(2)
    for job_id in ids:
        running(store, job_id)
    quick = store.add("cuts", {}, "interactive").id
    pool.wake()
    ended(store, quick)
    assert device(store, quick) == ""
    assert [job_of(store, job_id).state for job_id in ids] == ["running", "running"]


def test_what_is_quick_does_not_wait_for_the_gpus_to_be_found(store: Store, start: Callable[..., Pool]) -> None:
    found = threading.Event()

    def find() -> tuple[dict[str, str], ...]:
        found.wait()
        return ({"CUDA_VISIBLE_DEVICES": "GPU-0"},)

    pool = start(find_gpus=find)
    stills, cuts = add(store), store.add("cuts", {}, "interactive").id
    pool.wake()
    ended(store, cuts)
    assert job_of(store, stills).state == "queued"
    found.set()
    ended(store, stills)
    assert device(store, stills) == "GPU-0"


def test_closed_before_the_gpus_are_found(store: Store, start: Callable[..., Pool]) -> None:
    found = threading.Event()
    pool = start(find_gpus=lambda: (found.wait(), gpus(1)())[1])
    job_id = add(store)
    pool.close()
    found.set()
    time.sleep(0.2)
    assert job_of(store, job_id).state == "queued"


def test_a_warm_worker_is_preferred(store: Store, start: Callable[..., Pool]) -> None:
    pool = start(4)
    for _ in range(8):
        job_id = add(store)
        pool.wake()
        ended(store, job_id)
    assert len(pool.worker_pids) <= 2


def test_idle_workers_are_let_go_though_another_is_busy(store: Store, start: Callable[..., Pool]) -> None:
    pool = start(2, idle=0.5)
    long = [add(store, sleep=60) for _ in range(2)]
    pool.wake()
    for job_id in long:
        running(store, job_id)
    busy, idle = pool.worker_pids
    store.cancel(long[1])
    end = time.monotonic() + 10
    while len(pool.worker_pids) == 2 and time.monotonic() < end:
        # News of jobs for others.
        pool.wake()
        time.sleep(0.02)
    assert len(pool.worker_pids) == 1
    assert gone(busy) != gone(idle)
    store.cancel(long[0])
    until(lambda: not pool.worker_pids)


def test_closing_takes_no_longer_with_many(store: Store, start: Callable[..., Pool]) -> None:
    ids = [add(store, sleep=60, ignore=True) for _ in range(4)]
    pool = start(4)
    for job_id in ids:
        running(store, job_id)
    pids = pool.worker_pids
    time.sleep(0.2)
    began = time.monotonic()
    pool.close()
    assert time.monotonic() - began < 1.5
    assert all(gone(pid) for pid in pids)
    assert [(job_of(store, job_id).state, job_of(store, job_id).attempts) for job_id in ids] == [("interrupted", 0)] * 4


def test_one_folder_is_waited_for(store: Store, start: Callable[..., Pool], tmp_path: Path) -> None:
    first, second = (add(store, tmp_path / "x", make=2, every=0.2) for _ in range(2))
    other = add(store, tmp_path / "y", make=2, every=0.2)
    start(2)
    jobs = ended(store, first, second, other)
    assert [job.state for job in jobs] == ["done"] * 3
    states = [(event["job"], event["data"]["state"]) for event in store.events(0, None, 99) if event["kind"] == "state"]
    assert states.index((other, "running")) < states.index((second, "running"))
    assert states.index((first, "done")) < states.index((second, "running"))


def test_an_urgent_job_takes_the_place_of_the_newest_batch_job(
    store: Store, start: Callable[..., Pool], tmp_path: Path
) -> None:
    old, new = (add(store, tmp_path / name, make=4, every=0.25) for name in "ab")
    pool = start(2)
    running(store, old)
    running(store, new)
    until(lambda: store.stills(new))
    pids = pool.worker_pids
    now = add(store, tmp_path / "c", "interactive")
    ended(store, now)
    jobs = ended(store, old, new)
    assert [(job.state, job.attempts) for job in jobs] == [("done", 0)] * 2
    assert [in_order(store).count(job_id) for job_id in (old, new, now)] == [1, 2, 1]
    assert len(store.stills(new)) == 4
    assert pool.worker_pids == pids


def test_an_urgent_job_has_an_idle_worker(store: Store, start: Callable[..., Pool], tmp_path: Path) -> None:
    pool = start(2)
    batch = add(store, tmp_path / "a", sleep=1)
    pool.wake()
    running(store, batch)
    now = add(store, tmp_path / "b", "interactive")
    pool.wake()
    ended(store, now, batch)
    assert in_order(store) == [batch, now]


def test_an_urgent_job_for_the_folder_of_a_batch_job(
    store: Store, start: Callable[..., Pool], tmp_path: Path
) -> None:
    old, new = (add(store, tmp_path / name, make=3, every=0.3) for name in "ab")
    start(2)
    running(store, old)
    running(store, new)
    now = add(store, tmp_path / "a", "interactive")
    ended(store, now)
    ended(store, old, new)
    assert [in_order(store).count(job_id) for job_id in (old, new)] == [2, 1]


def test_a_flood_of_urgent_jobs_does_not_stop_a_batch_job(
    store: Store, start: Callable[..., Pool], tmp_path: Path
) -> None:
    batch = add(store, tmp_path / "a", make=5, every=0.05)
    pool = start(1)
    running(store, batch)
    urgent: list[str] = []
    end = time.monotonic() + 20
    while job_of(store, batch).state != "done" and time.monotonic() < end:
        # Two wait at any time.
        while sum(job_of(store, job_id).state == "queued" for job_id in urgent) < 2:
            urgent.append(add(store, tmp_path / f"u{len(urgent)}", "interactive", sleep=0.02))
        pool.wake()
        time.sleep(0.01)
    job = job_of(store, batch)
    assert (job.state, job.attempts) == ("done", 0)
    assert in_order(store).count(batch) <= 1 + 5
    assert any(job_of(store, job_id).state == "done" for job_id in urgent)
    ended(store, *urgent)


def busy(name: str, *, created: float = 0, may: bool = True, yielding: bool = False) -> Running:
    return Running(id=name, created=created, folder=f"/{name}", may=may, yielding=yielding)


@pytest.mark.parametrize(
    ("waiting", "states", "idle", "expected"),
    [
        ([], [busy("a")], 0, ""),
        (["/x"], [busy("a"), busy("b", created=1)], 0, "b"),
        (["/x"], [busy("a"), busy("b", created=1, may=False)], 0, "a"),
        (["/x"], [busy("a", may=False)], 0, ""),
        (["/x"], [busy("a")], 1, ""),
        (["/x", "/y"], [busy("a"), busy("b", created=1)], 0, "ab"),
        (["/x", "/y"], [busy("a"), busy("b", created=1)], 1, "b"),
        (["/x", "/y", "/z"], [busy("a")], 0, "a"),
        (["/x"], [busy("a", yielding=True), busy("b", created=1)], 0, "a"),
        (["/x", "/y"], [busy("a", yielding=True), busy("b", created=1)], 0, "ab"),
        (["/a"], [busy("a"), busy("b", created=1)], 0, "a"),
        (["/a"], [busy("a"), busy("b", created=1)], 1, "a"),
        (["/a"], [busy("a", may=False), busy("b", created=1)], 0, ""),
        (["/a", "/x"], [busy("a", may=False), busy("b", created=1)], 0, "b"),
        (["/a", "/a"], [busy("a"), busy("b", created=1)], 0, "a"),
        (["/x", "/x"], [busy("a"), busy("b", created=1)], 0, "b"),
        ([None, None], [busy("a"), busy("b", created=1)], 0, "ab"),
    ],
)
def test_who_gives_way(waiting: list[str | None], states: list[Running], idle: int, expected: str) -> None:
    assert to_give_way(waiting, states, idle) == set(expected)


PROGRAM = """
import json, sys, time
from pathlib import Path
from snapupscale.sidecar.pool import Pool
from snapupscale.sidecar.store import Store

folder = Path(sys.argv[1])
store = Store(folder / "jobs.sqlite")
ids = []
for name in "abc":
    (folder / name).mkdir()
    params = {"source": sys.argv[2], "backend": "lanczos", "scale": "8", "folder": str(folder / name)}
    ids.append(store.add("upscale", params, "batch").id)
pool = Pool(store, find_gpus=lambda: [{"CUDA_VISIBLE_DEVICES": str(number)} for number in range(3)])
while not all(store.job(job_id).progress for job_id in ids):
    time.sleep(0.01)
print(json.dumps(pool.worker_pids), flush=True)
time.sleep(60)
"""


@pytest.fixture
def long(clip: Callable[..., Path]) -> Path:
    return clip("pool_long.mp4", frames=600, picture=long_footage)


def test_no_worker_of_many_outlives_a_killed_service(long: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(long)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        line = process.stdout.readline()
        pids = [int(each) for each in line.decode().strip("[]\n").split(",")]
        assert len(pids) == 3
        assert all(start_time(pid) for pid in pids)
        process.kill()
        until(lambda: all(start_time(pid) is None for pid in pids), 2)


def test_a_real_worker_gives_way(store: Store, start: Callable[..., Pool], long: Path, tmp_path: Path) -> None:
    run(long, tmp_path / "whole", Settings(backend="lanczos", limit=20))
    batch = add(store, tmp_path / "out", source=str(long), backend="lanczos", limit=20)
    pool = start(command=child.COMMAND)
    until(lambda: store.stills(batch))
    pids = pool.worker_pids
    now = add(store, tmp_path / "now", "interactive", source=str(long), backend="lanczos", limit=1)
    first, second = ended(store, batch, now, seconds=60)
    assert (first.state, first.attempts, second.state) == ("done", 0, "done")
    assert in_order(store) == [batch, now, batch]
    assert pool.worker_pids == pids
    assert kept(tmp_path / "out") == kept(tmp_path / "whole")


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".png"}


def test_descriptors_stay_the_same(store: Store, start: Callable[..., Pool]) -> None:
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    counts = []
    for _ in range(2):
        pool = start(3)
        ids = [add(store, sleep=0.05) for _ in range(6)]
        pool.wake()
        ended(store, *ids)
        pool.close()
        counts.append((len(os.listdir("/proc/self/fd")), threading.active_count()))  # noqa: PTH208
    assert counts[0] == counts[1]
