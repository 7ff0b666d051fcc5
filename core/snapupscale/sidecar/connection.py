"""An HTTP connection that a slow client can't hold for long."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from snapupscale.sidecar.guard import SECURITY_HEADERS

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope, Send

HEADER_SECONDS = 10.0
"""From the opening of a connection, or the first byte of a further request, to the end of its headers."""
WRITE_SECONDS = 30.0
"""How long a client may leave the answer unread while more of it waits to be sent."""
MOST_CONNECTIONS = 128
"""Beyond these, requests are answered with 503; beyond twice as many, connections are closed at once."""
_log = logging.getLogger(__name__)


class Connection(H11Protocol):
    """uvicorn bounds the time between two requests; this bounds those of a request's headers and of its answer too,
    and says no in the one form of errors."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._app, self.app = self.app, self._admit
        # uvicorn would say no in plain text.
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._clocks: dict[str, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        if len(self.connections) > 2 * MOST_CONNECTIONS:
            transport.abort()
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request."""
        super().data_received(data)
        self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every clock."""
        self._stop("headers")
        self._stop("answer")
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client doesn't read what it asked for."""
        super().pause_writing()
        self._start("answer", WRITE_SECONDS)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._stop("answer")

    def send_400_response(self, msg: str) -> None:
        """The bytes are no HTTP."""
        body = _error("bad-request", "this is no HTTP request that can be read", "Send shorter headers, in HTTP/1.1.")
        answer = h11.Response(status_code=400, headers=_headers(body), reason=b"Bad Request")
        for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through unless too many are under way."""
        if self._most is None or (len(self.connections) < self._most and len(self.tasks) <= self._most):
            await self._app(scope, receive, send)
            return
        _log.warning("too many connections")
        body = _error("too-busy", "too many connections at once", "Close some pages, and try again.")
        await send({"type": "http.response.start", "status": 503, "headers": _headers(body)})
        await send({"type": "http.response.body", "body": body})

    def _watch_headers(self) -> None:
        """Run the clock while a request is expected. Bytes that trickle in don't set it back."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop("headers")
        else:
            self._start("headers", HEADER_SECONDS)

    def _start(self, name: str, seconds: float) -> None:
        if name not in self._clocks:
            self._clocks[name] = self.loop.call_later(seconds, self.transport.abort)

    def _stop(self, name: str) -> None:
        if name in self._clocks:
            self._clocks.pop(name).cancel()


def _error(code: str, message: str, hint: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "hint": hint}}).encode()


def _headers(body: bytes) -> list[tuple[bytes, bytes]]:
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
        **SECURITY_HEADERS,
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]
