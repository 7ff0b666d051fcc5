"""The invariants of an edit list."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from snapupscale.errors import SettingError
from snapupscale.scenes.shots import Shot, Transition
from snapupscale.timecode import Timecode
from snapupscale.timeline.editlist import Still

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.timeline.editlist import EditList


def still(shot: int, frame: int) -> Still:
    return Still(shot=shot, frame=frame, path=Path("/out/still.png"))


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": 0, "shots": ()},
        {"shots": ()},
        {"frames": 299, "shots": (Shot(number=1, start=0, end=300),)},
        {"frames": 301, "shots": (Shot(number=1, start=0, end=300),)},
        {"shots": (Shot(number=1, start=0, end=100), Shot(number=2, start=101, end=300))},
        {"shots": (Shot(number=1, start=0, end=100), Shot(number=2, start=99, end=300))},
        {"shots": (Shot(number=1, start=0, end=100), Shot(number=3, start=100, end=300))},
        {"shots": (Shot(number=1, start=0, end=0), Shot(number=2, start=0, end=300))},
        {"shots": (Shot(number=1, start=1, end=300),)},
        {"transitions": (Transition(start=10, end=10, kind="fade"),)},
        {"transitions": (Transition(start=-1, end=10, kind="fade"),)},
        {"transitions": (Transition(start=290, end=301, kind="fade"),)},
        {"stills": (still(0, 0),)},
        {"stills": (still(6, 0),)},
        {"stills": (still(2, 29),)},
        {"stills": (still(2, 100),)},
        {"stills": (still(2, 30), still(2, 99))},
        {"start": Timecode(frame=0, rate=Fraction(24))},
        {"width": 0},
        {"height": -1},
        {"times": (Fraction(0), Fraction(1))},
        {"times": tuple(map(Fraction, (1, 2, 3, 4, 5, 6)))},
        {"times": tuple(map(Fraction, (0, 2, 1, 4, 5, 6)))},
        {"first_number": 1},
        {"first_number": -1, "source": Path("/footage/name.%04d.png")},
    ],
)
def test_contradictions_are_refused(edit_with: Callable[..., EditList], changes: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        edit_with(**{"stills": (), "transitions": ()} | changes)


def test_cuts_are_the_first_frames_of_new_shots(edit_with: Callable[..., EditList]) -> None:
    assert edit_with().cuts == (30, 100, 101, 200)
    assert edit_with(cuts=()).cuts == ()


def test_edges_are_the_times_of_the_footage_where_they_are_known(edit_with: Callable[..., EditList]) -> None:
    times = (Fraction(0), Fraction(41, 1000), Fraction(12))

    assert edit_with(cuts=(1,), rate=Fraction(25)).edges == (0, Fraction(1, 25), 12)
    assert edit_with(cuts=(1,), rate=Fraction(25), times=times).edges == times


@pytest.mark.parametrize(
    ("name", "first", "shown"),
    [
        ("plate.%04d.png", 7, "plate.[0007-0306].png"),
        ("plate_%d.exr", 9, "plate_[9-308].exr"),
        ("plate_[0001-0400].png", 101, "plate_[0101-0400].png"),
        ("plate_[0001-0400].png", None, "plate_[0001-0400].png"),
        ("100%04d.mov", None, "100%04d.mov"),
    ],
)
def test_an_image_sequence_is_shown_by_its_range(
    edit_with: Callable[..., EditList], name: str, first: int | None, shown: str
) -> None:
    edit = edit_with(source=Path("/footage") / name, first_number=first)

    assert edit.media == Path("/footage") / shown
    assert (edit.sequence is None) == (first is None)


def test_a_transition_belongs_to_the_shot_it_begins_in(edit_with: Callable[..., EditList]) -> None:
    late, early, across = (
        Transition(start=200, end=210, kind="fade"),
        Transition(start=0, end=5, kind="fade"),
        Transition(start=199, end=201, kind="wipe"),
    )

    edit = edit_with(transitions=(late, early, across))

    assert edit.transitions_by_shot() == {1: [early], 4: [across], 5: [late]}


def test_timecode_counts_from_the_start(edit_with: Callable[..., EditList]) -> None:
    edit = edit_with(rate=Fraction(30000, 1001), start="00:59:59;28")

    assert [str(edit.timecode(frame)) for frame in (0, 1, 2)] == ["00:59:59;28", "00:59:59;29", "01:00:00;00"]
