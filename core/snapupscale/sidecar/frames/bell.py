"""A way to wake a thread that waits for a socket."""

from __future__ import annotations

import socket
from contextlib import suppress


class Bell:
    """Readable, for a selector, from `ring` until `silence`. Any thread may ring."""

    def __init__(self) -> None:
        self._ear, self._hand = socket.socketpair()
        self._ear.setblocking(False)
        self._hand.setblocking(False)

    def fileno(self) -> int:
        """For a selector."""
        return self._ear.fileno()

    def ring(self) -> None:
        """Wake who waits; one who rings often before that is heard once."""
        with suppress(OSError):
            self._hand.send(b"\0")

    def silence(self) -> None:
        """Make it unreadable again."""
        with suppress(OSError):
            self._ear.recv(4096)

    def close(self) -> None:
        """Later calls of `ring` do nothing."""
        self._ear.close()
        self._hand.close()
