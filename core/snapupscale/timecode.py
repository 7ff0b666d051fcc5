"""Exact frame rates, SMPTE timecode, and the ways between frame numbers, times and timestamps."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from snapupscale.errors import SettingError

RATES: tuple[Fraction, ...] = (
    Fraction(12000, 1001),
    Fraction(12),
    Fraction(25, 2),
    Fraction(15000, 1001),
    Fraction(15),
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(48000, 1001),
    Fraction(48),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
    Fraction(72),
    Fraction(90),
    Fraction(96),
    Fraction(100),
    Fraction(120000, 1001),
    Fraction(120),
    Fraction(240000, 1001),
    Fraction(240),
)
"""The standard rates, in frames per second, ascending."""

# Standard rates are 1 part in 1001 apart or more; the worst rounding in use, 14.99 for 15000/1001, is 3.4e-4 off.
_TOLERANCE = Fraction(7, 20_000)
_LOWEST, _HIGHEST = Fraction(1, 100), Fraction(1000)
_DROP_RATES = frozenset({Fraction(30000, 1001), Fraction(60000, 1001), Fraction(120000, 1001)})
_RATE_TEXT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{0,18}|/[0-9]{1,12})?")
_TIMECODE_TEXT = re.compile(r"([0-9]{2})[:;]([0-9]{2})[:;]([0-9]{2})([:;,.])([0-9]{2,3})")
_RATE_HINT = "Give the frame rate in frames per second, for example 24000/1001, 23.976 or 25."


def exact_rate(value: Fraction | float | str) -> Fraction:
    """The rational number of frames per second that a rounded or container-given rate stands for.

    A value within 0.035 % of a standard rate is that rate: 23.976, 23.98 and 2997/125 give 24000/1001, never 24. Any
    other value is kept: a fraction with a denominator up to 1001000, a decimal as the nearest fraction with one up to
    1001. Raises SettingError for what is no number, and outside 0.01 to 1000.
    """
    given = _as_fraction(value)
    if not _LOWEST <= given <= _HIGHEST:
        raise SettingError(f"frame rate {value} is outside {float(_LOWEST)} to {_HIGHEST}", hint=_RATE_HINT)
    nearest = min(RATES, key=lambda rate: abs(given / rate - 1))
    if abs(given / nearest - 1) <= _TOLERANCE:
        return nearest
    is_ratio = "/" in value if isinstance(value, str) else isinstance(value, Fraction)
    return given.limit_denominator(1_001_000 if is_ratio else 1001)


def _as_fraction(value: Fraction | float | str) -> Fraction:
    # The pattern keeps out exponents, whose numbers could fill the memory.
    if isinstance(value, str) and not _RATE_TEXT.fullmatch(value.strip()):
        raise SettingError(f"{value[:40]!r} is no frame rate", hint=_RATE_HINT)
    try:
        return Fraction(value)
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise SettingError(f"{value} is no frame rate", hint=_RATE_HINT) from error


def format_rate(rate: Fraction) -> str:
    """`24000/1001` or `24`, as the JSON results carry it; `exact_rate` reads it back."""
    return str(Fraction(rate))


def nominal(rate: Fraction) -> int:
    """The whole number of frames that timecode counts per second: 24 for 24000/1001; at least 1."""
    return max(1, math.floor(rate + Fraction(1, 2)))


def can_drop(rate: Fraction) -> bool:
    """Whether drop-frame timecode is defined for `rate`: 29.97, 59.94 and 119.88."""
    return rate in _DROP_RATES


@dataclass(frozen=True, kw_only=True)
class Timecode:
    """The label of a frame: `frame` frames after 00:00:00:00 at `rate`, after SMPTE ST 12-1.

    `frame` never skips and is not wrapped, so that ranges across midnight stay in order; the label wraps at 24 hours.
    With `drop`, the first 2 labels (4 at 59.94, 8 at 119.88) of each minute are left out, except in every tenth.
    Raises SettingError for a negative frame and for `drop` at a rate that has none.
    """

    frame: int
    rate: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        _check_rate(self.rate)
        if self.frame < 0:
            raise SettingError(f"timecode of frame {self.frame}: there is none before 00:00:00:00")
        if self.drop and not can_drop(self.rate):
            raise SettingError(
                f"drop-frame timecode is not defined at {format_rate(self.rate)} frames per second",
                hint="Only 29.97, 59.94 and 119.88 have it; write ':' before the frames for the other rates.",
            )

    @classmethod
    def parse(cls, text: str, rate: Fraction) -> Timecode:
        """Read `HH:MM:SS:FF`; `;`, `,` or `.` before the frames marks drop-frame.

        Raises SettingError for another form, a field out of range, a dropped label, and drop-frame where there is none.
        """
        _check_rate(rate)
        match = _TIMECODE_TEXT.fullmatch(text.strip())
        if not match:
            raise SettingError(f"{text[:40]!r} is no timecode", hint="Write HH:MM:SS:FF, or HH:MM:SS;FF for drop.")
        hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
        base, drop = nominal(rate), match[4] != ":"
        if hours > 23 or minutes > 59 or seconds > 59 or frames >= base:
            raise SettingError(f"{text.strip()} is no timecode at {base} frames per second: a field is too large")
        total_minutes = hours * 60 + minutes
        count = (total_minutes * 60 + seconds) * base + frames
        if drop and can_drop(rate):
            if seconds == 0 and frames < _dropped(rate) and minutes % 10:
                raise SettingError(f"{text.strip()} is a label that drop-frame timecode leaves out")
            count -= _dropped(rate) * (total_minutes - total_minutes // 10)
        return cls(frame=count, rate=rate, drop=drop)

    def shifted(self, frames: int) -> Timecode:
        """The timecode `frames` later (earlier when negative). Raises SettingError before 00:00:00:00."""
        return Timecode(frame=self.frame + frames, rate=self.rate, drop=self.drop)

    def __str__(self) -> str:
        base = nominal(self.rate)
        label = self._label() % (24 * 3600 * base)
        seconds, frames = divmod(label, base)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        width = 3 if base > 100 else 2
        return f"{hours:02}:{minutes:02}:{seconds:02}{';' if self.drop else ':'}{frames:0{width}}"

    def _label(self) -> int:
        """The number of the label counted without omissions."""
        if not self.drop:
            return self.frame
        dropped = _dropped(self.rate)
        minute = nominal(self.rate) * 60 - dropped
        tens, rest = divmod(self.frame, minute * 10 + dropped)
        # The first minute of ten is longer by the labels that it keeps.
        minutes = max(0, rest - dropped) // minute
        return self.frame + dropped * (tens * 9 + minutes)


def _dropped(rate: Fraction) -> int:
    return nominal(rate) // 15


def frame_to_time(frame: int, rate: Fraction) -> Fraction:
    """Seconds from the first frame to the moment `frame` appears."""
    _check_rate(rate)
    return int(frame) / rate


def time_to_frame(time: Fraction, rate: Fraction) -> int:
    """The frame on screen `time` seconds after the first one appeared. For a rounded time, use `nearest_frame`."""
    _check_rate(rate)
    return math.floor(time * rate)


def nearest_frame(time: Fraction | float, rate: Fraction) -> int:
    """The frame that appears nearest to `time` seconds; halfway gives the later one."""
    _check_rate(rate)
    return math.floor(Fraction(time) * rate + Fraction(1, 2))


def frame_to_pts(frame: int, rate: Fraction, time_base: Fraction, start_pts: int = 0) -> int:
    """The timestamp of `frame` in units of `time_base` seconds, rounded to the nearest.

    Raises SettingError when the time base is longer than a frame, since frames would then share a timestamp.
    """
    _check_time_base(rate, time_base)
    return start_pts + math.floor(int(frame) / rate / time_base + Fraction(1, 2))


def pts_to_frame(pts: int, rate: Fraction, time_base: Fraction, start_pts: int = 0) -> int:
    """The frame whose timestamp is nearest to `pts`: the exact inverse of `frame_to_pts`, with the same errors."""
    _check_time_base(rate, time_base)
    return nearest_frame((int(pts) - start_pts) * time_base, rate)


def _check_rate(rate: Fraction) -> None:
    if not _LOWEST <= rate <= _HIGHEST:
        raise SettingError(f"frame rate {rate} is outside {float(_LOWEST)} to {_HIGHEST}", hint=_RATE_HINT)


def _check_time_base(rate: Fraction, time_base: Fraction) -> None:
    _check_rate(rate)
    if not 0 < time_base <= 1 / rate:
        raise SettingError(f"time base {time_base} does not tell frames at {format_rate(rate)} frames per second apart")
