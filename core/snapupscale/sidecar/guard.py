"""Who may come in: one ASGI layer around every route of the sidecar, those of events and pictures included."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from snapupscale import protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from snapupscale.sidecar.keys import Keys
    from snapupscale.sidecar.lifetime import Lifetime

MOST_BYTES = 1 << 20
"""Of the body of a request."""
MOST_HEADER_BYTES = 16 << 10
BODY_SECONDS = 10.0
"""The time a client has to send the body."""
COOKIE = "snapupscale-session"
SECURITY_HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_HASH = r"'sha256-[A-Za-z0-9+/]{43}='"
STRICT_POLICY = re.compile(
    rf"default-src 'none'; img-src data:; style-src {_HASH}; script-src {_HASH}; "
    r"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The one policy that an answer may have instead: a page that is whole in itself, loads nothing and asks nobody."""
OPEN_PAGES = {protocol.OPEN, f"{protocol.OPEN}.js"}
"""What anyone may read: the page that trades a code for a session, which holds no secret."""

_READS = {"GET", "HEAD", "OPTIONS"}
_DRAIN_SECONDS = 2.0
_DRAIN_BYTES = 16 << 20
_log = logging.getLogger(__name__)


class Refused(Exception):
    """A request that doesn't come in; `code`, `message` and `hint` are what the client is told."""

    def __init__(self, status: int, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.hint = status, code, message, hint


class Guard:
    """Lets a request reach `app` when it names this host, comes from no other page, and carries the token or a session.

    The body has come in whole before the app sees it, so that its size and the time it takes are bounded in one place.
    """

    def __init__(self, app: ASGIApp, *, keys: Keys, port: int, lifetime: Lifetime) -> None:
        self._app = app
        self._keys = keys
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._lifetime = lifetime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"the sidecar speaks plain HTTP alone, not {scope['type']}")
        try:
            headers = Headers(scope=scope)
            if sum(len(name) + len(value) for name, value in headers.raw) > MOST_HEADER_BYTES:
                raise Refused(431, "too-large", "the headers are too long", "Send fewer cookies.")
            self._check_sender(headers)
            self._check_keys(scope["method"], scope["path"], headers)
            _check_protocol(headers)
            whole = await _body(scope["method"], headers, receive)
        except Refused as refusal:
            _log.warning("refused %s %r: %s", scope["method"], scope["path"], refusal.code)
            await _refuse(refusal, receive, send)
        except _Gone:
            return
        else:
            self._lifetime.touch()
            await self._app(scope, whole, _secured(send))

    def _check_sender(self, headers: Headers) -> None:
        """The host defeats DNS rebinding; the rest keeps out requests that a page of another origin makes."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            raise Refused(400, "bad-host", "this is no address of the sidecar", "Use http://127.0.0.1 and its port.")
        origins = headers.getlist("origin")
        if origins and origins != [f"http://{hosts[0]}"]:
            raise Refused(403, "bad-origin", "the request comes from another page", "Use the sidecar's own page.")
        # "same-site" is another port of this machine: another program's page.
        if any(site not in {"same-origin", "none"} for site in headers.getlist("sec-fetch-site")):
            raise Refused(403, "bad-origin", "the request comes from another page", "Use the sidecar's own page.")

    def _check_keys(self, method: str, path: str, headers: Headers) -> None:
        if path == protocol.SESSION:
            return  # The code in its body is the key.
        if path in OPEN_PAGES and method in {"GET", "HEAD"}:
            return
        if self._has_token(headers):
            return
        if path != protocol.SESSION_CODE and self._keys.is_session(_cookie(headers)):
            return
        hint = "Read the token from the discovery file again: it changes at every start."
        raise Refused(401, "unauthorised", "the token or session is missing or wrong", hint)

    def _has_token(self, headers: Headers) -> bool:
        values = headers.getlist("authorization")
        if len(values) != 1:
            return False
        scheme, _, token = values[0].partition(" ")
        return scheme.lower() == "bearer" and self._keys.is_token(token)


def _check_protocol(headers: Headers) -> None:
    """Told only to those who are let in."""
    for number in headers.getlist(protocol.HEADER):
        trouble = protocol.check_number(number)
        if trouble:
            raise Refused(426, *trouble)


class _Gone(Exception):
    """The client went away before its request was whole."""


async def _body(method: str, headers: Headers, receive: Receive) -> Receive:
    """A `receive` that gives the whole body at once and then waits, as the original does, for the client to leave."""
    length = headers.get("content-length")
    if method in _READS:
        if length not in {None, "0"} or "transfer-encoding" in headers:
            raise Refused(400, "bad-request", f"{method} takes no body", "Leave the body out.")
        return receive
    types = headers.getlist("content-type")
    if len(types) != 1 or types[0].partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "not-json", "the body must be JSON", "Send Content-Type: application/json.")
    if length is not None and (len(length) > 10 or int(length) > MOST_BYTES):
        raise _too_large()
    try:
        body = await asyncio.wait_for(_read(receive), BODY_SECONDS)
    except TimeoutError as error:
        raise Refused(408, "too-slow", "the body took too long", "Send the request again.") from error
    replies = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Message:
        message = next(replies, None)
        return await receive() if message is None else message

    return replay


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> Refused:
    hint = "Send less at a time; of a timeline, select the clips that matter."
    return Refused(413, "too-large", f"a body holds {MOST_BYTES} bytes at most", hint)


def _cookie(headers: Headers) -> str:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load("; ".join(headers.getlist("cookie")))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def _secured(send: Send) -> Send:
    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            policy = headers.get("content-security-policy", "")
            headers.update(SECURITY_HEADERS)
            if STRICT_POLICY.fullmatch(policy):
                headers["content-security-policy"] = policy
        await send(message)

    return secured


async def _refuse(refusal: Refused, receive: Receive, send: Send) -> None:
    """Say no, and close the connection. What the client is still sending is read for a moment, since closing at once
    would reset the connection and the client might never see the answer."""
    reply = {"error": {"code": refusal.code, "message": refusal.message, "hint": refusal.hint}}
    body = json.dumps(reply).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
        **SECURITY_HEADERS,
    }
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    start = {"type": "http.response.start", "status": refusal.status}
    await send({**start, "headers": [(name.encode(), value.encode()) for name, value in headers.items()]})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    try:
        await asyncio.wait_for(_drain(receive), _DRAIN_SECONDS)
    except TimeoutError:
        _log.debug("a refused client went on sending")
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    left = _DRAIN_BYTES
    more = True
    while more and left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        more = message.get("more_body", False)
