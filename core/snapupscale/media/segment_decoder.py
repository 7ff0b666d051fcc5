"""One decoder for segments, and what is kept of the frames that it gives."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice, takewhile
from typing import TYPE_CHECKING, Self

from av.error import FFmpegError

from snapupscale.media import pixels, samples
from snapupscale.media.disposable import Told, teller
from snapupscale.media.open_stream import OpenStream
from snapupscale.media.packets import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set
    from pathlib import Path

    import av
    import numpy as np
    from numpy.typing import NDArray

    from snapupscale.media.packets import Packet
    from snapupscale.media.segments import Segment


class NotApart(Exception):
    """Something about the footage asks for it to be decoded in one go: read it with a Decoder instead."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is kept of a decoded frame."""

    pts: int
    planes: list[NDArray[np.uint8]]
    matrix: int
    keyframe: bool
    damaged: bool
    interlaced: bool
    left_out: tuple[int, ...] = ()
    """Times of the frames before this one that were not decoded."""


class SegmentDecoder(OpenStream):
    """One decoder that sees one segment after the other. Used by one thread at a time."""

    def __init__(self, path: Path, stream: int, *, threads: int = 1) -> None:
        super().__init__(path, stream, threads=threads)
        self.end: int | None = None
        """The time of the keyframe after the segment, once it was read."""
        self._disposable: Callable[[memoryview], bool] | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        self._disposable = teller(self.context)
        self._begin()
        return self

    def _begin(self) -> None:
        """Decode the first packet: what made the stream may be told there alone, and decoders go by it (that of H.264
        with 4:4:4 of older versions of x264, for one)."""
        first = next(shown(self.container, self.number), None)
        with suppress(FFmpegError):
            self.context.decode(first)
            self.context.decode(None)

    def packets(self, segment: Segment) -> list[Told]:
        """What the packets of `segment` tell, in the order of decoding. Raises NotApart."""
        try:
            keyframe, packets = self._found(segment)
            own = chain((keyframe,), islice(packets, segment.packets - 1))
            return [self._told(packet) for packet in own]
        except FFmpegError as error:
            raise NotApart from error

    def looks(self, segment: Segment, left_out: Set[int] = frozenset()) -> Iterator[Look]:
        """At the frames of `segment` but for those whose times are in `left_out`, to which no other may refer, and
        perhaps at the keyframe after it. Raises NotApart unless all come, whole."""
        try:
            keyframe, packets = self._found(segment)
            begin, due = _time(keyframe), 0
            own = islice(packets, segment.packets - 1)
            fed: Iterator[Packet | None] = chain((keyframe,), own, self._beyond(segment, packets), (None,))
            for packet in fed:
                if packet is not None:
                    if _time(packet) in left_out:
                        continue
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

    def _told(self, packet: Packet) -> Told:
        return Told(
            time=_time(packet),
            size=packet.size,
            keyframe=packet.is_keyframe,
            disposable=self._disposable is not None and self._disposable(memoryview(packet)),
        )

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


def _look(picture: av.VideoFrame) -> Look:
    return Look(
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
