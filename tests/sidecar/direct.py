"""Requests straight to a guarded app, without a server between."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from snapupscale.sidecar.guard import SECURITY_HEADERS, Guard
from snapupscale.sidecar.keys import Keys
from snapupscale.sidecar.lifetime import Lifetime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message

PORT = 4711
KEYS = Keys()
HOST = ("host", f"127.0.0.1:{PORT}")
TOKEN = ("authorization", f"Bearer {KEYS.token}")
JSON = ("content-type", "application/json")


class Reply:
    status = 0
    headers: dict[str, str] = {}  # noqa: RUF012  replaced, never changed
    body = b""

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    @property
    def secured(self) -> bool:
        return SECURITY_HEADERS.items() <= self.headers.items()

    @property
    def allows_other_origins(self) -> bool:
        return any(name.startswith("access-control") for name in self.headers)


def call(
    app: ASGIApp,
    method: str,
    path: str,
    headers: Sequence[tuple[str, str]],
    body: Sequence[bytes] = (b"{}",),
    *,
    query: str = "",
    lifetime: Lifetime | None = None,
) -> Reply:
    """One request straight to the guard, its body in pieces."""
    reply = Reply()
    if method in {"GET", "HEAD", "OPTIONS"}:
        body = (b"",)
    parts = [{"type": "http.request", "body": part, "more_body": True} for part in body]
    parts[-1]["more_body"] = False

    async def receive() -> Message:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            reply.body += message.get("body", b"")

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode("latin-1", "replace"),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    guarded = Guard(app, keys=KEYS, port=PORT, lifetime=lifetime or Lifetime(60))
    asyncio.run(asyncio.wait_for(guarded(scope, receive, send), 10))
    return reply
