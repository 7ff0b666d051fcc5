"""Reads the events of an edit decision list in the CMX 3600 form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from snapupscale.errors import ListUnreadable, SettingError
from snapupscale.timecode import exact_rate
from snapupscale.timeline.listing import Event, Label, Listing

if TYPE_CHECKING:
    from fractions import Fraction

_TIME = r"([0-9]{2}[:;.,][0-9]{2}[:;.,][0-9]{2}[:;.,][0-9]{2})"
_EVENT = re.compile(
    r"\s*[0-9]{1,6}\s+(?P<reel>\S{1,255})\s+(?P<channels>\S{1,16})\s+"
    r"(?P<edit>[CDW][0-9]{0,3}|K ?[BO]?)\s+(?:\(F\)\s+)?(?:[0-9]{1,4}\s+)?" + r"\s+".join([_TIME] * 4) + r"\s*"
)
# A line that begins as an event does, so that one which can't be read is not passed over.
_BEGINS = re.compile(r"\s*[0-9]{1,6}\s+\S+\s+(?:[ABV][0-9AV/]{0,7}|NONE)\s")
_NAME = re.compile(r"\*?\s*(?:FROM CLIP NAME|FROM FILE|SOURCE FILE|CLIP NAME):(?P<name>.*)", re.IGNORECASE)
_RATE = re.compile(r"\*\s*FRAME RATE:\s*(?P<rate>\S{1,40})\s*", re.IGNORECASE)
_PICTURE = ("V", "B")
_BLACK = frozenset({"BL", "BLACK"})


@dataclass
class _Open:
    """An event whose comments are still to come."""

    line: int
    reel: str
    times: tuple[Label, Label, Label, Label]
    names: list[str] = field(default_factory=list)

    def closed(self) -> Event:
        black = self.reel.upper() in _BLACK
        return Event(
            place=f"line {self.line}",
            names=tuple(self.names),
            reel=self.reel,
            source=None if black else self.times[:2],
            record=self.times[2:],
        )


def read_edl(text: str) -> Listing:
    """The picture events. `FCM:` says how the timecodes after it are counted, and `;` before the frames of one says
    drop-frame as well. Events of audio alone are left out, as are comments that are not known. Raises ListUnreadable.
    """
    events: list[_Open] = []
    drop, listens = False, False
    rate: Fraction | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        if match := _EVENT.fullmatch(line):
            listens = match["channels"].upper().startswith(_PICTURE) or "/V" in match["channels"].upper()
            if listens:
                events.append(_Open(line=number, reel=match["reel"], times=_labels(match, drop)))
        elif _BEGINS.match(line):
            raise ListUnreadable(f"line {number} is no event: {line.strip()[:80]!r}")
        elif line.upper().startswith("FCM:"):
            drop = "NON" not in line.upper()
        elif match := _RATE.fullmatch(line):
            rate = _rate(match["rate"], number)
        elif listens and (match := _NAME.fullmatch(line)) and match["name"].strip():
            events[-1].names.append(match["name"].strip())
    return Listing(events=tuple(event.closed() for event in events), rate=rate)


def _labels(match: re.Match[str], drop: bool) -> tuple[Label, Label, Label, Label]:
    first, second, third, fourth = (
        Label(text=text, drop=drop or text[8] != ":") for text in match.groups()[3:]
    )
    return first, second, third, fourth


def _rate(text: str, line: int) -> Fraction:
    try:
        return exact_rate(text)
    except SettingError as error:
        raise ListUnreadable(f"line {line}: {error}") from error
