"""The supervisor with a worker that is quick to start and does what its job says."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from sidecar.leftovers import half_a_file
from sidecar.scripted import COMMAND, add, ended, gone, job_of, pid_of, running
from snapupscale.errors import DiskFull
from snapupscale.sidecar import supervisor as module
from snapupscale.sidecar.child import Start, worker_command
from snapupscale.sidecar.store import Store
from snapupscale.sidecar.supervisor import Supervisor
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from snapupscale.sidecar.store import Job


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "jobs.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def start(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Supervisor]]:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.02)
    started: list[Supervisor] = []

    def make(command: Sequence[str] = COMMAND, **options: Any) -> Supervisor:
        started.append(Supervisor(store, start=Start(command=command), **options))
        return started[-1]

    yield make
    for supervisor in started:
        supervisor.close()


def test_one_process_for_many_jobs(store: Store, start: Callable[..., Supervisor]) -> None:
    ids = [add(store, stills=2) for _ in range(3)]
    start()
    pids = {pid_of(job) for job in ended(store, *ids)}
    assert len(pids) == 1
    assert store.stills(ids[2]) == [{"name": "0.png"}, {"name": "1.png"}]


def test_no_process_until_there_is_a_job(store: Store, start: Callable[..., Supervisor]) -> None:
    supervisor = start()
    time.sleep(0.1)
    assert supervisor.worker_pid is None
    job_id = add(store)
    supervisor.wake()
    assert ended(store, job_id)[0].state == "done"


def test_an_idle_worker_is_let_go_and_another_started(store: Store, start: Callable[..., Supervisor]) -> None:
    supervisor = start(idle=0.1)
    first = add(store)
    supervisor.wake()
    pid = pid_of(ended(store, first)[0])
    until(lambda: supervisor.worker_pid is None)
    assert gone(pid)
    second = add(store)
    supervisor.wake()
    assert pid_of(ended(store, second)[0]) != pid


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_poisoned_job_fails_after_two_deaths_and_the_next_is_done(
    store: Store, start: Callable[..., Supervisor], number: int
) -> None:
    bad, good = add(store, signal=int(number)), add(store)
    start()
    first, second = ended(store, bad, good)
    assert first.error
    assert (first.error["code"], first.attempts) == ("poisoned", 2)
    assert f"signal {int(number)}" in first.error["message"]
    assert second.state == "done"


def test_a_worker_that_cannot_be_started(store: Store, start: Callable[..., Supervisor]) -> None:
    job_id = add(store)
    start(command=["/nonexistent/python"])
    error = ended(store, job_id)[0].error
    assert error
    assert error["code"] == "poisoned"
    assert "cannot be started" in error["message"]


def test_a_worker_that_ends_at_once(store: Store, start: Callable[..., Supervisor]) -> None:
    job_id = add(store)
    start(command=[sys.executable, "-c", "raise SystemExit(3)"])
    error = ended(store, job_id)[0].error
    assert error
    assert "exit code 3" in error["message"]


def test_restarts_wait_longer_and_longer(
    store: Store, start: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.1)
    ids = [add(store, signal=int(signal.SIGKILL)) for _ in range(2)]
    began = time.monotonic()
    start()
    ended(store, *ids)
    assert time.monotonic() - began > 0.1 + 0.2 + 0.4


def test_a_worker_that_talks_nonsense_costs_its_own_job(store: Store, start: Callable[..., Supervisor]) -> None:
    bad, good = add(store, nonsense=True), add(store)
    start()
    first, second = ended(store, bad, good)
    assert first.error
    assert first.error["code"] == "internal"
    assert second.state == "done"


def test_what_the_worker_prints_is_in_the_log(
    store: Store, start: Callable[..., Supervisor], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        job_id = add(store)
        start()
        ended(store, job_id)
        until(lambda: "a library prints" in caplog.text)


def test_interactive_before_batch(store: Store, start: Callable[..., Supervisor]) -> None:
    ids = [add(store, sleep=0.05), add(store), add(store, "interactive"), add(store), add(store, "interactive")]
    start()
    ended(store, *ids)
    started = [event["job"] for event in store.events(0, None, 1000) if event["data"].get("state") == "running"]
    assert started == [ids[2], ids[4], ids[0], ids[1], ids[3]]


def test_a_quick_supervisor_leaves_long_jobs_alone(store: Store, start: Callable[..., Supervisor]) -> None:
    batch, stills = add(store), store.add("upscale", {}, "interactive").id
    quick = add(store, "interactive")
    start(quick=True)
    ended(store, quick)
    assert job_of(store, batch).state == job_of(store, stills).state == "queued"


def test_cancelling_what_runs_keeps_the_worker(store: Store, start: Callable[..., Supervisor]) -> None:
    long, then = add(store, sleep=60), add(store)
    supervisor = start()
    running(store, long)
    pid = supervisor.worker_pid
    began = time.monotonic()
    assert store.cancel(long) == "cancelling"
    first, second = ended(store, long, then)
    assert time.monotonic() - began < 1
    assert first.error
    assert first.error["code"] == "cancelled"
    assert (pid_of(second), first.attempts) == (pid, 0)


def test_a_worker_that_does_not_listen_is_killed(store: Store, start: Callable[..., Supervisor]) -> None:
    deaf, then = add(store, ignore=True), add(store)
    start()
    running(store, deaf)
    time.sleep(0.2)
    began = time.monotonic()
    store.cancel(deaf)
    first = ended(store, deaf)[0]
    assert time.monotonic() - began < 2
    assert first.error
    assert first.error["code"] == "cancelled"
    assert ended(store, then)[0].state == "done"


def urgent_for(store: Store) -> Callable[[Job], bool]:
    return lambda job: job.priority == "batch" and bool(store.urgent()) and store.may_give_way(job.id)


def test_giving_way_is_neither_a_death_nor_the_end(store: Store, start: Callable[..., Supervisor]) -> None:
    long = add(store, sleep=1.0)
    supervisor = start(gives_way=urgent_for(store))
    running(store, long)
    pid = supervisor.worker_pid
    now = store.add("upscale", {"sleep": 0.1}, "interactive").id
    first, second = ended(store, long, now)
    assert (first.state, first.attempts, pid_of(first), pid_of(second)) == ("done", 0, pid, pid)
    states = [(event["job"], event["data"]["state"]) for event in store.events(0, None, 99) if event["kind"] == "state"]
    assert states == [
        *((long, "queued"), (long, "running"), (now, "queued")),
        *((long, "interrupted"), (now, "running"), (now, "done"), (long, "running"), (long, "done")),
    ]


def test_one_that_does_not_give_way_in_time_is_made_to(
    store: Store, start: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    deaf = add(store, sleep=1.0, deaf=True)
    supervisor = start(gives_way=urgent_for(store))
    running(store, deaf)
    pid = supervisor.worker_pid
    now = store.add("upscale", {}, "interactive").id
    first, second = ended(store, deaf, now)
    assert (first.state, first.attempts) == ("done", 0)
    assert pid_of(second) != pid


def test_cancelled_while_it_gives_way(
    store: Store, start: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 30)
    deaf = add(store, sleep=60, deaf=True)
    supervisor = start(gives_way=urgent_for(store))
    running(store, deaf)
    now = store.add("upscale", {}, "interactive").id
    until(lambda: supervisor.yielding)
    assert store.cancel(deaf) == "cancelling"
    first, second = ended(store, deaf, now, seconds=5)
    assert first.error
    assert (first.error["code"], first.attempts, second.state) == ("cancelled", 0, "done")


def test_a_death_while_it_gives_way_is_a_death(store: Store, start: Callable[..., Supervisor]) -> None:
    deaf = add(store, sleep=2, deaf=True)
    supervisor = start(gives_way=urgent_for(store))
    running(store, deaf)
    now = store.add("upscale", {}, "interactive").id
    until(lambda: supervisor.yielding)
    assert supervisor.worker_pid
    os.kill(supervisor.worker_pid, signal.SIGKILL)
    first, second = ended(store, deaf, now)
    assert (first.state, first.attempts, second.state) == ("done", 1, "done")


def test_news_for_others_does_not_keep_an_idle_worker(store: Store, start: Callable[..., Supervisor]) -> None:
    supervisor = start(idle=0.3)
    job_id = add(store)
    supervisor.wake()
    ended(store, job_id)
    end = time.monotonic() + 10
    while supervisor.worker_pid and time.monotonic() < end:
        supervisor.wake()
        time.sleep(0.02)
    assert supervisor.worker_pid is None


def test_a_frozen_program_is_its_own_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker_command() == (sys.executable, "-P", "-m", "snapupscale.sidecar.worker")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/snapupscale/snapupscale")
    assert worker_command() == ("/opt/snapupscale/snapupscale", "sidecar", "worker")


def test_closing_interrupts(store: Store, start: Callable[..., Supervisor]) -> None:
    job_id = add(store, sleep=60, stills=1)
    supervisor = start()
    until(lambda: store.stills(job_id))
    pid = supervisor.worker_pid
    assert pid
    began = time.monotonic()
    supervisor.close()
    assert time.monotonic() - began < 2
    assert gone(pid)
    job = job_of(store, job_id)
    assert (job.state, job.attempts) == ("interrupted", 0)


@pytest.mark.parametrize("state", ["interrupted", "failed"])
def test_closing_leaves_no_half_file(
    store: Store, start: Callable[..., Supervisor], tmp_path: Path, state: str
) -> None:
    job_id = add(store, sleep=60, stills=1, deaf=True, folder=str(tmp_path / "out"))
    supervisor = start()
    until(lambda: store.stills(job_id))
    left = half_a_file(tmp_path / "out")
    if state == "failed":
        store.cancel(job_id)
    supervisor.close()
    assert job_of(store, job_id).state == state
    assert not left.exists()


def test_closing_in_the_midst_of_a_pause(
    store: Store, start: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 60)
    job_id = add(store, signal=int(signal.SIGKILL))
    supervisor = start()
    until(lambda: job_of(store, job_id).attempts == 1)
    began = time.monotonic()
    supervisor.close()
    assert time.monotonic() - began < 1
    assert job_of(store, job_id).state == "queued"


def test_a_full_disk_delays_what_must_be_kept(
    store: Store, start: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    commit = Store._commit

    def full(self: Store) -> None:
        if not free.is_set():
            raise DiskFull("full")
        commit(self)

    job_id = add(store, stills=3, sleep=0.1)
    supervisor = start()
    running(store, job_id)
    monkeypatch.setattr(Store, "_commit", full)
    time.sleep(0.3)
    assert job_of(store, job_id).state == "running"
    assert supervisor.worker_pid
    free.set()
    assert ended(store, job_id)[0].state == "done"
    assert len(store.stills(job_id)) == 3


def test_two_hundred_jobs(store: Store, start: Callable[..., Supervisor]) -> None:
    ids = [add(store, "interactive" if number % 10 == 0 else "batch", stills=1) for number in range(200)]
    for job_id in ids[5::50]:
        store.cancel(job_id)
    descriptors = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: PTH208
    start()
    jobs = ended(store, *ids, seconds=60)
    assert [job.state for job in jobs].count("done") == 196
    assert store.unfinished() == 0
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) <= descriptors + 6  # noqa: PTH208


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_deaths_leak_no_descriptors_and_no_threads(store: Store, start: Callable[..., Supervisor]) -> None:
    supervisor = start()
    counts = []
    for _ in range(3):
        ids = [add(store, signal=int(signal.SIGKILL)), add(store)]
        supervisor.wake()
        ended(store, *ids)
        counts.append((len(os.listdir("/proc/self/fd")), threading.active_count()))  # noqa: PTH208
    assert counts[0] == counts[2]
