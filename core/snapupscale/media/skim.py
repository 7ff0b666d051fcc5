"""A segment seen without those of its frames that no other refers to, but for where something may happen."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from snapupscale.media import samples
from snapupscale.media.disposable import calm
from snapupscale.media.segment_decoder import NotApart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from snapupscale.media.segment_decoder import Look, SegmentDecoder
    from snapupscale.media.segments import Segment

Leaps: TypeAlias = "Callable[[Sequence[NDArray[np.uint8]], Sequence[int]], list[int]]"
"""Gets thumbnails and the numbers of some, and gives back those of them after which something may happen."""
_REACH = 4
"""Frames that are decoded after all, on both sides of a place where something may happen."""


def skimmed(decoder: SegmentDecoder, segment: Segment, leaps: Leaps, reached: Callable[[int], bool]) -> Iterator[Look]:
    """Looks at the frames of `segment`, each with the times of those that were left out before it, and perhaps at the
    keyframe after it.

    Packets tell beforehand where nothing happens (`disposable.calm`), and `leaps` afterwards whether that is so; if
    not, the segment is decoded again as far as it takes. `reached` gets the number of frames that were come by, and
    says whether to go on. Raises NotApart.
    """
    packets = decoder.packets(segment)
    left_out = calm(packets).intersection(packet.time for packet in packets if packet.disposable)
    begin = packets[0].time
    path = _Path(sorted(packet.time for packet in packets if packet.time >= begin), leaps)
    after = None
    for look in decoder.looks(segment, left_out):
        if decoder.end is not None and look.pts >= decoder.end:
            after = look
        else:
            yield from path.on(look)
        if not reached(path.come_by):
            return
    if wanted := path.wanted():
        end = decoder.end
        for look in decoder.looks(segment, left_out - wanted):
            if look.pts in wanted:
                path.held.append(look)
            if look.pts >= max(wanted) or not reached(0):
                break
        decoder.end = end
    yield from path.rest()
    if after:
        yield after


class _Path:
    """Goes along the frames of a segment, of which some were left out, and holds those that may be too near to a place
    where something happens. times: of all frames that are known of beforehand, ascending."""

    def __init__(self, times: list[int], leaps: Leaps) -> None:
        self.held: list[Look] = []
        self.come_by = 0
        """Frames, those that were left out with them."""
        self._times, self._leaps = times, leaps
        self._places = {time: place for place, time in enumerate(times)}
        self._last: deque[tuple[int, NDArray[np.uint8]]] = deque(maxlen=4)
        """Places and thumbnails of the frames that came last."""
        self._around: list[tuple[int, int]] = []
        """Places between which something may happen."""
        self._given = 0

    def on(self, look: Look) -> Iterator[Look]:
        """Goes on by one frame; gives those that are no longer held."""
        if look.pts not in self._places:
            # Shown before the next keyframe, though decoded after it.
            self._places[look.pts] = len(self._times)
            self._times.append(look.pts)
        self.held.append(look)
        self._last.append((self._places[look.pts], samples.thumbnail(samples.merged(look.planes))))
        self.come_by = self._last[-1][0] + 1
        if len(self._last) > 2:
            self._judge(len(self._last) - 3)
        if not self._around:
            free = self._last[-2][0] - _REACH if len(self._last) > 1 else 0
            while self._places[self.held[0].pts] < free:
                yield self._joined(self.held.pop(0))

    def wanted(self) -> frozenset[int]:
        """Once all have come: the times of those to be decoded after all."""
        if len(self._last) > 1:
            self._judge(len(self._last) - 2)
        there = {look.pts for look in self.held}
        near = {time for one, other in self._around for time in self._times[max(0, one - _REACH) : other + _REACH + 1]}
        return frozenset(time for time in near - there if self._places[time] >= self._given)

    def rest(self) -> Iterator[Look]:
        """What is still held. Raises NotApart where the last frame is missing."""
        self.held.sort(key=lambda look: look.pts)
        yield from map(self._joined, self.held)
        if self._given < len(self._times):
            raise NotApart

    def _judge(self, step: int) -> None:
        one, other = self._last[step][0], self._last[step + 1][0]
        if other - one > 1 and self._leaps([thumbnail for _, thumbnail in self._last], [step]):
            self._around.append((one, other))

    def _joined(self, look: Look) -> Look:
        place, before = self._places[look.pts], self._given
        self._given = place + 1
        return replace(look, left_out=tuple(self._times[before:place]))
