"""Footage whose index tells its keyframes: what lies between them is decoded by one thread a core, and joined."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import chain, islice, takewhile
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, Self

import numpy as np
from av.error import FFmpegError

from snapupscale.media import pixels, samples
from snapupscale.media.frames import FrameIndex, Marks
from snapupscale.media.intra import Glimpse
from snapupscale.media.packets import shown, whole_index
from snapupscale.media.signatures import signature
from snapupscale.media.single_thread import SingleThread
from snapupscale.media.source import require_unchanged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import av
    from numpy.typing import NDArray

    from snapupscale.media.packets import Packet
    from snapupscale.media.source import Source

_LEAST, _MOST = 24, 300
"""Packets of a segment; with longer ones too much would wait for its turn."""
_AHEAD = 120
"""Frames that may wait for their turn where segments are short: 14 kB each."""
_THREADS = 8
"""At most, as each has all the pictures that a decoder keeps."""
_LARGEST = 2048 * 1152
"""Pixels of a picture: of larger ones so many decoders would keep too much in memory."""
_UNEVEN = 1.1
"""How much longer than its share of the work the last thread may be busy."""
_CHECKED = 16
"""Of so many segments that begin without leading pictures one is checked."""


class NotApart(Exception):
    """Something about the footage asks for it to be decoded in one go: read it with a Decoder instead."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Packets, in the order of the file, from a keyframe up to another one."""

    number: int
    start: int
    """When the first is to be decoded, in ticks of the container."""
    delay: int
    """How much later the first frame of the source is shown than decoded: seeking goes by what is shown."""
    packets: int
    size: int
    """Bytes: they tell how long decoding takes better than the number of frames."""
    checked: bool
    """Whether the keyframe after it is decoded too, only to be compared."""


@dataclass(frozen=True, kw_only=True)
class _Look:
    """What is kept of a decoded frame."""

    pts: int
    planes: list[NDArray[np.uint8]]
    matrix: int
    keyframe: bool
    damaged: bool
    interlaced: bool


def segments(source: Source, *, threads: int | None = None) -> list[Segment]:
    """The segments of a source, by its index; none where that isn't whole, keyframes are too rare, pictures too large,
    or so many `threads` could not share the work evenly."""
    index = whole_index(source)
    if index is None or not index.keys[0]:
        return []
    starts = [0]
    for place, keyframe in enumerate(index.keys):
        if keyframe and place - starts[-1] >= _LEAST:
            starts.append(place)
    lengths = np.diff([*starts, len(index.keys)]).tolist()
    if len(starts) < 2 or max(lengths) > _MOST or source.width * source.height > _LARGEST:
        return []
    found = [
        Segment(
            number=number,
            start=index.times[place],
            delay=index.delay,
            packets=length,
            size=sum(index.sizes[place : place + length]),
            checked=number % _CHECKED == 0,
        )
        for number, (place, length) in enumerate(zip(starts, lengths, strict=True))
    ]
    return found if _even(found, threads or _threads()) else []


def _threads() -> int:
    """How many decoders are worth while here."""
    return min(os.cpu_count() or 1, _THREADS)


def _even(parts: Sequence[Segment], count: int) -> bool:
    """Whether `count` threads would all be busy nearly to the end."""
    loads = [0] * count
    for part in in_order_of_work(parts, count):
        loads[loads.index(min(loads))] += part.size
    return max(loads) <= _UNEVEN * sum(loads) / count


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
        self._threads = threads or _threads()
        self._hands: SimpleQueue[_Hand] = SimpleQueue()
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

    def _looks(self) -> Iterator[_Look]:
        with ExitStack() as stack:
            self._stopped.clear()
            self._failed.clear()
            self._hands = SimpleQueue()
            for _ in range(self._threads):
                hand = stack.enter_context(_Hand(self.source.path, self.source.stream))
                self._hands.put(hand)
                self._marks = Marks(hand.tick)
            pool = ThreadPoolExecutor(self._threads)
            stack.callback(pool.shutdown, cancel_futures=True)
            stack.callback(self._stopped.set)
            waiting = deque(in_order_of_work(self._segments, self._threads))
            running: dict[int, tuple[int, SimpleQueue[_Look | None], Future[_Look | None]]] = {}
            witness: _Look | None = None
            for segment in self._segments:
                while waiting and (
                    segment.number not in running
                    or len(running) < self._threads
                    or sum(running[number][0] for number in running if number != segment.number) + waiting[0].packets
                    <= _AHEAD
                ):
                    following = waiting.popleft()
                    queue: SimpleQueue[_Look | None] = SimpleQueue()
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

    def _see(self, segment: Segment, looks: SimpleQueue[_Look | None]) -> _Look | None:
        """Give the frames of `segment` to `looks`, and then None. Returns the keyframe after it if that was decoded."""
        hand = self._hands.get()
        try:
            for look in hand.looks(segment):
                if hand.end is not None and look.pts >= hand.end:
                    return look
                looks.put(look)
                if self._stopped.is_set():
                    break
            return None
        except NotApart:
            self._failed.set()
            raise
        finally:
            self._hands.put(hand)
            looks.put(None)


class _Hand(SingleThread):
    """One decoder that sees one segment after the other. Used by one thread at a time."""

    def __init__(self, path: Path, stream: int) -> None:
        super().__init__(path, stream)
        self.end: int | None = None
        """The time of the keyframe after the segment, once it was read."""

    def __enter__(self) -> Self:
        super().__enter__()
        self._begin()
        return self

    def _begin(self) -> None:
        """Decode the first packet: what made the stream may be told there alone, and decoders go by it (that of H.264
        with 4:4:4 of older versions of x264, for one)."""
        first = next(shown(self.container, self.number), None)
        with suppress(FFmpegError):
            self.context.decode(first)
            self.context.decode(None)

    def looks(self, segment: Segment) -> Iterator[_Look]:
        """At the frames of `segment`, and perhaps at the keyframe after it. Raises NotApart unless all come, whole."""
        try:
            keyframe, packets = self._found(segment)
            begin, due = _time(keyframe), 0
            own = islice(packets, segment.packets - 1)
            fed: Iterator[Packet | None] = chain((keyframe,), own, self._beyond(segment, packets), (None,))
            for packet in fed:
                if packet is not None:
                    due += begin <= _time(packet) != self.end
                # No name for a picture: it would keep it while the next one is decoded.
                for look in map(_look, self.context.decode(packet)):
                    last = self.end is not None and look.pts >= self.end
                    if look.damaged or (last and due):
                        raise NotApart
                    if look.pts >= begin:
                        due -= not last
                        yield look
        except FFmpegError as error:
            raise NotApart from error
        if due:
            raise NotApart

    def _found(self, segment: Segment) -> tuple[Packet, Iterator[Packet]]:
        """The first packet of `segment`, and all those after it."""
        self.end = None
        self.container.seek(segment.start + segment.delay, stream=self.stream)
        self.context.flush_buffers()
        packets = shown(self.container, self.number)
        # A seek may land at a keyframe before.
        keyframe = next((packet for packet in packets if packet.dts is None or packet.dts >= segment.start), None)
        if keyframe is None or not keyframe.is_keyframe or keyframe.dts != segment.start:
            raise NotApart
        return keyframe, packets

    def _beyond(self, segment: Segment, packets: Iterator[Packet]) -> Iterator[Packet]:
        """The keyframe after the segment, if others that are shown before it follow, with these; or if it is to be
        compared."""
        keyframe = next(packets, None)
        if keyframe is None:
            return
        self.end = end = _time(keyframe)
        leading = list(takewhile(lambda packet: _time(packet) < end, packets))
        if leading or segment.checked:
            yield keyframe
            yield from leading


def in_order_of_work(parts: Sequence[Segment], threads: int) -> list[Segment]:
    """With the longest of the last ones so early that the others keep all other threads at work for as long: else one
    would be left alone with it."""
    longest = max(parts[-2 * threads :], key=lambda part: part.size)
    others = [part for part in parts if part is not longest]
    place, work = len(others), 0
    while place and work < longest.size * (threads - 1):
        place -= 1
        work += others[place].size
    place = min(place, longest.number)
    return [*others[:place], longest, *others[place:]]


def _look(picture: av.VideoFrame) -> _Look:
    return _Look(
        pts=_time(picture),
        planes=samples.sampled_planes(picture),
        matrix=pixels.frame_tags(picture).matrix,
        keyframe=picture.key_frame,
        damaged=picture.is_corrupt,
        interlaced=picture.interlaced_frame,
    )


def _time(timed: Packet | av.VideoFrame) -> int:
    if timed.pts is None:
        raise NotApart
    return timed.pts
