"""Where the shots of a list that was made elsewhere begin in the footage."""

from __future__ import annotations

import ntpath
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from snapupscale.errors import ListMismatch
from snapupscale.timecode import format_rate, nominal
from snapupscale.timeline.edl import reel_name
from snapupscale.timeline.listing import Frames, Label, other_rate
from snapupscale.timeline.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from snapupscale.timeline.editlist import EditList
    from snapupscale.timeline.listing import Event, Listing, Point, Span


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The first frames of all shots but the first, ascending, and what the user should know of how they came about."""

    cuts: tuple[int, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, order=True)
class _Span:
    start: int
    end: int
    place: str


def fit(listing: Listing, whole: EditList) -> Fit:
    """The cuts that `listing` makes in the footage of `whole`, an edit list with a single shot.

    The events that show this footage, told by its name, else by its reel, else all of them, count by their source
    timecodes: from the footage's start timecode, or from 0 as programs write them that know none. Where that can't be
    and the record side is as long as the footage, to a second, the list describes the footage as the finished edit, and
    the record timecodes count. What the list leaves out are shots too. Raises ListMismatch.
    """
    if listing.rate is not None and listing.rate != whole.rate:
        raise other_rate(format_rate(listing.rate), whole.rate)
    faults: list[ListMismatch] = []
    shown = _shown(listing.events, whole)
    if not shown:
        faults.append(_other_footage(listing.events, whole))
    for attempt in (_by_source, _by_record):
        for spans in attempt(shown if attempt is _by_source else listing.events, whole, faults):
            try:
                return _fit(_checked(spans, whole), len(listing.events) - len(spans), whole)
            except ListMismatch as error:
                faults.append(error)
    raise next(iter(faults), ListMismatch("every shot of the list is empty"))


def _shown(events: Sequence[Event], whole: EditList) -> list[Event]:
    """The events that show the footage of `whole`."""
    footage = [event for event in events if event.source is not None]
    if any(event.names for event in footage):
        own = _known_as(whole.media.name, whole.source.name, whole.name)
        return [event for event in footage if own & _known_as(*event.names)]
    reels = {event.reel.upper() for event in footage}
    return footage if len(reels) == 1 else [event for event in footage if event.reel.upper() == reel_name(whole)]


def _known_as(*names: str) -> set[str]:
    """The names, and without their suffixes, in one spelling."""
    plain = {unicodedata.normalize("NFC", printable(ntpath.basename(name))).strip().casefold() for name in names}
    return (plain | {ntpath.splitext(name)[0] for name in plain}) - {""}


def _by_source(events: Sequence[Event], whole: EditList, faults: list[ListMismatch]) -> Iterator[list[_Span]]:
    yield from _spans([(event.place, event.source) for event in events if event.source], whole, faults)


def _by_record(events: Sequence[Event], whole: EditList, faults: list[ListMismatch]) -> Iterator[list[_Span]]:
    second = nominal(whole.rate)
    sides = [(event.place, event.record) for event in events if event.record]
    mixed = _mixed(sides, whole)
    for spans in _spans(sides, whole, faults):
        first, last = min(span.start for span in spans), max(span.end for span in spans)
        if abs(last - first - whole.frames) <= second:
            yield spans
            if not mixed:
                yield [replace(span, start=span.start - first, end=span.end - first) for span in spans]


def _spans(
    sides: Sequence[tuple[str, Span]], whole: EditList, faults: list[ListMismatch]
) -> Iterator[list[_Span]]:
    """The spans that aren't empty, counted from the footage's start timecode, then from 0."""
    for origin in dict.fromkeys((whole.start.frame, 0)):
        if origin and _mixed(sides, whole):
            faults.append(ListMismatch("only one of the list and the clip counts drop-frame timecode"))
            continue
        try:
            spans = [
                _Span(start=_placed(begin, whole, origin), end=_placed(end, whole, origin), place=place)
                for place, (begin, end) in _closed(sides, whole)
            ]
        except ListMismatch as error:
            faults.append(error)
            return
        filled = [span for span in spans if span.start != span.end]
        if filled:
            yield filled


def _closed(sides: Sequence[tuple[str, Span]], whole: EditList) -> Iterator[tuple[str, tuple[Point, Point]]]:
    """`sides`, each with an out."""
    starts = sorted({begin.frame(whole.rate) for _, (begin, end) in sides if end is None})
    for place, (begin, end) in sides:
        if end is None:
            start = begin.frame(whole.rate)
            following = bisect_right(starts, start)
            number = starts[following] if following < len(starts) else max(whole.frames, start + 1)
            yield place, (begin, Frames(number=number, rate=None, relative=True))
        else:
            yield place, (begin, end)


def _placed(point: Point, whole: EditList, origin: int) -> int:
    relative = isinstance(point, Frames) and point.relative
    return point.frame(whole.rate) - (0 if relative else origin)


def _mixed(sides: Sequence[tuple[str, Span]], whole: EditList) -> bool:
    """Whether the clip has a start timecode, and only one of it and the list counts drop-frame."""
    drops = {begin.drop for _, (begin, _) in sides if isinstance(begin, Label)}
    return bool(whole.start.frame) and not drops <= {whole.start.drop}


def _checked(spans: Sequence[_Span], whole: EditList) -> list[_Span]:
    """`spans` in order, without repetitions. Up to a second past the end is the end: programs count it differently.
    Where every shot ends one frame before the next begins, the list gives last frames, and not ends."""
    latest = whole.frames + nominal(whole.rate)
    for span in spans:
        if not 0 <= span.start < whole.frames or span.end > latest:
            raise ListMismatch(
                f"{span.place}: frames {span.start} to {span.end} are outside the clip, which has {whole.frames}"
            )
        if span.end < span.start:
            raise ListMismatch(f"{span.place}: the shot ends before it begins")
    ordered = list({(span.start, span.end): span for span in sorted(spans)}.values())
    if len(ordered) > 1 and all(following.start - span.end == 1 for span, following in pairwise(ordered)):
        ordered = [replace(span, end=span.end + 1) for span in ordered]
    for span, following in pairwise(ordered):
        if following.start < span.end:
            raise ListMismatch(
                f"{span.place} and {following.place} overlap: frame {following.start} would be in two shots",
                hint="Shots may leave frames out, but can't share any; a list of an edit may use footage twice.",
            )
    return ordered


def _fit(spans: Sequence[_Span], unused: int, whole: EditList) -> Fit:
    notes = []
    if unused > 0:
        notes.append(f"{unused} events of the list show something else than this clip, or nothing")
    edges = {edge for span in spans for edge in (span.start, span.end)}
    inner = tuple(sorted(edge for edge in edges if 0 < edge < whole.frames))
    if len(inner) + 1 > len(spans):
        notes.append("the list leaves out a part of the clip, which makes shots of its own")
    return Fit(cuts=inner, notes=tuple(notes))


def _other_footage(events: Sequence[Event], whole: EditList) -> ListMismatch:
    listed = sorted({ntpath.basename(event.names[0]) for event in events if event.names} or {e.reel for e in events})
    shown = ", ".join(printable(name)[:60] for name in listed[:3]) + (", ..." if len(listed) > 3 else "")
    return ListMismatch(f"the list is of other footage: {shown}, and not {printable(whole.media.name)}")
