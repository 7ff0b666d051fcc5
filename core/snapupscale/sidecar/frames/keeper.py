"""Copies results into the store of results, beside the work on the next frame."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from snapupscale.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import torch
    from torch import Tensor

    from snapupscale.sidecar.frames.results import Results
    from snapupscale.upscale.live import Live

_MOST_AT_ONCE = 2
"""Results on their way, in page-locked memory. What comes while it is behind is not kept."""


class Keeper:
    """Puts results into `results`. `keep` is for the thread that computes; the rest is done on one of its own."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._room = threading.Semaphore(_MOST_AT_ONCE)
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def keep(self, live: Live, key: Hashable, result: Tensor) -> None:
        """Keep `result`, which `live` made and nobody writes to any longer, if there is room for it."""
        if not self._results.holds(result.nbytes):
            return
        try:
            if live.backend == "cpu":
                whole = result.untyped_storage().nbytes() == result.nbytes
                self._results.keep(key, result if whole else result.clone())
            elif live.backend == "cuda":
                self._fetch(key, result)
            else:
                self._download(live, key, result)
        except (OutOfMemory, MemoryError, RuntimeError):
            # What is there counts for less than the next frame.
            self._results.clear()

    def _download(self, live: Live, key: Hashable, result: Tensor) -> None:
        import torch  # noqa: PLC0415  slow to load

        kept = torch.empty(result.nbytes, dtype=torch.uint8)
        live.download(result, kept)
        self._results.keep(key, kept)

    def _fetch(self, key: Hashable, result: Tensor) -> None:
        """Have the GPU copy the result without waiting for it."""
        import torch  # noqa: PLC0415  slow to load

        if not self._room.acquire(blocking=False):
            return
        try:
            staged = torch.empty(result.nbytes, dtype=torch.uint8, pin_memory=True)
            staged.copy_(result, non_blocking=True)
            arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            arrived.record()
        except BaseException:
            self._room.release()
            raise
        self._waiting.put(lambda: self._put_away(key, staged, arrived))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
            self._thread.start()

    def _put_away(self, key: Hashable, staged: Tensor, arrived: torch.cuda.Event) -> None:
        import torch  # noqa: PLC0415  slow to load

        arrived.synchronize()
        kept = torch.empty(staged.nbytes, dtype=torch.uint8)
        kept.copy_(staged)
        self._results.keep(key, kept)

    def _run(self) -> None:
        while True:
            put_away = self._waiting.get()
            try:
                put_away()
            except (MemoryError, RuntimeError):
                self._results.clear()
            finally:
                del put_away
                self._room.release()
