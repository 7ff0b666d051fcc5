"""The progress of one picture: tiles of known area, and work that a device has queued."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_QUEUED_AT_FIRST = 2e12
_QUEUED_SECONDS = 0.05
"""Floating-point operations queued on a GPU before waiting for them, so that progress is true and cancelling quick:
first so many, then what the device seems to do in so long."""


class Meter:
    """Progress over tiles of known area. Never goes back, also when a tile has to be done again.

    wait: until the device has done what was asked of it so far.
    """

    def __init__(self, report: Callable[[float], None], wait: Callable[[], None], area: int) -> None:
        self._report = report
        self._wait = wait
        self._area = area
        self._finished = 0
        self._highest = 0.0
        self._queued, self._most = 0.0, _QUEUED_AT_FIRST
        self._waited = time.monotonic()
        self.begin(0)

    def begin(self, area: int) -> None:
        """A tile of `area` starts."""
        self._current = area
        self.expect(1.0)

    def expect(self, operations: float) -> None:
        """The tile takes so many operations, counted from now."""
        self._expected, self._done = operations, 0.0

    def tick(self, operations: float) -> None:
        """`operations` of the tile are done, or queued on the device."""
        self._done += operations
        self._queued += operations
        if self._queued > self._most:
            self._wait()
            now = time.monotonic()
            self._most = self._queued * _QUEUED_SECONDS / max(now - self._waited, 1e-3)
            self._queued, self._waited = 0.0, now
        within = min(1.0, self._done / self._expected)
        self._highest = max(self._highest, (self._finished + within * self._current) / self._area)
        self._report(self._highest)

    def finish(self) -> None:
        """The tile is done for good."""
        self._finished += self._current
