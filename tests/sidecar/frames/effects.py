"""An effect as the one in C talks to the sidecar, a door for it, and a process that makes frames without any model."""

from __future__ import annotations

import json
import mmap
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from snapupscale.sidecar.frames import wire
from snapupscale.sidecar.frames.desk import Desk
from snapupscale.sidecar.frames.listener import offering
from snapupscale.sidecar.frames.wire import Header, Op, Status
from snapupscale.sidecar.keys import Keys
from snapupscale.sidecar.lifetime import Lifetime
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest

PARAMS = {
    "mode": "restore",
    "factor": 2.0,
    "zoom": 2.0,
    "centre_x": 0.5,
    "centre_y": 0.5,
    "model": "invert",
    "strength": 1.0,
    "denoise": 1.0,
}
# The real process, with a stand-in for torch that holds bytes, and one for the model, whose name says what it does.
PROGRAM = """
import hashlib, os, signal, sys, time, types
from dataclasses import dataclass

class Tensor:
    def __init__(self, data):
        self.data = memoryview(data)
        self.nbytes = len(self.data)

    def copy_(self, other, non_blocking=False):
        self.data[:] = other.data

    def clone(self):
        return Tensor(bytes(self.data))

    def data_ptr(self):
        return 4096

    def untyped_storage(self):
        return types.SimpleNamespace(nbytes=lambda: self.nbytes)

class Event:
    def record(self):
        pass

    def synchronize(self):
        time.sleep(0.05)

def register(address, size, flags):
    print("registers", size, file=sys.stderr, flush=True)
    return int("SNAPUPSCALE_TEST_LOCKED" in os.environ)

def unregister(address):
    print("unregisters", file=sys.stderr, flush=True)
    return 0

torch = types.ModuleType("torch")
torch.uint8 = "uint8"
torch.frombuffer = lambda data, dtype, count, offset: Tensor(memoryview(data)[offset : offset + count])
torch.empty = lambda count, dtype, pin_memory=False: Tensor(bytearray(count))
torch.zeros = lambda count, dtype: Tensor(bytearray(count))
runtime = types.SimpleNamespace(cudaHostRegister=register, cudaHostUnregister=unregister)
torch.cuda = types.SimpleNamespace(
    is_available=lambda: False, empty_cache=lambda: None, cudart=lambda: runtime, Event=Event
)
sys.modules["torch"] = torch

from snapupscale.errors import OutOfMemory, SettingError, WeightsMissing

@dataclass(frozen=True, kw_only=True)
class Layout:
    width: int
    height: int
    depth: str
    components: int
    premultiplied: bool
    top_down: bool

@dataclass(frozen=True, kw_only=True)
class Look:
    mode: str
    factor: float = 2.0
    zoom: float = 2.0
    centre_x: float = 0.5
    centre_y: float = 0.5
    strength: float = 1.0

INVERTED = bytes(range(255, -1, -1))
others = [0]

class Live:
    choice = "a stand-in"

    def __init__(self, model, *, denoise):
        self.weights_sha256 = model
        self.name, _, number = model.partition("-")
        self.backend = self.name if self.name in {"cuda", "mps"} else "cpu"
        self.number = float(number) / 1000 if number.isdigit() else 0.0
        print("loads", model, file=sys.stderr, flush=True)
        if self.name == "crowded" and others[0] > 0:
            raise OutOfMemory("no room for the model")
        others[0] += 1
        if self.name == "missing":
            raise WeightsMissing("no such weights")
        if self.name == "unknown":
            raise SettingError("no such model")
        if self.name == "loads":
            time.sleep(self.number)
        print("has loaded", model, file=sys.stderr, flush=True)

    def upload(self, source):
        return Tensor(bytes(source.data))

    def digest(self, raw):
        return hashlib.md5(raw.data).digest()

    def render(self, raw, layout, look, *, progress):
        print("renders", layout.width, look.strength, file=sys.stderr, flush=True)
        progress(0.0)
        if self.name == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.name == "full":
            raise OutOfMemory("it does not fit")
        if self.name == "faulty":
            raise RuntimeError("a fault")
        if self.name == "deaf":
            time.sleep(self.number)
        end = time.monotonic() + (self.number if self.name == "slow" else 0)
        while time.monotonic() < end:
            progress(0.5)
            time.sleep(0.01)
        return Tensor(bytes(raw.data).translate(INVERTED))

    def download(self, result, into):
        into.copy_(result)

    def close(self):
        others[0] -= 1
        print("closes", self.name, file=sys.stderr, flush=True)

live = types.ModuleType("snapupscale.upscale.live")
live.Live, live.Layout, live.Look = Live, Layout, Look
sys.modules["snapupscale.upscale.live"] = live

from snapupscale.sidecar.frames.worker import main
main()
"""
COMMAND = (sys.executable, "-P", "-c", PROGRAM)
INVERTED = bytes(range(255, -1, -1))


class Door:
    """A sidecar that lets effects in, in this process."""

    def __init__(self, port: int, desk: Desk, keys: Keys, lifetime: Lifetime) -> None:
        self.port, self.desk, self.keys, self.lifetime = port, desk, keys, lifetime

    def effect(self, room: int = 0, **hello: Any) -> Effect:
        """An effect that was let in, with a mapping for `room` bytes of pixels if there are any."""
        effect = Effect(self.port)
        assert effect.hello(token=self.keys.token, **hello)[0].status == Status.OK
        if room:
            header, message = effect.map(room)
            assert header.status == Status.OK, message
        return effect


@contextmanager
def serving(command: Sequence[str] = COMMAND, **options: Any) -> Iterator[Door]:
    """A door, and whatever is behind it, closed at the end."""
    keys, lifetime, desk = Keys(), Lifetime(60), Desk(command=command, **options)
    with socket.create_server(("127.0.0.1", 0)) as door:
        # What is accepted has it too, so that one that reads nothing is soon seen to.
        door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        try:
            with offering(door, desk, keys, lifetime):
                yield Door(door.getsockname()[1], desk, keys, lifetime)
        finally:
            desk.close()


class Effect:
    """A connection, and the mapping that belongs to it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seq = 0
        self.path: Path | None = None
        self.mapping: mmap.mmap | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()
        if self.path:
            with suppress(OSError):
                self.path.unlink()
        if self.mapping:
            self.mapping.close()

    def send(self, op: int, tail: object = b"", **fields: Any) -> int:
        """Send a request; its number."""
        data = tail if isinstance(tail, bytes) else json.dumps(tail).encode()
        if "seq" not in fields:
            self.seq += 1
            fields["seq"] = self.seq
        self.socket.sendall(Header(op=op, tail=len(data), **fields).pack() + data)
        return int(fields["seq"])

    def receive(self) -> tuple[Header, str]:
        """The next reply and its message. Raises EOFError at the end."""
        header = Header.unpack(self._exactly(wire.SIZE))
        return header, self._exactly(header.tail).decode()

    def ask(self, op: int, tail: object = b"", **fields: Any) -> tuple[Header, str]:
        """A request and its reply."""
        number = self.send(op, tail, **fields)
        header, message = self.receive()
        assert (header.magic, header.version, header.op, header.seq) == (wire.MAGIC, 1, op, number)
        return header, message

    def hello(self, *, token: str, pid: int = 1, client: str = "test") -> tuple[Header, str]:
        return self.ask(Op.HELLO, {"token": token, "pid": pid, "client": client})

    def make(self, room: int, mode: int = 0o600) -> dict[str, str]:
        """A mapping with room for so many bytes of pixels; the tail that offers it."""
        handle, name = tempfile.mkstemp(prefix="snapupscale-test-")
        cookie = secrets.token_bytes(16)
        os.ftruncate(handle, wire.FIRST_PIXEL + room)
        self.mapping = mmap.mmap(handle, wire.FIRST_PIXEL + room)
        self.mapping[:16] = cookie
        os.fchmod(handle, mode)
        os.close(handle)
        self.path = Path(name)
        return {"name": name, "cookie": cookie.hex()}

    def map(self, room: int) -> tuple[Header, str]:
        """Make a mapping and offer it; its name is gone afterwards."""
        header, message = self.ask(Op.MAP, self.make(room), size=wire.FIRST_PIXEL + room)
        assert self.path
        self.path.unlink()
        return header, message

    def put(self, pixels: bytes) -> None:
        """Write a picture into the mapping."""
        assert self.mapping
        self.mapping[wire.FIRST_PIXEL : wire.FIRST_PIXEL + len(pixels)] = pixels

    def got(self, size: int) -> bytes:
        """What is in its place."""
        assert self.mapping
        return self.mapping[wire.FIRST_PIXEL : wire.FIRST_PIXEL + size]

    def start(self, width: int, height: int, *, flags: int = wire.INTERACTIVE, **params: Any) -> int:
        """Ask for a frame of bytes, RGBA, that lies in the mapping, and don't wait; the number of the request."""
        fields = {"width": width, "height": height, "format": 1 | 4 << 8, "offset": wire.FIRST_PIXEL, "flags": flags}
        return self.send(Op.RENDER, {**PARAMS, **params}, size=width * height * 4, **fields)

    def render(self, width: int, height: int, **options: Any) -> tuple[Header, str]:
        """Ask for a frame and wait for it."""
        number = self.start(width, height, **options)
        header, message = self.receive()
        assert (header.op, header.seq, header.width, header.height) == (Op.RENDER, number, width, height)
        return header, message

    def cancelled(self, number: int) -> None:
        """Have the frame that was asked for with this number given up."""
        self.send(Op.CANCEL, seq=number)
        header, _ = self.receive()
        assert (header.op, header.seq, header.status) == (Op.RENDER, number, Status.CANCELLED)

    def made(self, pixels: bytes, width: int, **options: Any) -> Header:
        """Have a frame made of `pixels`, and see that it is right."""
        self.put(pixels)
        header, message = self.render(width, len(pixels) // width // 4, **options)
        assert header.status == Status.OK, message
        assert self.got(len(pixels)) == pixels.translate(INVERTED)
        return header

    def closed(self, seconds: float = 10.0) -> bool:
        """Whether the other side closes the connection within so many seconds, with nothing more to say."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError("the connection is closed")
            data += more
        return data


def pid(door: Door) -> int:
    """The process behind the door."""
    found = door.desk.worker_pid
    assert found
    return found


def halt(process: int) -> None:
    """Stop the process, and wait until each of its threads has."""
    os.kill(process, signal.SIGSTOP)
    for thread in Path(f"/proc/{process}/task").glob("*/stat"):
        until(lambda thread=thread: thread.read_text().rpartition(")")[2].split()[0] == "T")  # type: ignore[misc]


def said(caplog: pytest.LogCaptureFixture, what: str) -> list[str]:
    """The lines of the process that begin so."""
    return [text[8:] for text in caplog.messages if text.startswith(f"worker: {what}")]


def runs(caplog: pytest.LogCaptureFixture) -> None:
    """Wait until a frame is being made."""
    until(lambda: said(caplog, "renders"))


def mappings(process: int) -> int:
    """How many mappings of effects the process has open."""
    with open(f"/proc/{process}/maps", encoding="utf-8") as lines:  # noqa: PTH123
        return sum("snapupscale-test-" in line for line in lines)


def took(begun: float) -> float:
    """Seconds since `begun`."""
    return time.monotonic() - begun
