from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from sidecar import direct
from sidecar.direct import HOST, JSON, KEYS, PORT, TOKEN
from sidecar.fakes import MemoryService
from snapupscale import protocol
from snapupscale.sidecar import guard
from snapupscale.sidecar.app import make_app
from snapupscale.sidecar.guard import COOKIE, MOST_BYTES, Guard
from snapupscale.sidecar.lifetime import Lifetime

if TYPE_CHECKING:
    from starlette.types import Message

APP = make_app(MemoryService(), KEYS, Lifetime(60))
call = partial(direct.call, APP)
ROUTES = sorted(
    (method, route.path.replace("{id}", "job-0"))  # type: ignore[attr-defined]
    for route in APP.routes
    for method in (*route.methods, "OPTIONS", "PUT", "TRACE")  # type: ignore[attr-defined]
)
every_route = pytest.mark.parametrize(("method", "path"), ROUTES)


BAD_HOSTS = [
    [],
    [("host", "")],
    *([("host", value)] for value in ("evil.com", f"evil.com:{PORT}", "127.0.0.1.nip.io", f"127.0.0.1.nip.io:{PORT}")),
    *([("host", value)] for value in ("localhost.evil", f"localhost.evil:{PORT}", "[::1]", f"[::1]:{PORT}")),
    *([("host", value)] for value in ("127.0.0.1", "localhost", f"0.0.0.0:{PORT}", f"192.168.1.7:{PORT}")),
    *([("host", value)] for value in (f"127.0.0.1:{PORT + 1}", f"127.0.0.1:{PORT}0", f"127.1:{PORT}", f"x@{HOST[1]}")),
    *([("host", value)] for value in (f"LOCALHOST:{PORT}", f"localhost.:{PORT}", f"{HOST[1]},evil.com", f" {HOST[1]}")),
    [HOST, ("host", "evil.com")],
    [HOST, HOST],
]


@every_route
def test_every_route_refuses_every_other_host(method: str, path: str) -> None:
    for hosts in BAD_HOSTS:
        reply = call(method, path, [*hosts, TOKEN, JSON])
        assert (reply.status, b"bad-host" in reply.body) == (400, True), hosts
        assert reply.secured


@every_route
def test_every_route_refuses_other_pages(method: str, path: str) -> None:
    own = f"http://127.0.0.1:{PORT}"
    foreign = ["null", "", "http://evil.com", f"http://localhost:{PORT}", own.replace("p", "ps"), f"{own}0", f"{own}/"]
    others = [[("origin", origin)] for origin in foreign] + [[("origin", own), ("origin", "null")]]
    others += [[("sec-fetch-site", site)] for site in ("cross-site", "same-site", "", "new")]
    others += [[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]]
    for extra in others:
        reply = call(method, path, [HOST, TOKEN, JSON, *extra])
        assert (reply.status, b"bad-origin" in reply.body) == (403, True), extra
        assert not reply.allows_other_origins


@every_route
def test_every_route_needs_the_token(method: str, path: str) -> None:
    if path == protocol.SESSION or (path in {"/open", "/open.js"} and method in {"GET", "HEAD"}):
        return
    wrong = [
        [],
        [("authorization", "")],
        [("authorization", f"Bearer {KEYS.token}x")],
        [("authorization", "Bearer ")],
        [("authorization", KEYS.token)],
        [("authorization", f"Basic {KEYS.token}")],
        [("authorization", "Bearer é\xff")],
        [TOKEN, ("authorization", "Bearer x")],
        [("cookie", f"{COOKIE}={KEYS.token}")],
        [("cookie", f"{COOKIE}=; {COOKIE}=x; \x00")],
        [("x-token", KEYS.token)],
    ]
    for headers in wrong:
        reply = call(method, path, [HOST, JSON, *headers])
        assert (reply.status, reply.secured) == (401, True), headers
        assert KEYS.token.encode() not in reply.body


def test_the_session_route_without_a_code_lets_nobody_in() -> None:
    for body in (b"{}", b"[]", b'{"code": null}', b'{"code": ""}', b'{"code": "x"}'):
        reply = call("POST", protocol.SESSION, [HOST, JSON], [body])
        assert (reply.status, "set-cookie" in reply.headers) == (401, False)


@every_route
def test_writes_must_be_json(method: str, path: str) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/json"):
        reply = call(method, path, [HOST, TOKEN, ("content-type", kind)])
        assert (reply.status == 415) == (method not in {"GET", "HEAD", "OPTIONS"}), kind
    assert call("POST", "/v1/jobs", [HOST, TOKEN]).status == 415
    assert call("POST", "/v1/jobs", [HOST, TOKEN, JSON, ("content-type", "text/plain")]).status == 415
    assert call("POST", "/v1/jobs", [HOST, TOKEN, ("content-type", "Application/JSON; charset=utf-8")]).status == 422


@every_route
def test_every_answer_is_secured_and_for_this_origin_alone(method: str, path: str) -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if not path.endswith("/stream"):
            await APP(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    reply = direct.call(answer, method, path, [HOST, TOKEN, JSON, ("origin", f"http://{HOST[1]}")])
    assert reply.status not in {400, 401, 403} or path == protocol.SESSION
    assert reply.secured
    assert not reply.allows_other_origins
    assert reply.status < 500


@every_route
def test_every_route_refuses_other_protocols_and_says_which_side_to_update(method: str, path: str) -> None:
    for number, code in (("0", "too-old"), ("99", "too-new"), ("", "unknown"), ("one", "unknown"), ("1.0", "unknown")):
        reply = call(method, path, [HOST, TOKEN, JSON, (protocol.HEADER.lower(), number)])
        assert (reply.status, reply.data["error"]["code"]) == (426, f"protocol-{code}"), number
        assert reply.data["error"]["hint"]
        assert reply.secured
    twice = [(protocol.HEADER.lower(), "1"), (protocol.HEADER.lower(), "99")]
    assert call(method, path, [HOST, TOKEN, JSON, *twice]).status == 426
    if call(method, path, [HOST, JSON]).status == 401 and path != protocol.SESSION:
        assert call(method, path, [HOST, JSON, (protocol.HEADER.lower(), "99")]).status == 401


def test_the_current_protocol_and_none_at_all_are_let_in() -> None:
    assert call("GET", "/v1/health", [HOST, TOKEN, (protocol.HEADER.lower(), str(protocol.NUMBER))]).status == 200
    assert call("GET", "/v1/health", [HOST, TOKEN]).status == 200


def test_a_preflight_gets_no_permission() -> None:
    asked = [("origin", "http://evil.com"), ("access-control-request-method", "POST")]
    reply = call("OPTIONS", "/v1/jobs", [HOST, *asked])
    assert (reply.status, reply.allows_other_origins) == (403, False)
    assert call("OPTIONS", "/v1/jobs", [HOST]).status == 401


def session() -> str:
    made = KEYS.redeem(KEYS.new_code())
    assert made
    return made


def test_a_session_opens_every_route_but_that_of_new_codes() -> None:
    cookie = ("cookie", f"theme=dark; {COOKIE}={session()}")
    assert call("GET", "/v1/jobs", [HOST, cookie]).status == 200
    assert call("GET", "/v1/jobs", [("host", f"localhost:{PORT}"), cookie]).status == 200
    assert call("GET", "/v1/jobs", [HOST, cookie, ("sec-fetch-site", "same-origin")]).status == 200
    assert call("POST", protocol.SESSION_CODE, [HOST, JSON, cookie]).status == 401
    assert call("POST", protocol.SESSION_CODE, [HOST, JSON, TOKEN]).status == 201


def test_a_session_does_not_help_another_page() -> None:
    cookie = ("cookie", f"{COOKIE}={session()}")
    assert call("POST", "/v1/stop", [HOST, cookie, JSON, ("origin", "http://127.0.0.1:9")]).status == 403
    assert call("POST", "/v1/stop", [HOST, cookie, ("content-type", "text/plain")]).status == 415
    assert call("GET", "/v1/jobs", [HOST, cookie, ("sec-fetch-site", "same-site")]).status == 403


def test_a_body_is_bounded_whatever_its_length_is_said_to_be() -> None:
    whole = b'"' + b"x" * (MOST_BYTES - 2) + b'"'
    assert call("POST", "/v1/jobs", [HOST, TOKEN, JSON], [whole]).status == 422
    assert call("POST", "/v1/jobs", [HOST, TOKEN, JSON], [whole, b" "]).status == 413
    assert call("POST", "/v1/jobs", [HOST, TOKEN, JSON], [b" " * 4096] * 257).status == 413
    for length in (MOST_BYTES + 1, 10**30):
        assert call("POST", "/v1/jobs", [HOST, TOKEN, JSON, ("content-length", str(length))]).status == 413


def test_reads_take_no_body() -> None:
    assert call("GET", "/v1/jobs", [HOST, TOKEN, ("content-length", "5")]).status == 400
    assert call("GET", "/v1/jobs", [HOST, TOKEN, ("transfer-encoding", "chunked")]).status == 400
    assert call("GET", "/v1/jobs", [HOST, TOKEN, ("content-length", "0")]).status == 200


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(guard, "_DRAIN_SECONDS", 0.05)
    statuses = []

    async def receive() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    headers = [(name.encode(), value.encode()) for name, value in (HOST, TOKEN, JSON)]
    scope = {"type": "http", "method": "POST", "path": "/v1/jobs", "headers": headers}
    asyncio.run(Guard(APP, keys=KEYS, port=PORT, lifetime=Lifetime(60))(scope, receive, send))
    assert statuses[0] == 408


def test_a_client_that_leaves_early_reaches_nobody() -> None:
    async def nobody(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError

    headers = [(name.encode(), value.encode()) for name, value in (HOST, TOKEN, JSON)]
    scope = {"type": "http", "method": "POST", "path": "/v1/jobs", "headers": headers}
    asyncio.run(Guard(nobody, keys=KEYS, port=PORT, lifetime=Lifetime(60))(scope, receive, send))


def test_only_those_let_in_keep_the_sidecar_alive() -> None:
    now = 0.0
    lifetime = Lifetime(60, clock=lambda: now)
    now = 100.0
    call("GET", "/v1/jobs", [HOST], lifetime=lifetime)
    assert lifetime.idle
    call("GET", "/v1/jobs", [HOST, TOKEN], lifetime=lifetime)
    assert not lifetime.idle


def test_a_refusal_says_what_to_do_and_ends_the_connection() -> None:
    reply = call("GET", "/v1/health", [HOST])
    assert reply.headers["connection"] == "close"
    assert reply.headers["content-length"] == str(len(reply.body))
    assert b'"hint": "Read the token' in reply.body
