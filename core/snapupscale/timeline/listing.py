"""A list of shots that was made elsewhere, as its file has it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from snapupscale.errors import ListMismatch, SettingError
from snapupscale.timecode import Timecode, can_drop, format_rate

# A number may be that of the nearest frame to a time of variable rate, and a time is rounded to a millisecond.
_NEAREST, _ROUNDED = Fraction(1, 2), Fraction(1, 1000)


@dataclass(frozen=True, kw_only=True)
class Label:
    """A timecode as written, and whether the list counts drop-frame there."""

    text: str
    drop: bool

    def frame(self, rate: Fraction) -> int:
        """Frames from 00:00:00:00 at `rate`. Raises ListMismatch for a label that the rate has not."""
        try:
            if self.drop and not can_drop(rate):
                raise SettingError(f"{self.text} counts drop-frame")
            separator = ";" if self.drop else ":"
            return Timecode.parse(f"{self.text[:8]}{separator}{self.text[9:]}", rate).frame
        except SettingError as error:
            raise ListMismatch(f"{error}, and the clip has {format_rate(rate)} frames per second") from error


@dataclass(frozen=True, kw_only=True)
class Frames:
    """A frame counted at `rate` per second; from the first frame of the footage where `relative`, else from
    00:00:00:00."""

    number: int
    rate: Fraction | None
    """None where the list doesn't say."""
    relative: bool
    seconds: Fraction | None = None
    """The time of the frame, where the list gives it beside the number; rounded, and of a variable rate perhaps."""

    def frame(self, rate: Fraction) -> int:
        """The number. Raises ListMismatch where the list counts at another rate."""
        if self.rate is not None and self.rate != rate:
            raise other_rate(format_rate(self.rate), rate)
        if self.seconds and abs(self.number - self.seconds * rate) > _NEAREST + rate * _ROUNDED:
            raise other_rate(f"{float(self.number / self.seconds):.3f}", rate)
        return self.number


Point = Label | Frames
Span = tuple[Point, Point | None]
"""In and out, which is exclusive; without an out, to the next in, or to the end of the footage."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One stretch of picture: which frames of the footage it shows, and where they stand in what was edited."""

    place: str
    """Where the file has it, such as `line 12`."""
    names: tuple[str, ...]
    """File names of the footage, as far as the list gives them."""
    reel: str
    source: Span | None
    """None for black and for what is no footage."""
    record: Span | None
    """None where the list is of the footage itself and not of an edit."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All events of the picture, in the order of the file."""

    events: tuple[Event, ...]
    rate: Fraction | None
    """Frames per second, where the file says so."""


def other_rate(listed: str, rate: Fraction) -> ListMismatch:
    """The error for a list that was made for another rate than that of the footage."""
    return ListMismatch(
        f"the list counts {listed} frames per second, the clip {format_rate(rate)}",
        hint="Make the list anew at the rate of the clip; --rate gives the clip another one.",
    )
