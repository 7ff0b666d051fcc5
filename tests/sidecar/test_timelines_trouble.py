"""Sessions whose files are damaged or lost, over jobs that can't be added, looked at or cancelled."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from sidecar.sessions import FakeJobs, jobs, mark, state, timelines, two_sessions
from sidecar.snapshots import applied, markers, of_clips
from snapupscale.errors import DiskFull, NotPlanned, QueueFull
from snapupscale.sidecar.timelines import Timelines

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["jobs", "timelines"]
"""The fixtures."""


def test_a_session_that_was_not_written_to_its_end_is_none(tmp_path: Path, jobs: FakeJobs) -> None:
    half = tmp_path / "timelines" / "0123"
    half.mkdir(parents=True)
    (half / "snapshot.json").write_text("{}")

    timelines = Timelines(tmp_path / "timelines", jobs)

    assert timelines.sessions() == []
    assert not half.exists()


def test_a_full_queue_takes_back_what_was_queued(tmp_path: Path) -> None:
    jobs = FakeJobs(room=1)
    timelines = Timelines(tmp_path / "timelines", jobs)
    with pytest.raises(QueueFull):
        timelines.open({"action": "mark", "snapshot": of_clips("/a.mov", "/b.mov")})

    assert jobs.cancelled == ["j0"]
    assert timelines.sessions() == []


def test_a_damaged_session_does_not_hide_the_others(tmp_path: Path, timelines: Timelines, jobs: FakeJobs) -> None:
    first, _ = mark(timelines, jobs)
    second, _ = mark(timelines, jobs)
    (tmp_path / "timelines" / first / "session.json").write_text("{half")

    assert [each["id"] for each in timelines.sessions()] == [second]


@pytest.mark.parametrize("name", ["plan", "readback"])
@pytest.mark.parametrize("text", ["{half", "{}"])
def test_a_damaged_session_does_not_keep_its_timeline_from_work(
    tmp_path: Path, timelines: Timelines, jobs: FakeJobs, name: str, text: str
) -> None:
    (first, _), (second, other), there = two_sessions(timelines, jobs)
    (tmp_path / "timelines" / second / f"{name}.json").write_text(text)

    third, _ = mark(timelines, jobs, there)
    assert state(timelines, third) == "planned"
    undo = timelines.open({"action": "undo", "snapshot": there})
    removal = timelines.plan(undo["id"])
    assert removal is not None
    assert [each.get("custom") for each in removal["operations"][1:]] == [m["custom"] for m in markers(other)]
    timelines.read_back(undo["id"], applied(removal))

    assert (state(timelines, first), state(timelines, second)) == ("applied", "undone")


@pytest.mark.parametrize("change", [{"timeline": "tl"}, {"state": "lost"}, {"jobs": {"m1": 7}}, {"error": {}}])
def test_a_head_that_makes_no_sense_is_no_session(
    tmp_path: Path, timelines: Timelines, jobs: FakeJobs, change: dict[str, Any]
) -> None:
    first, _ = mark(timelines, jobs)
    second, _ = mark(timelines, jobs)
    head = tmp_path / "timelines" / first / "session.json"
    head.write_text(json.dumps({**json.loads(head.read_text()), **change}))

    assert timelines.session(first) is None
    assert [each["id"] for each in timelines.sessions()] == [second]


def test_what_a_newer_version_adds_to_a_head_is_left_out(tmp_path: Path, timelines: Timelines, jobs: FakeJobs) -> None:
    session, _ = mark(timelines, jobs)
    head = tmp_path / "timelines" / session / "session.json"
    head.write_text(json.dumps({**json.loads(head.read_text()), "weather": "fine"}))

    assert state(timelines, session) == "planned"


def test_a_session_whose_snapshot_is_lost_has_failed(tmp_path: Path, timelines: Timelines, jobs: FakeJobs) -> None:
    session = timelines.open({"action": "mark", "snapshot": of_clips("/a.mov")})["id"]
    (tmp_path / "timelines" / session / "snapshot.json").write_text("{half")
    jobs.done()

    found = timelines.session(session)

    assert found is not None
    assert found["state"] == "failed"
    assert "menu again" in found["error"]["hint"]


@pytest.mark.parametrize("damaged", [False, True])
def test_a_lost_plan_says_so(tmp_path: Path, timelines: Timelines, jobs: FakeJobs, *, damaged: bool) -> None:
    session, _ = mark(timelines, jobs)
    path = tmp_path / "timelines" / session / "plan.json"
    path.write_text("{half") if damaged else path.unlink()

    with pytest.raises(NotPlanned, match="its plan is lost") as caught:
        timelines.plan(session)
    assert "menu again" in caught.value.hint


@pytest.mark.parametrize("where", ["shelf", "jobs"])
def test_a_full_disk_takes_back_what_was_queued(
    timelines: Timelines, jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def full(*arguments: object, **more: object) -> None:
        raise DiskFull("full")

    submit = jobs.submit
    if where == "shelf":
        monkeypatch.setattr(timelines._shelf, "add", full)
    else:
        monkeypatch.setattr(jobs, "submit", lambda data: full() if data["source"] == "/b.mov" else submit(data))

    with pytest.raises(DiskFull):
        timelines.open({"action": "mark", "snapshot": of_clips("/a.mov", "/b.mov")})

    assert jobs.cancelled == sorted(jobs.table)
    assert jobs.cancelled


def test_a_source_that_is_slow_to_look_at_keeps_nobody_waiting(
    timelines: Timelines, jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, _ = mark(timelines, jobs)
    asked, answered = threading.Event(), threading.Event()
    submit = jobs.submit

    def slow(data: Any) -> dict[str, Any]:
        asked.set()
        assert answered.wait(10)
        return submit(data)

    monkeypatch.setattr(jobs, "submit", slow)
    opening = threading.Thread(target=timelines.open, args=({"action": "mark", "snapshot": of_clips("/a.mov")},))
    looking = threading.Thread(target=timelines.session, args=(known,))
    opening.start()
    assert asked.wait(10)
    looking.start()
    looking.join(2)
    waited = looking.is_alive()
    answered.set()
    opening.join()
    looking.join()

    assert not waited


def test_a_session_is_cancelled_even_when_its_jobs_cannot_be(
    timelines: Timelines, jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = timelines.open({"action": "mark", "snapshot": of_clips("/a.mov")})["id"]

    def full(job_id: str) -> bool:
        raise DiskFull("full")

    monkeypatch.setattr(jobs, "cancel", full)

    assert timelines.cancel(session)
    jobs.failed()
    assert state(timelines, session) == "failed"


def test_a_list_of_jobs_that_fails_for_a_moment_fails_no_session(
    timelines: Timelines, jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = timelines.open({"action": "mark", "snapshot": of_clips("/a.mov")})["id"]
    jobs.done()

    def full(job_id: str) -> None:
        raise DiskFull("full")

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "job", full)
        with pytest.raises(DiskFull):
            timelines.session(session)
        assert [each["state"] for each in timelines.sessions()] == ["working"]

    assert state(timelines, session) == "planned"
