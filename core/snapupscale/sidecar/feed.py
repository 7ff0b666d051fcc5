"""One look at the store for all who listen: it wakes them when something has happened."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from snapupscale.errors import SnapUpscaleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snapupscale.sidecar.lifetime import Lifetime

LOOK_SECONDS = 0.2


class Feed:
    """Looks for news while anyone listens. `latest` gives the number of an event after the one it gets, or that one
    when there is none; it may wait for a disk. To be used on one event loop."""

    def __init__(self, latest: Callable[[int], int], lifetime: Lifetime) -> None:
        self._latest = latest
        self._lifetime = lifetime
        self._number = 0
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None
        self.news = asyncio.Event()
        """Set when something has happened, or the sidecar stops; another takes its place then."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep looking as long as this is open."""
        self._listeners += 1
        self._task = self._task or asyncio.create_task(self._look())
        try:
            with self._lifetime.listening():
                yield
        finally:
            self._listeners -= 1
            if not self._listeners and self._task:
                self._task.cancel()
                self._task = None

    async def wait(self, news: asyncio.Event, seconds: float) -> None:
        """Wait for `news`, at most `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), seconds)

    async def _look(self) -> None:
        while True:
            try:
                number = await run_in_threadpool(self._latest, self._number)
            except SnapUpscaleError:
                number = -1  # who listens asks, and says what is wrong
            if number != self._number or self._lifetime.stopping:
                self._number = max(number, self._number)
                self.news.set()
                self.news = asyncio.Event()
            await asyncio.sleep(LOOK_SECONDS)
