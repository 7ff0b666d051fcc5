"""The shots as chapters: Matroska's XML, and the metadata file of FFmpeg."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    from snapupscale.timeline.editlist import EditList

_NANOSECOND = Fraction(1, 1_000_000_000)
# FFmpeg reads both parts of a time base as 32-bit numbers, and times as 64-bit ones.
_LARGEST_PART = 2**31 - 1


def to_matroska_chapters(edit: EditList) -> str:
    """One chapter for each shot, as `mkvmerge --chapters` and `mkvpropedit` read them; an end is the next start.

    Times are nanoseconds from the first frame, rounded up: a player that goes to the last frame that is not after a
    chapter's start then shows the first frame of the shot, and not the one before it.
    """
    root = Element("Chapters")
    edition = SubElement(root, "EditionEntry")
    SubElement(edition, "EditionUID").text = "1"
    for shot, (start, end) in zip(edit.shots, pairwise(edit.edges), strict=True):
        atom = SubElement(edition, "ChapterAtom")
        SubElement(atom, "ChapterUID").text = str(shot.number)
        SubElement(atom, "ChapterTimeStart").text = _clock(start)
        SubElement(atom, "ChapterTimeEnd").text = _clock(end)
        display = SubElement(atom, "ChapterDisplay")
        SubElement(display, "ChapterString").text = _title(shot.number)
        SubElement(display, "ChapterLanguage").text = "eng"
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def to_ffmetadata(edit: EditList) -> str:
    """One chapter for each shot, as `ffmpeg -i film.mov -i FILE -map_chapters 1` reads them; an end is the next start.

    Times are exact where one time base that FFmpeg can read holds all of them, else nanoseconds, rounded up.
    """
    unit = _time_base(edit.edges)
    lines = [";FFMETADATA1"]
    for shot, (start, end) in zip(edit.shots, pairwise(edit.edges), strict=True):
        lines += [
            "[CHAPTER]",
            f"TIMEBASE={unit.numerator}/{unit.denominator}",
            f"START={math.ceil(start / unit)}",
            f"END={math.ceil(end / unit)}",
            f"title={_title(shot.number)}",
        ]
    return "\n".join(lines) + "\n"


def _title(number: int) -> str:
    """Plain letters and digits: nothing that one of the forms would have to escape."""
    return f"Shot {number}"


def _clock(time: Fraction) -> str:
    seconds, rest = divmod(math.ceil(time / _NANOSECOND), _NANOSECOND.denominator)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest:09}"


def _time_base(times: tuple[Fraction, ...]) -> Fraction:
    """The longest unit that all `times` are whole multiples of, or a nanosecond where FFmpeg can't read that."""
    denominator = math.lcm(*(time.denominator for time in times))
    numerator = math.gcd(*(int(time * denominator) for time in times)) or 1
    unit = Fraction(numerator, denominator)
    return unit if max(unit.numerator, unit.denominator) <= _LARGEST_PART else _NANOSECOND
