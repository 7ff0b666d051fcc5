"""Footage by its segments: each is decoded by one thread a core, and all are joined."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.media import samples
from snapupscale.media.frames import FrameIndex, Marks
from snapupscale.media.intra import Glimpse
from snapupscale.media.segment_decoder import Look, NotApart, SegmentDecoder
from snapupscale.media.segments import in_order_of_work, threads_here
from snapupscale.media.signatures import signature
from snapupscale.media.skim import skimmed
from snapupscale.media.source import require_unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from snapupscale.media.segments import Segment
    from snapupscale.media.skim import Leaps
    from snapupscale.media.source import Source

_AHEAD = 320
"""Frames that may wait for their turn, 14 kB each: so many that none waits for a segment that is decoded twice."""
_PULSE_SECONDS = 0.2


class SegmentReader:
    """Reads a source by its `segments`, several at a time, each with a decoder of one thread: that keeps all cores at
    work, which threads inside one decoder, as they wait for each other, do not. Leaves out the loop filter.

    A frame that refers to some before the keyframe and is shown before it, as in open groups of pictures, is decoded
    with the segment before. Frames are the same as those of one pass: their number and times are compared with the
    packets, and keyframes that were decoded with the segment before too with what they are on their own.
    """

    def __init__(
        self,
        source: Source,
        parts: Sequence[Segment],
        *,
        decoders: int | None = None,
        leaps: Leaps | None = None,
        pulse: Callable[[int], None] | None = None,
    ) -> None:
        """decoders: how many work side by side; a single one has threads of its own. leaps: given, frames that no other
        refers to are left out where nothing happens (see skim.py). pulse: gets the number of frames that were come by
        several times a second while none is shown, and may raise."""
        self.source = source
        self.decoded = 0
        """How many of the frames were decoded."""
        self._segments = parts
        self._threads = decoders or threads_here()
        self._leaps, self._pulse = leaps, pulse
        self._reached = [0] * len(parts)
        self._decoders: SimpleQueue[SegmentDecoder] = SimpleQueue()
        self._stopped = Event()
        self._failed = Event()
        self._marks = Marks()

    def glimpses(self) -> Iterator[Glimpse]:
        """Every frame, in order. Raises NotApart, at any time, for footage that must be decoded in one go: it is
        damaged, or its keyframes are not what they should be; and SourceChanged."""
        first = last = None
        before: NDArray[np.uint8] | None = None
        self.decoded = 0
        for look in self._looks():
            first = look.pts if first is None else first
            sample = samples.merged(look.planes)
            before = sample if before is None else before
            times = (*look.left_out, look.pts)
            for number, time in enumerate(times, 1):
                if last is not None and time <= last:
                    raise NotApart
                last, decoded = time, time == look.pts
                shown = samples.between(before, sample, number / len(times))
                flags = decoded and look.keyframe, False, look.interlaced, decoded
                self._marks.put(time - first, flags, signature(shown))
                self.decoded += decoded
                yield Glimpse(index=len(self._marks) - 1, sample=shown, matrix=look.matrix, decoded=decoded)
            before = sample
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
            self._reached = [0] * len(self._segments)
            own_threads = 1 if self._threads > 1 else os.cpu_count() or 1
            for _ in range(self._threads):
                decoder = stack.enter_context(SegmentDecoder(self.source.path, self.source.stream, threads=own_threads))
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
                while (look := self._next(queue)) is not None:
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
            for look in self._seen(decoder, segment):
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

    def _seen(self, decoder: SegmentDecoder, segment: Segment) -> Iterator[Look]:
        if self._leaps is None:
            return decoder.looks(segment)

        def reached(frames: int) -> bool:
            self._reached[segment.number] = max(frames, self._reached[segment.number])
            return not self._stopped.is_set()

        return skimmed(decoder, segment, self._leaps, reached)

    def _next(self, looks: SimpleQueue[Look | None]) -> Look | None:
        while True:
            with suppress(Empty):
                return looks.get(timeout=_PULSE_SECONDS)
            if self._pulse:
                self._pulse(sum(self._reached))
