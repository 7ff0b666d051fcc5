"""One worker as its supervisor sees it: a process, its replies as they come, and its errors in the log."""

from __future__ import annotations

import json
import logging
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from snapupscale.sidecar import containment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_END_GRACE = 0.1
"""Seconds for each of the gentle ways to end a worker."""
_UNENDING = 5.0
"""Seconds that one may take to end by force: a device gives back its memory first."""
_LAST_WORDS = 1.0
_log = logging.getLogger(__name__)


def worker_command(name: str = "worker", module: str = "snapupscale.sidecar.worker") -> tuple[str, ...]:
    """What starts a worker. A frozen program has no interpreter beside it, and is asked to be the worker itself, by the
    `name` of a command; elsewhere its `module` is run."""
    if getattr(sys, "frozen", False):
        return (sys.executable, "sidecar", name)
    # -P: the worker must not import from the folder that the service happens to be in.
    return (sys.executable, "-P", "-m", module)


COMMAND = worker_command()


@dataclass(frozen=True, kw_only=True)
class Start:
    """How to start a worker."""

    command: Sequence[str] = COMMAND
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of the service."""
    modest: bool = False
    """Whether the processor is to do all else first."""


class Worker:
    """The process, from its start to `stop`. Start it on a thread that lives as long. Raises OSError.

    deliver: called with each reply, and None after the last, on a thread of its own; without it they wait for `reply`.
    """

    def __init__(self, start: Start, *, deliver: Callable[[dict[str, Any] | None], None] | None = None) -> None:
        self._process = containment.start(list(start.command), dict(start.environment), modest=start.modest)
        self._replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._deliver = deliver or self._replies.put
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: dict[str, Any]) -> None:
        """Send one message; a worker that has died doesn't get it, and its replies will end."""
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.write(json.dumps(message).encode() + b"\n")
                self._process.stdin.flush()

    def reply(self, timeout: float) -> dict[str, Any] | None:
        """The next reply, or None when the worker has died. Raises queue.Empty."""
        return self._replies.get(timeout=timeout)

    def stop(self) -> str:
        """End the process, by force if need be; says how it ended."""
        # It ends by itself when its input does, so this is the gentle way, too.
        for gently in (self._close_input, self._process.terminate):
            with suppress(OSError):
                gently()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_GRACE)
                break
        else:
            self._process.kill()
        try:
            code = self._process.wait(_UNENDING)
        except subprocess.TimeoutExpired:
            # It waits in the driver of a device, as a rule; whoever stops it must not wait along.
            _log.error("process %d cannot be ended", self.pid)
            return "it cannot be ended"
        # What the worker had started may hold the pipes open for longer.
        for reader in self._readers:
            reader.join(_LAST_WORDS)
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def _close_input(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()

    def _read(self) -> None:
        for line in _lines(self._process.stdout):
            try:
                reply = json.loads(line)
            except ValueError:
                _log.warning("the worker died in the midst of a reply")
                continue
            self._deliver(reply)
        self._deliver(None)

    def _read_errors(self) -> None:
        for line in _lines(self._process.stderr):
            _log.warning("worker: %s", line.decode("utf-8", "replace").rstrip())


def _lines(pipe: IO[bytes] | None) -> Iterator[bytes]:
    """What comes through a pipe, which is closed at its end; another thread that closed it would wait for that."""
    if pipe:
        with pipe:
            yield from pipe
