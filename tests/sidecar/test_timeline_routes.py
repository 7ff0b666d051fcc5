from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from footage import long_footage
from sidecar.direct import HOST, JSON, KEYS, TOKEN, call
from sidecar.snapshots import applied, markers, of_clips
from snapupscale import protocol
from snapupscale.sidecar.app import make_app
from snapupscale.sidecar.lifetime import Lifetime
from snapupscale.sidecar.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.applications import Starlette


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Starlette]:
    service = Service(tmp_path / "data")
    yield make_app(service, KEYS, Lifetime(60))
    service.close()


def ask(app: Starlette, method: str, path: str, data: Any = None, query: str = "") -> tuple[int, Any]:
    body = protocol.encode({} if data is None else data)
    answer = call(app, method, path, [HOST, TOKEN, JSON], [body], query=query)
    return answer.status, answer.data


def test_from_footage_to_markers_and_back(app: Starlette, clip: Callable[..., Path]) -> None:
    path = clip("session.mp4", frames=60, picture=long_footage, options={"crf": "12"})
    status, session = ask(app, "POST", "/v1/timelines", {"action": "mark", "snapshot": of_clips(path)})
    assert status == 201
    place = f"/v1/timelines/{session['id']}"
    assert ask(app, "GET", f"{place}/plan")[0] in {200, 409}

    deadline = time.monotonic() + 60
    while ask(app, "GET", place)[1]["state"] == "working" and time.monotonic() < deadline:
        time.sleep(0.05)
    status, plan = ask(app, "GET", f"{place}/plan")
    assert status == 200
    assert protocol.read_plan(plan) == plan
    assert [marker["frame"] for marker in markers(plan)] == [20, 40]

    status, after = ask(app, "POST", f"{place}/readback", applied(plan))
    assert (status, after["state"]) == (200, "applied")
    assert protocol.read_session(after) == after
    listed = ask(app, "GET", "/v1/timelines", query="timeline=tl")[1]
    assert [each["id"] for each in protocol.read_sessions(listed)] == [session["id"]]

    there = {**of_clips(path), "markers": markers(plan)}
    status, undo = ask(app, "POST", "/v1/timelines", {"action": "undo", "snapshot": there})
    assert (status, undo["state"]) == (201, "planned")
    removal = ask(app, "GET", f"/v1/timelines/{undo['id']}/plan")[1]
    assert [each["op"] for each in removal["operations"]] == ["require", "remove_marker", "remove_marker"]


def test_a_plan_waits_for_its_jobs_and_a_session_can_be_cancelled(app: Starlette, tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(b"x" * 1000)
    session = ask(app, "POST", "/v1/timelines", {"action": "mark", "snapshot": of_clips(path)})[1]["id"]
    place = f"/v1/timelines/{session}"

    status, refusal = ask(app, "GET", f"{place}/plan")
    assert (status, refusal["error"]["code"]) == (409, "not-planned")
    assert ask(app, "POST", f"{place}/cancel")[0] == 202
    assert ask(app, "GET", place)[1]["state"] == "failed"
    assert ask(app, "POST", f"{place}/cancel")[0] == 409


@pytest.mark.parametrize(
    ("method", "end"), [("GET", ""), ("GET", "/plan"), ("POST", "/readback"), ("POST", "/cancel")]
)
def test_unknown_sessions_are_not_found(app: Starlette, method: str, end: str) -> None:
    status, refusal = ask(app, method, f"/v1/timelines/nope{end}")
    assert (status, refusal["error"]["code"]) == (404, "not-found")


def test_a_bad_snapshot_names_the_place(app: Starlette) -> None:
    data = of_clips("/a.mov")
    data["items"][0]["start"] = "soon"
    status, refusal = ask(app, "POST", "/v1/timelines", {"action": "mark", "snapshot": data})
    assert status == 422
    assert "items[0].start" in refusal["error"]["message"]


@pytest.mark.parametrize("odd", ["1e999", "[" * 600 + "]" * 600])
@pytest.mark.parametrize("where", ["snapshot", "readback"])
def test_what_could_not_be_kept_is_refused_at_the_door(app: Starlette, odd: str, where: str) -> None:
    data = {**of_clips(), "new": "ODD"}
    session = ask(app, "POST", "/v1/timelines", {"action": "remove_markers", "snapshot": data})[1]["id"]
    ask(app, "GET", f"/v1/timelines/{session}/plan")
    found = {"results": [{"id": "o1", "ok": True, "found": {"x": "ODD"}, "message": ""}]}
    path, sent = {
        "snapshot": ("/v1/timelines", {"action": "remove_markers", "snapshot": data}),
        "readback": (f"/v1/timelines/{session}/readback", found),
    }[where]
    body = json.dumps(sent).replace('"ODD"', odd).encode()

    answer = call(app, "POST", path, [HOST, TOKEN, JSON], [body])

    assert (answer.status, answer.data["error"]["code"]) == (400, "bad-request")


def test_what_the_sidecar_cannot_keep_is_no_fault_of_the_client(app: Starlette, tmp_path: Path) -> None:
    shelf = tmp_path / "data" / "sidecar" / "timelines"
    shelf.write_text("a file where the folder should be")

    status, refusal = ask(app, "POST", "/v1/timelines", {"action": "remove_markers", "snapshot": of_clips()})

    assert (status, refusal["error"]["code"]) == (507, "output-unwritable")
