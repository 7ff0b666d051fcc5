"""The door for effects: a port, the link file that tells of it, and a thread for each connection."""

from __future__ import annotations

import logging
import os
import selectors
import threading
import time
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from snapupscale.sidecar.frames import link
from snapupscale.sidecar.frames.bell import Bell
from snapupscale.sidecar.frames.connection import Connection

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from snapupscale.sidecar.frames.desk import Desk
    from snapupscale.sidecar.keys import Keys
    from snapupscale.sidecar.lifetime import Lifetime

MOST_CONNECTIONS = 32
"""That were let in."""
_MOST_KNOCKING = 16
"""Beside these, who have not said HELLO yet."""
_PAUSE = 0.2
_JOIN_SECONDS = 1.0
_log = logging.getLogger(__name__)


@contextmanager
def offering(door: socket.socket, desk: Desk, keys: Keys, lifetime: Lifetime) -> Iterator[None]:
    """Let effects in through `door`, a socket that listens, for as long as this is open. Raises as link.write does."""
    listener = Listener(door, desk, keys, lifetime)
    mine = link.Link(pid=os.getpid(), port=door.getsockname()[1], token=keys.token)
    try:
        link.write(mine)
        yield
    finally:
        link.remove(mine)
        listener.close()


class Listener:
    """Accepts connections on a thread of its own, until it is closed."""

    def __init__(self, door: socket.socket, desk: Desk, keys: Keys, lifetime: Lifetime) -> None:
        self._door = door
        self._desk, self._keys, self._lifetime = desk, keys, lifetime
        self._numbers = count(1)
        self._bell = Bell()
        self._lock = threading.Lock()
        self._threads: dict[Connection, threading.Thread] = {}
        self._admitted: set[Connection] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="effects", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more, and end the connections that there are; `door` stays open."""
        self._closing.set()
        self._bell.ring()
        self._thread.join()
        self._bell.close()
        with self._lock:
            left = dict(self._threads)
        for connection in left:
            connection.end()
        end = time.monotonic() + _JOIN_SECONDS
        for thread in left.values():
            thread.join(max(0.0, end - time.monotonic()))

    def _listen(self) -> None:
        self._door.setblocking(False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._door, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while True:
                selector.select()
                if self._closing.is_set():
                    return
                try:
                    connected, _ = self._door.accept()
                except BlockingIOError:
                    continue
                except OSError as error:
                    # Too many files are open, or who knocked has left.
                    _log.warning("no connection can be accepted: %s", error)
                    self._closing.wait(_PAUSE)
                    continue
                self._take(connected)

    def _take(self, connected: socket.socket) -> None:
        with self._lock:
            full = len(self._threads) - len(self._admitted) >= _MOST_KNOCKING
            full = full or len(self._threads) >= MOST_CONNECTIONS + _MOST_KNOCKING
        if full:
            connected.close()
            return
        try:
            self._begin(connected)
        except (OSError, RuntimeError) as error:  # no file or no thread left
            _log.warning("no connection can be served: %s", error)
            connected.close()

    def _begin(self, connected: socket.socket) -> None:
        connection = Connection(
            connected,
            next(self._numbers),
            desk=self._desk,
            keys=self._keys,
            lifetime=self._lifetime,
            admit=self._admit,
        )
        thread = threading.Thread(target=self._serve, args=(connection,), name="effect", daemon=True)
        with self._lock:
            self._threads[connection] = thread
        try:
            thread.start()
        except RuntimeError:
            self._forget(connection)
            raise

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        with self._lock:
            self._threads.pop(connection, None)
            self._admitted.discard(connection)

    def _admit(self, connection: Connection) -> bool:
        with self._lock:
            if len(self._admitted) >= MOST_CONNECTIONS:
                return False
            self._admitted.add(connection)
            return True
