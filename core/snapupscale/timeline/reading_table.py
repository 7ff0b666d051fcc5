"""Reads the shots of a table: that of PySceneDetect's `list-scenes`, and that of the CSV export."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from snapupscale.errors import ListUnreadable
from snapupscale.timeline.listing import Event, Frames, Listing

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """The names of the columns, and the number of the first frame."""

    start: str
    end: str | None
    """None where the ends are not taken: PySceneDetect itself goes by the starts alone, and of a variable rate its last
    end is another count than its starts."""
    seconds: str
    source: str
    first: int


_KINDS = (
    _Columns(start="Start Frame", end=None, seconds="Start Time (seconds)", source="", first=1),
    _Columns(start="start_frame", end="end_frame", seconds="start_seconds", source="source", first=0),
)
_DELIMITERS = ",;\t"
_NUMBER = re.compile(r"[0-9]{1,12}")
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def read_table(text: str) -> Listing:
    """The shots, by their frames. What stands before the header, and columns that are not known, are left out. Raises
    ListUnreadable."""
    lines = text.split("\n")
    for skipped, line in enumerate(lines[:3]):
        for kind in _KINDS:
            for delimiter in _DELIMITERS:
                if {kind.start, kind.end or kind.start} <= set(line.split(delimiter)):
                    rows = csv.DictReader(io.StringIO("\n".join(lines[skipped:]), newline=""), delimiter=delimiter)
                    return _listing(rows, kind, skipped)
    wanted = " or ".join(kind.start for kind in _KINDS)
    raise ListUnreadable(f"the table has no column {wanted}")


def _listing(rows: csv.DictReader[str], kind: _Columns, skipped: int) -> Listing:
    try:
        events = [_event(row, kind, rows.line_num + skipped) for row in rows]
    except csv.Error as error:
        raise ListUnreadable(f"line {rows.line_num + skipped}: {error}") from error
    return Listing(events=tuple(events), rate=None)


def _event(row: Mapping[str, str | None], kind: _Columns, line: int) -> Event:
    start = _cell(row, kind.start, _NUMBER, line)
    seconds = Fraction(_cell(row, kind.seconds, _SECONDS, line)) if kind.seconds in row else None
    begin = Frames(number=int(start) - kind.first, rate=None, relative=True, seconds=seconds)
    end = None
    if kind.end is not None:
        end = Frames(number=int(_cell(row, kind.end, _NUMBER, line)), rate=None, relative=True)
    # An apostrophe keeps a spreadsheet from running what follows.
    name = (row.get(kind.source) or "").removeprefix("'")
    return Event(place=f"line {line}", names=(name,) if name else (), reel="", source=(begin, end), record=None)


def _cell(row: Mapping[str, str | None], column: str, form: re.Pattern[str], line: int) -> str:
    cell = (row.get(column) or "").strip()
    if not form.fullmatch(cell):
        raise ListUnreadable(f"line {line}: {column} is no number: {cell[:40]!r}")
    return cell
