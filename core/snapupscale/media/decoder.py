"""Decoding: every frame in presentation order, and exactly the frames asked for."""

from __future__ import annotations

import math
import zlib
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.error import FFmpegError, InvalidDataError

from snapupscale.errors import FrameMissing, SourceChanged, SourceTruncated
from snapupscale.media.deinterlace import deinterlaced
from snapupscale.media.pixels import rows_of
from snapupscale.media.source import opened, require_unchanged, video_stream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from av.container import InputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from snapupscale.media.source import Source

_CHECKED_ROWS = 8


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One decoded frame: its number in presentation order, and its time in seconds since the first frame."""

    index: int
    time: Fraction
    keyframe: bool
    picture: av.VideoFrame
    checksum: int


@dataclass(frozen=True, kw_only=True)
class FrameIndex:
    """What one full decode found: arrays over the frames, in presentation order."""

    ticks: NDArray[np.int64]
    """Time of each frame since the first, in units of `tick`."""
    tick: Fraction
    keyframes: NDArray[np.bool_]
    checksums: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.ticks)

    def time(self, number: int) -> Fraction:
        """Seconds from the first frame to frame `number`."""
        return int(self.ticks[number]) * self.tick

    def at(self, time: Fraction) -> int:
        """The frame on screen `time` seconds after the first, the last one from its time on; 0 before the first."""
        return max(0, int(np.searchsorted(self.ticks, math.floor(time / self.tick), side="right")) - 1)


def frame_index(frames: Iterable[tuple[Fraction, bool, int]]) -> FrameIndex:
    """The index of frames given as (time, keyframe, checksum), in presentation order."""
    times, keyframes, checksums = zip(*frames, strict=True)
    unit = math.lcm(*{time.denominator for time in times})
    return FrameIndex(
        ticks=np.array([int(time * unit) for time in times], dtype=np.int64),
        tick=Fraction(1, unit),
        keyframes=np.array(keyframes, dtype=np.bool_),
        checksums=np.array(checksums, dtype=np.uint32),
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

    `warnings` grows while frames are read: faults in the stream, an early end.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.warnings: list[str] = []

    def frames(self) -> Iterator[Frame]:
        """Every frame that can be decoded, in presentation order; damaged stretches are left out and warned of.

        Raises SourceTruncated when there is none, SourceChanged when the source was written to meanwhile.
        """
        self.warnings.clear()
        count = 0
        end = Fraction(0)
        with closing(self._all()) as frames:
            for frame in frames:
                yield frame
                count += 1
                end = frame.time
        require_unchanged(self.source)
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
        if not self.source.interlaced:
            yield from self._exactly(wanted, index)
            return
        around = sorted({near for one in wanted for near in (one - 1, one, one + 1) if 0 <= near < len(index)})
        window: dict[int, Frame] = {}
        waiting = list(wanted)
        for frame in self._exactly(around, index):
            window = {number: kept for number, kept in window.items() if number >= frame.index - 2} | {
                frame.index: frame
            }
            while waiting and min(waiting[0] + 1, len(index) - 1) in window:
                yield _field_free(waiting.pop(0), window)

    def _exactly(self, wanted: list[int], index: FrameIndex) -> Iterator[Frame]:
        if self.source.is_sequence:
            yield from (self._checked(self._picture_file(number), index) for number in wanted)
            return
        seekable = bool((np.diff(index.ticks) > 0).all())
        with ExitStack() as stack:
            run: _Run | None = None
            for number in wanted:
                frame = run.advance(number) if run and run.reaches(number, seekable=seekable) else None
                starts = _starts(number, index) if seekable else [0]
                while frame is None or frame.checksum != index.checksums[number]:
                    if not starts:
                        raise SourceChanged(f"frame {number} of {self.source.path} is not what it was")
                    stack.close()
                    run = _Run(stack.enter_context(opened(self.source.path)), self.source, index, starts.pop(0))
                    seekable = seekable and run.seekable
                    frame = run.advance(number)
                yield frame

    def _checked(self, frame: Frame, index: FrameIndex) -> Frame:
        if frame.checksum != index.checksums[frame.index]:
            raise SourceChanged(f"{self.source.files[frame.index]} is not what it was")
        return frame

    def _all(self) -> Generator[Frame]:
        if self.source.is_sequence:
            yield from map(self._picture_file, range(len(self.source.files)))
            return
        faults: list[str] = []
        with opened(self.source.path) as container:
            start: Fraction | None = None
            for count, picture in enumerate(_decoded(container, _threaded(container, self.source), faults)):
                seconds = _seconds(picture, count, self.source.rate)
                start = seconds if start is None else start
                yield _frame(count, seconds - start, picture)
        if faults:
            self.warnings.append(f"{len(faults)} damaged places were left out; the first: {faults[0]}")

    def _picture_file(self, number: int) -> Frame:
        path = self.source.files[number]
        time = (self.source.numbers[number] - self.source.numbers[0]) / self.source.rate
        faults: list[str] = []
        with opened(path) as container:
            for picture in _decoded(container, video_stream(container, path), faults):
                if not faults:
                    return replace(_frame(number, time, picture), keyframe=True)
        raise SourceTruncated(f"{path} cannot be decoded: {', '.join(faults) or 'no picture'}")

    def _warn_of_early_end(self, count: int, end: Fraction) -> None:
        """Two frames short may be a matter of rounding or of an edit list; more is a truncated file."""
        declared = self.source.frames
        if declared is None and self.source.duration is not None:
            declared = int(self.source.duration * self.source.rate)
        short = self.source.duration is None or end < self.source.duration - 3 / self.source.rate
        if declared is not None and count < declared - 2 and short:
            self.warnings.append(f"the source ends early: {count} of {declared} frames could be decoded")


class _Run:
    """One stretch of decoding that started at the keyframe numbered `start`."""

    def __init__(self, container: InputContainer, source: Source, index: FrameIndex, start: int) -> None:
        self._index = index
        self._next = start
        self._sought = start > 0
        self.seekable = True
        self._first = Fraction(0)
        self._rate = source.rate
        stream = _threaded(container, source)
        if self._sought:
            self._first = _first_seconds(container, stream, source.rate)
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


def _threaded(container: InputContainer, source: Source) -> VideoStream:
    stream: VideoStream = container.streams[source.stream]  # type: ignore[assignment]
    stream.thread_type = "AUTO"
    return stream


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
    except (FFmpegError, OSError) as error:
        faults.append(str(error))


def _seconds(picture: av.VideoFrame, count: int, rate: Fraction) -> Fraction:
    """Presentation time as the container has it; by the rate where it has none, as in a raw stream."""
    if picture.pts is None or picture.time_base is None:
        return count / rate
    return picture.pts * picture.time_base


def _frame(index: int, time: Fraction, picture: av.VideoFrame) -> Frame:
    return Frame(index=index, time=time, keyframe=picture.key_frame, picture=picture, checksum=checksum(picture))


def _field_free(number: int, window: dict[int, Frame]) -> Frame:
    frame = window[number]
    before, after = (window[near].picture if near in window else None for near in (number - 1, number + 1))
    return replace(frame, picture=deinterlaced(before, frame.picture, after))
