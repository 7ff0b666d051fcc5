"""Events of edit decision lists as other programs write them."""

from __future__ import annotations

import pytest

from snapupscale.errors import ListUnreadable
from snapupscale.timecode import RATES
from snapupscale.timeline.listing import Label
from snapupscale.timeline.reading_edl import read_edl

TIMES = "00:00:01:00 00:00:02:00 01:00:01:00 01:00:02:00"

# The forms are those of DaVinci Resolve, Premiere, Avid and PySceneDetect.
EVENT = f"V     C        {TIMES}"
LISTS = {
    "resolve": f"TITLE: A\nFCM: NON-DROP FRAME\n\n001  AX       {EVENT}  \n* FROM CLIP NAME: A.mov\n",
    "premiere": f"TITLE: A\n\n\n001  A001     {EVENT}\nM2   A001     050.0    00:00:01:00\n* FROM CLIP NAME: A.mov\n"
    f"* KEY CLIP NAME: B.mov\n\n002  A001     AA    C        {TIMES}\n* FROM CLIP NAME: X.wav",
    "avid": f"TITLE:   A\n001  A001_C002_0101AB {EVENT}\n* SOURCE FILE: A.mov\n* LOC: 01:00:00:12 RED     HI",
    "scenedetect": f"* CREATED WITH PYSCENEDETECT 0.7.2\nTITLE: A\nFCM: NON-DROP FRAME\n\n001  AX {EVENT}\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_events_of_other_programs(name: str) -> None:
    listing = read_edl(LISTS[name])

    (event,) = listing.events
    assert event.source is not None
    assert [point.text for point in event.source if isinstance(point, Label)] == ["00:00:01:00", "00:00:02:00"]
    assert event.record is not None
    assert [point.text for point in event.record if isinstance(point, Label)] == ["01:00:01:00", "01:00:02:00"]
    assert event.names == (() if name == "scenedetect" else ("A.mov",))


@pytest.mark.parametrize("channels", ["V", "B", "AA/V", "A2/V", "VA1A2", "v", "V2"])
def test_events_with_a_picture_count(channels: str) -> None:
    assert len(read_edl(f"001 AX {channels} C {TIMES}").events) == 1


@pytest.mark.parametrize("channels", ["A", "A2", "AA", "NONE", "A1A2"])
def test_events_of_audio_alone_do_not(channels: str) -> None:
    assert read_edl(f"001 AX {channels} C {TIMES}\n* FROM CLIP NAME: a.wav").events == ()


@pytest.mark.parametrize("edit", ["C", "D 030", "D    030", "W001 024", "K B", "KB 012", "K O 012", "K (F) 000"])
def test_every_kind_of_edit_is_an_event(edit: str) -> None:
    assert len(read_edl(f"001  AX       V     {edit}    {TIMES}").events) == 1


def test_black_shows_no_footage_and_is_on_the_record_side() -> None:
    (event,) = read_edl(f"001  BL  V  C  {TIMES}").events

    assert event.source is None
    assert event.record is not None


def test_the_mode_holds_until_the_next() -> None:
    event = f"001 AX V C {TIMES}"
    lines = [event, "FCM: DROP FRAME", event, "FCM: NON-DROP FRAME", event, event.replace(":00 ", ";00 ")]
    listing = read_edl("\n".join(lines))

    drops = [each.source[0].drop for each in listing.events if each.source and isinstance(each.source[0], Label)]
    assert drops == [False, True, False, True]


def test_the_rate_that_our_own_lists_state() -> None:
    assert read_edl(f"001 AX V C {TIMES}\n* FRAME RATE: 24000/1001").rate == RATES[5]
    with pytest.raises(ListUnreadable, match="line 2"):
        read_edl(f"001 AX V C {TIMES}\n* FRAME RATE: fast")


@pytest.mark.parametrize(
    "line",
    [
        "002  AX       V     C        00:00:01:00 00:00:02:00 01:00:01:00",
        "002  AX       V     C        00:00:01 00:00:02:00 01:00:01:00 01:00:02:00",
        "002  AX       V     X        " + TIMES,
        "002  AX       V     C        " + TIMES + " more",
    ],
)
def test_an_event_that_cannot_be_read_is_not_passed_over(line: str) -> None:
    with pytest.raises(ListUnreadable, match="line 2 is no event: '002"):
        read_edl(f"001  AX V C {TIMES}\n{line}\n")
