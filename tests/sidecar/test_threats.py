"""Threats to the sidecar as they come: over the wire and in files, against a real one with real jobs."""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from footage import long_footage
from sidecar import real
from sidecar.fakes import MemoryService, wait_for
from sidecar.real import DEBUG, Real, serving
from snapupscale import errors
from snapupscale.errors import SnapUpscaleError
from snapupscale.processes import start_time
from snapupscale.protocol import SESSION_CODE, STOP
from snapupscale.sidecar import condition, discovery, log
from snapupscale.sidecar.app import make_app
from snapupscale.sidecar.keys import Keys
from snapupscale.sidecar.lifetime import Lifetime
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
TABLE = [
    (method, str(route.path))  # type: ignore[attr-defined]
    for route in make_app(MemoryService(), Keys(), Lifetime(60)).routes
    for method in sorted(route.methods)  # type: ignore[attr-defined]
]
"""The methods and paths of every route that the app has."""
CODES = {each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, SnapUpscaleError)}


@pytest.fixture
def sidecar() -> Iterator[Real]:
    with serving() as each:
        yield each


@pytest.fixture
def footage(clip: Callable[..., Path]) -> Path:
    return clip("threats.mp4", frames=60, picture=long_footage)


def plain(path: str) -> str:
    """A route with something in place of its names."""
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


def wire(sidecar: Real, method: str, path: str, *lines: str, body: bytes = b"", token: bool = True) -> bytes:
    """The answer to a request that is sent as it is; without a line for the host, the right one is sent."""
    own = [f"Host: 127.0.0.1:{sidecar.found.port}"] * (not any(line.startswith("Host:") for line in lines))
    key = [f"Authorization: Bearer {sidecar.found.token}"] if token else []
    kind = ["Content-Type: application/json"] * (not any(line.startswith("Content-Type:") for line in lines))
    sized = [f"Content-Length: {len(body)}"] if method == "POST" else []
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *own, *key, *kind, *lines, *sized, "Connection: close", "", ""])
    answer = b""
    with socket.create_connection(("127.0.0.1", sidecar.found.port), timeout=10) as connection:
        connection.sendall(head.encode("latin-1") + body)
        while part := connection.recv(65536):
            answer += part
    return answer


def status(answer: bytes) -> int:
    return int(answer.split()[1])


def resident(pid: int) -> int:
    """KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def workers(sidecar: Real) -> list[int]:
    children = Path(f"/proc/{sidecar.process.pid}/task").glob("*/children")
    return [int(pid) for path in children for pid in path.read_text().split()]


def test_every_route_refuses_names_that_were_bound_to_this_machine(sidecar: Real) -> None:
    port = sidecar.found.port
    hosts = ["evil.com", f"evil.com:{port}", f"127.0.0.1.nip.io:{port}", f"localhost.evil:{port}", "", f"[::1]:{port}"]
    hosts += [f"0.0.0.0:{port}", f"192.168.1.7:{port}", f"127.0.0.1:{port + 1}", "127.0.0.1", f"127.0.0.1:{port}, evil"]
    for method, path in TABLE:
        for host in hosts:
            answer = wire(sidecar, method, plain(path), f"Host: {host}", body=b"{}")
            assert status(answer) == 400, (method, path, host)
        two = wire(sidecar, method, plain(path), f"Host: 127.0.0.1:{port}", "Host: evil.com", body=b"{}")
        assert status(two) == 400, (method, path)
    assert sidecar.ask("GET", "/v1/health").status == 200


def test_no_other_page_gets_anything_from_any_route(sidecar: Real) -> None:
    code = sidecar.ask("POST", "/v1/session/code").data["code"]
    cookie = sidecar.ask("POST", "/v1/session", {"code": code}).headers["set-cookie"].split(";")[0]
    foreign = ["Origin: null", "Origin: http://evil.com", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"]
    for method, path in TABLE:
        for line in foreign:
            answer = wire(sidecar, method, plain(path), line, f"Cookie: {cookie}", body=b"{}", token=False)
            assert status(answer) == 403, (method, path, line)
            assert b"access-control" not in answer.lower()
        if method == "POST":
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
                lines = (f"Cookie: {cookie}", f"Content-Type: {kind}")
                answer = wire(sidecar, method, plain(path), *lines, body=b"{}", token=False)
                assert status(answer) == (401 if path == SESSION_CODE else 415), (path, kind)
        asked = ("Origin: http://evil.com", f"Access-Control-Request-Method: {method}")
        answer = wire(sidecar, "OPTIONS", plain(path), *asked, token=False)
        assert status(answer) == 403
        assert b"access-control" not in answer.lower()
    assert sidecar.process.poll() is None


HOSTILE_NAMES = [
    *("..%2f..%2f..%2fetc%2fpasswd", "../../../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cx", "%00"),
    *("x%00.png", "%5c%5chost%5cshare", "C:", "C:%5cWindows", "%2fetc%2fpasswd", "/etc/passwd", "stills-evil", "%ff"),
    *("x" * 10_000, "%0d%0aSet-Cookie:%20a=b", "-1", "1e9", "%F0%9F%98%80", ".", "..", "canary.txt", "..%2fcanary.txt"),
]


def test_no_name_in_a_path_leads_out_of_a_job(sidecar: Real, footage: Path, tmp_path: Path) -> None:
    (tmp_path / "canary.txt").write_text("canary")
    (tmp_path / "out").mkdir()
    settings = {"backend": "lanczos", "scale": 2, "folder": str(tmp_path / "out")}
    job = sidecar.ended(sidecar.submit("upscale", footage, **settings))
    (tmp_path / "out" / "link.png").symlink_to(tmp_path / "canary.txt")
    (tmp_path / "out-evil").mkdir()
    (tmp_path / "out-evil" / "a.png").write_text("canary")
    names = [*HOSTILE_NAMES, "link.png", "..%2fout-evil%2fa.png", "../out-evil/a.png", "stills.json"]
    for method, path in TABLE:
        parts = path.split("/")
        for hole in (number for number, part in enumerate(parts) if part.startswith("{")):
            for name in names:
                filled = [job["id"] if part == "{id}" else "0" if part.startswith("{") else part for part in parts]
                filled[hole] = name
                answer = wire(sidecar, method, "/".join(filled), body=b"{}")
                head, _, body = answer.partition(b"\r\n\r\n")
                assert 400 <= status(answer) < 500, (method, filled)
                assert b"canary" not in body.replace(b"canary.txt", b"")
                assert b"root:" not in body
                assert b"set-cookie" not in head.lower()


def test_the_token_gets_nowhere(footage: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with serving(sys.executable, "-c", DEBUG) as sidecar:
        token = sidecar.found.token
        code = sidecar.ask("POST", "/v1/session/code").data["code"]
        cookie = sidecar.ask("POST", "/v1/session", {"code": code}).headers["set-cookie"].split("=")[1].split(";")[0]
        bad = tmp_path / "bad.mp4"
        bad.write_bytes(footage.read_bytes()[:900])
        replies = []
        for source in (footage, bad):
            job = sidecar.submit("upscale", source, backend="lanczos", scale=2, folder=str(tmp_path / "out"))
            until(lambda: workers(sidecar))
            processes = [sidecar.process.pid, *workers(sidecar)]
            memory = b"".join(read(pid, name) for pid in processes for name in ("cmdline", "environ"))
            replies.append(str(sidecar.ended(job)).encode())
        sidecar.ask("POST", "/v1/jobs", {"kind": token, "source": token, code: cookie})
        wire(sidecar, "GET", f"/{token}?{code}", f"Cookie: {cookie}", f"Referer: http://x/{token}", token=False)
        for method, path in TABLE:
            if path != STOP and not path.endswith("stream"):
                replies.append(wire(sidecar, method, plain(path), body=b"{}"))
        report = str(condition.examine()).encode()
        sidecar.ask("POST", "/v1/stop")
        said = sidecar.process.communicate(timeout=10)[1].encode()
    logged = b"".join(path.read_bytes() for path in log.path().parent.iterdir())
    kept = b"".join(path.read_bytes() for path in (*tmp_path.rglob("*"), *user_files()) if path.is_file())
    assert b"sidecar.worker" in memory
    assert b"DEBUG" in logged
    for place in (memory, report, said, logged, kept, *replies):
        for secret in (token, cookie, code):
            assert secret.encode() not in place


def read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def user_files() -> list[Path]:
    """What SnapUpscale keeps of its own, the list of jobs included."""
    return [path for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME") for path in Path(os.environ[name]).rglob("*")]


def mutations(data: bytes, count: int) -> Iterator[bytes]:
    """`data` with bytes flipped, a part lost, doubled or zeroed, or its end cut off; always the same ones."""
    for number in range(count):
        draw = random.Random(number)
        changed = bytearray(data)
        begin = draw.randrange(len(changed))
        end = begin + draw.randrange(1, 400)
        if number % 5 == 0:
            for _ in range(draw.choice([1, 10, 200])):
                changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        elif number % 5 == 1:
            del changed[begin:]
        elif number % 5 == 2:
            changed[begin:end] = bytes(end - begin)
        elif number % 5 == 3:
            changed[begin:begin] = changed[begin:end]
        else:  # what the headers claim
            for place in range(min(48, len(changed))):
                changed[-1 - draw.randrange(min(900, len(changed))) if place % 2 else draw.randrange(64)] = 0xFF
        yield bytes(changed)


def test_damaged_footage_ends_its_own_job_alone(sidecar: Real, clip: Callable[..., Path], tmp_path: Path) -> None:
    sources = [
        clip("threats_small.mp4", frames=24, width=64, height=48),
        clip("threats_small.mkv", frames=24, width=64, height=48, codec="ffv1"),
    ]
    jobs: list[dict[str, Any]] = []
    for source in sources:
        for number, data in enumerate(mutations(source.read_bytes(), 10)):
            path = tmp_path / f"{number}{source.suffix}"
            path.write_bytes(data)
            job = sidecar.submit(("cuts", "pick")[number % 2], path)
            while (found := sidecar.job(job))["state"] not in {"done", "failed"}:
                assert sidecar.ask("GET", "/v1/health").status == 200
            jobs.append(found)
    assert sidecar.slowest < 1
    assert len({job["state"] for job in jobs}) == 2, "the mutations do harm, and not always"
    for job in jobs:
        assert job["error"] is None or (job["error"]["code"] in CODES and job["error"]["hint"]), job
    assert sidecar.ended(sidecar.submit("cuts", sources[0]))["state"] == "done"


def claim(data: bytes, table: bytes, at: int) -> bytes:
    """An MP4 that claims 10**9 frames in a table of its index."""
    place = data.index(table) + len(table) + at
    return data[:place] + (10**9).to_bytes(4, "big") + data[place + 4 :]


def test_odd_footage_ends_in_good_order(sidecar: Real, clip: Callable[..., Path], tmp_path: Path) -> None:
    single = clip("threats_single.mp4", frames=1)
    data = clip("threats_small.mp4", frames=24, width=64, height=48).read_bytes()
    odd = {
        "times.mp4": claim(data, b"stts", 8),
        "sizes.mp4": claim(data, b"stsz", 8),
        "chunks.mp4": claim(data, b"stsc", 12),
        "none.mp4": data[: data.index(b"mdat") + 4],
    }
    for name, content in odd.items():
        (tmp_path / name).write_bytes(content)
    sources = [
        *(tmp_path / name for name in odd),
        clip("threats_flat.mkv", frames=3, width=65534, height=2, codec="ffv1"),
        clip("threats_negative.mkv", frames=24, pts=range(-12, 12)),
        clip("threats_uneven.mkv", frames=24, pts=[number * number for number in range(24)]),
    ]
    ends = [sidecar.ended(sidecar.submit("pick", source)) for source in (single, *sources)]
    assert ends[0]["state"] == "done"
    assert [pick["frame"] for pick in ends[0]["result"]["picks"]] == [0]
    for end in ends:
        assert end["error"] is None or (end["error"]["code"] in CODES - {"poisoned"} and end["error"]["hint"]), end
        assert end["attempts"] == 0
    assert sidecar.slowest < 1


def test_a_picture_that_claims_to_be_huge_takes_no_memory(sidecar: Real, tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 16, 2, 0, 0, 0))
    picture = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b"")
    for number in range(3):
        (tmp_path / f"huge.{number:04d}.png").write_bytes(picture)
    job = sidecar.submit("pick", tmp_path / "huge.%04d.png")
    largest = 0
    while (found := sidecar.job(job))["state"] not in {"done", "failed"}:
        largest = max([largest, *map(memory_of, workers(sidecar))])
        assert sidecar.ask("GET", "/v1/health").status == 200
    assert found["error"]["code"] in CODES
    assert largest < 2 << 20
    assert sidecar.slowest < 1


def memory_of(pid: int) -> int:
    try:
        return resident(pid)
    except (OSError, StopIteration):
        return 0


def test_ten_at_once_over_a_stale_file_leave_one(tmp_path: Path) -> None:
    mine = discovery.Discovery(
        protocol=1, pid=os.getpid(), start_time=start_time(os.getpid()) or "", port=9, token="t" * 43, version="0"
    )
    discovery.write(replace(mine, start_time="1"))
    assert discovery.read() is None, "the number was given to this process later"
    processes = [real.start() for _ in range(10)]
    try:
        until(lambda: sum(process.poll() is None for process in processes) == 1)
        (alive,) = (process for process in processes if process.poll() is None)
        assert Real(alive, wait_for(alive)).ask("GET", "/v1/health").data["pid"] == alive.pid
        others = [process.communicate(timeout=10)[1] for process in processes if process is not alive]
        assert [("code: sidecar-running" in said) for said in others] == [True] * 9
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_no_worker_outlives_it(sidecar: Real, clip: Callable[..., Path], number: signal.Signals) -> None:
    source = clip("threats_long.mp4", frames=1200, picture=long_footage)
    sidecar.submit("upscale", source, backend="bicubic", scale=8)
    sidecar.submit("analyse", source, priority="interactive")
    pids = until(lambda: pids if len(pids := workers(sidecar)) == 2 else None)
    sidecar.process.send_signal(number)
    sidecar.process.wait(10)
    until(lambda: not any(map(start_time, pids)), 2)


def test_floods_and_slow_clients_cost_no_memory(sidecar: Real) -> None:
    posts = sorted({path for method, path in TABLE if method == "POST"})
    deep = [b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"[" * 1_000_000]
    wide = b"[" + b"{}," * 340_000 + b"{}]"
    slow = [socket.create_connection(("127.0.0.1", sidecar.found.port)) for _ in range(50)]
    for each in slow:
        each.sendall(b"GET /v1/health HTTP/1.1\r\nX-Slow: ")
    flood(sidecar, posts, deep, wide)
    before = resident(sidecar.process.pid)
    for _ in range(4):
        flood(sidecar, posts, deep, wide)
    assert sidecar.ask("GET", "/v1/health").status == 200
    assert sidecar.slowest < 1
    assert resident(sidecar.process.pid) - before < 8 * 1024
    assert resident(sidecar.process.pid) < 200 * 1024
    for each in slow:
        each.close()


def flood(sidecar: Real, posts: list[str], deep: list[bytes], wide: bytes) -> None:
    for path in posts:
        assert status(wire(sidecar, "POST", plain(path), body=b" " * 10_000_000)) == 413
        if path == STOP:
            continue
        for body in (*deep, wide):
            answer = wire(sidecar, "POST", plain(path), body=body)
            assert status(answer) < 500
            assert status(answer) >= 400 or b'"code":"' in answer, path
