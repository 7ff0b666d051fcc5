"""The shots and the measurements in the tables that PySceneDetect 0.7 writes and reads."""

from __future__ import annotations

import csv
import io
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

    from snapupscale.scenes.methods import Detection
    from snapupscale.scenes.shots import Shot
    from snapupscale.scenes.signal import Signal
    from snapupscale.timeline.editlist import EditList

COLUMNS = (
    "Scene Number",
    "Start Frame",
    "Start Timecode",
    "Start Time (seconds)",
    "End Frame",
    "End Timecode",
    "End Time (seconds)",
    "Length (frames)",
    "Length (timecode)",
    "Length (seconds)",
)
"""Frames count from 1 and ends are the last frame of the shot; times count from the first frame, to a millisecond, and
end where the next shot begins."""


def to_scene_list(edit: EditList) -> str:
    """The table of its command `list-scenes`, which `load-scenes` reads: the times of the cuts, a header, and one row
    for each shot, ended by LF."""
    edges = edit.edges
    cuts = ["Timecode List:", *map(_clock, edges[1:-1])] if edit.cuts else []
    rows = [_row(shot, start, end) for shot, (start, end) in zip(edit.shots, pairwise(edges), strict=True)]
    return _table([cuts, list(COLUMNS), *rows])


def to_stats(signal: Signal, detection: Detection) -> str:
    """The table of its option `--stats`: one row for each frame as decoded, numbered from 1, with its time and what was
    measured; `score` is what the method compared with the threshold."""
    metrics = {
        "contrast": signal.contrast,
        "distance": signal.distance,
        "luma": signal.luma,
        "motion": signal.motion,
        "score": detection.distance,
    }
    values = zip(*(column.tolist() for column in metrics.values()), strict=True)
    rows = (
        [str(number + 1), _clock(signal.index.time(number)), *(f"{value:.6g}" for value in row)]
        for number, row in enumerate(values)
    )
    return _table([["Frame Number", "Timecode", *metrics], *rows])


def _row(shot: Shot, start: Fraction, end: Fraction) -> list[str]:
    return [
        str(shot.number),
        str(shot.start + 1),
        _clock(start),
        _seconds(start),
        str(shot.end),
        _clock(end),
        _seconds(end),
        str(shot.length),
        _clock(end - start),
        _seconds(end - start),
    ]


def _table(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _clock(time: Fraction) -> str:
    seconds, milliseconds = divmod(_milliseconds(time), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"


def _seconds(time: Fraction) -> str:
    seconds, milliseconds = divmod(_milliseconds(time), 1000)
    return f"{seconds}.{milliseconds:03}"


def _milliseconds(time: Fraction) -> int:
    return round(time * 1000)
