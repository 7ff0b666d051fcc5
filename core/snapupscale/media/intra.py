"""Footage whose frames stand alone: only so many frames are decoded as it takes to see where something happens."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from queue import SimpleQueue
from typing import TYPE_CHECKING

import cv2
import numpy as np
from av.error import FFmpegError

from snapupscale.media import pixels, samples
from snapupscale.media.frames import FrameIndex, Marks
from snapupscale.media.packets import shown
from snapupscale.media.signatures import signature
from snapupscale.media.source import opened, require_unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import av
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from snapupscale.media.packets import Packet
    from snapupscale.media.source import Source

STRIDE = 8
REACH = 4
"""Frames that are decoded on both sides of a place where something happens."""
_EVEN = 1.25
"""How much larger or smaller than those about it a packet may be where nothing happens."""


class NotSparse(Exception):
    """Something about the footage asks for all of its frames to be decoded: read it with a Decoder instead."""


@dataclass(frozen=True, kw_only=True)
class Glimpse:
    """What there is of one frame, decoded or not."""

    index: int
    sample: NDArray[np.uint8]
    """As `samples.sample` has it; of a frame that was skipped, between those of the decoded frames about it."""
    matrix: int
    """Code point of ITU-T H.273."""
    decoded: bool


@dataclass(frozen=True, kw_only=True)
class _Look:
    """What is kept of a decoded frame."""

    sample: NDArray[np.uint8]
    thumbnail: NDArray[np.uint8]
    signature: NDArray[np.uint8]
    matrix: int
    interlaced: bool


@dataclass(kw_only=True)
class _Window:
    """Packets from one that is surely decoded up to, not including, the next such."""

    first: int
    packets: list[Packet]
    looks: list[_Look | None] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    """Numbers of frames after which something happens."""


class SparseReader:
    """Reads a source whose packets are all keyframes. `quiet` gets the thumbnails of two frames, and says whether
    nothing can have happened from the one to the other.

    Every `stride`-th frame is decoded; between two that aren't quiet the middle one, and so on, down to neighbours;
    where those aren't quiet, REACH frames on both sides too. So what is there and gone again between two frames of the
    stride can be missed, unless the sizes of the packets tell of it. Packets are decoded by one thread a core, each
    with a decoder of its own: unlike the threads inside a decoder that needs no order. A reader's memory does not grow
    with the footage.
    """

    def __init__(
        self,
        source: Source,
        *,
        quiet: Callable[[NDArray[np.uint8], NDArray[np.uint8]], bool],
        stride: int = STRIDE,
        threads: int | None = None,
    ) -> None:
        self.source = source
        self.decoded = 0
        """How many of the frames were decoded."""
        self._quiet = quiet
        self._stride = max(stride, REACH)
        self._threads = threads or os.cpu_count() or 1
        self._eyes: SimpleQueue[_Eye] = SimpleQueue()
        self._marks = Marks()
        self._first = 0

    def glimpses(self) -> Iterator[Glimpse]:
        """Every frame, in order. Raises NotSparse, at any time, for footage that must be decoded whole: it is damaged,
        ends early, or has frames that refer to others; and SourceChanged."""
        self.decoded = 0
        with ExitStack() as stack:
            self._eyes = SimpleQueue()
            for _ in range(self._threads):
                self._eyes.put(stack.enter_context(_Eye(self.source.path, self.source.stream)))
            pool = ThreadPoolExecutor(self._threads)
            stack.callback(pool.shutdown, cancel_futures=True)
            before: _Window | None = None
            window: _Window | None = None
            for after in self._resolved(pool):
                if window is not None:
                    self._complete(pool, (before, window, after))
                    yield from self._shown(window, after)
                before, window = window, after
            if window is not None:
                self._complete(pool, (before, window, None))
                yield from self._shown(window, None)
        require_unchanged(self.source)

    def index(self) -> FrameIndex:
        """The index of the frames that `glimpses` gave. Signatures of frames that were skipped are means of those about
        them."""
        return self._marks.index(threaded=True)

    def _resolved(self, pool: ThreadPoolExecutor) -> Iterator[_Window]:
        """Windows in which all is decoded that it takes to find what happens inside."""
        waiting: deque[Future[_Window]] = deque()
        left: Future[_Look] | None = None
        window: _Window | None = None
        for following in self._windows():
            right = pool.submit(self._look, following.packets[0])
            if window is not None and left is not None:
                # Tasks start in the order of their submission, so that those that this one waits for have begun.
                waiting.append(pool.submit(self._resolve, window, left, right, following.packets[0].size))
            if len(waiting) > self._threads:
                yield waiting.popleft().result()
            left, window = right, following
        if window is not None and left is not None:
            right = pool.submit(self._look, window.packets[-1])
            waiting.append(pool.submit(self._resolve, window, left, right, window.packets[-1].size))
        for future in waiting:
            yield future.result()

    def _windows(self) -> Iterator[_Window]:
        count = 0
        last = None
        packets: list[Packet] = []
        with opened(self.source.path) as container:
            self._marks = Marks(container.streams[self.source.stream].time_base or Fraction(1))
            for packet in shown(container, self.source.stream):
                if packet.pts is None or not packet.is_keyframe or (last is not None and packet.pts <= last):
                    raise NotSparse
                if last is None:
                    self._first = packet.pts
                last = packet.pts
                count += 1
                packets.append(packet)
                if len(packets) == self._stride:
                    yield _Window(first=count - len(packets), packets=packets)
                    packets = []
        if not count or (self.source.frames or count) > count:
            raise NotSparse
        if packets:
            yield _Window(first=count - len(packets), packets=packets)

    def _look(self, packet: Packet) -> _Look:
        eye = self._eyes.get()
        try:
            picture = eye.see(packet)
            sample = samples.sample(picture)
            return _Look(
                sample=sample,
                thumbnail=samples.thumbnail(sample),
                signature=signature(sample),
                matrix=pixels.frame_tags(picture).matrix,
                interlaced=picture.interlaced_frame,
            )
        finally:
            self._eyes.put(eye)

    def _resolve(self, window: _Window, left: Future[_Look], right: Future[_Look], after: int) -> _Window:
        """Bisect `window`: `left` is the look at its first packet, `right` at the next one's first, of `after`
        bytes, or at the last of its own at the end of the footage."""
        size = len(window.packets)
        sizes = [*(packet.size for packet in window.packets), after]
        looks: dict[int, _Look] = {0: left.result(), size: right.result()}
        spans = [(0, size)]
        while spans:
            start, end = spans.pop()
            if _even(sizes[start : end + 1]) and self._quiet(looks[start].thumbnail, looks[end].thumbnail):
                continue
            if end - start == 1:
                if not self._quiet(looks[start].thumbnail, looks[end].thumbnail):
                    window.busy.append(window.first + start)
                continue
            middle = (start + end) // 2
            looks[middle] = self._look(window.packets[middle])
            spans += [(start, middle), (middle, end)]
        window.looks = [looks.get(place) for place in range(size)]
        return window

    def _complete(self, pool: ThreadPoolExecutor, windows: tuple[_Window | None, _Window, _Window | None]) -> None:
        """Decode what is near to something that happens, in the window or the ones beside it; the last frame of all
        as well, so that there is one after every skipped one."""
        window, after = windows[1:]
        busy = [frame for near in windows if near for frame in near.busy]
        wanted = [
            place
            for place, look in enumerate(window.looks)
            if look is None and any(-REACH < window.first + place - frame <= REACH for frame in busy)
        ]
        last = len(window.packets) - 1
        if after is None and window.looks[last] is None and last not in wanted:
            wanted.append(last)
        for place, look in zip(wanted, pool.map(self._look, [window.packets[place] for place in wanted]), strict=True):
            window.looks[place] = look

    def _shown(self, window: _Window, after: _Window | None) -> Iterator[Glimpse]:
        looks = [*window.looks, after.looks[0] if after else None]
        places = [place for place, look in enumerate(looks) if look]
        for place, packet in enumerate(window.packets):
            one = max(other for other in places if other <= place)
            two = min((other for other in places if other >= place), default=one)
            left, right = looks[one], looks[two]
            if left is None or right is None or left.sample.shape != right.sample.shape:
                raise NotSparse
            part = (place - one) / (two - one) if two > one else 0.0
            known = _between(left.signature, right.signature, part)
            self._marks.put((packet.pts or 0) - self._first, (True, False, left.interlaced), known)
            self.decoded += one == place
            sample = _between(left.sample, right.sample, part)
            yield Glimpse(index=window.first + place, sample=sample, matrix=left.matrix, decoded=one == place)


class _Eye:
    """One decoder that sees single packets. Used by one thread at a time."""

    def __init__(self, path: Path, stream: int) -> None:
        self._stack = ExitStack()
        self._path, self._stream = path, stream

    def __enter__(self) -> _Eye:
        container = self._stack.enter_context(opened(self._path))
        stream: VideoStream = container.streams[self._stream]  # type: ignore[assignment]
        self._context = stream.codec_context
        self._context.thread_count = 1
        self._context.options = {"skip_loop_filter": "all"}
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def see(self, packet: Packet) -> av.VideoFrame:
        """The frame of `packet`. Raises NotSparse where there is none, or it isn't whole."""
        try:
            pictures = self._context.decode(packet)
            if not pictures:
                # A decoder that puts frames in order holds them back.
                pictures = self._context.decode(None)
                self._context.flush_buffers()
        except FFmpegError as error:
            raise NotSparse from error
        if len(pictures) != 1 or pictures[0].pts != packet.pts or pictures[0].is_corrupt:
            raise NotSparse
        return pictures[0]


def _even(sizes: list[int]) -> bool:
    """Whether no packet in between is much larger or smaller than those at both ends."""
    least, most = sorted((sizes[0], sizes[-1]))
    return max(sizes) <= most * _EVEN and min(sizes) * _EVEN >= least


def _between(left: NDArray[np.uint8], right: NDArray[np.uint8], part: float) -> NDArray[np.uint8]:
    """The values `part` of the way from `left` to `right`."""
    if part == 0:
        return left
    return np.asarray(cv2.addWeighted(left, 1 - part, right, part, 0), dtype=np.uint8)
