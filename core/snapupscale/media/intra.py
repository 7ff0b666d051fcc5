"""Footage whose frames stand alone: only so many frames are decoded as it takes to see where something happens."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from queue import SimpleQueue
from typing import TYPE_CHECKING

from av.error import FFmpegError

from snapupscale.media import pixels, samples
from snapupscale.media.frames import FrameIndex, Marks
from snapupscale.media.open_stream import OpenStream
from snapupscale.media.packets import shown, whole_index
from snapupscale.media.signatures import signature
from snapupscale.media.source import opened, require_unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import av
    import numpy as np
    from numpy.typing import NDArray

    from snapupscale.media.packets import Packet
    from snapupscale.media.source import Source

STRIDE = 8
REACH = 4
"""Frames that are decoded on both sides of a place where something happens."""
_AHEAD = 8
"""Windows for each thread that are resolved ahead of the one that is shown next."""
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


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A frame by its time, its bytes, and its packet where that had to be read to know of it."""

    pts: int
    size: int
    packet: Packet | None = None


@dataclass(kw_only=True)
class _Window:
    """Frames from one that is surely decoded up to, not including, the next such."""

    first: int
    frames: list[_Place]
    looks: list[_Look | None] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    """Numbers of frames after which something happens."""


@dataclass(frozen=True, kw_only=True)
class _Span:
    """A window, and the looks at its ends: at its first frame, and at the next one's first, of `after` bytes, or at the
    last of its own at the end of the footage."""

    window: _Window
    left: Future[_Look]
    right: Future[_Look]
    after: int


@dataclass(frozen=True, kw_only=True)
class _Completion:
    """A window, the look at the first frame after it, and those that it still waits for by their places."""

    window: _Window
    after: _Look | None
    looks: dict[int, Future[_Look]]


class SparseReader:
    """Reads a source whose packets are all keyframes. `quiet` gets the thumbnails of two frames, and says whether
    nothing can have happened from the one to the other; `midway` those of three, and says whether it can't since the
    one in the middle is halfway from the first to the last.

    Every `stride`-th frame is decoded; between two that aren't quiet the middle one, and unless that is midway so on,
    down to neighbours; where those aren't quiet, REACH frames on both sides too. So what is there and gone again
    between two frames of the stride can be missed, unless the sizes of the packets tell of it. Packets are decoded by
    one thread a core, each with a decoder of its own: unlike the threads inside a decoder that needs no order. A
    reader's memory does not grow with the footage.
    """

    def __init__(
        self,
        source: Source,
        *,
        quiet: Callable[[NDArray[np.uint8], NDArray[np.uint8]], bool],
        midway: Callable[[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]], bool],
        stride: int = STRIDE,
        threads: int | None = None,
    ) -> None:
        self.source = source
        self.decoded = 0
        """How many of the frames were decoded."""
        self._quiet = quiet
        self._midway = midway
        self._stride = max(stride, REACH)
        self._threads = threads or os.cpu_count() or 1
        self._eyes: SimpleQueue[_Eye] = SimpleQueue()
        self._marks = Marks()
        self._first = 0
        self._index = whole_index(source)
        # A window in which much happens holds up those after it; packets that were read ahead take memory.
        self._ahead = self._threads * (_AHEAD if self._index else 1)

    def glimpses(self) -> Iterator[Glimpse]:
        """Every frame, in order. Raises NotSparse, at any time, for footage that must be decoded whole: it is damaged,
        ends early, or has frames that refer to others; and SourceChanged."""
        self.decoded = 0
        with ExitStack() as stack:
            self._eyes = SimpleQueue()
            for _ in range(self._threads):
                eye = stack.enter_context(_Eye(self.source.path, self.source.stream))
                self._eyes.put(eye)
                self._marks = Marks(eye.tick)
            pool = ThreadPoolExecutor(self._threads)
            stack.callback(pool.shutdown, cancel_futures=True)
            waiting: deque[_Completion] = deque()
            for each in self._completed(pool):
                waiting.append(each)
                if len(waiting) > self._ahead:
                    yield from self._shown(waiting.popleft())
            while waiting:
                yield from self._shown(waiting.popleft())
        require_unchanged(self.source)

    def index(self) -> FrameIndex:
        """The index of the frames that `glimpses` gave. Signatures of frames that were skipped are means of those about
        them."""
        return self._marks.index(threaded=True)

    def _resolved(self, pool: ThreadPoolExecutor) -> Iterator[_Window]:
        """Windows in which all is decoded that it takes to find what happens inside."""
        waiting: deque[Future[_Window]] = deque()
        spans: deque[_Span] = deque()
        for span in self._spans(pool):
            spans.append(span)
            # Tasks start in the order of their submission: the looks that this one needs are done by then, or nearly,
            # and no thread waits for another.
            if len(spans) > self._threads:
                waiting.append(pool.submit(self._resolve, spans.popleft()))
            if len(waiting) > self._ahead:
                yield waiting.popleft().result()
        waiting.extend(pool.submit(self._resolve, span) for span in spans)
        for future in waiting:
            yield future.result()

    def _spans(self, pool: ThreadPoolExecutor) -> Iterator[_Span]:
        left: Future[_Look] | None = None
        window: _Window | None = None
        for following in self._windows():
            right = pool.submit(self._look, following.frames[0])
            if window is not None and left is not None:
                yield _Span(window=window, left=left, right=right, after=following.frames[0].size)
            left, window = right, following
        if window is not None and left is not None:
            right = pool.submit(self._look, window.frames[-1])
            yield _Span(window=window, left=left, right=right, after=window.frames[-1].size)

    def _windows(self) -> Iterator[_Window]:
        count = 0
        last = None
        frames: list[_Place] = []
        for place in self._places():
            if last is not None and place.pts <= last:
                raise NotSparse
            if last is None:
                self._first = place.pts
            last = place.pts
            count += 1
            frames.append(place)
            if len(frames) == self._stride:
                yield _Window(first=count - len(frames), frames=frames)
                frames = []
        if not count or (self.source.frames or count) > count:
            raise NotSparse
        if frames:
            yield _Window(first=count - len(frames), frames=frames)

    def _places(self) -> Iterator[_Place]:
        """All frames, by the index, or where that isn't whole by reading the file."""
        if index := self._index:
            if not all(index.keys):
                raise NotSparse
            for time, size in zip(index.times, index.sizes, strict=True):
                yield _Place(pts=time + index.delay, size=size)
            return
        with opened(self.source.path) as container:
            for packet in shown(container, self.source.stream):
                if packet.pts is None or not packet.is_keyframe:
                    raise NotSparse
                yield _Place(pts=packet.pts, size=packet.size, packet=packet)

    def _look(self, place: _Place) -> _Look:
        eye = self._eyes.get()
        try:
            picture = eye.see(place)
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

    def _resolve(self, span: _Span) -> _Window:
        """Bisect the window of `span`."""
        window = span.window
        size = len(window.frames)
        sizes = [*(place.size for place in window.frames), span.after]
        looks: dict[int, _Look] = {0: span.left.result(), size: span.right.result()}
        spans = [(0, size)]
        while spans:
            start, end = spans.pop()
            even = _even(sizes[start : end + 1])
            if even and self._quiet(looks[start].thumbnail, looks[end].thumbnail):
                continue
            if end - start == 1:
                if not self._quiet(looks[start].thumbnail, looks[end].thumbnail):
                    window.busy.append(window.first + start)
                continue
            middle = (start + end) // 2
            looks[middle] = self._look(window.frames[middle])
            places = (start, middle, end)
            if not (even and self._midway(*(looks[place].thumbnail for place in places))):
                spans += pairwise(places)
        window.looks = [looks.get(place) for place in range(size)]
        return window

    def _completed(self, pool: ThreadPoolExecutor) -> Iterator[_Completion]:
        before: _Window | None = None
        window: _Window | None = None
        for after in self._resolved(pool):
            if window is not None:
                yield self._completion(pool, before, window, after)
            before, window = window, after
        if window is not None:
            yield self._completion(pool, before, window, None)

    def _completion(
        self, pool: ThreadPoolExecutor, before: _Window | None, window: _Window, after: _Window | None
    ) -> _Completion:
        """Decode what is near to something that happens, in the window or the ones beside it; the last frame of all
        as well, so that there is one after every skipped one."""
        busy = [frame for near in (before, window, after) if near for frame in near.busy]
        wanted = [
            place
            for place, look in enumerate(window.looks)
            if look is None and any(-REACH < window.first + place - frame <= REACH for frame in busy)
        ]
        last = len(window.frames) - 1
        if after is None and window.looks[last] is None and last not in wanted:
            wanted.append(last)
        looks = {place: pool.submit(self._look, window.frames[place]) for place in wanted}
        return _Completion(window=window, after=after.looks[0] if after else None, looks=looks)

    def _shown(self, completion: _Completion) -> Iterator[Glimpse]:
        window = completion.window
        looks = [*window.looks, completion.after]
        for place, look in completion.looks.items():
            looks[place] = look.result()
        places = [place for place, look in enumerate(looks) if look]
        for place, frame in enumerate(window.frames):
            one = max(other for other in places if other <= place)
            two = min((other for other in places if other >= place), default=one)
            left, right = looks[one], looks[two]
            if left is None or right is None or left.sample.shape != right.sample.shape:
                raise NotSparse
            part = (place - one) / (two - one) if two > one else 0.0
            known = samples.between(left.signature, right.signature, part)
            self._marks.put(frame.pts - self._first, (True, False, left.interlaced, one == place), known)
            self.decoded += one == place
            sample = samples.between(left.sample, right.sample, part)
            yield Glimpse(index=window.first + place, sample=sample, matrix=left.matrix, decoded=one == place)


class _Eye(OpenStream):
    """One decoder that sees single frames. Used by one thread at a time."""

    def see(self, place: _Place) -> av.VideoFrame:
        """The frame at `place`. Raises NotSparse where there is none, or it isn't whole."""
        try:
            packet = place.packet or self._read(place.pts)
            pictures = self.context.decode(packet)
            if not pictures:
                # A decoder that puts frames in order holds them back.
                pictures = self.context.decode(None)
                self.context.flush_buffers()
        except FFmpegError as error:
            raise NotSparse from error
        if len(pictures) != 1 or pictures[0].pts != place.pts or pictures[0].is_corrupt:
            raise NotSparse
        return pictures[0]

    def _read(self, pts: int) -> Packet:
        self.container.seek(pts, stream=self.stream)
        packet = next(shown(self.container, self.number), None)
        if packet is None or packet.pts != pts or not packet.is_keyframe:
            raise NotSparse
        return packet


def _even(sizes: list[int]) -> bool:
    """Whether no packet in between is much larger or smaller than those at both ends."""
    least, most = sorted((sizes[0], sizes[-1]))
    return max(sizes) <= most * _EVEN and min(sizes) * _EVEN >= least
