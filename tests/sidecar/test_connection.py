from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from snapupscale.sidecar import connection
from snapupscale.sidecar.connection import Connection
from snapupscale.sidecar.guard import SECURITY_HEADERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.3)


async def small(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0.5)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def endless(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1000):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def served(
    app: Any, client: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], most: float = 2
) -> None:
    """Let `client` talk to `app`; the server must have let go of it `most` seconds later."""

    async def run() -> None:
        config = Config(app, http=Connection, ws="none", lifespan="off", log_config=None, timeout_keep_alive=5)
        config.load()
        state = ServerState()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=1024)
        try:
            await client(reader, writer)
            for _ in range(int(most / 0.05)):
                if not state.connections and not state.tasks:
                    return
                await asyncio.sleep(0.05)
            raise AssertionError("the connection is still held")
        finally:
            writer.close()
            server.close()

    asyncio.run(run())


def test_silence_ends_the_connection() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)

    served(small, client)


def test_trickling_headers_do_not_set_the_clock_back() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in REQUEST[:12]:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)

    served(small, client, 0.2)


def test_a_second_request_is_watched_too_and_a_slow_answer_is_not() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(REQUEST)
            assert (await reader.readuntil(b"ok"))[9:12] == b"200"
        writer.write(REQUEST[:5])

    served(small, client, 1)


def test_a_client_that_does_not_read_is_let_go() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(REQUEST)
        await asyncio.sleep(0.1)

    served(endless, client)


def test_a_client_that_reads_slowly_is_kept() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(REQUEST)
        began = time.monotonic()
        while time.monotonic() - began < 1:
            # Far less than the app has to send by the end of the second.
            assert await reader.read(1 << 16)
            await asyncio.sleep(0.01)
        writer.close()

    served(endless, client)


def answered(*requests: bytes, app: Any = small, connections: int = 1) -> list[tuple[int, dict[str, str], bytes]]:
    """The last answer to each of `requests`, each on a connection of its own, with others open beside it."""
    answers = []

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("peername")
        others = [await asyncio.open_connection(*address) for _ in range(connections - 1)]
        for request in requests:
            mine, to = await asyncio.open_connection(*address)
            to.write(request)
            head, _, body = (await mine.read()).partition(b"\r\n\r\n")
            status, *lines = head.decode("ascii").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            answers.append((int(status.split()[1]), headers, body))
            to.close()
        for _, to in others:
            to.close()
        writer.close()

    served(app, client)
    return answers


def assert_in_the_one_form(answer: tuple[int, dict[str, str], bytes], status: int, code: str) -> None:
    found, headers, body = answer
    error = json.loads(body)["error"]
    assert (found, error.keys(), error["code"]) == (status, {"code", "message", "hint"}, code)
    assert (headers["connection"], headers["content-length"]) == ("close", str(len(body)))
    assert {name: headers.get(name) for name in SECURITY_HEADERS} == {
        name: value.lower() for name, value in SECURITY_HEADERS.items()
    }


def test_what_is_no_http_is_refused_like_everything_else() -> None:
    garbage = (b"GET\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"GET / HTTP/x\r\n\r\n")
    for answer in answered(*garbage, b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"):
        assert_in_the_one_form(answer, 400, "bad-request")


def test_too_many_connections_are_refused_like_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 5)
    config = Config
    monkeypatch.setattr(f"{__name__}.Config", lambda app, **options: config(app, limit_concurrency=4, **options))
    request = REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    for others, status in ((0, 200), (1, 200), (2, 503)):
        (answer,) = answered(request, connections=1 + others)
        assert answer[0] == status
    assert_in_the_one_form(answer, 503, "too-busy")
