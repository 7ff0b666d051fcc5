"""Which source frame each record frame of a timeline item shows, and on which record frame a source frame appears."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snapupscale.timeline.snapshot import Item, Media

FREEZE = "It is a freeze frame: it holds one picture."
UNKNOWN = "Its speed is not known: DaVinci Resolve does not say which frames of the source it uses."
RAMP = "Its speed changes inside the clip; only a constant speed can be followed."


@dataclass(frozen=True, kw_only=True)
class FrameMap:
    """The source frames that an item shows on the record frames `start` up to, not including, `end`.

    Record frame r shows the source frame `floor((r - start) * |step|)` frames from `first` on, back when `step` is
    negative: an editor keeps real time and repeats or leaves out frames, it blends none. `step` is source frames per
    record frame: source rate / timeline rate * speed. `frames` is the length of the source, where known; nothing
    outside is shown.
    """

    start: int
    end: int
    first: int
    step: Fraction
    frames: int | None = None

    def source_at(self, record: int) -> int:
        """The source frame that `record` shows."""
        travelled = math.floor((record - self.start) * abs(self.step))
        frame = self.first + travelled if self.step > 0 else self.first - travelled
        return max(0, frame if self.frames is None else min(frame, self.frames - 1))

    @property
    def used(self) -> tuple[int, int]:
        """The range of source frames that is shown, the end exclusive."""
        return self.used_between(self.start, self.end)

    def used_between(self, start: int, end: int) -> tuple[int, int]:
        """The range of source frames that record frames `start` up to, not including, `end` show, the end exclusive."""
        low, high = sorted((self.source_at(start), self.source_at(end - 1)))
        return low, high + 1

    def record_of_cut(self, cut: int) -> int:
        """The first record frame beyond `cut` in the order of play: the first that shows frame `cut` or a later one,
        or, of an item that runs backwards, frame `cut - 1` or an earlier one. It may lie outside the item."""
        distance = cut - self.first if self.step > 0 else self.first - cut + 1
        return self.start + math.ceil(distance / abs(self.step))


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """Where an item changes to another shot of its source: `record` is the first record frame of it, `shot` the number
    of the shot in the source, from 1, and `frame` the source frame that is shown there."""

    record: int
    shot: int
    frame: int


def boundaries(frame_map: FrameMap, cuts: Sequence[int]) -> tuple[Boundary, ...]:
    """Where the item changes to another shot, in the order of play. `cuts` are source frames, ascending.

    Cuts that fall on one record frame are one boundary: the shots between them are never shown.
    """
    low, high = frame_map.used
    inside = cuts[bisect_right(cuts, low) : bisect_left(cuts, high)]
    records = sorted({frame_map.record_of_cut(cut) for cut in inside})
    found = []
    for record in records:
        frame = frame_map.source_at(record)
        found.append(Boundary(record=record, shot=shot_of(frame, cuts), frame=frame))
    return tuple(found)


def at_edit_point(record: int, frame_map: FrameMap) -> bool:
    """Whether `record` is the item's first frame, within one frame of it or of its end: the cut there is the edit's."""
    return record - frame_map.start <= 1 or frame_map.end - record <= 1


def shot_of(frame: int, cuts: Sequence[int]) -> int:
    """The number of the shot, from 1, that source frame `frame` is in."""
    return bisect_right(cuts, frame) + 1


def map_item(item: Item, media: Media, rate: Fraction) -> FrameMap | str:
    """The frames that `item` shows on a timeline of `rate` frames per second, or the reason why that is not known.

    `source_end` is exclusive where the source has the timeline's rate, else inclusive. The camera's start timecode
    plays no part. Without a speed from the editor (before 21.1) it is inferred from the range; ramps are then not
    seen. An item that runs backwards begins on `source_start` itself, unless that is the end of the source.
    """
    if media.rate is None or item.length < 1:
        return UNKNOWN
    if item.speed == 0:
        return FREEZE
    if item.source_start is None or item.source_end is None:
        return _from_offsets(item, media, rate)
    ratio = media.rate / rate
    step = _step(item, item.source_end - item.source_start, ratio)
    if isinstance(step, str):
        return step
    return FrameMap(
        start=item.start,
        end=item.end,
        first=_first(item, item.source_start, media.frames, plain=step == ratio, backwards=step < 0),
        step=step,
        frames=media.frames,
    )


def _first(item: Item, source_start: int, frames: int | None, *, plain: bool, backwards: bool) -> int:
    if backwards:
        return min(source_start, frames - 1) if frames else source_start
    # At 100 % the left offset is the frame the clip was placed with; the source start may be one off.
    if plain and item.left_offset is not None and abs(item.left_offset - source_start) <= 1:
        return math.floor(item.left_offset)
    return source_start


def _step(item: Item, span: int, ratio: Fraction) -> Fraction | str:
    """Source frames per record frame, signed, or why there is none."""
    distance = abs(span) + (ratio != 1)
    natural = item.length * ratio
    if item.speed is not None:
        return _given_step(item, span, distance, ratio)
    if span == 0 and (ratio == 1 or natural >= 2):
        return UNKNOWN
    speed = _likely_speed(Fraction(distance), natural)
    return ratio * speed if span >= 0 else -ratio * speed


def _given_step(item: Item, span: int, distance: int, ratio: Fraction) -> Fraction | str:
    speed = Fraction(str(item.speed)) / 100
    step = speed * ratio
    off = abs(distance - abs(step) * item.length)
    # The last frame shown may be a step before the end, both ends are rounded, and the speed to 0.01 per cent.
    rounded = 1 + abs(step)
    if off > 1 + rounded + item.length * ratio / 10_000 or (span * speed < 0 and distance > 2):
        return UNKNOWN if span == 0 else RAMP
    if off > rounded:
        return Fraction(distance, item.length) * (1 if speed > 0 else -1)
    return step


def _likely_speed(distance: Fraction, natural: Fraction) -> Fraction:
    """The speed that fits the range of source frames: 100 %, else a whole per cent, else what the range says."""
    exact = distance / natural
    if abs(distance - natural) <= 1:
        return Fraction(1)
    whole = Fraction(max(1, round(exact * 100)), 100)
    return whole if abs(whole * natural - distance) < 1 else exact


def _from_offsets(item: Item, media: Media, rate: Fraction) -> FrameMap | str:
    """The map where the editor tells no source frames (before 19.0.2): offsets are those of the source at 100 % alone,
    which shows in that they add up to the length of the source."""
    if media.rate != rate or item.left_offset is None:
        return UNKNOWN
    if item.speed is None:
        if item.right_offset is None or media.frames is None:
            return UNKNOWN
        if abs(item.left_offset + item.length + item.right_offset - media.frames) > 1:
            return UNKNOWN
    elif item.speed != 100:
        return UNKNOWN
    first = math.floor(item.left_offset)
    return FrameMap(start=item.start, end=item.end, first=first, step=Fraction(1), frames=media.frames)
