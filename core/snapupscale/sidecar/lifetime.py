"""How long the sidecar lives: until it is told to stop, or nobody has asked it for anything for a while."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Lifetime:
    """When the sidecar began, when it was last of use, and whether it is to stop; for any thread. idle: seconds."""

    def __init__(self, idle: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle = idle
        self._clock = clock
        self._began = self._used = clock()
        self._streams = 0
        self._lock = threading.Lock()
        self.stopping = False

    @property
    def uptime(self) -> float:
        """Seconds."""
        return self._clock() - self._began

    @property
    def idle(self) -> bool:
        """Whether nothing was of use for too long, and no client listens."""
        return not self._streams and self._clock() - self._used >= self._idle

    def touch(self) -> None:
        """A client or a job is here now."""
        self._used = self._clock()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """A client listens as long as this is open."""
        with self._lock:
            self._streams += 1
        try:
            yield
        finally:
            self.touch()
            with self._lock:
                self._streams -= 1

    def stop(self) -> None:
        """Ask the sidecar to end; open streams end first."""
        self.stopping = True
