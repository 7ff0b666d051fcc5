"""Footage by its segments: each is decoded by one thread a core, and all are joined."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.media import samples
from snapupscale.media.frames import FrameIndex, Marks
from snapupscale.media.intra import Glimpse
from snapupscale.media.segment_decoder import Look, NotApart, SegmentDecoder
from snapupscale.media.segments import in_order_of_work, threads_here
from snapupscale.media.signatures import signature
from snapupscale.media.source import require_unchanged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from snapupscale.media.segments import Segment
    from snapupscale.media.source import Source

_AHEAD = 120
"""Frames that may wait for their turn where segments are short: 14 kB each."""


class SegmentReader:
    """Reads a source by its `segments`, several at a time, each with a decoder of one thread: that keeps all cores at
    work, which threads inside one decoder, as they wait for each other, do not. Leaves out the loop filter.

    A frame that refers to some before the keyframe and is shown before it, as in open groups of pictures, is decoded
    with the segment before. Frames are the same as those of one pass: their number and times are compared with the
    packets, and keyframes that were decoded with the segment before too with what they are on their own.
    """

    def __init__(self, source: Source, parts: Sequence[Segment], *, threads: int | None = None) -> None:
        self.source = source
        self._segments = parts
        self._threads = threads or threads_here()
        self._decoders: SimpleQueue[SegmentDecoder] = SimpleQueue()
        self._stopped = Event()
        self._failed = Event()
        self._marks = Marks()

    def glimpses(self) -> Iterator[Glimpse]:
        """Every frame, in order. Raises NotApart, at any time, for footage that must be decoded in one go: it is
        damaged, or its keyframes are not what they should be; and SourceChanged."""
        first = last = None
        for count, look in enumerate(self._looks()):
            first = look.pts if first is None else first
            if last is not None and look.pts <= last:
                raise NotApart
            last = look.pts
            sample = samples.merged(look.planes)
            self._marks.put(last - first, (look.keyframe, False, look.interlaced), signature(sample))
            yield Glimpse(index=count, sample=sample, matrix=look.matrix, decoded=True)
        if len(self._marks) != self.source.frames:
            raise NotApart
        require_unchanged(self.source)

    def index(self) -> FrameIndex:
        """The index of the frames that `glimpses` gave."""
        return self._marks.index(threaded=True)

    def _looks(self) -> Iterator[Look]:
        with ExitStack() as stack:
            self._stopped.clear()
            self._failed.clear()
            self._decoders = SimpleQueue()
            for _ in range(self._threads):
                decoder = stack.enter_context(SegmentDecoder(self.source.path, self.source.stream))
                self._decoders.put(decoder)
                self._marks = Marks(decoder.tick)
            pool = ThreadPoolExecutor(self._threads)
            stack.callback(pool.shutdown, cancel_futures=True)
            stack.callback(self._stopped.set)
            waiting = deque(in_order_of_work(self._segments, self._threads))
            running: dict[int, tuple[int, SimpleQueue[Look | None], Future[Look | None]]] = {}
            witness: Look | None = None
            for segment in self._segments:
                while waiting and (
                    segment.number not in running
                    or len(running) < self._threads
                    or sum(running[number][0] for number in running if number != segment.number) + waiting[0].packets
                    <= _AHEAD
                ):
                    following = waiting.popleft()
                    queue: SimpleQueue[Look | None] = SimpleQueue()
                    running[following.number] = following.packets, queue, pool.submit(self._see, following, queue)
                _, queue, future = running[segment.number]
                for look in iter(queue.get, None):
                    if self._failed.is_set():
                        raise NotApart
                    if witness and not all(map(np.array_equal, witness.planes, look.planes)):
                        raise NotApart
                    witness = None
                    yield look
                witness = future.result()
                del running[segment.number]

    def _see(self, segment: Segment, looks: SimpleQueue[Look | None]) -> Look | None:
        """Give the frames of `segment` to `looks`, and then None. Returns the keyframe after it if that was decoded."""
        decoder = self._decoders.get()
        try:
            for look in decoder.looks(segment):
                if decoder.end is not None and look.pts >= decoder.end:
                    return look
                looks.put(look)
                if self._stopped.is_set():
                    break
            return None
        except NotApart:
            self._failed.set()
            raise
        finally:
            self._decoders.put(decoder)
            looks.put(None)
