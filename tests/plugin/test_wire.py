"""What a request sends, and answers that are cut short, too long, too late, or make no sense."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from plugin.clients import answering, client, never, served
from plugin.servers import free_port, publish, published, raw_server
from snapupscale import protocol
from snapupscale_resolve import discovery
from snapupscale_resolve.client import Client, connect
from snapupscale_resolve.faults import BadReply, ConnectionLost, Fault, NotReady, Refused
from snapupscale_resolve.wire import Wire
from test_protocol import GOLDEN

if TYPE_CHECKING:
    from plugin.servers import Answer

__all__ = ["client", "served"]
"""The fixtures."""


def test_redirects_are_not_followed(served: Any) -> None:
    asked: list[str] = []

    def answer(method: str, path: str) -> Answer:
        asked.append(path)
        return 302, b"{}"

    with pytest.raises(BadReply, match="status 302"):
        served(answer).sessions()
    assert asked == [protocol.TIMELINES]


def test_no_proxy_is_asked(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert client.health()["busy"] is False


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b'{"sessions": {}}', "sessions: it is no list"),
        (b'{"sessions": [{}]}', r"GET /v1/timelines makes no sense: sessions\[0\]\.id: it is missing"),
        (b"[]", "no JSON object"),
        (b"<html>", "makes no sense"),
        (b'{"sessions": [], "sessions": []}', "twice"),
    ],
)
def test_answers_that_make_no_sense_are_named(served: Any, reply: bytes, words: str) -> None:
    with pytest.raises(BadReply, match=words):
        served(lambda *_: (200, reply)).sessions("t1")


def test_an_error_without_the_form_of_one_is_still_an_error(served: Any) -> None:
    with pytest.raises(Refused, match="answered 503") as raised:
        served(lambda *_: (503, b"Service Unavailable")).sessions()
    assert (raised.value.status, raised.value.code) == (503, "http-503")
    assert raised.value.hint


def test_the_size_of_an_answer_is_bounded(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"sessions": []}'
    client = served(lambda *_: (200, body))
    monkeypatch.setattr(protocol, "MOST_BYTES", len(body))
    assert client._wire.ask("GET", protocol.TIMELINES) == {"sessions": []}
    monkeypatch.setattr(protocol, "MOST_BYTES", len(body) - 1)
    with pytest.raises(BadReply, match="too long"):
        client.sessions()
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 99
    with raw_server(endless, hold=False) as port, pytest.raises(BadReply, match="too long"):
        Wire(_found(port)).ask("GET", "/")


def test_an_answer_that_is_cut_short_is_no_answer() -> None:
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"
    with raw_server(short, hold=False) as port, pytest.raises(ConnectionLost):
        Wire(_found(port)).ask("GET", "/")


def test_the_time_of_an_answer_is_bounded_also_when_it_trickles() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def trickle() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=trickle)
    thread.start()
    began = time.monotonic()
    try:
        with pytest.raises(NotReady, match="does not answer"):
            Wire(_found(listener.getsockname()[1])).ask("GET", "/", seconds=0.4)
        assert time.monotonic() - began < 2
    finally:
        stop.set()
        thread.join()
        listener.close()


def test_the_token_is_in_no_message() -> None:
    with raw_server(b"HTTP/1.1 401 x\r\n\r\n{}", hold=False) as port:
        faults = []
        for ask_for in (lambda: Wire(_found(port)).ask("GET", "/"), lambda: Wire(_found(free_port())).ask("GET", "/")):
            with pytest.raises(Fault) as raised:
                ask_for()
            faults.append(f"{raised.value!r} {raised.value} {raised.value.hint}")
    assert not any("ttttt" in text for text in faults)


def test_what_is_sent_is_what_the_protocol_says(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    known: Any = http.client.HTTPConnection.request

    def request(self: Any, method: str, url: str, **options: Any) -> None:
        sent.append({"method": method, "body": options["body"], **options["headers"]})
        known(self, method, url, **options)

    monkeypatch.setattr(http.client.HTTPConnection, "request", request)
    with answering(lambda *_: (201, json.dumps(GOLDEN["reply-new-job"]["reply"]).encode())) as port:
        publish(published(port))
        connect(never).submit({"kind": "probe", "source": "/\u00e4"})
    assert [each["method"] for each in sent] == ["GET", "POST"]
    assert sent[0]["body"] is None
    assert sent[1]["body"] == b'{"kind":"probe","source":"/\\u00e4"}'
    assert {each[protocol.HEADER] for each in sent} == {"1"}


def _found(port: int) -> discovery.Found:
    return discovery.Found(protocol=1, pid=4242, port=port, token="t" * 43, version="0.1.0")
