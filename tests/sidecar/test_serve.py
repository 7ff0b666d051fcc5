from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uvicorn import Config

from benchmarks.sidecar_idle import resident, started
from sidecar.fakes import MemoryService, ask, sidecar, start, wait_for
from snapupscale.sidecar import discovery, log, serve
from snapupscale.sidecar.app import make_app
from snapupscale.sidecar.connection import HEADER_SECONDS, MOST_CONNECTIONS
from snapupscale.sidecar.guard import MOST_BYTES
from snapupscale.sidecar.keys import Keys
from snapupscale.sidecar.lifetime import Lifetime

if TYPE_CHECKING:
    from snapupscale.sidecar.discovery import Discovery

linux = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


def status_of(process: subprocess.Popen[str], name: str) -> str:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(f"{name}:"))


def connect(found: Discovery) -> socket.socket:
    return socket.create_connection(("127.0.0.1", found.port), timeout=10)


def test_it_serves_until_a_client_stops_it() -> None:
    with sidecar() as (process, found):
        assert ask(found, "GET", "/v1/health").data["pid"] == process.pid
        assert ask(found, "POST", "/v1/stop").status == 202
        assert process.wait(5) == 0
    assert not discovery.path().exists()
    assert "ended" in log.path().read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_while_a_stream_is_open(number: signal.Signals) -> None:
    with sidecar() as (process, found), connect(found) as stream:
        stream.sendall(_request(found, "GET /v1/events/stream"))
        assert b"200 OK" in stream.recv(4096)
        process.send_signal(number)
        assert process.wait(5) == 0
        assert process.stderr
        assert process.stderr.read() == ""
    assert not discovery.path().exists()
    assert "Traceback" not in log.path().read_text()


def test_ten_at_once_leave_one_alive_and_nine_that_say_so() -> None:
    processes = [start() for _ in range(10)]
    try:
        end = time.monotonic() + 30
        while sum(process.poll() is None for process in processes) > 1 and time.monotonic() < end:
            time.sleep(0.02)
        alive = [process for process in processes if process.poll() is None]
        assert len(alive) == 1
        found = wait_for(alive[0])
        assert ask(found, "GET", "/v1/health").data["pid"] == alive[0].pid
        for process in processes:
            if process is not alive[0]:
                message = process.stderr.read() if process.stderr else ""
                assert process.returncode == 1
                assert "a sidecar runs already" in message
                assert "code: sidecar-running" in message
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_the_next_one_replaces_what_a_killed_one_left() -> None:
    with sidecar() as (process, first):
        process.kill()
        process.wait()
        assert discovery.path().exists()
        assert discovery.read() is None
        with sidecar() as (_, second):
            assert second.token != first.token
            assert ask(second, "GET", "/v1/health").status == 200
            assert ask(second, "GET", "/v1/health", Authorization=f"Bearer {first.token}").status == 401


def test_it_ends_when_nobody_needs_it() -> None:
    with sidecar("0.5") as (process, _):
        assert process.wait(10) == 0
    assert "nothing to do" in log.path().read_text()


def test_a_job_and_a_listener_keep_it_alive() -> None:
    with sidecar("0.5") as (process, found):
        job = ask(found, "POST", "/v1/jobs", {"kind": "endless"}).data["id"]
        time.sleep(2.5)
        assert process.poll() is None
        with connect(found) as stream:
            stream.sendall(_request(found, "GET /v1/events/stream"))
            ask(found, "POST", f"/v1/jobs/{job}/cancel")
            time.sleep(2.5)
            assert process.poll() is None
        assert process.wait(10) == 0


def test_the_idle_time_begins_when_the_last_job_ends() -> None:
    now = 0.0
    lifetime, service = Lifetime(60, clock=lambda: now), MemoryService()
    server = serve._Server(Config(make_app(service, Keys(), lifetime), log_config=None), lifetime, service)
    service.submit({"kind": "endless"})
    now = 100.0
    server._look_for_work()
    service.cancel("job-0")
    now = 159.0
    server._look_for_work()
    assert not lifetime.stopping
    now = 160.0
    server._look_for_work()
    assert lifetime.stopping


def test_the_token_is_in_no_log_command_line_environment_or_output() -> None:
    with sidecar("60", "DEBUG") as (process, found):
        code = ask(found, "POST", "/v1/session/code").data["code"]
        session = ask(found, "POST", "/v1/session", {"code": code}).headers["set-cookie"].split("=")[1].split(";")[0]
        ask(found, "POST", "/v1/jobs", {"kind": "probe", "token": found.token, "session": session})
        ask(found, "GET", f"/{found.token}?{found.token}", Host="evil.com")
        with connect(found) as raw:
            raw.sendall(f"GET {found.token}\r\n\r\n".encode())
            raw.recv(100)
        command = subprocess.run(["ps", "-ef"], capture_output=True, text=True, check=True).stdout
        assert str(process.pid) in command
        ask(found, "POST", "/v1/stop")
        assert process.wait(5) == 0
        assert process.stderr
        text = log.path().read_text() + command + process.stderr.read()
    assert "job {'kind': 'probe'" in text
    assert "[secret]" in text
    for secret in (found.token, session):
        assert secret not in text


@linux
def test_it_starts_quickly_is_small_and_loads_nothing_heavy() -> None:
    times = []
    for _ in range(3):
        with started() as (process, seconds):
            times.append(seconds)
            time.sleep(0.2)
            assert resident(process) < 60 * 1024
            loaded = Path(f"/proc/{process.pid}/maps").read_text()
    assert min(times) < 1, "half a second is the aim; other tests may use the cores now"
    assert "_sqlite3" in loaded
    for heavy in ("torch", "av", "cv2", "numpy"):
        assert f"site-packages/{heavy}" not in loaded


@linux
def test_it_listens_on_this_machine_alone() -> None:
    with sidecar() as (_, found):
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        assert [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{found.port:04X}")] == [
            f"0100007F:{found.port:04X}"
        ]


def test_hosts_on_the_wire() -> None:
    with sidecar() as (_, found):
        own = f"127.0.0.1:{found.port}"
        for hosts in ([], [own, "evil.com"], [own, own], ["evil.com"], [f"localhost:{found.port}", own]):
            lines = "".join(f"Host: {host}\r\n" for host in hosts)
            assert _raw(found, f"GET /v1/health HTTP/1.1\r\n{lines}Authorization: Bearer {found.token}\r\n\r\n") == 400
        assert _raw(found, f"GET /v1/health HTTP/1.0\r\nAuthorization: Bearer {found.token}\r\n\r\n") == 400
        assert _raw(found, "GET http://evil.com/v1/health HTTP/1.1\r\nHost: evil.com\r\n\r\n") == 400
        assert _raw(found, _request(found, "GET /v1/health").decode()) == 200
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n"
        assert _raw(found, f"GET /v1/health HTTP/1.1\r\nHost: {own}\r\n{upgrade}\r\n") == 401


def test_too_much_is_refused_and_the_answer_arrives() -> None:
    with sidecar() as (process, found):
        for _ in range(3):
            reply = ask(found, "POST", "/v1/jobs", b" " * 10_000_000)
            assert (reply.status, reply.code) == (413, "too-large")
        assert ask(found, "POST", "/v1/jobs", b" " * 10_000_000, Authorization="").status == 401
        assert _chunked(found, MOST_BYTES + 1) == 413
        assert _chunked(found, 100) == 422
        assert ask(found, "GET", "/v1/health", Padding="x" * 20_000).status == 431
        assert ask(found, "GET", "/v1/health").status == 200
        if sys.platform == "linux":
            assert int(status_of(process, "VmHWM").split()[0]) < 80 * 1024


def test_slow_clients_hold_nobody_up_and_are_shed() -> None:
    began = time.monotonic()
    with sidecar() as (_, found):
        slow = [connect(found) for _ in range(50)]
        started = (b"", b"GET /v1/hea", _request(found, "POST /v1/jobs")[:-2] + b"Content-Length: 999\r\n\r\n{")
        for number, each in enumerate(slow):
            each.sendall(started[number % 3])
        for _ in range(3):
            asked = time.monotonic()
            assert ask(found, "GET", "/v1/health").status == 200
            assert time.monotonic() - asked < 1
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(_trickle, slow))
        assert time.monotonic() - began < HEADER_SECONDS + 8
        assert {answer[:12] for answer in answers} == {b"", b"HTTP/1.1 408"}


def test_a_flood_of_connections_is_bounded() -> None:
    with sidecar() as (process, found):
        flood = [connect(found) for _ in range(3 * MOST_CONNECTIONS)]
        time.sleep(0.5)
        if sys.platform == "linux":
            assert len(list(Path(f"/proc/{process.pid}/fd").iterdir())) < 2 * MOST_CONNECTIONS + 30
        for each in flood:
            each.close()
        time.sleep(0.5)
        assert ask(found, "GET", "/v1/health").status == 200


def test_a_reader_that_stops_reading_harms_nobody() -> None:
    with sidecar() as (_, found), connect(found) as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        for _ in range(200):
            ask(found, "POST", "/v1/jobs", {"kind": "x" * 5000})
        stuck.sendall(_request(found, "GET /v1/jobs"))
        assert ask(found, "GET", "/v1/health").status == 200


def test_events_go_on_after_a_break() -> None:
    with sidecar() as (_, found):
        for _ in range(3):
            ask(found, "POST", "/v1/jobs", {"kind": "probe"})
        connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=10)
        headers = {"Authorization": f"Bearer {found.token}", "Last-Event-ID": "1"}
        connection.request("GET", "/v1/events/stream", headers=headers)
        response = connection.getresponse()
        assert response.getheader("content-type", "").startswith("text/event-stream")
        told = [json.loads(line[6:])["id"] for line in (response.readline() for _ in range(8)) if line[:5] == b"data:"]
        assert told == [2, 3]
        connection.close()


def test_a_service_that_does_not_start_leaves_nothing_behind() -> None:
    program = "from snapupscale.sidecar.serve import serve\nserve(lambda: 1 / 0)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ZeroDivisionError" in result.stderr
    assert not discovery.path().exists()
    with sidecar() as (_, found):
        assert ask(found, "GET", "/v1/health").status == 200


@pytest.mark.skipif(os.name != "posix", reason="modes mean nothing there")
def test_the_files_of_a_live_one_are_private() -> None:
    before = os.umask(0)
    try:
        with sidecar():
            assert discovery.path().stat().st_mode & 0o777 == 0o600
            assert discovery.path().parent.stat().st_mode & 0o777 == 0o700
            assert log.path().parent.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


def _request(found: Discovery, line: str) -> bytes:
    lines = (f"{line} HTTP/1.1", f"Host: 127.0.0.1:{found.port}", f"Authorization: Bearer {found.token}")
    return "\r\n".join((*lines, "Content-Type: application/json", "", "")).encode()


def _raw(found: Discovery, text: str) -> int:
    with connect(found) as raw:
        raw.sendall(text.encode())
        return int(raw.recv(100).split()[1])


def _chunked(found: Discovery, size: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=10)
    headers = {"Authorization": f"Bearer {found.token}", "Content-Type": "application/json"}
    pieces = [b'"', *(b"x" * 65536 for _ in range(size // 65536)), b"x" * (size % 65536 - 2), b'"']
    connection.request("POST", "/v1/jobs", body=iter(pieces), headers=headers, encode_chunked=True)
    status = connection.getresponse().status
    connection.close()
    return status


def _trickle(each: socket.socket) -> bytes:
    """Send a byte now and then until the other side has had enough; what it said."""
    said = b""
    each.settimeout(0.5)
    with each:
        while True:
            try:
                each.sendall(b"x")
                part = each.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return said
            if not part:
                return said
            said += part
