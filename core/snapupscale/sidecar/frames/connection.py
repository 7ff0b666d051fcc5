"""One effect's connection: its requests, checked, and the answers, all on a thread of its own."""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from snapupscale.errors import SettingError
from snapupscale.sidecar.frames import wire
from snapupscale.sidecar.frames.bell import Bell
from snapupscale.sidecar.frames.desk import Outcome, sentences
from snapupscale.sidecar.frames.wire import Garbage, Header, Op, Status, WrongVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.sidecar.frames.desk import Desk
    from snapupscale.sidecar.keys import Keys
    from snapupscale.sidecar.lifetime import Lifetime

HELLO_SECONDS = 5.0
"""From the connection to the end of HELLO."""
MESSAGE_SECONDS = 5.0
"""From the first byte of a message to its last, and for a reply to be taken."""
_DRAIN_SECONDS = 0.5
_BUSY = "Too many frames at a time. Wait until some are done."
_CROWDED = "Too many effects are connected. Close some of the programs that use SnapUpscale."
_ENDING = "The sidecar is about to end. It starts again when it is needed."
_log = logging.getLogger(__name__)


class _Over(Exception):
    """The connection is to be closed, for no fault of the other side."""


class Connection:
    """A connection that was accepted. `serve` reads, answers and at last closes it; other calls are for any thread.

    admit: asked once the token was right, whether there is room for one more.
    """

    def __init__(
        self,
        connected: socket.socket,
        number: int,
        *,
        desk: Desk,
        keys: Keys,
        lifetime: Lifetime,
        admit: Callable[[Connection], bool],
    ) -> None:
        self.number = number
        self._socket = connected
        self._desk = desk
        self._keys = keys
        self._lifetime = lifetime
        self._admit = admit
        self._bell = Bell()
        self._news: deque[Outcome | None] = deque()
        self._ending = False
        self._buffer = bytearray()
        self._began = 0.0
        self._pending: Header | None = None
        self._pending_since = 0.0
        self._room = 0
        self._selector = selectors.DefaultSelector()

    def answer(self, outcome: Outcome) -> None:
        """Its MAP or RENDER has ended."""
        self._tell(outcome)

    def lose(self) -> None:
        """Its mapping is gone."""
        self._tell(None)

    def end(self) -> None:
        """The sidecar ends."""
        self._ending = True
        self._bell.ring()

    def serve(self) -> None:
        """Until the other side leaves, breaks the rules, or the sidecar ends."""
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.settimeout(MESSAGE_SECONDS)
            self._selector.register(self._socket, selectors.EVENT_READ)
            self._selector.register(self._bell, selectors.EVENT_READ)
            hello = self._greet()
            with self._lifetime.listening():
                self._reply(hello, Status.OK)
                self._talk()
        except (Garbage, SettingError) as error:
            _log.warning("connection %d of an effect is closed: %s", self.number, error)
        except (_Over, OSError) as error:
            _log.info("connection %d of an effect has ended %s", self.number, error)
        except Exception:
            _log.exception("connection %d of an effect", self.number)
        finally:
            self._desk.leave(self)
            self._selector.close()
            self._socket.close()
            self._bell.close()

    def _tell(self, news: Outcome | None) -> None:
        self._news.append(news)
        self._bell.ring()

    def _greet(self) -> Header:
        """The HELLO of one that may come in, which is still to be answered."""
        header, tail = self._next(time.monotonic() + HELLO_SECONDS)
        if header.op != Op.HELLO:
            raise Garbage("it did not begin with HELLO")
        hello = wire.read_hello(tail)
        if not self._keys.is_token(hello.token):
            self._refuse(header, Status.BAD_TOKEN, "The token is wrong. Read the link file again.")
            raise Garbage("the token is wrong")
        if not self._admit(self):
            self._refuse(header, Status.BUSY, _CROWDED)
            raise _Over("since too many are connected")
        _log.info("connection %d: effect in process %d, %.40s", self.number, hello.pid, ascii(hello.client))
        return header

    def _talk(self) -> None:
        while True:
            header, tail = self._next(None)
            self._lifetime.touch()
            if header.op == Op.BYE:
                return
            if header.op == Op.HELLO:
                raise Garbage("a second HELLO")
            try:
                self._obey(header, tail)
            except SettingError as error:
                self._reply(header, Status.BAD_REQUEST, sentences(str(error), error.hint))

    def _obey(self, header: Header, tail: bytes) -> None:
        if header.op == Op.CANCEL:
            if self._pending and self._pending.op == Op.RENDER and self._pending.seq == header.seq:
                self._desk.cancel(self)
            return
        if header.op == Op.WARM:
            self._desk.warm(wire.read_params(tail))
        if header.op not in {Op.MAP, Op.RENDER}:
            self._reply(header, Status.OK)
            return
        if self._pending:
            self._reply(header, Status.BUSY, _BUSY)
            return
        if header.op == Op.MAP:
            room, place = wire.read_room(header), wire.read_place(tail)
            self._desk.map(self, place, room)
            self._room = room
        else:
            if not self._room:
                raise SettingError("a frame needs a mapping first", hint="Send MAP before RENDER.")
            picture, params = wire.read_picture(header, self._room), wire.read_params(tail)
            self._desk.render(self, picture, params, interactive=header.interactive)
        self._pending, self._pending_since = header, self._began

    def _next(self, deadline: float | None) -> tuple[Header, bytes]:
        """The next message, while answers go out. deadline: for the whole of it, by time.monotonic()."""
        data = self._exactly(wire.SIZE, deadline)
        self._began = time.perf_counter()
        try:
            header = wire.read_header(data)
        except WrongVersion as error:
            message = f"The sidecar speaks version {wire.VERSION}. Install the effect and SnapUpscale anew."
            self._refuse(error.header, Status.BAD_VERSION, message)
            raise
        return header, self._exactly(header.tail, deadline or time.monotonic() + MESSAGE_SECONDS)

    def _exactly(self, count: int, deadline: float | None) -> bytes:
        while len(self._buffer) < count:
            if self._buffer and deadline is None:
                deadline = time.monotonic() + MESSAGE_SECONDS
            timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = [key.fileobj for key, _ in self._selector.select(timeout)]
            if not ready and timeout is not None and time.monotonic() >= (deadline or 0.0):
                raise Garbage("a message took too long")
            if self._bell in ready:
                self._hear()
            if self._socket in ready:
                data = self._socket.recv(wire.SIZE + wire.MOST_TAIL)
                if not data:
                    raise _Over("by the other side")
                self._buffer += data
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _hear(self) -> None:
        """Pass on what the desk, or the end of the sidecar, has to say."""
        self._bell.silence()
        while self._news:
            outcome = self._news.popleft()
            if outcome is None:
                raise _Over("with its mapping")
            self._finish(outcome)
        if self._ending:
            self._finish(Outcome(status=Status.ENDING, message=_ENDING))
            raise _Over("with the sidecar")

    def _finish(self, outcome: Outcome) -> None:
        """Answer the MAP or RENDER that there is."""
        header, self._pending = self._pending, None
        if header is None:
            return
        if header.op == Op.MAP and outcome.status != Status.OK:
            self._room = 0
        since = self._pending_since
        self._reply(header, outcome.status, outcome.message, since=since, cached=outcome.cached)

    def _reply(
        self, header: Header, status: Status, message: str = "", *, since: float | None = None, cached: bool = False
    ) -> None:
        elapsed = time.perf_counter() - (self._began if since is None else since)
        self._socket.sendall(wire.reply(header, status, message=message, elapsed=elapsed, cached=cached))

    def _refuse(self, header: Header, status: Status, message: str) -> None:
        """The last reply. What the other side is still sending is read for a moment, since closing at once would reset
        the connection and the reply might never arrive."""
        self._reply(header, status, message)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(_DRAIN_SECONDS)
            end = time.monotonic() + _DRAIN_SECONDS
            while self._socket.recv(65536) and time.monotonic() < end:
                pass
