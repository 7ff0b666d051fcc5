"""Which source frame each record frame of a timeline item shows, and on which record frame a source frame appears."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
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

    Record frame r shows the source frame `floor(first + (r - start) * step)`, or, when `step` is negative, the one
    `floor((r - start) * |step|)` frames back from `first`: an editor keeps real time and repeats or leaves out frames,
    it blends none. `step` is source frames per record frame: source rate / timeline rate * speed. `first` lies between
    two frames where a clip of another rate or speed was trimmed. `frames` is the length of the source, where known;
    nothing outside is shown.
    """

    start: int
    end: int
    first: Fraction | int
    step: Fraction
    frames: int | None = None

    def source_at(self, record: int) -> int:
        """The source frame that `record` shows."""
        moved = self.first + (record - self.start) * self.step
        frame = math.floor(moved) if self.step > 0 else math.ceil(moved)
        return max(0, frame if self.frames is None else min(frame, self.frames - 1))

    def within(self, frames: int) -> FrameMap:
        """The same of a source that turned out to have `frames` frames, where that was not known."""
        return self if self.frames is not None else replace(self, frames=frames)

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
    ratio, frames = media.rate / rate, _source_length(item, media)
    step = _step(item, item.source_end - item.source_start, ratio)
    if isinstance(step, str):
        return step
    return FrameMap(
        start=item.start,
        end=item.end,
        first=_first(item, item.source_start, frames, step, ratio),
        step=step,
        frames=frames,
    )


def _source_length(item: Item, media: Media) -> int | None:
    """The frames of the file. A subclip tells its own length instead, which shows where its items lie beyond it, since
    their source frames are counted in the file."""
    last = max(item.source_start or 0, item.source_end or 0)
    return None if media.frames is None or last > media.frames + 1 else media.frames


def _first(item: Item, source_start: int, frames: int | None, step: Fraction, ratio: Fraction) -> Fraction | int:
    if step < 0:
        return min(source_start, frames - 1) if frames else source_start
    if item.left_offset is None:
        return source_start
    # The left offset is counted in the retimed clip. It alone tells where between two frames of the source one begins.
    position = _on_grid(Fraction(str(item.left_offset)) * step / ratio, step)
    off = abs(math.floor(position) - source_start)
    # At 100 % it is the frame the clip was placed with; the source start may be one off.
    return position if off == 0 or (step == ratio and off == 1) else source_start


def _on_grid(position: Fraction, step: Fraction) -> Fraction:
    """`position` without the rounding of the editor's decimal: whole record frames were trimmed."""
    exact = Fraction(round(position * step.denominator), step.denominator)
    return exact if abs(exact - position) < Fraction(1, 1000) else position


def _step(item: Item, span: int, ratio: Fraction) -> Fraction | str:
    """Source frames per record frame, signed, or why there is none."""
    distance = abs(span) + (ratio != 1)
    natural = item.length * ratio
    if item.speed is not None:
        return _given_step(item, span, distance, ratio)
    if span == 0 and (ratio == 1 or (natural >= 2 and item.length > 1)):
        return UNKNOWN
    speed = _likely_speed(item.length, abs(span), ratio)
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


_GRAINS = (100, 50, 25, 10, 5, 1)
"""Per cents: an editor's speed is more likely a multiple of a larger one."""


def _likely_speed(length: int, span: int, ratio: Fraction) -> Fraction:
    """The roundest speed that fits the range of source frames, else what the range says."""
    distance, natural = span + (ratio != 1), length * ratio
    exact = distance / natural
    for grain in _GRAINS:
        speed = Fraction(max(1, round(exact * 100 / grain)) * grain, 100)
        off = abs(speed * natural - distance)
        # Of another rate the end is told as the last frame shown, which may be less than a step before the true end.
        if off < 1 or (off == 1 == speed) or (ratio != 1 and math.floor((length - 1) * speed * ratio) == span):
            return speed
    return exact


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
