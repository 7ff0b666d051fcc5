"""What the menu scripts ask of a sidecar, real ones and ones that misbehave."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from footage import long_footage
from plugin.clients import client, never, served
from plugin.servers import health, http_server, publish, published
from sidecar.fakes import ask
from sidecar.snapshots import of_clips
from snapupscale import protocol
from snapupscale.sidecar import discovery as sidecar
from snapupscale_resolve import discovery
from snapupscale_resolve.client import Client, connect
from snapupscale_resolve.faults import ConnectionLost, Refused, TokenRefused
from snapupscale_resolve.wire import Wire
from test_protocol import GOLDEN
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugin.conftest import Starter
    from plugin.servers import Answer
    from snapupscale_resolve.launch import Started

__all__ = ["client", "served"]
"""The fixtures."""


@pytest.fixture
def small(clip: Callable[..., Path]) -> str:
    return str(clip("plugin.mp4", frames=30))


def test_a_job_from_its_request_to_its_result(client: Client, small: str) -> None:
    job = client.submit({"kind": "cuts", "source": small})
    told: list[Any] = []
    done = client.wait([job["id"]], told.append)
    assert done.keys() == {job["id"]}
    assert (done[job["id"]]["state"], done[job["id"]]["result"]["frames"]) == ("done", 30)
    assert told[-1] == done[job["id"]] == client.job(job["id"])
    events = client.events(job_id=job["id"])
    assert events[-1]["data"] == {"state": "done"}
    assert client.events(after=events[-1]["id"]) == []
    with pytest.raises(Refused, match="ended") as raised:
        client.cancel(job["id"])
    assert (raised.value.status, raised.value.code) == (409, "job-ended")


def test_several_jobs_are_waited_for_and_one_may_fail(client: Client, small: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    ids = [client.submit({"kind": "probe", "source": path})["id"] for path in (small, str(broken), small)]
    done = client.wait(ids)
    assert [done[each]["state"] for each in ids] == ["done", "failed", "done"]
    assert done[ids[1]]["error"].keys() == {"code", "message", "hint"}
    assert client.wait([]) == {}


def test_waiting_stops_soon_when_asked_and_the_job_goes_on(client: Client, clip: Callable[..., Path]) -> None:
    footage = clip("plugin_long.mp4", frames=600, picture=long_footage)
    job = client.submit({"kind": "upscale", "source": str(footage), "backend": "lanczos", "scale": 2})
    began = time.monotonic()
    jobs = client.wait([job["id"]], should_stop=lambda: time.monotonic() - began > 0.3)
    assert time.monotonic() - began < 2
    assert jobs[job["id"]]["state"] in {"queued", "running"}
    client.cancel(job["id"])
    assert client.wait([job["id"]])[job["id"]]["error"]["code"] == "cancelled"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_waiting_goes_on_when_the_sidecar_dies(starter: Callable[[], Starter], clip: Callable[..., Path]) -> None:
    start = starter()
    client = connect(start)
    footage = clip("plugin_long.mp4", frames=600, picture=long_footage)
    job = client.submit({"kind": "upscale", "source": str(footage), "backend": "lanczos", "scale": 2, "limit": 2})
    killed: list[int] = []

    def kill(found: dict[str, Any]) -> None:
        if found["stills"] and not killed:
            killed.append(start.started[0].process.pid)
            os.kill(killed[0], signal.SIGKILL)
            start.started[0].process.wait()

    done = client.wait([job["id"]], kill)[job["id"]]
    assert killed
    assert (done["state"], len(done["stills"])) == ("done", 2)
    assert client.health()["pid"] == start.started[-1].process.pid != killed[0]


def test_an_error_of_the_sidecar_is_passed_through(client: Client, tmp_path: Path) -> None:
    for job, code in (
        ({"kind": "dance", "source": "/x"}, "bad-setting"),
        ({"kind": "probe", "source": str(tmp_path / "gone.mov")}, "source-missing"),
    ):
        with pytest.raises(Refused) as raised:
            client.submit(job)
        assert (raised.value.status, raised.value.code) == (422, code)
        assert raised.value.hint
    with pytest.raises(Refused) as raised:
        client.job("nobody")
    assert (raised.value.status, raised.value.code) == (404, "not-found")


def test_ids_go_into_paths_only_when_they_are_ids(served: Any) -> None:
    asked: list[str] = []
    client = served(lambda method, path: asked.append(path))
    for name in ("", "../stop", "a/b", "a?b", "a\n", "x" * 65, "\u00e4"):
        for ask_for in (client.job, client.cancel, client.session, client.plan, client.cancel_session):
            with pytest.raises(ValueError, match="is no id"):
                ask_for(name)
    assert asked == []


def test_a_page_opens_once(client: Client) -> None:
    url = urlsplit(client.page_url("/v1/jobs/a-b/report"))
    found = sidecar.read()
    assert found
    assert (url.scheme, url.netloc, url.path, url.query) == ("http", f"127.0.0.1:{found.port}", "/open", "")
    fields = parse_qs(url.fragment)
    assert fields["to"] == ["/v1/jobs/a-b/report"]
    code = {"code": fields["code"][0]}
    assert ask(found, "POST", "/v1/session", code, Authorization="").status == 201
    assert ask(found, "POST", "/v1/session", code, Authorization="").status == 401


def test_what_is_put_into_a_page_address_stays_in_its_place(client: Client) -> None:
    fragment = client.page_url("/a b&to=//evil#x").split("#", 1)[1]
    assert parse_qs(fragment)["to"] == ["/a b&to=//evil#x"]
    assert "+" not in fragment


def test_a_sidecar_that_was_restarted_is_found_again(starter: Callable[[], Starter], small: str) -> None:
    client = connect(starter())
    first = sidecar.read()
    assert first
    ask(first, "POST", protocol.STOP)
    until(lambda: sidecar.read() is None)
    second = connect(starter()).health()["pid"]
    assert second != first.pid
    assert client.submit({"kind": "probe", "source": small})["state"] == "queued", "nothing had been sent"
    assert client.health()["pid"] == second


def test_a_token_that_changed_is_read_again_once() -> None:
    good, seen = "g" * 43, []

    def answer(method: str, path: str, headers: Any) -> Answer:
        seen.append(path)
        if headers["Authorization"] != f"Bearer {good}":
            return 401, json.dumps(GOLDEN["reply-error-401-unauthorised"]["reply"]).encode()
        return 200, health() if path == protocol.HEALTH else b'{"sessions": []}'

    with http_server(answer) as port:
        publish(published(port, token=good))
        client = connect(never)
        good = "h" * 43
        publish(published(port, token=good))
        assert client.sessions() == []
        assert seen[1:] == [protocol.TIMELINES, protocol.HEALTH, protocol.TIMELINES]
        good = "i" * 43
        refusing = Client(Wire(discovery.read()[0]), _gives_way, 0.3)
        with pytest.raises(TokenRefused, match="process 4242, refuses the token") as raised:
            refusing.sessions()
        assert "`snapupscale sidecar stop`" in raised.value.hint


def _gives_way() -> Started:
    from snapupscale_resolve.launch import Started

    started = Started([sys.executable, "-c", "import sys; sys.exit('code: sidecar-running')"], {})
    started.process.wait()  # whoever gives up sooner would leave it behind
    return started


def test_a_read_that_was_cut_off_is_repeated_once_and_a_write_is_not(served: Any) -> None:
    asked: list[str] = []

    def answer(method: str, path: str) -> Answer:
        asked.append(method)
        return None if len(asked) in {1, 3} else (200, b'{"sessions": []}')

    client = served(answer)
    assert client.sessions() == []
    assert asked == ["GET", "GET"]
    with pytest.raises(ConnectionLost, match="went away"):
        client.submit({"kind": "probe", "source": "/x"})
    assert asked == ["GET", "GET", "POST"]


def test_what_was_read_back_is_said_again_when_the_answer_was_cut_off(served: Any) -> None:
    asked: list[str] = []

    def answer(method: str, path: str) -> Answer:
        asked.append(f"{method} {path}")
        return None if len(asked) == 1 else (200, json.dumps(GOLDEN["reply-readback"]["reply"]).encode())

    assert served(answer).read_back("s1", [])["action"] == GOLDEN["reply-readback"]["reply"]["action"]
    assert asked == ["POST /v1/timelines/s1/readback"] * 2


def test_a_sidecar_that_stays_away_ends_the_request(served: Any) -> None:
    client = served(lambda *_: None)
    with pytest.raises(ConnectionLost):
        client.sessions()


def test_sessions_of_a_timeline(served: Any) -> None:
    asked: list[tuple[str, str]] = []
    routes = {
        ("POST", "/v1/timelines"): "reply-new-session",
        ("GET", "/v1/timelines"): "reply-sessions",
        ("GET", "/v1/timelines?timeline=t%2F1"): "reply-sessions",
        ("GET", "/v1/timelines/s2"): "reply-session-planned",
        ("GET", "/v1/timelines/s2/plan"): "reply-plan",
        ("POST", "/v1/timelines/s2/readback"): "reply-readback",
    }

    def answer(method: str, path: str) -> Answer:
        asked.append((method, path))
        if path.endswith("/cancel"):
            return 202, b"{}"
        message = GOLDEN[routes[method, path]]
        return message["status"], json.dumps(message["reply"]).encode()

    client = served(answer)
    snapshot = GOLDEN["request-timeline-mark"]["request"]["snapshot"]
    assert client.open_session("mark", snapshot, {"threshold": 0.4})["state"] == "working"
    assert [each["id"] for each in client.sessions()] == ["s2", "s1"]
    assert client.sessions("t/1") == client.sessions()
    assert client.session("s2")["state"] == "planned"
    assert client.plan("s2")["operations"][0]["op"] == "require"
    assert client.read_back("s2", GOLDEN["request-readback"]["request"]["results"])["state"] == "partial"
    client.cancel_session("s2")
    assert asked[-1] == ("POST", "/v1/timelines/s2/cancel")
    assert set(routes) <= set(asked)


def test_a_real_session_has_the_form_of_the_golden_ones(client: Client, clip: Callable[..., Path]) -> None:
    snapshot = of_clips(clip("plugin_long.mp4", frames=600, picture=long_footage))
    session = client.open_session("mark", snapshot)
    assert session.keys() == GOLDEN["reply-new-session"]["reply"].keys()
    client.wait([job["id"] for job in session["jobs"]])
    until(lambda: client.session(session["id"])["state"] != "working")
    plan = client.plan(session["id"])
    known = GOLDEN["reply-plan"]["reply"]
    assert (plan.keys(), plan["summary"].keys()) == (known.keys(), known["summary"].keys())
    assert "add_marker" in {operation["op"] for operation in plan["operations"]}
    assert client.sessions(snapshot["timeline"]["id"])[0]["id"] == session["id"]


def test_a_plan_that_is_not_ready_is_said_by_its_code(served: Any) -> None:
    message = GOLDEN["reply-error-409-not-planned"]
    with pytest.raises(Refused) as raised:
        served(lambda *_: (409, json.dumps(message["reply"]).encode())).plan("s2")
    assert raised.value.code == "not-planned"
