"""Things that listen on a port in place of a sidecar."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from snapupscale.sidecar import discovery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Answer = tuple[int, bytes] | None
"""The status and the body; None hangs up."""


@contextmanager
def http_server(answer: Callable[[str, str, Any], Answer]) -> Iterator[int]:
    """A server on a port of this machine; `answer` is called with the method, the path and the headers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            self.rfile.read(length)
            said = answer(self.command, self.path, self.headers)
            self.close_connection = True
            if said is None:
                return
            self.send_response(said[0])
            self.send_header("Content-Length", str(len(said[1])))
            if said[0] == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(said[1])

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def raw_server(reply: bytes, *, hold: bool = True) -> Iterator[int]:
    """A server that says `reply` to whoever connects and then, with `hold`, keeps the connection open."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.sendall(reply)
            if hold:
                held.append(connection)
            else:
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in held:
            connection.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def health(**changes: Any) -> bytes:
    """The reply of a sidecar."""
    reply = {"version": "0.1.0", "protocol": 1, "pid": 4242, "uptime": 1.0, "busy": False}
    return json.dumps({**reply, **changes}).encode()


def published(port: int, **changes: Any) -> dict[str, Any]:
    """What a discovery file holds."""
    found = {"protocol": 1, "pid": 4242, "start_time": "1", "port": port, "token": "t" * 43, "version": "0.1.0"}
    return {**found, **changes}


def publish(content: object) -> Path:
    """Write a discovery file as the sidecar does; bytes go in as they are."""
    path = discovery.path()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(0o600)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path
