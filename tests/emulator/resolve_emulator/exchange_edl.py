"""CMX 3600 edit lists: the first video track alone. Their size was recorded on 19.1.3 and agrees with this form."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from resolve_emulator.exchange import Cut, Piece
from snapupscale.timecode import Timecode, can_drop

if TYPE_CHECKING:
    from collections.abc import Callable

_EVENT = re.compile(r"(\d+)\s+(\S+)\s+(\S+)\s+C\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*$")
_SPEED = re.compile(r"M2\s+\S+\s+(-?[\d.]+)")
_NAME = re.compile(r"\*\s*FROM CLIP NAME:\s*(.+?)\s*$")


def write(cut: Cut) -> str:
    """The list, with lines that end as DOS's do."""
    lines = [f"TITLE: {cut.name}", f"FCM: {'DROP FRAME' if cut.drop else 'NON-DROP FRAME'}", ""]
    for number, piece in enumerate(cut.lane("video", 1), 1):
        first = int(piece.source)
        last = int(piece.source + piece.source_frames * piece.rate / cut.rate)
        marks = [_label(first, piece.rate), _label(last, piece.rate)]
        marks += [_label(int(frame), cut.rate, drop=cut.drop) for frame in (piece.start, piece.end)]
        lines.append(f"{number:03}  AX       V     C        {' '.join(marks)}  ")
        if piece.speed != 1:
            lines.append(f"M2   AX       {float(piece.speed * cut.rate):05.1f}                {marks[0]} ")
        lines += [f"* FROM CLIP NAME: {piece.name}", ""]
    return "".join(f"{line}\r\n" for line in lines)


def read(text: str, rate: Fraction, rate_of: Callable[[str], Fraction]) -> Cut:
    """The list in a project at `rate`; `rate_of` gives that of the media with a name. Names no paths."""
    title = re.search(r"^TITLE:\s*(.*?)\s*$", text, re.MULTILINE)
    cut = Cut(name=title[1] if title else "", rate=rate, drop="FCM: DROP FRAME" in text and can_drop(rate))
    events = re.split(r"^(?=\d{3,}\s)", text, flags=re.MULTILINE)[1:]
    for event in events:
        head = _EVENT.match(event.splitlines()[0])
        if head and head[3][0] != "A":
            cut.pieces.append(_piece(event, head, cut, rate_of))
    cut.start = int(min((piece.start for piece in cut.pieces), default=Fraction(0)))
    return cut


def _piece(event: str, head: re.Match[str], cut: Cut, rate_of: Callable[[str], Fraction]) -> Piece:
    named = next((match[1] for match in map(_NAME.match, event.splitlines()) if match), head[2])
    speed = next((match[1] for match in map(_SPEED.match, event.splitlines()) if match), None)
    own = rate_of(named)
    start, end = (_frame(label, cut.rate, drop=cut.drop) for label in (head[6], head[7]))
    return Piece(
        kind="video",
        track=1,
        name=named,
        start=Fraction(start),
        duration=Fraction(end - start),
        source=Fraction(_frame(head[4], own, drop=False)),
        rate=own,
        speed=Fraction(speed) / cut.rate if speed else Fraction(1),
        sound=True,
    )


def _label(frame: int, rate: Fraction, *, drop: bool = False) -> str:
    return str(Timecode(frame=frame, rate=rate, drop=drop))


def _frame(label: str, rate: Fraction, *, drop: bool) -> int:
    wanted = label[:8] + (";" if drop or ";" in label else ":") + label[9:]
    return Timecode.parse(wanted, rate).frame
