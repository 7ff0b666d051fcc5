"""A server for tests, over TLS or not, that answers as it is told."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    Answer = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each request with the next of the server's answers, the last one again and again."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests.append(dict(self.headers))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer(self, self.server.files[self.path])
        self.close_connection = True

    def reply(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.files: dict[str, bytes] = {}
        self.answers: list[Answer] = [whole]
        self.requests: list[dict[str, str]] = []
        self.scheme = "http" if context is None else "https"

    def url(self, path: str) -> str:
        return f"{self.scheme}://localhost:{self.server_port}{path}"

    def handle_error(self, *_args: object) -> None:
        """A client that leaves is part of the tests."""


def whole(handler: Handler, data: bytes) -> None:
    """A good server: ranges, and an ETag that If-Range is compared with."""
    wanted = handler.headers.get("Range")
    if wanted and handler.headers.get("If-Range", '"one"') == '"one"':
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        place = f"bytes {start}-{len(data) - 1}/{len(data)}"
        handler.reply(206, data[start:], ETag='"one"', Content_Range=place)
    else:
        handler.reply(200, data, ETag='"one"')


def running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
