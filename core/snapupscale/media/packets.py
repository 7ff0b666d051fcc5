"""Packets: what a container tells of each frame without decoding any."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from av.error import FFmpegError

from snapupscale.errors import SourceTruncated
from snapupscale.media.source import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from snapupscale.media.source import Source

Packet: TypeAlias = "av.Packet[VideoStream]"
_PROBED = 12


@dataclass(frozen=True, kw_only=True)
class Packets:
    """Arrays over the packets of a stream, in the order of their times; one packet is one frame in nearly all files."""

    ticks: NDArray[np.int64]
    """Time since the first, in units of `tick`; 0, 1, 2 and so on where the container has no times."""
    tick: Fraction
    """Seconds."""
    sizes: NDArray[np.int64]
    """Bytes."""
    keys: NDArray[np.bool_]
    """Where decoding can start."""

    def __len__(self) -> int:
        return len(self.ticks)


@dataclass(frozen=True, kw_only=True)
class Index:
    """Of the packets of a stream, in the order of decoding."""

    times: list[int]
    """When each is to be decoded, in ticks of the container."""
    sizes: list[int]
    """Bytes."""
    keys: list[bool]
    """Where decoding can start."""
    delay: int
    """How much later the first is shown than decoded."""


def read_packets(source: Source) -> Packets:
    """The packets of a file (of a sequence there are none), read at the speed of the disk; of a file that is cut off or
    damaged those before the fault. Raises SourceTruncated where there is none."""
    times, sizes, keys = array("q"), array("q"), bytearray()
    timed = True
    with opened(source.path) as container:
        tick = container.streams[source.stream].time_base or 1 / source.rate
        for packet in shown(container, source.stream):
            timed = timed and packet.pts is not None
            times.append(packet.pts or 0)
            sizes.append(packet.size)
            keys.append(packet.is_keyframe)
    if not sizes:
        raise SourceTruncated(f"no packet of {source.path} can be read")
    ticks = np.array(times, dtype=np.int64) if timed else np.arange(len(sizes))
    order = np.argsort(ticks, kind="stable")
    return Packets(
        ticks=ticks[order] - ticks[order[0]],
        tick=tick if timed else 1 / source.rate,
        sizes=np.array(sizes, dtype=np.int64)[order],
        keys=np.frombuffer(bytes(keys), dtype=np.bool_)[order],
    )


def is_intra(source: Source) -> bool:
    """Whether every frame seems to stand alone, by the first packets, and has a time of its own."""
    if source.is_sequence:
        return False
    count = 0
    with opened(source.path) as container:
        for packet in islice(shown(container, source.stream), _PROBED):
            if packet.pts is None or not packet.is_keyframe:
                return False
            count += 1
    return count > 1


def whole_index(source: Source) -> Index | None:
    """The index of a source, read without its packets; None where not every frame stands in it, or not all of the file
    is there."""
    if source.is_sequence or "mp4" not in source.container:
        return None
    with opened(source.path) as container:
        entries = [entry for entry in container.streams[source.stream].index_entries if not entry.is_discard]
        times = [entry.timestamp for entry in entries]
        sizes = [entry.size for entry in entries]
        keys = [entry.is_keyframe for entry in entries]
        end = max((entry.pos + entry.size for entry in entries), default=0)
        first = next(shown(container, source.stream), None)
    if first is None or first.pts is None or not times or first.dts != times[0] or len(times) != source.frames:
        return None
    if end > source.path.stat().st_size:
        return None
    return Index(times=times, sizes=sizes, keys=keys, delay=first.pts - times[0])


def shown(container: InputContainer, number: int) -> Iterator[Packet]:
    """The packets of the frames of a stream that are shown, in the order of the file, up to its end or the first
    fault."""
    stream: VideoStream = container.streams[number]  # type: ignore[assignment]
    try:
        for packet in container.demux(stream):
            if packet.size and not packet.is_discard:
                yield packet
    except (FFmpegError, OSError, IndexError):
        return
