"""Which frames of its source an item shows, as the API tells them (facts 1.3)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resolve_emulator.state import Item


def record_duration(frames: Fraction | int, source: Fraction, timeline: Fraction) -> int:
    """Frames of the timeline that `frames` of a source fill: real time is kept, what is left over is dropped."""
    return math.floor(frames * timeline / source)


def source_rate(item: Item, timeline: Fraction) -> Fraction:
    """The rate of the item's source; the timeline's own for what has none, and for stills."""
    if item.clip is None or item.clip.asset.kind == "still":
        return timeline
    return item.clip.asset.rate


def source_out(item: Item, timeline: Fraction) -> Fraction:
    """The position in the source where the item ends, exclusive and exact; before the start when it runs backwards."""
    return item.source_in + item.duration * source_rate(item, timeline) / timeline * item.speed


def source_start_frame(item: Item, timeline: Fraction) -> int:
    """The first frame shown. Where the rates differ it is read off the grid of the timeline, and so is now and then one
    away from what was asked for."""
    if not item.span_known:
        return 0
    rate = source_rate(item, timeline)
    if rate == timeline:
        return math.floor(item.source_in)
    return _nearest(_nearest(item.source_in * timeline / rate) * rate / timeline)


def source_end_frame(item: Item, timeline: Fraction) -> int:
    """The frame after the last where the rates are equal, the last frame where they differ."""
    if not item.span_known:
        return 0
    rate, out = source_rate(item, timeline), source_out(item, timeline)
    if rate == timeline:
        return math.floor(out)
    return math.ceil(out) - 1 if item.speed >= 0 else math.floor(out) + 1


def source_start_time(item: Item, timeline: Fraction) -> float:
    """Seconds, counted from midnight of the source's timecode."""
    return _seconds(item, item.source_in, timeline)


def source_end_time(item: Item, timeline: Fraction) -> float:
    """Seconds as `source_start_time`, of the end, exclusive."""
    return _seconds(item, source_out(item, timeline), timeline)


def left_offset(item: Item, timeline: Fraction) -> Fraction:
    """Frames by which the item could grow to the left: of the source, after its speed was applied; for sound, of the
    timeline."""
    if _is_endless(item) or item.speed == 0:
        return item.source_in
    before = item.source_in if item.speed > 0 else _frames(item) - 1 - item.source_in
    return _scaled(item, before, timeline)


def right_offset(item: Item, timeline: Fraction) -> Fraction:
    """Frames by which the item could grow to the right; as `left_offset`."""
    if _is_endless(item) or item.speed == 0:
        return Fraction(0)
    out = source_out(item, timeline)
    after = _frames(item) - out if item.speed > 0 else out + 1
    return max(Fraction(0), _scaled(item, after, timeline))


def _frames(item: Item) -> int:
    return item.clip.asset.frames if item.clip else 0


def _is_endless(item: Item) -> bool:
    return item.clip is None or item.clip.asset.kind == "still"


def _scaled(item: Item, frames: Fraction, timeline: Fraction) -> Fraction:
    warped = frames / abs(item.speed)
    return warped * timeline / source_rate(item, timeline) if item.kind == "audio" else warped


def _nearest(position: Fraction) -> int:
    return math.floor(position + Fraction(1, 2))


def _seconds(item: Item, position: Fraction, timeline: Fraction) -> float:
    if not item.span_known:
        return 0.0
    rate = source_rate(item, timeline)
    start = item.clip.asset.start if item.clip else 0
    return float((start + position) / rate)
