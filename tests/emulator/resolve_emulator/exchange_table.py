"""The edit index as a table: comma separated values, or tabs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from snapupscale.timecode import Timecode

if TYPE_CHECKING:
    from resolve_emulator.exchange import Cut

COLUMNS = (
    "#", "Reel", "Match", "V", "C", "Dur", "Source In", "Source Out", "Record In", "Record Out", "Name", "Comments",
    "Source Start", "Source End", "Source Duration", "Codec", "Source FPS", "Resolution", "Color", "Notes",
    "EDL Clip Name",
)  # fmt: skip
"""The first twelve are known from files that others read; those after them, and their order, are not sure."""


def write(cut: Cut, separator: str) -> str:
    """A row for each piece of every track, in the order of time, behind the names of the columns."""
    target = io.StringIO()
    table = csv.DictWriter(target, COLUMNS, delimiter=separator, restval="", lineterminator="\r\n")
    table.writeheader()
    for number, piece in enumerate(sorted(cut.pieces, key=lambda each: (each.start, each.kind == "audio")), 1):
        first, length = int(piece.source), int(piece.source_frames * piece.rate / cut.rate)
        source = [str(Timecode(frame=frame, rate=piece.rate)) for frame in (first, first + length)]
        record = [str(Timecode(frame=int(at), rate=cut.rate, drop=cut.drop)) for at in (piece.start, piece.end)]
        values = [str(number), "", "", f"{piece.kind[0].upper()}{piece.track}", "C", f"{float(piece.speed * 100):.2f}"]
        row = dict(zip(COLUMNS, [*values, *source, *record, piece.name], strict=False))
        table.writerow(row | {"Source FPS": f"{float(piece.rate):.3f}", "EDL Clip Name": piece.name})
    return target.getvalue()
