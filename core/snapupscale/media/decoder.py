"""Decoding: every frame in presentation order, and exactly the frames asked for."""

from __future__ import annotations

import math
import zlib
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np
from av.error import FFmpegError, InvalidDataError

from snapupscale.errors import FrameMissing, SourceChanged, SourceError, SourceTruncated
from snapupscale.media.deinterlace import deinterlaced
from snapupscale.media.pixels import rows_of
from snapupscale.media.source import opened, require_unchanged, video_stream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from av.container import InputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from snapupscale.media.source import Source

_CHECKED_ROWS = 8
# PyAV raises IndexError for a packet of a stream that a damaged table doesn't list.
_STREAM_FAULTS = (FFmpegError, OSError, IndexError)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One decoded frame: its number in presentation order, and its time in seconds since the first frame."""

    index: int
    time: Fraction
    picture: av.VideoFrame
    keyframe: bool
    damaged: bool
    interlaced: bool
    checksum: int


@dataclass(frozen=True, kw_only=True)
class FrameIndex:
    """What one full decode found: arrays over the frames, in presentation order."""

    ticks: NDArray[np.int64]
    """Time of each frame since the first, in units of `tick`."""
    tick: Fraction
    keyframes: NDArray[np.bool_]
    damaged: NDArray[np.bool_]
    """Frames that the decoder could not make whole."""
    interlaced: NDArray[np.bool_]
    checksums: NDArray[np.uint32]
    seekable: bool = True
    """False where timestamps don't rise from frame to frame: such a source is read from its start."""
    threaded: bool = True
    """Whether several threads may decode: with faulty footage they would not give the same frames again."""

    def __len__(self) -> int:
        return len(self.ticks)

    def time(self, number: int) -> Fraction:
        """Seconds from the first frame to frame `number`."""
        return int(self.ticks[number]) * self.tick

    def at(self, time: Fraction) -> int:
        """The frame on screen `time` seconds after the first, the last one from its time on; 0 before the first."""
        return max(0, int(np.searchsorted(self.ticks, math.floor(time / self.tick), side="right")) - 1)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What the index keeps of one frame."""

    time: Fraction
    keyframe: bool
    damaged: bool
    interlaced: bool
    checksum: int


def mark(frame: Frame) -> Mark:
    """What the index keeps of `frame`."""
    return Mark(
        time=frame.time,
        keyframe=frame.keyframe,
        damaged=frame.damaged,
        interlaced=frame.interlaced,
        checksum=frame.checksum,
    )


def frame_index(marks: Sequence[Mark], *, threaded: bool = True) -> FrameIndex:
    """The index of frames in presentation order. Where their times don't rise (AVI with B-frames has them in the order
    of decoding), the same times are dealt out in rising order."""
    times = [mark.time for mark in marks]
    seekable = all(earlier < later for earlier, later in pairwise(times))
    if not seekable:
        times = [time - min(times) for time in sorted(times)]
    unit = math.lcm(*{time.denominator for time in times})
    return FrameIndex(
        ticks=np.array([int(time * unit) for time in times], dtype=np.int64),
        tick=Fraction(1, unit),
        keyframes=np.array([mark.keyframe for mark in marks], dtype=np.bool_),
        damaged=np.array([mark.damaged for mark in marks], dtype=np.bool_),
        interlaced=np.array([mark.interlaced for mark in marks], dtype=np.bool_),
        checksums=np.array([mark.checksum for mark in marks], dtype=np.uint32),
        seekable=seekable,
        threaded=threaded,
    )


def checksum(picture: av.VideoFrame) -> int:
    """CRC-32 of every eighth row of the first plane: tells neighbouring frames apart at a small part of the cost of
    decoding them."""
    plane = picture.planes[0]
    rows = rows_of(plane)
    used = min(plane.line_size, -(-plane.width * picture.format.padded_bits_per_pixel // 8))
    if picture.format.is_planar:
        used = min(used, plane.width * -(-picture.format.components[0].bits // 8))
    return zlib.crc32(np.ascontiguousarray(rows[::_CHECKED_ROWS, :used]).data)


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

    def frames(self) -> Iterator[Frame]:
        """Every frame that can be decoded, in presentation order; what can't is left out and warned of.

        Raises SourceTruncated when there is none, SourceChanged when the source was written to meanwhile.
        """
        self.warnings.clear()
        count = damaged = 0
        end = Fraction(0)
        with closing(self._all()) as frames:
            for frame in frames:
                yield frame
                count += 1
                damaged += frame.damaged
                end = frame.time
        require_unchanged(self.source)
        if damaged:
            self.faulty = True
            self.warnings.append(f"{damaged} frames are damaged; no still is made of them")
        if not count:
            raise SourceTruncated(f"no frame of {self.source.path} can be decoded")
        self._warn_of_early_end(count, end)

    def read(self, indices: Iterable[int], index: FrameIndex) -> Iterator[Frame]:
        """The frames numbered `indices`, ascending, each once; interlaced ones are deinterlaced.

        `index` is that of the whole source. Every frame is compared with its checksum there, so a seek that lands
        wrong is noticed and repeated from further back. Raises FrameMissing, SourceChanged.
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
                while frame is None or frame.checksum != index.checksums[number]:
                    if not starts:
                        raise SourceChanged(f"frame {number} of {self.source.path} is not what it was")
                    stack.close()
                    container = stack.enter_context(opened(self.source.path))
                    run = _Run(container, self._stream(container), self.source.rate, index, starts.pop(0))
                    seekable = seekable and run.seekable
                    frame = run.advance(number)
                yield frame

    def _checked(self, number: int, index: FrameIndex) -> Frame:
        """Frame `number` of a sequence: that of the file whose number in the name is as far on as its time."""
        place = self.source.numbers[0] + round(index.time(number) * self.source.rate)
        position = self.source.numbers.index(place)
        frame = replace(self._picture_file(position), index=number)
        if frame.checksum != index.checksums[number]:
            raise SourceChanged(f"{self.source.files[position]} is not what it was")
        return frame

    def _all(self) -> Generator[Frame]:
        faults: list[str] = []
        yield from self._pictures(faults) if self.source.is_sequence else self._stream_frames(faults)
        if faults:
            self.faulty = True
            self.warnings.append(f"{len(faults)} damaged places were left out; the first: {faults[0]}")

    def _stream_frames(self, faults: list[str]) -> Generator[Frame]:
        with opened(self.source.path) as container:
            start: Fraction | None = None
            for count, picture in enumerate(_decoded(container, self._stream(container), faults)):
                seconds = _seconds(picture, count, self.source.rate)
                start = seconds if start is None else start
                yield _frame(count, seconds - start, picture)

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
        time = (self.source.numbers[position] - self.source.numbers[0]) / self.source.rate
        faults: list[str] = []
        with opened(path) as container:
            for picture in _decoded(container, video_stream(container, path), faults):
                if not faults:
                    return replace(_frame(position, time, picture), keyframe=True)
        raise SourceTruncated(f"{path} cannot be decoded: {', '.join(faults) or 'no picture'}")

    def _stream(self, container: InputContainer) -> VideoStream:
        stream: VideoStream = container.streams[self.source.stream]  # type: ignore[assignment]
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


class _Run:
    """One stretch of decoding that started at the keyframe numbered `start`."""

    def __init__(
        self, container: InputContainer, stream: VideoStream, rate: Fraction, index: FrameIndex, start: int
    ) -> None:
        self._index = index
        self._next = start
        self._sought = start > 0
        self.seekable = True
        self._first = Fraction(0)
        self._rate = rate
        if self._sought:
            self._first = _first_seconds(container, stream, rate)
            base = stream.time_base or Fraction(1, av.time_base)
            try:
                container.seek(int((index.time(start) + self._first) / base), stream=stream)
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
            if self._sought:
                position = self._position(_seconds(picture, 0, self._rate) - self._first)
                if position is None or position < self._next:
                    continue
            else:
                position = self._next
            self._next = position + 1
            if position == number:
                return _frame(number, self._index.time(number), picture)
            if position > number:
                return None
        return None

    def _position(self, time: Fraction) -> int | None:
        ticks = time / self._index.tick
        near = int(np.searchsorted(self._index.ticks, int(ticks)))
        return near if near < len(self._index) and self._index.ticks[near] == ticks else None


def _starts(number: int, index: FrameIndex) -> list[int]:
    """Where to start decoding for frame `number`: the keyframe before it, the one before that, the very start."""
    before = np.flatnonzero(index.keyframes[: number + 1])[-2:][::-1].tolist()
    return [*(start for start in before if start > 0), 0]


def _first_seconds(container: InputContainer, stream: VideoStream, rate: Fraction) -> Fraction:
    for picture in _decoded(container, stream, []):
        return _seconds(picture, 0, rate)
    return Fraction(0)


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


def _seconds(picture: av.VideoFrame, count: int, rate: Fraction) -> Fraction:
    """Presentation time as the container has it; by the rate where it has none, as in a raw stream."""
    if picture.pts is None or picture.time_base is None:
        return count / rate
    return picture.pts * picture.time_base


def _frame(index: int, time: Fraction, picture: av.VideoFrame) -> Frame:
    return Frame(
        index=index,
        time=time,
        picture=picture,
        keyframe=picture.key_frame,
        damaged=picture.is_corrupt,
        interlaced=picture.interlaced_frame,
        checksum=checksum(picture),
    )


def _field_free(number: int, window: dict[int, Frame]) -> Frame:
    frame = window[number]
    before, after = (window[near].picture if near in window else None for near in (number - 1, number + 1))
    return replace(frame, picture=deinterlaced(before, frame.picture, after))
