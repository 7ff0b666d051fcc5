"""Batch jobs rest while somebody waits for a frame."""

from __future__ import annotations

import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from sidecar.frames.effects import COMMAND, Door, took
from snapupscale.errors import Cancelled
from snapupscale.sidecar import service as module
from snapupscale.sidecar.frames.desk import Desk
from snapupscale.sidecar.frames.listener import Listener
from snapupscale.sidecar.keys import Keys
from snapupscale.sidecar.lifetime import Lifetime
from snapupscale.sidecar.service import Service
from snapupscale.sidecar.worker import Task, Warm
from waiting import ended, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A worker that counts on while it isn't told to rest.
COUNTING = """
import json, os, queue, sys, threading, time

requests, cancelled, paused = queue.Queue(), set(), threading.Event()

def listen():
    for line in sys.stdin:
        message = json.loads(line)
        if "cancel" in message:
            cancelled.add(message["cancel"])
        elif "pause" in message:
            (paused.set if message["pause"] else paused.clear)()
        else:
            paused.clear()
            requests.put(message["id"])
    os._exit(0)

threading.Thread(target=listen, daemon=True).start()
while True:
    id, count = requests.get(), 0
    while id not in cancelled and count < 10000:
        if not paused.is_set():
            count += 1
            print(json.dumps({"id": id, "progress": {"stage": "count", "done": count, "total": None}}), flush=True)
        time.sleep(0.01)
    print(json.dumps({"id": id, "error": {"code": "cancelled", "message": "cancelled", "hint": "-"}}), flush=True)
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(module, "Desk", partial(Desk, command=COMMAND))
    opened = Service(tmp_path / "data", command=(sys.executable, "-c", COUNTING))
    yield opened
    opened.close()


@pytest.fixture
def door(service: Service) -> Iterator[Door]:
    import socket

    keys, lifetime = Keys(), Lifetime(60)
    with socket.create_server(("127.0.0.1", 0)) as opened:
        listener = Listener(opened, service.frames, keys, lifetime)
        yield Door(opened.getsockname()[1], service.frames, keys, lifetime)
        listener.close()


def started(service: Service, tmp_path: Path, priority: str) -> dict[str, Any]:
    """A job that counts."""
    source = tmp_path / "clip.mov"
    source.write_bytes(b"x")
    job = service.submit({"kind": "analyse", "source": str(source), "priority": priority})
    until(lambda: count(service, job) > 5)
    return job


def count(service: Service, job: dict[str, Any]) -> int:
    found = service.brief(job["id"])
    assert found
    return int(found["progress"]["done"]) if found["progress"] else 0


def gets_on(service: Service, job: dict[str, Any]) -> bool:
    """Whether the job gets on, once it has had time to hear that it is to rest."""
    time.sleep(0.25)
    before = count(service, job)
    return until(lambda: count(service, job) > before + 5, 10)


def rests(service: Service, job: dict[str, Any]) -> bool:
    """Whether the job soon stands still."""

    def still() -> bool:
        before = count(service, job)
        time.sleep(0.2)
        return count(service, job) == before

    return until(still, 10)


def test_a_batch_job_rests_for_interactive_frames_and_for_no_others(
    service: Service, door: Door, tmp_path: Path
) -> None:
    job = started(service, tmp_path, "batch")
    with door.effect(64) as effect:
        number = effect.start(4, 4, flags=0, model="slow-9000")
        assert gets_on(service, job)
        effect.cancelled(number)
        number = effect.start(4, 4, model="slow-9000")
        assert rests(service, job)
        effect.cancelled(number)
        before = count(service, job)
        until(lambda: count(service, job) > before + 5, 10)
        assert not service.frames.interactive


def test_an_interactive_job_goes_on(service: Service, door: Door, tmp_path: Path) -> None:
    job = started(service, tmp_path, "interactive")
    with door.effect(64) as effect:
        effect.start(4, 4, model="slow-9000")
        until(lambda: service.frames.interactive)
        assert gets_on(service, job)


def test_a_job_that_rests_can_be_cancelled_and_the_next_one_runs(service: Service, door: Door, tmp_path: Path) -> None:
    job = started(service, tmp_path, "batch")
    with door.effect(64) as effect:
        number = effect.start(4, 4, model="slow-9000")
        assert rests(service, job)
        begun = time.monotonic()
        service.cancel(job["id"])
        assert ended(service, job)["error"]["code"] == "cancelled"
        assert took(begun) < 2
        effect.cancelled(number)
    started(service, tmp_path, "batch")


def test_the_service_closes_within_two_seconds(service: Service, door: Door, tmp_path: Path) -> None:
    started(service, tmp_path, "batch")
    with door.effect(64) as effect:
        effect.start(4, 4, model="deaf-9000")
        until(lambda: service.frames.interactive)
        time.sleep(0.2)
        begun = time.monotonic()
        service.close()
        assert took(begun) < 2
        assert effect.closed()
    assert service.frames.worker_pid is None
    assert service.worker_pids == []


def test_a_task_rests_at_its_next_report_until_it_may_go_on_or_is_cancelled() -> None:
    replies: list[Any] = []
    cancelled: set[str] = set()
    paused = threading.Event()
    task = Task("a", replies.append, cancelled, Warm(), paused)
    task.progress("upscale", 0, 2)
    paused.set()
    timer = threading.Timer(0.15, paused.clear)
    timer.start()
    begun = time.monotonic()
    task.progress("upscale", 2, 2)
    assert 0.1 < took(begun) < 1
    assert len(replies) == 2
    timer.join()
    paused.set()
    timer = threading.Timer(0.15, cancelled.add, ["a"])
    timer.start()
    with pytest.raises(Cancelled):
        task.progress("hold", 0, 2)
    timer.join()
    assert len(replies) == 2
