"""The frames made last, so that one that is asked for again costs nothing."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from torch import Tensor

_MOST = 4 << 30
_SHARE = 8
"""The part of the machine's memory that results may take is one of so many."""


def budget(memory: int) -> int:
    """Bytes that results may take on a machine with `memory` bytes."""
    return min(_MOST, memory // _SHARE)


class Results:
    """Results in host memory, by whatever tells them apart; the least recently used go first. For any thread.

    room: bytes that they may take.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._used = 0
        self._kept: OrderedDict[Hashable, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """Bytes that are taken."""
        return self._used

    def get(self, key: Hashable) -> Tensor | None:
        """The result, which is not to be written to, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def holds(self, size: int) -> bool:
        """Whether a result of `size` bytes would be kept."""
        return size <= self._room

    def keep(self, key: Hashable, result: Tensor) -> None:
        """Keep a result from now on; one that is too large for all the room is not."""
        size = result.nbytes
        with self._lock:
            if key in self._kept or not self.holds(size):
                return
            while self._used + size > self._room:
                _, old = self._kept.popitem(last=False)
                self._used -= old.nbytes
            self._kept[key] = result
            self._used += size

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._kept.clear()
            self._used = 0
