"""Decoding: every frame in presentation order, and exactly the frames asked for."""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.error import FFmpegError, InvalidDataError

from snapupscale.errors import FrameMissing, SourceChanged, SourceError, SourceTruncated
from snapupscale.media.deinterlace import deinterlaced
from snapupscale.media.frames import Frame, FrameIndex, Marks
from snapupscale.media.signatures import alike, checksum, signature
from snapupscale.media.source import opened, require_unchanged, video_stream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from snapupscale.media.source import Source

# PyAV raises IndexError for a packet of a stream that a damaged table doesn't list.
_STREAM_FAULTS = (FFmpegError, OSError, IndexError)


class Decoder:
    """Reads the frames of one source. Not for use by several threads at once.

    `warnings` grows while frames are read: faults in the stream, an early end. `faulty` tells whether there were any:
    what several decoding threads make of damaged footage differs from time to time, so it is to be read with
    `threaded` off to be the same again.
    """

    def __init__(self, source: Source, *, threaded: bool = True) -> None:
        self.source = source
        self.warnings: list[str] = []
        self.faulty = False
        self._threaded = threaded
        self._marks = Marks()

    def frames(self, *, fast: bool = False) -> Iterator[Frame]:
        """Every frame that can be decoded, in presentation order; what can't is left out and warned of.

        `fast` leaves out the loop filter of the codec: blocks show in the pictures, which are good enough to measure.
        Raises SourceTruncated when there is none, SourceChanged when the source was written to meanwhile.
        """
        self.warnings.clear()
        self._marks = Marks()
        damaged = 0
        frame: Frame | None = None
        with closing(self._all(fast=fast)) as frames:
            for frame in frames:
                self._marks.add(frame)
                damaged += frame.damaged
                yield frame
        require_unchanged(self.source)
        if damaged:
            self.faulty = True
            self.warnings.append(f"{damaged} frames are damaged; no still is made of them")
        if frame is None:
            raise SourceTruncated(f"no frame of {self.source.path} can be decoded")
        self._warn_of_early_end(len(self._marks), frame.time)

    def index(self) -> FrameIndex:
        """The index of what `frames` gave; that of the whole source once it came to its end."""
        return self._marks.index(threaded=self._threaded)

    def read(self, indices: Iterable[int], index: FrameIndex) -> Iterator[Frame]:
        """The frames numbered `indices`, ascending, each once; interlaced ones are deinterlaced.

        `index` is that of the whole source, from a fast decode or not. Every frame is compared with its time and
        signature there, so a seek that lands wrong, or where a frame lacks those that it refers to, is noticed and
        repeated from further back. Raises FrameMissing, SourceChanged.
        """
        wanted = sorted(set(indices))
        if wanted and not 0 <= wanted[0] <= wanted[-1] < len(index):
            raise FrameMissing(f"{self.source.path} has frames 0 to {len(index) - 1}, not {wanted[0]} to {wanted[-1]}")
        self._threaded = index.threaded
        combed = [number for number in wanted if index.interlaced[number]]
        if not combed:
            yield from self._exactly(wanted, index)
            return
        beside = {near for one in combed for near in (one - 1, one + 1) if 0 <= near < len(index)}
        around = sorted(beside.union(wanted))
        window: dict[int, Frame] = {}
        waiting = list(wanted)
        for frame in self._exactly(around, index):
            window = {number: kept for number, kept in window.items() if number >= frame.index - 2} | {
                frame.index: frame
            }
            while waiting and (waiting[0] + 1 in window or waiting[0] <= frame.index == around[-1]):
                yield _field_free(waiting.pop(0), window)

    def _exactly(self, wanted: list[int], index: FrameIndex) -> Iterator[Frame]:
        if self.source.is_sequence:
            yield from (self._checked(number, index) for number in wanted)
            return
        seekable = index.seekable
        with ExitStack() as stack:
            run: _Run | None = None
            for number in wanted:
                frame = run.advance(number) if run and run.reaches(number, seekable=seekable) else None
                starts = _starts(number, index) if seekable else [0]
                doubtful: dict[int, int] = {}
                while run is None or frame is None or not run.vouches(frame, doubtful):
                    if not starts:
                        raise SourceChanged(f"frame {number} of {self.source.path} is not what it was")
                    stack.close()
                    container = stack.enter_context(opened(self.source.path))
                    run = _Run(self.source, container, self._stream(container), index, starts.pop(0))
                    seekable = seekable and run.seekable
                    frame = run.advance(number)
                yield frame

    def _checked(self, number: int, index: FrameIndex) -> Frame:
        """Frame `number` of a sequence: that of the file whose number in the name is as far on as its time."""
        place = self.source.numbers[0] + round(index.time(number) * self.source.rate)
        position = self.source.numbers.index(place)
        frame = replace(self._picture_file(position), index=number)
        if not alike(signature(frame.sample), index.signatures[number]):
            raise SourceChanged(f"{self.source.files[position]} is not what it was")
        return frame

    def _all(self, *, fast: bool) -> Generator[Frame]:
        faults: list[str] = []
        yield from self._pictures(faults) if self.source.is_sequence else self._stream_frames(faults, fast=fast)
        if faults:
            self.faulty = True
            self.warnings.append(f"{len(faults)} damaged places were left out; the first: {faults[0]}")

    def _stream_frames(self, faults: list[str], *, fast: bool) -> Generator[Frame]:
        with opened(self.source.path) as container:
            stream = self._stream(container, fast=fast)
            clock = _Clock(stream, self.source.rate)
            for count, picture in enumerate(_decoded(container, stream, faults)):
                yield _frame(count, clock.ticks(picture, count), clock.tick, picture)

    def _pictures(self, faults: list[str]) -> Generator[Frame]:
        count = 0
        for position in range(len(self.source.files)):
            try:
                frame = self._picture_file(position)
            except SourceError as error:
                faults.append(str(error))
                continue
            yield replace(frame, index=count)
            count += 1

    def _picture_file(self, position: int) -> Frame:
        path = self.source.files[position]
        ticks = self.source.numbers[position] - self.source.numbers[0]
        faults: list[str] = []
        with opened(path) as container:
            for picture in _decoded(container, video_stream(container, path), faults):
                if not faults:
                    return replace(_frame(position, ticks, 1 / self.source.rate, picture), keyframe=True)
        raise SourceTruncated(f"{path} cannot be decoded: {', '.join(faults) or 'no picture'}")

    def _stream(self, container: InputContainer, *, fast: bool = False) -> VideoStream:
        stream: VideoStream = container.streams[self.source.stream]  # type: ignore[assignment]
        if fast:
            stream.codec_context.options = {"skip_loop_filter": "all"}
        stream.thread_type = "AUTO"
        if not self._threaded:
            stream.codec_context.thread_count = 1
        return stream

    def _warn_of_early_end(self, count: int, end: Fraction) -> None:
        """Two frames short may be a matter of rounding or of an edit list; more is a truncated file."""
        source = self.source
        declared = source.frames
        if declared is None and source.duration is not None:
            declared = int(source.duration * source.rate)
        # The boxes of an MP4 also count frames that its edit list leaves out; then the time is right.
        whole = "mp4" in source.container and source.duration is not None and end >= source.duration - 3 / source.rate
        if declared is not None and count < declared - 2 and not whole:
            self.faulty = True
            self.warnings.append(f"the source ends early: {count} of {declared} frames could be decoded")


class _Clock:
    """Counts the time of pictures in whole ticks from the first on: those of the container, or frames where the first
    picture has no time, as in a raw stream."""

    def __init__(self, stream: VideoStream, rate: Fraction) -> None:
        self._rate = rate
        self._first: int | None = None
        self.tick = stream.time_base or 1 / rate

    def ticks(self, picture: av.VideoFrame, count: int) -> int:
        if count == 0:
            self._first = picture.pts
            if self._first is None:
                self.tick = 1 / self._rate
        if self._first is None:
            return count
        return round(count / self._rate / self.tick) if picture.pts is None else picture.pts - self._first


class _Run:
    """One stretch of decoding that started at the keyframe numbered `start`."""

    def __init__(
        self, source: Source, container: InputContainer, stream: VideoStream, index: FrameIndex, start: int
    ) -> None:
        self._source = source
        self._index = index
        self._start = self._next = start
        self._proven = start == 0
        self.seekable = True
        if start > 0:
            base = stream.time_base or Fraction(1, av.time_base)
            self._first = next((picture.pts or 0 for picture in _decoded(container, stream, [])), 0)
            self._scale = base / index.tick
            try:
                container.seek(self._first + int(index.time(start) / base), stream=stream)
            except FFmpegError:
                # A raw stream has no times to seek to: no frame comes, and the next start is tried.
                self.seekable = False
                self._pictures: Iterator[av.VideoFrame] = iter(())
                return
        self._pictures = _decoded(container, stream, [])

    def reaches(self, number: int, *, seekable: bool) -> bool:
        """Whether decoding on is cheaper than a seek: no keyframe lies between here and there, or there is no seek."""
        if self._next > number:
            return False
        return not seekable or not self._index.keyframes[self._next + 1 : number + 1].any()

    def advance(self, number: int) -> Frame | None:
        """Decode on to frame `number`; None when it does not come."""
        for picture in self._pictures:
            position = self._position(picture) if self._start > 0 else self._next
            if position is None or position < self._next:
                continue
            self._next = position + 1
            if position == number:
                return _frame(number, int(self._index.ticks[number]), self._index.tick, picture)
            if position > number:
                return None
        return None

    def vouches(self, frame: Frame, doubtful: dict[int, int]) -> bool:
        """Whether `frame` is the one in the index: where more than usual differs, which may come of the loop filter
        that was left out, decoding from another start must give the same. `doubtful` keeps checksums by start."""
        like = alike(signature(frame.sample), self._index.signatures[frame.index])
        if like and frame.damaged <= self._index.damaged[frame.index]:
            return True
        if not self._proven:
            doubtful[self._start] = checksum(frame.picture)
            self._proven = list(doubtful.values()).count(doubtful[self._start]) > 1
        if self._proven:
            require_unchanged(self._source)
        return self._proven

    def _position(self, picture: av.VideoFrame) -> int | None:
        if picture.pts is None:
            return None
        ticks = (picture.pts - self._first) * self._scale
        near = int(np.searchsorted(self._index.ticks, int(ticks)))
        return near if near < len(self._index) and self._index.ticks[near] == ticks else None


def _starts(number: int, index: FrameIndex) -> list[int]:
    """Where to start decoding for frame `number`: the keyframe before it, the one before that, the very start."""
    before = np.flatnonzero(index.keyframes[: number + 1])[-2:][::-1].tolist()
    return [*(start for start in before if start > 0), 0]


def _decoded(container: InputContainer, stream: VideoStream, faults: list[str]) -> Iterator[av.VideoFrame]:
    """Every frame from here on; packets that can't be decoded are noted in `faults` and left out."""
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except InvalidDataError as error:
                faults.append(str(error))
    except _STREAM_FAULTS as error:
        faults.append(str(error))
        # The decoder still holds the last frames that came before the fault.
        with suppress(FFmpegError):
            yield from stream.codec_context.decode(None)


def _frame(index: int, ticks: int, tick: Fraction, picture: av.VideoFrame) -> Frame:
    return Frame(
        index=index,
        ticks=ticks,
        tick=tick,
        picture=picture,
        keyframe=picture.key_frame,
        damaged=picture.is_corrupt,
        interlaced=picture.interlaced_frame,
    )


def _field_free(number: int, window: dict[int, Frame]) -> Frame:
    frame = window[number]
    before, after = (window[near].picture if near in window else None for near in (number - 1, number + 1))
    return replace(frame, picture=deinterlaced(before, frame.picture, after))
