"""Tables of shots: PySceneDetect's and our own."""

from __future__ import annotations

from fractions import Fraction

import pytest

from snapupscale.errors import ListMismatch, ListUnreadable
from snapupscale.timeline.listing import Frames
from snapupscale.timeline.reading_table import read_table

HEAD = "Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame"


def starts(text: str) -> list[Frames]:
    found = [event.source[0] for event in read_table(text).events if event.source]
    assert all(isinstance(point, Frames) and point.relative for point in found)
    return [point for point in found if isinstance(point, Frames)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("before", ["", "\n", "Timecode List:,00:00:01.000\n"])
def test_scenes_count_from_one(delimiter: str, before: str) -> None:
    text = f"{before}{HEAD}\n1,1,00:00:00.000,0.000,24\n2,25,00:00:01.000,1.000,48\n".replace(",", delimiter)

    found = starts(text)

    assert [(point.number, point.seconds) for point in found] == [(0, 0), (24, 1)]
    assert [event.place[:4] for event in read_table(text).events] == ["line", "line"]


def test_our_own_rows_count_from_zero_and_have_ends() -> None:
    (event,) = read_table("shot,start_frame,end_frame,start_seconds,source\r\n1,5,9,0.200,'=a.mov\r\n").events

    assert event.source is not None
    begin, end = event.source
    assert isinstance(begin, Frames)
    assert isinstance(end, Frames)
    assert (begin.number, end.number, event.names) == (5, 9, ("=a.mov",))


def test_quoted_cells_and_empty_lines() -> None:
    text = 'shot,start_frame,end_frame,still\n"1","0","4","a\n, ""b"""\n\n2,4,8,\n'

    assert [event.place for event in read_table(text).events] == ["line 3", "line 5"]


@pytest.mark.parametrize("cell", ["", "x", "-1", "1.5", "1e9", "٣", "9" * 13, "0x1"])
def test_a_cell_that_is_no_number_is_named(cell: str) -> None:
    with pytest.raises(ListUnreadable, match="line 3: Start Frame is no number"):
        read_table(f"Start Frame\n1\n{cell},\n")


def test_a_column_is_needed() -> None:
    with pytest.raises(ListUnreadable, match="no column Start Frame or start_frame"):
        read_table("frame,cut\n1,2\n")


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(240)])
def test_seconds_tell_another_rate(rate: Fraction) -> None:
    near = Frames(number=1000, rate=None, relative=True, seconds=Fraction(round(1000 / rate * 1000), 1000))

    assert near.frame(rate) == 1000
    with pytest.raises(ListMismatch, match=r"the list counts .* frames per second"):
        near.frame(rate * Fraction(1001, 1000))
