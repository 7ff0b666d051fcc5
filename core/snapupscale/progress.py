"""Progress of long work: what is reported, and rate and remaining time worked out of it."""

from __future__ import annotations

import time
from typing import Protocol


class Progress(Protocol):
    """Called often while work goes on; may raise (Cancelled, KeyboardInterrupt) to stop it."""

    def __call__(self, stage: str, done: float, total: float | None) -> None:
        """`done` of `total` units of `stage` (`analyse` and `pick`: frames; `upscale`: stills); total None: unknown."""


class Meter:
    """Rate and remaining time of one stage. What was there at the first call (resumed work) doesn't count."""

    def __init__(self, done: float) -> None:
        self._first = done
        self._began = time.monotonic()

    def rate(self, done: float) -> float | None:
        """Units a second since the first call; None until something was done."""
        elapsed = time.monotonic() - self._began
        return (done - self._first) / elapsed if done > self._first and elapsed > 0 else None

    def remaining(self, done: float, total: float | None) -> float | None:
        """Seconds until `total`; None when not known."""
        rate = self.rate(done)
        return max(0.0, total - done) / rate if rate and total is not None else None


def silent(stage: str, done: float, total: float | None) -> None:
    """Report nothing."""
