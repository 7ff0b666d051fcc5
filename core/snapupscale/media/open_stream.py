"""A file and a decoder for it, of which several work side by side."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from typing import TYPE_CHECKING, Self

from snapupscale.media.source import opened

if TYPE_CHECKING:
    from pathlib import Path

    from av.video.stream import VideoStream


class OpenStream:
    """A context manager. Used by one thread at a time. Leaves out the loop filter."""

    def __init__(self, path: Path, number: int, *, threads: int = 1) -> None:
        self._stack = ExitStack()
        self._path, self.number, self._threads = path, number, threads

    def __enter__(self) -> Self:
        self.container = self._stack.enter_context(opened(self._path))
        self.stream: VideoStream = self.container.streams[self.number]  # type: ignore[assignment]
        self.tick = self.stream.time_base or Fraction(1)
        self.context = self.stream.codec_context
        self.context.thread_count = self._threads
        self.context.thread_type = "AUTO"
        self.context.options = {"skip_loop_filter": "all"}
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
