"""The table of shots, read back with the csv module."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from snapupscale.timecode import Timecode, nearest_frame
from snapupscale.timeline.csv_table import COLUMNS, to_csv

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.timeline.editlist import EditList


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_each_shot_is_a_row(edit: EditList) -> None:
    rows = read(to_csv(edit))

    assert [int(row["shot"]) for row in rows] == [shot.number for shot in edit.shots]
    for row, shot in zip(rows, edit.shots, strict=True):
        assert (int(row["start_frame"]), int(row["end_frame"])) == (shot.start, shot.end)
        assert int(row["frames"]) == shot.length
        assert Timecode.parse(row["start_timecode"], edit.rate) == edit.start.shifted(shot.start)
        assert Timecode.parse(row["end_timecode"], edit.rate) == edit.start.shifted(shot.end)
        assert nearest_frame(float(row["start_seconds"]), edit.rate) == shot.start
        assert nearest_frame(float(row["end_seconds"]), edit.rate) == shot.end
        assert row["source"] == edit.source.name


def test_stills_stand_in_the_row_of_their_shot(edit_with: Callable[..., EditList]) -> None:
    rows = read(to_csv(edit_with()))

    assert [(row["picked_frame"], row["still"]) for row in rows] == [
        ("", ""),
        ("50", "/out/film_s002_f00050_x4_still.png"),
        ("", ""),
        ("", ""),
        ("299", "/out/film_s005_f00299_x4_still.png"),
    ]


def test_the_form_is_that_of_rfc_4180(edit_with: Callable[..., EditList]) -> None:
    text = to_csv(edit_with())

    assert text.split("\r\n")[0] == ",".join(COLUMNS)
    assert text.count("\r\n") == text.count("\n") == text.count("\r") == 6
    assert text.endswith("\r\n")


def test_no_name_becomes_a_formula_or_a_line(hostile: EditList) -> None:
    text = to_csv(hostile)

    rows = read(text)
    text.encode("utf-8")
    assert len(rows) == len(hostile.shots)
    assert len(text.splitlines()) == len(rows) + 1
    for cell in (cell for row in rows for cell in row.values()):
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


def test_a_defused_formula_keeps_its_text(edit_with: Callable[..., EditList]) -> None:
    edit = edit_with()
    formula = edit_with(source=edit.source.with_name("=1+1.mov"))

    assert {row["source"] for row in read(to_csv(formula))} == {"'=1+1.mov"}
    assert {row["source"] for row in read(to_csv(edit))} == {"A001 C002.mov"}
