from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from sidecar.snapshots import applied, markers, of_clips
from snapupscale.errors import DiskFull, NotPlanned, QueueFull, SettingError, SourceMissing
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


def test_a_session_gets_its_jobs_then_its_plan_and_remembers_what_was_read_back(
    timelines: Timelines, jobs: FakeJobs
) -> None:
    options = {"threshold": 0.3, "color": "Red"}
    session = timelines.open({"action": "mark", "snapshot": of_clips("/a.mov"), "options": options})
    assert session["state"] == "working"
    assert [job["id"] for job in session["jobs"]] == ["j0"]
    assert "result" not in session["jobs"][0]
    assert jobs.asked == [{"kind": "cuts", "source": "/a.mov", "threshold": 0.3}]
    with pytest.raises(NotPlanned):
        timelines.plan(session["id"])

    jobs.done()
    plan = timelines.plan(session["id"])

    assert plan is not None
    assert [each["op"] for each in plan["operations"]] == ["require", "add_marker", "add_marker"]
    assert [marker["frame"] for marker in markers(plan)] == [20, 40]
    assert {marker["color"] for marker in markers(plan)} == {"Red"}
    assert all(marker["custom"].startswith(f"snapupscale:mark:{session['id']}:") for marker in markers(plan))
    assert state(timelines, session["id"]) == "planned"

    after = timelines.read_back(session["id"], applied(plan))

    assert after is not None
    assert (after["state"], after["error"]) == ("applied", None)


def test_sources_that_cannot_be_used_are_reasons_in_the_plan(tmp_path: Path) -> None:
    jobs = FakeJobs("/gone.mov")
    timelines = Timelines(tmp_path / "timelines", jobs)
    data = of_clips("/a.mov", "/gone.mov", "/bad.mov")
    session = timelines.open({"action": "mark", "snapshot": data})
    jobs.done("j0")
    jobs.failed("j1")

    plan = timelines.plan(session["id"])

    assert plan is not None
    assert len(markers(plan)) == 2
    reasons = {each["item"]: each["reason"] for each in plan["summary"]["skipped"]}
    assert "no file /gone.mov" in reasons["i2"]
    assert "no film. Take another." in reasons["i3"]


def test_a_forgotten_job_is_a_reason_too(timelines: Timelines, jobs: FakeJobs) -> None:
    session = timelines.open({"action": "mark", "snapshot": of_clips("/a.mov")})
    jobs.table.clear()

    plan = timelines.plan(session["id"])

    assert plan is not None
    assert "forgotten" in plan["summary"]["skipped"][0]["reason"]


def test_frames_that_share_a_number_make_one_cut(timelines: Timelines, jobs: FakeJobs) -> None:
    session = timelines.open({"action": "mark", "snapshot": of_clips("/a.mov")})
    fade = {"start": 1, "end": 3, "kind": "fade", "numbers": {"start": 40, "end": 44}}
    jobs.done(numbers=[20, 20, 60], length=60, variable=True, transitions=[fade])

    plan = timelines.plan(session["id"])

    assert plan is not None
    assert [(marker["frame"], marker["duration"]) for marker in markers(plan)] == [(20, 1), (40, 4)]


def test_a_session_outlives_the_sidecar(tmp_path: Path, timelines: Timelines, jobs: FakeJobs) -> None:
    session = timelines.open({"action": "mark", "snapshot": of_clips("/a.mov")})
    jobs.done()

    later = Timelines(tmp_path / "timelines", jobs)

    assert later.plan(session["id"]) == timelines.plan(session["id"])
    assert [each["id"] for each in later.sessions("tl")] == [session["id"]]
    assert later.sessions("another") == []


def test_a_session_that_was_not_written_to_its_end_is_none(tmp_path: Path, jobs: FakeJobs) -> None:
    half = tmp_path / "timelines" / "0123"
    half.mkdir(parents=True)
    (half / "snapshot.json").write_text("{}")

    timelines = Timelines(tmp_path / "timelines", jobs)

    assert timelines.sessions() == []
    assert not half.exists()


def test_a_second_run_keeps_the_markers_of_the_first(timelines: Timelines, jobs: FakeJobs) -> None:
    first, plan = mark(timelines, jobs)
    timelines.read_back(first, applied(plan))
    made = markers(plan)

    _, again = mark(timelines, jobs, {**of_clips("/a.mov"), "markers": made})

    assert [each["op"] for each in again["operations"]] == ["require"]
    assert again["summary"]["markers"] == 2


def test_undo_takes_back_the_newest_session_and_then_the_one_before(timelines: Timelines, jobs: FakeJobs) -> None:
    (first, plan), (second, other), there = two_sessions(timelines, jobs)

    undo = timelines.open({"action": "undo", "snapshot": there})
    removal = timelines.plan(undo["id"])

    assert undo["state"] == "planned"
    assert removal is not None
    assert [each.get("custom") for each in removal["operations"][1:]] == [m["custom"] for m in markers(other)]

    timelines.read_back(undo["id"], applied(removal))
    assert (state(timelines, first), state(timelines, second)) == ("applied", "undone")

    undo = timelines.open({"action": "undo", "snapshot": {**there, "markers": markers(plan)}})
    removal = timelines.plan(undo["id"])
    assert removal is not None
    assert [each.get("custom") for each in removal["operations"][1:]] == [m["custom"] for m in markers(plan)]


def test_undo_of_a_chosen_session_leaves_the_others(timelines: Timelines, jobs: FakeJobs) -> None:
    (first, _), (second, _), there = two_sessions(timelines, jobs)

    undo = timelines.open({"action": "undo", "snapshot": there, "options": {"session": first}})
    removal = timelines.plan(undo["id"])
    assert removal is not None
    timelines.read_back(undo["id"], applied(removal))

    assert (state(timelines, first), state(timelines, second)) == ("undone", "applied")


def test_a_client_that_died_after_it_got_the_plan_may_have_applied_it(timelines: Timelines, jobs: FakeJobs) -> None:
    session, plan = mark(timelines, jobs)

    undo = timelines.open({"action": "undo", "snapshot": {**of_clips("/a.mov"), "markers": markers(plan)[:1]}})
    removal = timelines.plan(undo["id"])

    assert removal is not None
    assert [each.get("custom") for each in removal["operations"][1:]] == [markers(plan)[0]["custom"]]
    timelines.read_back(undo["id"], applied(removal))
    assert state(timelines, session) == "undone"


def test_undo_without_anything_to_undo_is_refused(timelines: Timelines) -> None:
    with pytest.raises(SettingError, match="undone"):
        timelines.open({"action": "undo", "snapshot": of_clips("/a.mov")})
    assert timelines.sessions() == []


def test_removed_markers_leave_nothing_to_undo(timelines: Timelines, jobs: FakeJobs) -> None:
    session, plan = mark(timelines, jobs)
    timelines.read_back(session, applied(plan))
    removal = timelines.open({"action": "remove_markers", "snapshot": {**of_clips("/a.mov"), "markers": markers(plan)}})
    edits = timelines.plan(removal["id"])
    assert edits is not None
    assert len(edits["operations"]) == 3

    timelines.read_back(removal["id"], applied(edits))

    assert state(timelines, session) == "undone"
    with pytest.raises(SettingError):
        timelines.open({"action": "undo", "snapshot": of_clips("/a.mov")})


def test_sessions_of_other_timelines_and_projects_are_not_undone(timelines: Timelines, jobs: FakeJobs) -> None:
    session, plan = mark(timelines, jobs)
    timelines.read_back(session, applied(plan))

    with pytest.raises(SettingError):
        timelines.open({"action": "undo", "snapshot": {**of_clips("/a.mov"), "project": {"id": "p2", "name": "Other"}}})


def test_what_was_read_back_comes_in_parts(timelines: Timelines, jobs: FakeJobs) -> None:
    session, plan = mark(timelines, jobs)
    results = applied(plan)["results"]

    half = timelines.read_back(session, {"results": results[:2]})
    bad = timelines.read_back(session, {"results": [{**results[2], "ok": False, "message": "the frame is taken"}]})
    whole = timelines.read_back(session, {"results": results[2:]})

    assert half is not None
    assert bad is not None
    assert whole is not None
    assert (half["state"], half["error"]) == ("partial", None)
    assert (bad["state"], bad["error"]["message"]) == ("partial", "the frame is taken")
    assert (whole["state"], whole["error"]) == ("applied", None)


def test_a_timeline_that_changed_meanwhile_leaves_nothing_to_undo(timelines: Timelines, jobs: FakeJobs) -> None:
    session, plan = mark(timelines, jobs)
    first = applied(plan)["results"][0]

    after = timelines.read_back(session, {"results": [{**first, "ok": False, "message": "i1 has moved"}]})

    assert after is not None
    assert (after["state"], after["error"]["message"]) == ("failed", "i1 has moved")
    with pytest.raises(SettingError):
        timelines.open({"action": "undo", "snapshot": of_clips("/a.mov")})


def test_results_of_other_operations_are_refused(timelines: Timelines, jobs: FakeJobs) -> None:
    session, _ = mark(timelines, jobs)

    with pytest.raises(SettingError, match="'o99' is no operation"):
        timelines.read_back(session, {"results": [{"id": "o99", "ok": True, "found": {}, "message": ""}]})
    assert state(timelines, session) == "planned"


def test_cancel_ends_the_jobs(timelines: Timelines, jobs: FakeJobs) -> None:
    session = timelines.open({"action": "mark", "snapshot": of_clips("/a.mov")})["id"]

    assert timelines.cancel(session)

    assert jobs.cancelled == ["j0"]
    assert state(timelines, session) == "failed"
    with pytest.raises(NotPlanned, match="cancelled"):
        timelines.plan(session)
    assert not timelines.cancel(session)
    assert not timelines.cancel("unknown")


def test_a_full_queue_takes_back_what_was_queued(tmp_path: Path) -> None:
    jobs = FakeJobs(room=1)
    timelines = Timelines(tmp_path / "timelines", jobs)
    with pytest.raises(QueueFull):
        timelines.open({"action": "mark", "snapshot": of_clips("/a.mov", "/b.mov")})

    assert jobs.cancelled == ["j0"]
    assert timelines.sessions() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"action": "explode"}, "Actions: mark"),
        ({"action": ["mark"]}, "Actions: mark"),
        ({"options": []}, "no object"),
        ({"options": {"colour": "Red"}}, "Options: method"),
        ({"options": {"color": "Beige"}}, "Colours: Blue"),
        ({"options": {"threshold": 7}}, "threshold"),
        ({"action": "undo", "options": {"method": ["deep"]}}, "method"),
        ({"snapshot": None}, "no object"),
        ({"snapshot": {}}, "missing"),
    ],
)
def test_bad_requests_say_what_is_wrong(timelines: Timelines, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError) as caught:
        timelines.open({"action": "mark", "snapshot": of_clips("/a.mov"), **changes})
    assert words in f"{caught.value} {caught.value.hint}"


def test_a_damaged_session_does_not_hide_the_others(tmp_path: Path, timelines: Timelines, jobs: FakeJobs) -> None:
    first, _ = mark(timelines, jobs)
    second, _ = mark(timelines, jobs)
    (tmp_path / "timelines" / first / "session.json").write_text("{half")

    assert [each["id"] for each in timelines.sessions()] == [second]


def test_unknown_sessions_are_none(timelines: Timelines) -> None:
    assert timelines.session("nope") is None
    assert timelines.plan("nope") is None
    assert timelines.read_back("nope", {"results": []}) is None


def test_everything_that_is_kept_is_json(tmp_path: Path, timelines: Timelines, jobs: FakeJobs) -> None:
    session, plan = mark(timelines, jobs)
    timelines.read_back(session, applied(plan))

    names = {path.name for path in (tmp_path / "timelines" / session).iterdir()}
    assert names == {"session.json", "snapshot.json", "plan.json", "readback.json"}
    for path in (tmp_path / "timelines" / session).iterdir():
        json.loads(path.read_text(encoding="utf-8"))


def test_an_undo_that_reports_in_parts_ends_one_session(timelines: Timelines, jobs: FakeJobs) -> None:
    (first, _), (second, _), there = two_sessions(timelines, jobs)
    undo = timelines.open({"action": "undo", "snapshot": there})["id"]
    removal = timelines.plan(undo)
    assert removal is not None
    results = applied(removal)["results"]

    for part in (results[:1], results[1:], results):
        timelines.read_back(undo, {"results": part})

    assert (state(timelines, undo), state(timelines, second)) == ("applied", "undone")
    assert state(timelines, first) == "applied"


def test_what_was_not_taken_back_wholly_is_taken_back_by_the_next_undo(timelines: Timelines, jobs: FakeJobs) -> None:
    (_, _), (second, other), there = two_sessions(timelines, jobs)
    undo = timelines.open({"action": "undo", "snapshot": there})["id"]
    removal = timelines.plan(undo)
    assert removal is not None
    *done, last = applied(removal)["results"]
    timelines.read_back(undo, {"results": [*done, {**last, "ok": False, "message": "it stays"}]})

    again = timelines.open({"action": "undo", "snapshot": there})
    removal = timelines.plan(again["id"])

    assert (state(timelines, undo), state(timelines, second)) == ("partial", "applied")
    assert removal is not None
    assert [each.get("custom") for each in removal["operations"][1:]] == [m["custom"] for m in markers(other)]


def test_undo_passes_over_a_plan_that_was_looked_at_alone(timelines: Timelines, jobs: FakeJobs) -> None:
    first, plan = mark(timelines, jobs)
    timelines.read_back(first, applied(plan))
    shown, _ = mark(timelines, jobs)

    undo = timelines.open({"action": "undo", "snapshot": {**of_clips("/a.mov"), "markers": markers(plan)}})["id"]
    removal = timelines.plan(undo)
    assert removal is not None
    assert [each.get("custom") for each in removal["operations"][1:]] == [m["custom"] for m in markers(plan)]

    timelines.read_back(undo, applied(removal))
    assert (state(timelines, first), state(timelines, shown)) == ("undone", "undone")


def test_undo_passes_over_a_run_that_made_nothing(timelines: Timelines, jobs: FakeJobs) -> None:
    first, plan = mark(timelines, jobs)
    timelines.read_back(first, applied(plan))
    there = {**of_clips("/a.mov"), "markers": markers(plan)}
    second, again = mark(timelines, jobs, there)
    timelines.read_back(second, applied(again))
    assert state(timelines, second) == "applied"

    undo = timelines.open({"action": "undo", "snapshot": there})["id"]
    removal = timelines.plan(undo)
    assert removal is not None
    assert [each.get("custom") for each in removal["operations"][1:]] == [m["custom"] for m in markers(plan)]

    timelines.read_back(undo, applied(removal))
    assert (state(timelines, first), state(timelines, second)) == ("undone", "undone")


def test_undo_of_what_the_editor_has_removed_leaves_the_run_before(timelines: Timelines, jobs: FakeJobs) -> None:
    (first, plan), (second, _), _ = two_sessions(timelines, jobs)

    undo = timelines.open({"action": "undo", "snapshot": {**of_clips("/a.mov"), "markers": markers(plan)}})["id"]
    removal = timelines.plan(undo)
    assert removal is not None
    assert [each["op"] for each in removal["operations"]] == ["require"]

    timelines.read_back(undo, applied(removal))
    assert (state(timelines, first), state(timelines, second)) == ("applied", "undone")


def test_a_late_report_does_not_bring_back_what_was_undone(timelines: Timelines, jobs: FakeJobs) -> None:
    first, plan = mark(timelines, jobs)
    undo = timelines.open({"action": "undo", "snapshot": {**of_clips("/a.mov"), "markers": markers(plan)}})["id"]
    removal = timelines.plan(undo)
    assert removal is not None
    timelines.read_back(undo, applied(removal))

    timelines.read_back(first, applied(plan))

    assert state(timelines, first) == "undone"


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


def test_cuts_that_another_version_found_are_a_reason(timelines: Timelines, jobs: FakeJobs) -> None:
    session = timelines.open({"action": "mark", "snapshot": of_clips("/a.mov")})["id"]
    jobs.table["j0"].update(state="done", result={"rate": "24", "cuts": []})

    plan = timelines.plan(session)

    assert plan is not None
    assert "another version" in plan["summary"]["skipped"][0]["reason"]


def test_a_path_that_cannot_be_taken_leaves_out_its_item_alone(timelines: Timelines, jobs: FakeJobs) -> None:
    session = timelines.open({"action": "mark", "snapshot": of_clips("/a.mov", "cloud:b.mov")})["id"]
    jobs.done()

    plan = timelines.plan(session)

    assert plan is not None
    assert len(markers(plan)) == 2
    assert "no absolute path" in plan["summary"]["skipped"][0]["reason"]


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


def test_a_list_tells_that_the_jobs_have_ended(timelines: Timelines, jobs: FakeJobs) -> None:
    timelines.open({"action": "mark", "snapshot": of_clips("/a.mov")})
    jobs.done()

    assert [each["state"] for each in timelines.sessions()] == ["planned"]


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
