"""The shots as a table, one row each: CSV after RFC 4180, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from snapupscale.timecode import frame_to_time
from snapupscale.timeline.text import printable

if TYPE_CHECKING:
    from fractions import Fraction

    from snapupscale.scenes.shots import Shot
    from snapupscale.timeline.editlist import EditList, Still

COLUMNS = (
    "shot",
    "start_frame",
    "end_frame",
    "frames",
    "start_timecode",
    "end_timecode",
    "start_seconds",
    "end_seconds",
    "picked_frame",
    "still",
    "source",
)
"""Ends are exclusive; seconds count from the first frame of the source, rounded to a microsecond."""

# What makes Excel, LibreOffice and Sheets take a cell for a formula, with the full-width forms of East Asian input.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def to_csv(edit: EditList) -> str:
    """A header and one row for each shot, ended by CR LF. Text that a spreadsheet would run gets a `'` in front."""
    stills = edit.still_by_shot()
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(edit, shot, stills.get(shot.number)) for shot in edit.shots)
    return table.getvalue()


def _row(edit: EditList, shot: Shot, still: Still | None) -> tuple[str | int, ...]:
    return (
        shot.number,
        shot.start,
        shot.end,
        shot.length,
        str(edit.timecode(shot.start)),
        str(edit.timecode(shot.end)),
        _seconds(shot.start, edit.rate),
        _seconds(shot.end, edit.rate),
        "" if still is None else still.frame,
        "" if still is None else _cell(str(still.path)),
        _cell(edit.source.name),
    )


def _seconds(frame: int, rate: Fraction) -> str:
    return f"{float(frame_to_time(frame, rate)):.6f}"


def _cell(text: str) -> str:
    safe = printable(text)
    return f"'{safe}" if safe.lstrip().startswith(_FORMULA_STARTS) else safe
