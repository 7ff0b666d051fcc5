from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sidecar.sessions import FakeJobs, jobs, mark, state, timelines
from sidecar.snapshots import applied, markers, of_clips
from snapupscale.errors import NotPlanned, SettingError
from snapupscale.sidecar.timelines import Timelines

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["jobs", "timelines"]
"""The fixtures."""


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


def test_a_second_run_keeps_the_markers_of_the_first(timelines: Timelines, jobs: FakeJobs) -> None:
    first, plan = mark(timelines, jobs)
    timelines.read_back(first, applied(plan))
    made = markers(plan)

    _, again = mark(timelines, jobs, {**of_clips("/a.mov"), "markers": made})

    assert [each["op"] for each in again["operations"]] == ["require"]
    assert again["summary"]["markers"] == 2


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


def test_a_list_tells_that_the_jobs_have_ended(timelines: Timelines, jobs: FakeJobs) -> None:
    timelines.open({"action": "mark", "snapshot": of_clips("/a.mov")})
    jobs.done()

    assert [each["state"] for each in timelines.sessions()] == ["planned"]
