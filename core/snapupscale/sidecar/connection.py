"""An HTTP connection that a slow client can't hold for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

HEADER_SECONDS = 10.0
"""From the opening of a connection, or the first byte of a further request, to the end of its headers."""
WRITE_SECONDS = 30.0
"""How long a client may leave the answer unread while more of it waits to be sent."""
MOST_CONNECTIONS = 128
"""Beyond these, requests are answered with 503; beyond twice as many, connections are closed at once."""


class Connection(H11Protocol):
    """uvicorn bounds the time between two requests; this bounds those of a request's headers and of its answer too."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
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
