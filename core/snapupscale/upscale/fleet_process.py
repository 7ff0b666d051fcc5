"""One process of a fleet, as the one that started it sees it: what it has to do, and its replies as they come."""

from __future__ import annotations

import json
import math
import os
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snapupscale.upscale.shared_memory import ALIGNMENT, Room, Rooms

if TYPE_CHECKING:
    import queue
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Message = dict[str, Any]
    Pixels = NDArray[Any]

_END_SECONDS = 1.0
"""The longest that the end of a process is waited for; where a driver hangs, it can't even be killed."""

START_SECONDS = 300.0
"""The longest that loading may take: weights from a slow disk, a driver that sets up many GPUs."""
FIRST_SECONDS, FIRST_SECONDS_A_PIXEL = 120.0, 3e-4
"""The longest that the first picture may take, of which nobody knows yet how fast the GPU is: that of the slowest GPU
that torch still uses, several times."""
LEAST_SECONDS, SLOWER = 60.0, 20.0
"""After it a process may be silent for so long, or for so many times as long as its slowest picture took, by pixels."""


@dataclass(kw_only=True, eq=False)
class Task:
    """One picture on its way. index: its place. shape: of the result. deaths: processes that ended while at it."""

    index: int = -1
    shape: tuple[int, ...] = ()
    picture: Pixels | None = None
    result: Pixels | None = None
    error: Exception | None = None
    deaths: int = 0

    @property
    def ended(self) -> bool:
        return self.result is not None or self.error is not None

    @property
    def pixels(self) -> int:
        """Of the picture, while it is not yet a result."""
        return 0 if self.picture is None else math.prod(self.picture.shape[:2])


class Process:
    """A process that has `gpu` to itself, from its start to `end`. Raises OSError.

    gpu: variables that show this one alone. settings: of its upscaler. inbox: takes each reply and, after the last,
    None.
    """

    def __init__(
        self,
        command: Sequence[str],
        gpu: Mapping[str, str],
        settings: Mapping[str, Any],
        inbox: queue.SimpleQueue[tuple[Process, Message | None]],
    ) -> None:
        self.gpu = gpu
        self.ready = self.proven = False
        """Whether it takes pictures, and whether it has given a result."""
        self.at: int | None = None
        """The place of the picture it has begun last."""
        self.tasks: dict[int, Task] = {}
        self._slowest = 0.0
        """Seconds a pixel."""
        self._places: dict[int, tuple[Room, int]] = {}
        self._rooms = Rooms()
        self._inbox = inbox
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **gpu}
        )
        self.excuse()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._send(settings)

    def begin(self, task: Task) -> None:
        """Have it upscale a picture. Raises OSError where there is no memory to share."""
        picture = task.picture
        assert picture is not None
        offset = -(-picture.nbytes // ALIGNMENT) * ALIGNMENT
        size = offset + picture[:1, :1].nbytes * task.shape[0] * task.shape[1]
        room = self._rooms.take(size)
        copy = room.array(0, picture.shape, picture.dtype.name)
        copy[...] = picture
        # From now on this is the picture: what was given belongs to others, who may write to it.
        task.picture = copy
        self.tasks[task.index], self._places[task.index] = task, (room, offset)
        drop, self._rooms.dropped = self._rooms.dropped, []
        self.excuse()
        self._send(
            {
                "id": task.index,
                "name": room.name,
                "bytes": room.size,
                "shape": picture.shape,
                "dtype": picture.dtype.name,
                "result": task.shape,
                "offset": offset,
                "drop": drop,
            }
        )

    def finish(self, index: int, seconds: float) -> None:
        """It has upscaled a picture in so long: take over the result, whose memory is used again when nobody has it."""
        task, (room, offset) = self.tasks.pop(index), self._places.pop(index)
        assert task.picture is not None
        self._slowest = max(self._slowest, seconds / task.pixels)
        task.result = self._rooms.lent(room, offset, task.shape, task.picture.dtype.name)
        task.picture = None
        self.proven = True

    def drop(self, index: int) -> Task:
        """It could not."""
        room, _ = self._places.pop(index)
        self._rooms.give_back(room)
        return self.tasks.pop(index)

    def excuse(self) -> None:
        """Forget for how long it has been silent."""
        self._heard = time.monotonic()

    def overdue(self) -> float:
        """For how many seconds it has been silent, where it is longer than its work can take; else 0."""
        silent = time.monotonic() - self._heard
        return silent if silent > self._patience() else 0

    def _patience(self) -> float:
        if not self.ready:
            return START_SECONDS
        pixels = max((task.pixels for task in self.tasks.values()), default=0)
        if not pixels:
            return math.inf
        if not self.proven:
            return FIRST_SECONDS + FIRST_SECONDS_A_PIXEL * pixels
        return max(LEAST_SECONDS, SLOWER * self._slowest * pixels)

    def kill(self) -> None:
        """Start its end, without waiting."""
        self._process.kill()

    def end(self) -> bool:
        """End it; nothing of it is left. Whether it has ended: where a driver hangs, that can't be waited for."""
        self.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._reader.join(_END_SECONDS)
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()
        self._rooms.forget()
        return self._process.poll() is not None

    def _send(self, message: Mapping[str, Any]) -> None:
        # When it has ended, its last reply says so.
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as replies:
            for line in replies:
                try:
                    message = json.loads(line)
                except ValueError:
                    break
                self.excuse()
                self._inbox.put((self, message))
        self._inbox.put((self, None))
