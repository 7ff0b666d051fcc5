"""The words at the end of an action."""

from __future__ import annotations

from typing import Any

from snapupscale_resolve.executor import Outcome
from snapupscale_resolve.summary import summary


def plan(action: str = "mark", *operations: dict[str, Any], **told: Any) -> dict[str, Any]:
    whole = {"markers": 0, "shots": 0, "stills": 0, "skipped": [], "warnings": []}
    return {"action": action, "operations": list(operations), "summary": {**whole, **told}}


def outcome(*results: dict[str, Any], **changes: Any) -> Outcome:
    whole = {"results": list(results), "trouble": "", "stays": [], "removed": False}
    return Outcome(**{**whole, **changes})


def result(name: str, message: str = "") -> dict[str, Any]:
    return {"id": name, "ok": not message, "found": {}, "message": message}


def test_markers_and_shots_are_counted() -> None:
    end = summary(plan(markers=1, shots=2), outcome(result("o1")))
    assert end == ("1 marker in 2 shots.", [], False)
    assert summary(plan("stills", stills=3, shots=3), outcome()).title == "3 stills of 3 shots on the timeline."
    removed = plan("remove_markers", {"id": "o1", "op": "require"}, {"id": "o2", "op": "remove_marker"})
    assert summary(removed, outcome()).title == "1 marker removed."
    assert summary(plan("undo"), outcome(result("o1"), result("o2"))).title == "Undone."
    assert summary(plan("undo"), outcome(result("o1"))).title == "There was nothing left to undo."


def test_what_is_left_out_is_told_with_the_reason() -> None:
    skipped = [{"item": "Title", "track": 2, "at": "01:00:04:00", "reason": "It is a title."}] * 2
    end = summary(plan(markers=1, shots=2, skipped=skipped, warnings=["Look."]), outcome())
    assert end.lines == ["Left out: 2", "  Title, track 2, 01:00:04:00: It is a title.", "  Look."]
    assert not end.needs_eyes
    assert summary(plan(skipped=skipped), outcome()).needs_eyes, "nothing is to be seen on the timeline"


def test_long_lists_are_cut() -> None:
    end = summary(plan(markers=1, warnings=[f"w{number}" for number in range(30)]), outcome())
    assert len(end.lines) == 21
    assert end.lines[-1] == "  and 10 more"


def test_edits_that_failed_are_told_but_not_those_that_were_replaced() -> None:
    operations = [{"id": "o1", "op": "take", "otherwise": [{"id": "o2", "op": "place"}]}, {"id": "o3", "op": "bin"}]
    fine = summary(plan("stills", *operations, stills=1), outcome(result("o1", "no take"), result("o2")))
    assert (fine.lines, fine.needs_eyes) == ([], False)
    end = summary(plan("stills", *operations, stills=1), outcome(result("o1", "no take"), result("o3", "no colour")))
    assert end.needs_eyes
    assert end.lines[:2] == ["1 of 2 edits were not made:", "  no colour"]
    assert "Workspace > Scripts > SnapUpscale > Undo Last SnapUpscale" in end.lines[2]


def test_an_action_that_was_given_up_says_what_stays() -> None:
    end = summary(plan(), outcome(trouble="a clip is gone."))
    assert end == ("Mark Scene Cuts: a clip is gone.", ["Nothing on the timeline was changed."], True)
    end = summary(plan("stills"), outcome(trouble="no", stays=["the bin SnapUpscale"], removed=True))
    assert end.lines[1] == "  the bin SnapUpscale"
    assert "Stills of an earlier run were removed" in end.lines[2]
    assert "Undo Last SnapUpscale" in end.lines[3]
