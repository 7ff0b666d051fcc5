"""Edit lists made for tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from snapupscale.scenes.shots import Transition, to_shots
from snapupscale.timecode import Timecode
from snapupscale.timeline.editlist import EditList, Still

FILM, NTSC, DOUBLE_NTSC, PAL = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(25)


def make_edit(
    *, cuts: tuple[int, ...] = (30, 100, 101, 200), start: str | Timecode = "00:00:00:00", **changes: Any
) -> EditList:
    """Five shots in 300 frames, one dissolve across a cut, stills of shots 2 and 5; `changes` are fields."""
    rate = changes.setdefault("rate", FILM)
    frames = changes.setdefault("frames", 300)
    fields: dict[str, Any] = {
        "name": "My film",
        "source": Path("/footage/A001 C002.mov"),
        "start": Timecode.parse(start, rate) if isinstance(start, str) else start,
        "shots": to_shots(cuts, frames),
        "transitions": (Transition(start=90, end=110, kind="dissolve"),) if frames >= 110 else (),
        "stills": (
            Still(shot=2, frame=50, path=Path("/out/film_s002_f00050_x4_still.png"), size=(7680, 4320)),
            Still(shot=5, frame=299, path=Path("/out/film_s005_f00299_x4_still.png")),
        )
        if len(cuts) == 4
        else (),
        "width": 1920,
        "height": 1080,
    }
    return EditList(**(fields | changes))
