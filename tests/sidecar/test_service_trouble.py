"""The service where it or its real worker is killed or closed in the midst of jobs, and what that leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sidecar.leftovers import half_a_file
from sidecar.services import footage, in_stage, long, start, upscale
from snapupscale.errors import DiskFull
from snapupscale.job import Settings, run
from snapupscale.processes import start_time
from snapupscale.sidecar.store import Store
from waiting import ended, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snapupscale.sidecar.service import Service

__all__ = ["footage", "long", "start"]
"""The fixtures."""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def gone(pid: int) -> bool:
    return start_time(pid) is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
@pytest.mark.parametrize("stage", ["analyse", "upscale"])
def test_a_worker_killed_in_the_midst(
    start: Callable[..., Service], long: Path, stage: str, number: signal.Signals
) -> None:
    service = start()
    job = service.submit(upscale(long, scale=4))
    for death in (1, 2):
        until(lambda: in_stage(service, job, stage))
        (pid,) = service.worker_pids
        os.kill(pid, number)
        until(lambda death=death: (service.job(job["id"]) or {})["attempts"] == death)
    failed = ended(service, job)
    assert failed["error"]["code"] == "poisoned"
    assert f"signal {int(number)}" in failed["error"]["message"]
    answer = ended(service, service.submit({"kind": "probe", "source": str(long)}))
    assert answer["state"] == "done"


def test_one_death_costs_nothing_that_was_finished(
    start: Callable[..., Service], footage: Path, tmp_path: Path
) -> None:
    run(footage, tmp_path / "out", Settings(backend="lanczos"))
    whole = kept(tmp_path / "out")
    shutil.move(tmp_path / "out", tmp_path / "whole")
    (tmp_path / "out").mkdir()
    service = start()
    job = service.submit(upscale(footage, scale=None, folder=str(tmp_path / "out")))
    until(lambda: (service.job(job["id"]) or {})["stills"])
    (pid,) = service.worker_pids
    os.kill(pid, signal.SIGKILL)
    done = ended(service, job)
    assert (done["state"], done["attempts"]) == ("done", 1)
    assert done["result"]["kept"] >= 1
    assert kept(tmp_path / "out") == whole


def test_closed_in_the_midst_it_goes_on_where_it_stopped(
    start: Callable[..., Service], long: Path, tmp_path: Path
) -> None:
    run(long, tmp_path / "out", Settings(backend="lanczos", limit=12))
    whole = kept(tmp_path / "out")
    shutil.move(tmp_path / "out", tmp_path / "whole")
    (tmp_path / "out").mkdir()
    service = start()
    job = service.submit(upscale(long, scale=None, limit=12, folder=str(tmp_path / "out")))
    until(lambda: len((service.job(job["id"]) or {})["stills"]) >= 3)
    (pid,) = service.worker_pids
    service.close()
    assert gone(pid)
    before = {path: path.stat().st_mtime_ns for path in sorted((tmp_path / "out").glob("[!.]*.png"))}
    assert 3 <= len(before) < 12
    again = start()
    done = ended(again, job)
    assert (done["state"], done["attempts"], len(done["stills"])) == ("done", 0, 12)
    assert done["result"]["kept"] >= 3
    assert {path: path.stat().st_mtime_ns for path in list(before)[:3]} == dict(list(before.items())[:3])
    assert kept(tmp_path / "out") == whole


def test_a_worker_that_dies_idle_is_nobodys_fault(start: Callable[..., Service], footage: Path) -> None:
    service = start()
    ended(service, service.submit(upscale(footage)))
    for pid in service.worker_pids:
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: gone(pid))
    done = ended(service, service.submit(upscale(footage)))
    assert (done["state"], done["attempts"]) == ("done", 0)


PROGRAM = """
import json, os, signal, sys, threading, time
from pathlib import Path
from snapupscale.sidecar.service import Service
from snapupscale.sidecar.store import Store

folder, request, method, when = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3], sys.argv[4]
plain = getattr(Store, method, None)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def hooked(self, *arguments, **options):
    if method == "claim" and not self.unfinished():
        return plain(self, **options)
    commit, me = Store._commit, threading.get_ident()
    def dying(store):
        if threading.get_ident() != me:
            return commit(store)
        if when == "before":
            die()
        commit(store)
        die()
    Store._commit = dying
    return plain(self, *arguments, **options)

if plain:
    setattr(Store, method, hooked)
service = Service(folder)
job = service.submit(request)
while not service.worker_pids or not service.job(job["id"])["progress"]:
    time.sleep(0.01)
print(service.worker_pids[0], flush=True)
time.sleep(20)
os._exit(0)
"""


def program(folder: Path, request: dict[str, Any], *hook: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(folder), json.dumps(request), *hook]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("method", "when"),
    [
        ("add", "after"),
        ("claim", "before"),
        ("claim", "after"),
        ("still", "before"),
        ("still", "after"),
        ("finish", "before"),
        ("finish", "after"),
    ],
)
def test_the_service_killed_at_a_commit(
    start: Callable[..., Service], footage: Path, tmp_path: Path, method: str, when: str
) -> None:
    run(footage, tmp_path / "out", Settings(backend="lanczos"))
    whole = kept(tmp_path / "out")
    shutil.move(tmp_path / "out", tmp_path / "whole")
    (tmp_path / "out").mkdir()
    with program(
        tmp_path / "data", upscale(footage, scale=None, folder=str(tmp_path / "out")), method, when
    ) as process:
        assert process.wait(30) == -signal.SIGKILL
    service = start()
    done = ended(service, service.jobs()[0])
    assert (done["state"], len(done["stills"])) == ("done", 3)
    assert kept(tmp_path / "out") == whole
    assert not list((tmp_path / "out").glob(".snapupscale-*"))


@pytest.mark.parametrize("error", ["poisoned", "cancelled"])
def test_a_job_that_ended_with_the_service_for_good_leaves_no_half_file(
    start: Callable[..., Service], footage: Path, tmp_path: Path, error: str
) -> None:
    left = half_a_file(tmp_path / "out")
    store = Store(tmp_path / "data" / "sidecar" / "jobs.sqlite")
    job = store.add("upscale", upscale(footage, folder=str(tmp_path / "out")), "batch")
    store.claim()
    if error == "poisoned":
        store.died(job.id, "a kill")
        store.claim()
    else:
        store.cancel(job.id)
    store.close()
    failed = start().job(job.id)
    assert failed
    assert (failed["state"], failed["error"]["code"]) == ("failed", error)
    assert not left.exists()


def test_a_job_that_is_cancelled_before_it_goes_on_leaves_no_half_file(
    start: Callable[..., Service], footage: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "data" / "sidecar" / "jobs.sqlite")
    for name in ("first", "second"):
        job = store.add("upscale", upscale(footage, folder=str(tmp_path / name)), "batch")
        store.claim()
    store.close()
    service = start(command=["/bin/cat"])
    left = half_a_file(tmp_path / "second")
    service.cancel(job.id)
    assert not left.exists()


def test_no_worker_outlives_a_killed_service(start: Callable[..., Service], long: Path, tmp_path: Path) -> None:
    with program(tmp_path / "data", upscale(long, scale=8), "none", "never") as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        assert not gone(pid)
        process.kill()
        until(lambda: gone(pid), 2)
    service = start()
    job = service.jobs()[0]
    assert job["attempts"] == 1
    service.cancel(job["id"])
    ended(service, job, 3)


def test_a_damaged_list_of_jobs_is_begun_anew(start: Callable[..., Service], footage: Path, tmp_path: Path) -> None:
    start().close()
    (tmp_path / "data" / "sidecar" / "jobs.sqlite").write_bytes(b"noise" * 1000)
    service = start()
    assert service.jobs() == []
    assert ended(service, service.submit(upscale(footage)))["state"] == "done"


def test_a_full_disk_is_said_when_a_job_is_handed_in(
    start: Callable[..., Service], footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Store) -> None:
        raise DiskFull("full")

    service = start()
    with monkeypatch.context() as patch:
        patch.setattr(Store, "_commit", full)
        with pytest.raises(DiskFull):
            service.submit(upscale(footage))
    assert not service.busy()
    assert ended(service, service.submit(upscale(footage)))["state"] == "done"
