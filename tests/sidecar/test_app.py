from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.direct import HOST, JSON, KEYS, TOKEN, Reply, call
from sidecar.fakes import MemoryService
from snapupscale import __version__
from snapupscale.errors import DiskFull, OutputBusy, QueueFull, SourceMissing
from snapupscale.sidecar import app as app_module
from snapupscale.sidecar import feed
from snapupscale.sidecar.app import make_app
from snapupscale.sidecar.guard import COOKIE
from snapupscale.sidecar.keys import Keys
from snapupscale.sidecar.lifetime import Lifetime
from snapupscale.sidecar.replies import encode

if TYPE_CHECKING:
    from starlette.applications import Starlette


@pytest.fixture
def service() -> MemoryService:
    return MemoryService()


@pytest.fixture
def lifetime() -> Lifetime:
    return Lifetime(60)


@pytest.fixture
def app(service: MemoryService, lifetime: Lifetime) -> Starlette:
    return make_app(service, KEYS, lifetime)


def get(app: Starlette, path: str, query: str = "", **headers: str) -> Reply:
    extra = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return call(app, "GET", path, [HOST, TOKEN, *extra], query=query)


def post(app: Starlette, path: str, data: object = None) -> Reply:
    body = data if isinstance(data, bytes) else json.dumps({} if data is None else data).encode()
    return call(app, "POST", path, [HOST, TOKEN, JSON], [body])


def test_health_says_which_sidecar_this_is(app: Starlette, service: MemoryService) -> None:
    data = get(app, "/v1/health").data
    assert data.keys() == {"version", "protocol", "pid", "uptime", "busy"}
    assert (data["version"], data["protocol"], data["busy"]) == (__version__, 1, False)
    service.submit({"kind": "endless"})
    assert get(app, "/v1/health").data["busy"] is True


def test_a_job_from_its_request_to_its_end(app: Starlette) -> None:
    made = post(app, "/v1/jobs", {"kind": "endless"})
    assert (made.status, made.data["id"]) == (201, "job-0")
    assert get(app, "/v1/jobs").data == {"jobs": [{"id": "job-0", "kind": "endless", "state": "queued"}]}
    assert get(app, "/v1/jobs/job-0").data["state"] == "queued"
    assert post(app, "/v1/jobs/job-0/cancel").status == 202
    assert get(app, "/v1/jobs/job-0").data["state"] == "failed"
    ended = post(app, "/v1/jobs/job-0/cancel")
    assert (ended.status, ended.data["error"]["code"]) == (409, "job-ended")
    assert [event["id"] for event in get(app, "/v1/events").data["events"]] == [1, 2]


@pytest.mark.parametrize("name", ["job-9", "..", "%2e%2e", "a b", "é", "x" * 10_000, "a\x00b", "\\\\host\\x", "C:"])
def test_there_is_no_such_job(app: Starlette, name: str) -> None:
    for reply in (get(app, f"/v1/jobs/{name}"), post(app, f"/v1/jobs/{name}/cancel")):
        assert (reply.status, reply.data["error"]["code"]) == (404, "not-found")


def test_what_is_no_route(app: Starlette) -> None:
    assert get(app, "/").status == 404
    assert get(app, "/v1/jobs/").status == 404
    assert get(app, "/v1/jobs/a/../../health").status == 404
    wrong = get(app, "/v1/stop")
    assert (wrong.status, wrong.data["error"]["code"], wrong.headers["allow"]) == (405, "bad-method", "POST")


@pytest.mark.parametrize(
    ("error", "status"),
    [(SourceMissing("no file"), 422), (OutputBusy("busy"), 409), (QueueFull("full"), 429), (DiskFull("full"), 507)],
)
def test_errors_of_the_tree_keep_their_code_and_hint(
    app: Starlette, service: MemoryService, monkeypatch: pytest.MonkeyPatch, error: Any, status: int
) -> None:
    def fail(data: object) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(service, "submit", fail)
    reply = post(app, "/v1/jobs", {"kind": "probe"})
    assert reply.status == status
    assert reply.data == {"error": {"code": error.code, "message": str(error), "hint": error.hint}}


def test_a_fault_says_so_without_details(
    app: Starlette, service: MemoryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("/home/me/private")

    monkeypatch.setattr(service, "jobs", fail)
    replies: list[Reply] = []
    monkeypatch.setattr("sidecar.direct.Reply", lambda: replies.append(Reply()) or replies[-1])
    with pytest.raises(RuntimeError):
        get(app, "/v1/jobs")
    assert (replies[0].status, replies[0].data["error"]["code"], replies[0].secured) == (500, "internal", True)
    assert b"private" not in replies[0].body


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"NaN", b'{"a": Infinity}', b"[" * 100_000, b'{"a":' * 100_000),
        *(b'"\\ud800"', b'{"\\udfff": 1}', b"1" * 5000, '{"kind": "ü"}'.encode("utf-16"), b"{} {}"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/session"])
def test_what_is_not_strict_json_is_refused(app: Starlette, path: str, body: bytes) -> None:
    reply = post(app, path, body)
    assert (reply.status, reply.data["error"]["code"]) == (400, "bad-request")


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "²", "9" * 30, str(2**63), " 1"])
def test_a_position_is_the_number_of_an_event(app: Starlette, after: str) -> None:
    for path in ("/v1/events", "/v1/events/stream"):
        assert get(app, path, f"after={quote(after)}").status == 400
        assert get(app, path, last_event_id=after).status == 400
    assert get(app, "/v1/events", f"after={2**63 - 1}").data == {"events": []}


def test_events_of_one_job_and_after_a_number(app: Starlette, service: MemoryService) -> None:
    for _ in range(3):
        service.submit({"kind": "probe"})
    assert [event["id"] for event in get(app, "/v1/events", "after=1").data["events"]] == [2, 3]
    assert [event["id"] for event in get(app, "/v1/events", "after=1&job=job-2").data["events"]] == [3]
    assert get(app, "/v1/events", "job=..%2fx").status == 404


def test_a_code_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(app: Starlette) -> None:
    code = post(app, "/v1/session/code").data["code"]
    opened = call(app, "POST", "/v1/session", [HOST, JSON], [json.dumps({"code": code}).encode()])
    assert opened.status == 201
    cookie, *attributes = opened.headers["set-cookie"].split("; ")
    assert {each.lower() for each in attributes} == {"httponly", "samesite=strict", "path=/"}
    assert cookie.startswith(f"{COOKIE}=")
    assert call(app, "GET", "/v1/jobs", [HOST, ("cookie", cookie)]).status == 200
    again = call(app, "POST", "/v1/session", [HOST, JSON], [json.dumps({"code": code}).encode()])
    assert (again.status, again.data["error"]["code"], "set-cookie" in again.headers) == (401, "bad-code", False)


def test_stop_stops(app: Starlette, lifetime: Lifetime) -> None:
    assert post(app, "/v1/stop").status == 202
    assert lifetime.stopping


def test_a_stream_tells_what_happens_and_ends_with_the_sidecar(
    service: MemoryService, lifetime: Lifetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(app_module, "_BEAT_SECONDS", 0.002)
    service.submit({"kind": "probe", "name": "line\nid: 99"})
    service.tell("job-0", "running")
    endpoints = app_module.Endpoints(service, Keys(), lifetime)

    async def listen() -> list[bytes]:
        lines = []
        async for line in endpoints._lines(1, None):
            assert not lifetime.idle
            lines.append(line)
            if len(lines) == 3:
                service.tell("job-0", "done")
            if len(lines) > 3 and line.startswith(b"id"):
                lifetime.stop()
        return lines

    lines = asyncio.run(listen())
    told = [line for line in lines if line.startswith(b"id")]
    assert [line.partition(b"\n")[0] for line in told] == [b"id: 2", b"id: 3"]
    assert json.loads(told[1].partition(b"data: ")[2]) == service.happened[2]
    assert b": still here\n\n" in lines
    assert all(line.endswith(b"\n\n") and line.count(b"\n") <= 3 for line in lines)


def test_nobody_waits_for_the_body_of_a_head(app: Starlette) -> None:
    assert call(app, "HEAD", "/v1/events/stream", [HOST, TOKEN]).status == 200


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["kind", "code", "source"]), inner),
    max_leaves=20,
)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"])
SEGMENTS = st.sampled_from(["v1", "jobs", "job-0", "cancel", "events", "session", "code", "stop", "health"])


@settings(max_examples=300, deadline=None)
@given(
    method=METHODS,
    path=st.lists(SEGMENTS | st.text(), max_size=5).map(lambda parts: "/" + "/".join(parts)),
    body=st.binary() | ANY_JSON.map(lambda data: json.dumps(data).encode()),
    query=st.text(st.characters(max_codepoint=255)) | st.integers().map(lambda number: f"after={number}&job=job-0"),
    last=st.text(st.characters(max_codepoint=255)),
)
def test_nothing_that_is_sent_is_a_fault(method: str, path: str, body: bytes, query: str, last: str) -> None:
    app = make_app(MemoryService(), Keys(), Lifetime(60))
    headers = [HOST, TOKEN, JSON, *([("last-event-id", last)] if last else [])]
    reply = call(app, method, path, headers, [body], query=query)
    assert 200 <= reply.status < 500
    assert reply.secured


ROUTES = [
    (method, route.path)  # type: ignore[attr-defined]
    for route in make_app(MemoryService(), Keys(), Lifetime(60)).routes
    for method in sorted(route.methods)  # type: ignore[attr-defined]
    if not route.path.endswith("stream")  # type: ignore[attr-defined]
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@settings(max_examples=30, deadline=None)
@given(
    name=st.text(min_size=1) | st.just("job-0"),
    body=st.binary() | ANY_JSON.map(lambda data: json.dumps(data).encode()),
    query=st.text(st.characters(max_codepoint=255)),
)
def test_no_body_is_a_fault_of_any_route(method: str, path: str, name: str, body: bytes, query: str) -> None:
    service = MemoryService()
    service.submit({"kind": "endless"})
    app = make_app(service, Keys(), Lifetime(60))
    reply = call(app, method, path.replace("{id}", name), [HOST, TOKEN, JSON], [body], query=query)
    assert 200 <= reply.status < 500


def test_numbers_that_json_lacks_are_never_sent() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"progress": math.nan})
    assert encode({"name": "\ud800é"}) == b'{"name":"\\ud800\\u00e9"}'
