"""A stand-in for the sidecar's side of the link, which behaves as it is told, however badly.

Run as a program (`fake_sidecar.py BEHAVIOUR FOLDER`) it can be killed and stopped; it prints a line once it listens.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import secrets
import select
import socket
import stat
import struct
import sys
import threading
import time
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = struct.Struct("<IHHIIIIIIQQQII")
MAGIC = int.from_bytes(b"SNUF", "little")
HELLO, MAP, RENDER, CANCEL, PING, BYE, WARM = range(1, 8)
OK, CANCELLED, BAD_TOKEN, BAD_VERSION, BAD_REQUEST, FAILED, BUSY, ENDING = range(8)
PICTURE = 4096
SAMPLES = {1: (np.uint8, 255), 2: (np.uint16, 65535), 3: (np.float16, 1), 4: (np.float32, 1)}
LOOK = {"mode", "factor", "zoom", "centre_x", "centre_y", "model", "strength", "denoise"}


@dataclass(frozen=True, kw_only=True)
class Message:
    """A header and its tail, in the order of the wire."""

    magic: int = MAGIC
    version: int = 1
    op: int
    seq: int = 0
    slot: int = 0
    width: int = 0
    height: int = 0
    format: int = 0
    flags: int = 0
    offset: int = 0
    bytes: int = 0
    elapsed: int = 0
    status: int = 0
    tail: bytes = b""

    def pack(self, *, tail: int | None = None) -> bytes:
        """All of it; `tail` is the length that the header claims."""
        values = (self.magic, self.version, self.op, self.seq, self.slot, self.width, self.height, self.format)
        sizes = (self.flags, self.offset, self.bytes, self.elapsed, len(self.tail) if tail is None else tail)
        return HEADER.pack(*values, *sizes, self.status) + self.tail

    def answer(self, status: int = OK, text: str = "") -> Message:
        """The reply that belongs to it."""
        return replace(self, status=status, tail=text.encode())

    @property
    def json(self) -> Any:
        """The tail's content."""
        return json.loads(self.tail)


class Closed(Exception):
    """The connection is over."""


@dataclass(kw_only=True)
class Session:
    """One connection of an effect."""

    sidecar: FakeSidecar
    stream: socket.socket
    greeted: bool = False
    shared: mmap.mmap | None = None
    unread: list[Message] = field(default_factory=list)

    def run(self) -> None:
        """Answer until the connection is over."""
        with self.stream, contextlib.suppress(OSError, Closed):
            if self.sidecar.behaviour == "accept-and-close":
                return
            while True:
                self.take(self.unread.pop(0) if self.unread else self.receive())
        if self.shared is not None:
            self.shared.close()

    def take(self, message: Message) -> None:
        """Answer one request, well or badly."""
        self.sidecar.requests.append(message)
        if message.op == BYE:
            raise Closed
        if message.op == CANCEL:
            return
        if message.op == self.sidecar.at:
            FAULTS[self.sidecar.behaviour](self, message)
        else:
            self.good(message)

    def good(self, message: Message) -> None:
        """As the contract says."""
        if not self.greeted and message.op != HELLO:
            raise Closed
        if message.op == HELLO:
            self.greeted = secrets.compare_digest(message.json["token"], self.sidecar.token)
            self.send(message.answer(OK if self.greeted else BAD_TOKEN))
        elif message.op == MAP:
            self.map(message)
            self.send(message.answer())
        elif message.op == RENDER:
            self.render(message)
            self.send(message.answer())
        else:
            self.send(message.answer())

    def map(self, message: Message) -> None:
        """Open the effect's memory, with the checks of the contract."""
        name, cookie = message.json["name"], bytes.fromhex(message.json["cookie"])
        handle = os.open(name, os.O_RDWR | os.O_NOFOLLOW)
        try:
            status = os.fstat(handle)
            assert stat.S_ISREG(status.st_mode)
            assert stat.S_IMODE(status.st_mode) == 0o600
            assert status.st_size == message.bytes
            # Wholly allocated: no write can fail later.
            assert status.st_blocks * 512 >= message.bytes
            if self.shared is not None:
                self.shared.close()
            self.shared = mmap.mmap(handle, message.bytes)
        finally:
            os.close(handle)
        assert self.shared[:16] == cookie
        self.sidecar.names.append(name)

    def samples(self, message: Message) -> np.ndarray[Any, Any]:
        """The picture in the mapping, as rows of pixels."""
        assert self.shared is not None
        kind, _ = SAMPLES[message.format & 255]
        components = message.format >> 8
        count = message.width * message.height * components
        assert message.bytes == count * np.dtype(kind).itemsize
        assert message.offset == PICTURE
        assert set(message.json) == LOOK
        flat = np.frombuffer(self.shared, kind, count, PICTURE)
        return flat.reshape(message.height, message.width, components)

    def render(self, message: Message) -> None:
        """Turn the colours into their complements, and leave alpha; or leave the picture, if so told."""
        picture = self.samples(message)
        if self.sidecar.behaviour != "identity":
            most = SAMPLES[message.format & 255][1]
            picture[..., :3] = most - picture[..., :3]
        del picture

    def spoil(self, message: Message) -> None:
        """Write what is no result into the mapping."""
        picture = self.samples(message)
        picture[: message.height // 2] = 77
        del picture

    def send(self, message: Message) -> None:
        """Send all of it."""
        self.stream.sendall(message.pack())

    def receive(self) -> Message:
        """The next request."""
        values = HEADER.unpack(self.exactly(HEADER.size))
        tail = self.exactly(values[12])
        names = ("magic", "version", "op", "seq", "slot", "width", "height", "format", "flags", "offset", "bytes")
        message = Message(**dict(zip(names, values, strict=False)), elapsed=values[11], status=values[13], tail=tail)
        assert (message.magic, message.version, message.status, message.slot) == (MAGIC, 1, 0, 0)
        return message

    def exactly(self, count: int) -> bytes:
        """So many bytes."""
        data = b""
        while len(data) < count:
            part = self.stream.recv(count - len(data))
            if not part:
                raise Closed
            data += part
        return data

    def cancelled(self, seconds: float) -> bool:
        """Whether a cancel comes within the time; other messages are answered later. Raises Closed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.sidecar.ending.is_set():
            if select.select([self.stream], [], [], 0.01)[0]:
                self.unread.append(self.receive())
                if self.unread[-1].op == CANCEL:
                    self.sidecar.requests.append(self.unread.pop())
                    return True
        return False


def _raw(data: Callable[[Message], bytes]) -> Callable[[Session, Message], None]:
    def send(session: Session, message: Message) -> None:
        if message.op == RENDER:
            session.spoil(message)
        session.stream.sendall(data(message.answer()))

    return send


def _raw_and_close(data: Callable[[Message], bytes]) -> Callable[[Session, Message], None]:
    def send(session: Session, message: Message) -> None:
        _raw(data)(session, message)
        raise Closed

    return send


def _status(status: int, text: str) -> Callable[[Session, Message], None]:
    return lambda session, message: session.send(message.answer(status, text))


def _hang(session: Session, _: Message) -> None:
    while not session.sidecar.ending.is_set():
        session.cancelled(0.05)


def _slow(session: Session, message: Message) -> None:
    if session.cancelled(session.sidecar.delay):
        session.send(message.answer(CANCELLED))
    else:
        session.good(message)


def _late(session: Session, message: Message) -> None:
    session.sidecar.ending.wait(session.sidecar.delay)
    session.good(message)


def _drip(session: Session, message: Message) -> None:
    session.render(message)
    for byte in message.answer(OK, "slowly").pack():
        session.stream.sendall(bytes([byte]))
        time.sleep(0.002)


def _dies(session: Session, message: Message) -> None:
    session.spoil(message)
    raise Closed


def _dies_often(session: Session, message: Message) -> None:
    content = zlib.crc32(session.samples(message).tobytes())
    with session.sidecar.lock:
        dies = content % 8 == 0 and content not in session.sidecar.killers
        session.sidecar.killers.add(content)
    (_dies if dies else Session.good)(session, message)


def _garbage(message: Message) -> bytes:
    return replace(message, magic=0x50545448).pack()


FAULTS: dict[str, Callable[[Session, Message], None]] = {
    "good": Session.good,
    "identity": Session.good,
    "accept-and-close": Session.good,
    "garbage": _raw(_garbage),
    "random": _raw(lambda _: bytes(range(100, 200)) * 50),
    "truncated-header": _raw_and_close(lambda message: message.pack()[:40]),
    "truncated-tail": _raw_and_close(lambda message: replace(message, tail=b"cut").pack(tail=50)),
    "half-header": _raw(lambda message: message.pack()[:40]),
    "wrong-seq": _raw(lambda message: replace(message, seq=message.seq + 1).pack()),
    "wrong-op": _raw(lambda message: replace(message, op=PING).pack()),
    "wrong-slot": _raw(lambda message: replace(message, slot=1).pack()),
    "wrong-size": _raw(lambda message: replace(message, width=message.width + 1).pack()),
    "wrong-format": _raw(lambda message: replace(message, format=message.format ^ 1).pack()),
    "wrong-bytes": _raw(lambda message: replace(message, bytes=message.bytes - 1).pack()),
    "wrong-status": _raw(lambda message: replace(message, status=99).pack()),
    "other-version": _raw(lambda message: replace(message, version=2).pack()),
    "huge-tail": _raw(lambda message: message.pack(tail=4097) + bytes(4097)),
    "bad-version": _status(BAD_VERSION, "another version"),
    "refuses-token": _status(BAD_TOKEN, "the token is wrong"),
    "failed": _status(FAILED, "The model is missing\nRun snapupscale models"),
    "bad-request": _status(BAD_REQUEST, "the size makes no sense"),
    "busy": _status(BUSY, "too many frames"),
    "cancelled": _status(CANCELLED, ""),
    "ending": _status(ENDING, "the sidecar stops"),
    "dies": _dies,
    "dies-often": _dies_often,
    "hang": _hang,
    "slow": _slow,
    "late": _late,
    "slow-drip": _drip,
}
"""By behaviour, how the request `at` is answered."""


class FakeSidecar:
    """A sidecar of threads. Use it as a context manager; its attributes may be set while it runs."""

    def __init__(
        self, behaviour: str, folder: Path, *, at: int = RENDER, delay: float = 0.3, published_token: str | None = None
    ) -> None:
        """`folder` is for XDG_RUNTIME_DIR. at: the request that `behaviour` is about; delay: s, of slow and late."""
        assert behaviour in FAULTS, f"one of {', '.join(FAULTS)}"
        self.behaviour, self.at, self.delay = behaviour, at, delay
        self.token = secrets.token_urlsafe(32)
        self.path = folder / "snapupscale" / "frames.link"
        self.requests: list[Message] = []
        self.names: list[str] = []
        """Of the mappings that were opened."""
        self.connections = 0
        self.killers: set[int] = set()
        """Checksums of the pictures at which dies-often has died or might have; none kills twice."""
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self._published = published_token or self.token
        self._threads: list[threading.Thread] = []
        self._sessions: list[socket.socket] = []

    def __enter__(self) -> FakeSidecar:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(16)
        self.publish(f"snapupscale-frames 1 {os.getpid()} {self.port} {self._published}\n")
        self._threads.append(threading.Thread(target=self._listen))
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)
        self.stop()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    def publish(self, line: str) -> None:
        """Write the link file, whole or not at all."""
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = self.path.with_suffix(f".{secrets.token_hex(4)}")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(line)
        temporary.replace(self.path)

    def stop(self) -> None:
        """End as if it were killed: the link file stays."""
        self.ending.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(5)

    def hang_up(self) -> None:
        """Close all connections, and go on listening."""
        for stream in self._sessions:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def count(self, op: int) -> int:
        """How many requests of that kind came."""
        return sum(message.op == op for message in list(self.requests))

    def _listen(self) -> None:
        while not self.ending.is_set():
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sessions.append(stream)
            thread = threading.Thread(target=Session(sidecar=self, stream=stream).run)
            self._threads.append(thread)
            thread.start()


def main(behaviour: str, folder: str) -> None:
    """Run until killed or until standard input ends."""
    with FakeSidecar(behaviour, Path(folder)) as sidecar:
        print(sidecar.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
