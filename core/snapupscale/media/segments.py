"""Segments: what lies between the keyframes of footage whose index tells them, and can be decoded side by side."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.media.packets import whole_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snapupscale.media.source import Source

_LEAST, _MOST = 24, 300
"""Packets of a segment; with longer ones too much would wait for its turn."""
_THREADS = 8
"""At most, as each has all the pictures that a decoder keeps."""
_LARGEST = 2048 * 1152
"""Pixels of a picture: of larger ones so many decoders would keep too much in memory."""
_UNEVEN = 1.1
"""How much longer than its share of the work the last thread may be busy."""
_CHECKED = 16
"""Of so many segments that begin without leading pictures one is checked."""


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


def segments(source: Source, *, threads: int | None = None) -> list[Segment]:
    """The segments of a source, by its index; none where that isn't whole, keyframes are too rare, pictures too large,
    or so many `threads` could not share the work evenly."""
    found = successive(source)
    if len(found) < 2 or source.width * source.height > _LARGEST:
        return []
    return found if _even(found, threads or threads_here()) else []


def successive(source: Source) -> list[Segment]:
    """The same to be decoded one after the other, so that pictures may be large and the work uneven."""
    index = whole_index(source)
    if index is None or not index.keys[0]:
        return []
    starts = [0]
    for place, keyframe in enumerate(index.keys):
        if keyframe and place - starts[-1] >= _LEAST:
            starts.append(place)
    lengths = np.diff([*starts, len(index.keys)]).tolist()
    if max(lengths) > _MOST:
        return []
    return [
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


def threads_here() -> int:
    """How many decoders are worth while here."""
    return min(os.cpu_count() or 1, _THREADS)


def _even(parts: Sequence[Segment], count: int) -> bool:
    """Whether `count` threads would all be busy nearly to the end."""
    loads = [0] * count
    for part in in_order_of_work(parts, count):
        loads[loads.index(min(loads))] += part.size
    return max(loads) <= _UNEVEN * sum(loads) / count


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
