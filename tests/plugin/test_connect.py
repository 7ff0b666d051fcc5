"""Finding a sidecar, starting one, and what is said when neither works."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from plugin.clients import never
from plugin.servers import free_port, health, http_server, publish, published, raw_server
from snapupscale import protocol
from snapupscale.sidecar import discovery as sidecar
from snapupscale_resolve import connect as connecting
from snapupscale_resolve.client import connect
from snapupscale_resolve.faults import BadReply, Blocked, CrashedAtStart, NotInstalled, NotReady, WrongVersion
from snapupscale_resolve.launch import Ending
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugin.conftest import Starter
    from snapupscale_resolve.launch import Started

    Script = Callable[[str], Starter]

ANOTHER = "import sys; sys.exit('error: x\\nhint: y\\ncode: sidecar-running')"
"""A program that ends as a sidecar does that finds another in its place."""


def publishing(content: dict[str, Any], then: str = "time.sleep(60)") -> str:
    """A program that publishes `content` and then does `then`."""
    path = str(sidecar.path())
    text = "import json, os, time\n"
    text += f"os.makedirs(os.path.dirname({path!r}), 0o700, exist_ok=True)\n"
    text += f"handle = os.open({path!r}, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)\n"
    text += f"os.write(handle, json.dumps({content!r}).encode())\nos.close(handle)\n"
    return text + then


def test_none_is_found_so_one_is_started_and_the_next_finds_it(starter: Callable[[], Starter]) -> None:
    start = starter()
    client = connect(start)
    assert client.health()["pid"] == start.started[0].process.pid
    assert connect(never).health()["pid"] == client.health()["pid"]


def test_clients_at_once_share_one_sidecar(starter: Callable[[], Starter]) -> None:
    starts = [starter() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        clients = list(pool.map(connect, starts))
    assert len({client.health()["pid"] for client in clients}) == 1
    started = [each.process for start in starts for each in start.started]
    until(lambda: sum(process.poll() is None for process in started) == 1)
    assert {client.health()["pid"] for client in clients} == {p.pid for p in started if p.poll() is None}


def test_a_stale_file_is_passed_over(starter: Callable[[], Starter]) -> None:
    publish(published(free_port()))
    start = starter()
    assert connect(start).health()["pid"] == start.started[0].process.pid


@pytest.mark.parametrize("answer", [b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_stranger_on_the_port_is_passed_over(
    answer: bytes, starter: Callable[[], Starter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "_HEALTH_SECONDS", 0.2)
    with raw_server(answer) as port:
        publish(published(port))
        start = starter()
        assert connect(start).health()["pid"] == start.started[0].process.pid


def test_another_process_on_the_port_is_no_sidecar(script: Script) -> None:
    with http_server(lambda *_: (200, health(pid=1))) as port:
        publish(published(port))
        with pytest.raises(BadReply, match="process 1 answers in place of the sidecar"):
            connect(script(ANOTHER), 0.6)


def test_one_that_crashes_at_its_start_is_reported_at_once(script: Script) -> None:
    text = "import sys\ntry:\n 1 / 0\nexcept ZeroDivisionError:\n import traceback\n traceback.print_exc()\nsys.exit(3)"
    began = time.monotonic()
    with pytest.raises(CrashedAtStart, match="exit code 3") as raised:
        connect(script(text))
    assert time.monotonic() - began < 5
    assert "ZeroDivisionError: division by zero" in str(raised.value)
    assert "snapupscale sidecar serve" in raised.value.hint


def test_the_hint_of_the_sidecar_itself_is_passed_on(script: Script) -> None:
    with pytest.raises(CrashedAtStart, match="no space left") as raised:
        connect(script("import sys; sys.exit('error: no space left\\nhint: Free some space.\\ncode: disk-full')"))
    assert raised.value.hint == "Free some space."


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_signal_is_named(script: Script) -> None:
    with pytest.raises(CrashedAtStart, match="signal 9"):
        connect(script("import os; os.kill(os.getpid(), 9)"))


def test_a_fault_of_windows_is_shown_as_it_is_looked_up() -> None:
    with pytest.raises(CrashedAtStart, match="exit code 0xC0000005"):
        raise connecting._crash(Ending(0xC0000005, ""))


def test_one_that_hangs_is_left_alone_and_reported(script: Script) -> None:
    start = script("import time; time.sleep(60)")
    with pytest.raises(NotReady, match="not ready after") as raised:
        connect(start, 0.5)
    assert start.started[0].process.poll() is None
    assert len(start.started) == 1
    assert "Wait a minute" in raised.value.hint


def test_a_stale_file_is_not_what_a_hanging_start_is_blamed_on(script: Script) -> None:
    publish(published(free_port()))
    with pytest.raises(NotReady):
        connect(script("import time; time.sleep(60)"), 0.5)


def test_one_that_cannot_be_connected_to_hints_at_a_firewall(script: Script) -> None:
    start = script(publishing(published(free_port())))
    with pytest.raises(Blocked, match="process 4242, cannot be connected to") as raised:
        connect(start, 1)
    assert "firewall" in raised.value.hint
    assert start.started[0].process.poll() is None


def test_a_forbidden_connection_hints_at_a_firewall(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(self: http.client.HTTPConnection) -> None:
        raise PermissionError(10013, "An attempt was made to access a socket in a forbidden way")

    monkeypatch.setattr(http.client.HTTPConnection, "connect", forbid)
    publish(published(4711))
    with pytest.raises(Blocked, match="forbidden way"):
        connect(script(ANOTHER), 0.6)


def test_one_that_never_answers_is_reported(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_HEALTH_SECONDS", 0.2)
    with raw_server(b"") as port:
        publish(published(port))
        with pytest.raises(NotReady, match="process 4242, does not answer"):
            connect(script(ANOTHER), 0.8)


def test_one_that_answers_garbage_is_reported(script: Script) -> None:
    for reply in (b"{}", b"garbage", b'{"pid": 4242}'):
        with http_server(lambda *_, reply=reply: (200, reply)) as port:
            publish(published(port))
            with pytest.raises(BadReply):
                connect(script(ANOTHER), 0.3)


def test_a_sidecar_that_is_about_to_end_is_waited_for(starter: Callable[[], Starter], tmp_path: Any) -> None:
    told = tmp_path / "tried"
    serve = [sys.executable, "-m", "snapupscale", "sidecar", "serve"]
    text = f"import os, sys\nif not os.path.exists({str(told)!r}):\n open({str(told)!r}, 'w').close()\n {ANOTHER}\n"
    start = starter(sys.executable, "-c", f"{text}os.execv({sys.executable!r}, {serve!r})")  # type: ignore[call-arg]
    assert connect(start).health()["pid"] == start.started[1].process.pid


def test_a_newer_file_that_makes_no_sense_here_names_the_scripts(script: Script) -> None:
    with pytest.raises(WrongVersion, match="menu scripts are older than the sidecar") as raised:
        connect(script(publishing({"protocol": 99, "pipe": "x"})), 1)
    assert raised.value.code == protocol.TOO_OLD
    assert "Install the menu scripts again" in raised.value.hint


def test_a_newer_sidecar_says_itself_whether_it_understands() -> None:
    refusal = {"error": {"code": protocol.TOO_OLD, "message": "older", "hint": "update"}}
    seen = []

    def refuse(method: str, path: str, headers: Any) -> tuple[int, bytes]:
        seen.append(headers[protocol.HEADER])
        return 426, json.dumps(refusal).encode()

    with http_server(refuse) as port:
        publish(published(port, protocol=99))
        with pytest.raises(WrongVersion) as raised:
            connect(never)
    assert (raised.value.code, raised.value.hint, seen) == (protocol.TOO_OLD, "update", ["1"])
    with http_server(lambda *_: (200, health(protocol=99))) as port:
        publish(published(port, protocol=99))
        assert connect(never).health()["protocol"] == 99


def test_an_older_sidecar_is_to_be_updated_and_stopped() -> None:
    with http_server(lambda *_: (200, health(protocol=0))) as port:
        publish(published(port))
        with pytest.raises(WrongVersion, match="sidecar is older") as raised:
            connect(never)
    assert raised.value.code == protocol.TOO_NEW
    assert "`snapupscale sidecar stop`" in raised.value.hint


def test_nothing_installed_is_said_as_it_is() -> None:
    def start() -> Started:
        raise NotInstalled("none")

    with pytest.raises(NotInstalled):
        connect(start)
