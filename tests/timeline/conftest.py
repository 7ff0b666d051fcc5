"""Edit lists to export."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edits import DOUBLE_NTSC, NTSC, PAL, make_edit
from snapupscale.scenes.shots import Transition
from snapupscale.timeline.editlist import EditList, Still

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = {
    "23.976": make_edit(),
    "camera start": make_edit(start="10:11:12:13"),
    "29.97 drop": make_edit(rate=NTSC, start="01:00:00;00"),
    "across the minute": make_edit(rate=NTSC, start="00:59:59;28", cuts=(1, 2, 3)),
    "dropped labels": make_edit(rate=NTSC, start="00:00:59;28", cuts=(1, 2, 3)),
    "29.97 non-drop": make_edit(rate=NTSC, start="01:00:00:00"),
    "59.94 drop": make_edit(rate=DOUBLE_NTSC, start="10:08:59;58"),
    "25": make_edit(rate=PAL, start="23:00:00:24"),
    "one shot": make_edit(cuts=()),
    "one frame": make_edit(cuts=(), frames=1),
    "1200 shots": make_edit(cuts=tuple(range(7, 8400, 7)), frames=8400, start="01:00:00:00"),
    "image sequence": make_edit(source=Path("/footage/plate é.%04d.png"), first_number=7),
}

HOSTILE = [
    "line\nbreak\r\n002  BL       V     C        00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00",
    "separators \x00\x07\x0b\x0c\x1c\x85\u2028\u2029 and \x9b more",
    "n" * 300,
    "Ünïcödé 映画 🎬 עברית",
    "<&>\"' ]]> --> &amp;",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "  =1",
    "＝1",
    'quote"d, and; comma',
    "turned \u202e round \u2066 up",
    "no characters \ufffe \uffff",
    os.fsdecode(b"not utf-8 \xe9\xff.mov"),
    "* FROM CLIP NAME: other",
    "%04d",
    "name_[0001-0100].png",
    "",
]


@pytest.fixture(params=CASES.values(), ids=list(CASES))
def edit(request: pytest.FixtureRequest) -> EditList:
    """Each of the ordinary cases."""
    assert isinstance(request.param, EditList)
    return request.param


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def hostile(request: pytest.FixtureRequest) -> EditList:
    """Names that try to break out of their place, as the name of the list, the file, the still and the transition."""
    text = str(request.param)
    file_name = text.replace("\0", "").replace("/", "")[:250] or "empty"
    return make_edit(
        name=text,
        source=Path("/footage") / file_name,
        stills=(Still(shot=2, frame=50, path=Path("/out") / f"{file_name}_still.png"),),
        transitions=(Transition(start=90, end=110, kind=text),),
    )


@pytest.fixture
def edit_with() -> Callable[..., EditList]:
    """Makes an edit list with other values for some of its fields."""
    return make_edit
