"""Which session an undo takes back, and what it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sidecar.sessions import FakeJobs, jobs, mark, state, timelines, two_sessions
from sidecar.snapshots import applied, markers, of_clips
from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from snapupscale.sidecar.timelines import Timelines

__all__ = ["jobs", "timelines"]
"""The fixtures."""


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
