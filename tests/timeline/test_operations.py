"""The closed set of edits, there and back, as the protocol has it."""

from __future__ import annotations

import json
from dataclasses import fields
from fractions import Fraction

import pytest

from snapshots import Editor, make_item, make_snapshot
from snapupscale import protocol
from snapupscale.errors import SettingError
from snapupscale.timeline.actions import make_plan
from snapupscale.timeline.found import Found
from snapupscale.timeline.memory import read_results
from snapupscale.timeline.operations import (
    OPERATIONS,
    CopyGrade,
    OwnTrack,
    Take,
    flat,
    numbered,
    read_operation,
    to_json,
)
from snapupscale.timeline.options import CLIP_COLOURS, MARKER_COLOURS, Options, read_options
from snapupscale.timeline.pieces import Held, pieces
from snapupscale.timeline.plan import Plan, plan_to_json, read_plan
from snapupscale.timeline.wire import encode

EXAMPLES = {
    "id": "o1",
    "project": "p",
    "timeline": "t",
    "items": [{"id": "i", "start": 1, "end": 2}],
    "name": "n",
    "frame": 1,
    "color": "Sky",
    "note": "",
    "duration": 1,
    "custom": "c",
    "path": "/x",
    "frames": 3,
    "ref": "r",
    "item": "i",
    "media": "m",
    "start": 0,
    "end": 3,
    "otherwise": [{"id": "o2", "op": "bin", "name": "b"}],
    "track": "t",
    "record": 9,
    "from": "i",
    "to": "r",
    "names": ["Pan"],
    "set": {"Scaling": 2},
    "colour": "Teal",
    "colour_space": "Rec.709",
    "paths": ["/x"],
    "bin": "b",
}


def example(op: str) -> dict[str, object]:
    items = {"items": ["i"]} if op == "remove_items" else {}
    return {"op": op} | {key: (EXAMPLES | items)[key] for key in ("id", *protocol.OPERATIONS[op])}


def test_the_set_is_that_of_the_protocol() -> None:
    assert set(OPERATIONS) == set(protocol.OPERATIONS)
    for op, kind in OPERATIONS.items():
        keys = {field.metadata.get("key", field.name) for field in fields(kind)}
        assert keys == {"id", *protocol.OPERATIONS[op]}


@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_there_and_back(op: str) -> None:
    assert to_json(read_operation(example(op))) == example(op)


@pytest.mark.parametrize("op", OPERATIONS)
def test_every_key_of_an_operation_is_needed(op: str) -> None:
    for key in example(op):
        with pytest.raises(SettingError):
            read_operation({name: value for name, value in example(op).items() if name != key})


@pytest.mark.parametrize("data", [None, [], {"op": "razor", "id": "1"}, {"op": 3, "id": "1"}])
def test_what_is_none_is_refused(data: object) -> None:
    with pytest.raises(SettingError):
        read_operation(data, "operations[0]")


def test_numbers_are_unique_also_within_takes() -> None:
    inner = OwnTrack(name="n", ref="r")
    take = Take(item="i", media="m", start=0, end=1, otherwise=(inner, inner))

    assert [o.id for o in flat(numbered([inner, take, inner]))] == ["o1", "o2", "o3", "o4", "o5"]


def whole_plan() -> Plan:
    snapshot = make_snapshot(make_item("a", 86400, 86500), make_item("b", 86500, 86600, source_start=200))
    findings: dict[str, Found | str] = {"m1": Found(rate=Fraction(24), frames=1000, cuts=(50,))}
    parts = pieces(snapshot, findings)
    held = {piece: Held(path=f"/x/{piece.record_start}.mov", frames=piece.frames) for piece in parts}
    return make_plan("stills", snapshot, "s1", findings=findings, held=held)


def test_a_plan_goes_over_the_wire_and_back() -> None:
    plan = whole_plan()
    data = json.loads(json.dumps(plan_to_json(plan)))

    assert read_plan(data) == plan
    assert protocol.read_plan(data) == data
    assert data["protocol"] == protocol.NUMBER


def test_every_reference_is_made_before_it_is_used() -> None:
    made: set[str] = set()
    for operation in flat(whole_plan().operations):
        for name in ("media", "track", "to"):
            value = getattr(operation, name, None)
            assert value is None or value in made
        made.add(getattr(operation, "ref", ""))
        assert not isinstance(operation, CopyGrade) or operation.copy_from.startswith("id-")


def test_results_are_read_strictly() -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86500))
    done = Editor(snapshot).apply(make_plan("mark", snapshot, "s", findings={}))
    data = {"results": [encode(result) for result in done.results]}

    assert read_results(data) == done.results
    for bad in ({}, {"results": [{}]}, {"results": [{"id": "o1", "ok": 1, "found": {}, "message": ""}]}):
        with pytest.raises(SettingError):
            read_results(bad)
    with pytest.raises(SettingError, match=r"results\[0\].found"):
        read_results({"results": [{"id": "o1", "ok": True, "found": [], "message": ""}]})


def test_options_have_defaults_and_know_their_colours() -> None:
    assert read_options({"threshold": 0.3}) == Options()
    assert read_options({"color": "Mint", "checkpoint": False}) == Options(color="Mint", checkpoint=False)
    for bad in ({"color": "Teal"}, {"clip_colour": "Sky"}, {"checkpoint": 1}, {"session": None}):
        with pytest.raises(SettingError):
            read_options(bad)
    assert (len(set(MARKER_COLOURS)), len(set(CLIP_COLOURS))) == (16, 16)


@pytest.mark.parametrize(("action", "session"), [("razor", "s"), ("mark", ""), ("mark", "a:b")])
def test_unknown_actions_and_session_ids_are_refused(action: str, session: str) -> None:
    with pytest.raises(SettingError):
        make_plan(action, make_snapshot(), session)


def test_an_empty_timeline_gives_an_empty_plan_of_every_action() -> None:
    for action in ("mark", "stills", "remove_markers"):
        plan = make_plan(action, make_snapshot(), "s")
        assert [operation.op for operation in plan.operations] == ["require"]


def test_what_a_client_says_of_a_failure_is_never_too_long() -> None:
    (result,) = read_results({"results": [{"id": "o1", "ok": False, "found": {}, "message": "\0" + "x" * 9000}]})

    assert (len(result.message), result.message[:2]) == (4096, "_x")
