"""The edit decision list, read back with the CMX 3600 adapter of OTIO and by a strict reader of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentimelineio.adapters import read_from_string

from snapupscale.errors import SettingError
from snapupscale.timecode import Timecode
from snapupscale.timeline.edl import to_edl
from snapupscale.timeline.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.timeline.editlist import EditList

EVENT = re.compile(
    r"(?P<number>\d{3,4}) +(?P<reel>[A-Z0-9]{1,8}) +V     C        "
    r"(?P<source_in>\S{11}) (?P<source_out>\S{11}) (?P<record_in>\S{11}) (?P<record_out>\S{11})"
)
LOCATOR = re.compile(r"\* LOC: (?P<at>\S{11}) (?P<color>[A-Z]+) +(?P<text>.+)")


@dataclass
class Event:
    number: int
    reel: str
    source: tuple[Timecode, Timecode]
    record: tuple[Timecode, Timecode]
    comments: list[str]

    def locators(self, rate: Fraction) -> list[tuple[int, str, str]]:
        found = [match for comment in self.comments if (match := LOCATOR.fullmatch(comment))]
        return [(Timecode.parse(match["at"], rate).frame, match["color"], match["text"]) for match in found]


def read_events(text: str, edit: EditList) -> list[Event]:
    """Every line must be one that the form knows."""
    title, mode, *lines = text.split("\n")
    assert title == f"TITLE: {printable(edit.name)[:70]}"
    assert mode == ("FCM: DROP FRAME" if edit.start.drop else "FCM: NON-DROP FRAME")
    events: list[Event] = []
    for line in lines:
        if match := EVENT.fullmatch(line):
            times = [Timecode.parse(match[key], edit.rate) for key in list(match.groupdict())[2:]]
            assert {time.drop for time in times} == {edit.start.drop}
            events.append(Event(int(match["number"]), match["reel"], (times[0], times[1]), (times[2], times[3]), []))
        elif line:
            assert line.startswith("* ")
            events[-1].comments.append(line)
    return events


def test_events_are_the_shots_without_a_gap(edit: EditList) -> None:
    text = to_edl(edit)

    events = read_events(text, edit)
    assert [event.number for event in events] == [shot.number for shot in edit.shots]
    for event, shot in zip(events, edit.shots, strict=True):
        assert event.source == (edit.start.shifted(shot.start), edit.start.shifted(shot.end))
        assert event.record == event.source
    for event, following in pairwise(events):
        assert event.source[1] == following.source[0]
        assert event.record[1] == following.record[0]
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_opentimelineio_reads_the_same_ranges(edit: EditList) -> None:
    timeline = read_from_string(to_edl(edit), adapter_name="cmx_3600", rate=float(edit.rate))

    (track,) = timeline.tracks
    clips = list(track.find_clips())
    assert len(clips) == len(track) == len(edit.shots)
    for clip, shot in zip(clips, edit.shots, strict=True):
        assert clip.source_range.start_time.to_frames() == edit.start.frame + shot.start
        assert clip.source_range.duration.to_frames() == shot.length
        assert clip.name == edit.media.name
    assert timeline.name == "My film"


def test_opentimelineio_reads_cuts_as_markers(edit_with: Callable[..., EditList]) -> None:
    edit = edit_with(start="10:11:12:13")

    timeline = read_from_string(to_edl(edit), adapter_name="cmx_3600", rate=float(edit.rate))

    markers = [marker for clip in timeline.find_clips() for marker in clip.markers]
    frames = [marker.marked_range.start_time.to_frames() - edit.start.frame for marker in markers]
    assert sorted(frames) == [30, 90, 100, 101, 200]
    assert [marker.name for marker in markers][:2] == ["CUT TO SHOT 2", "DISSOLVE 20 FRAMES"]
    assert {marker.color for marker in markers} == {"RED", "MAGENTA"}


def test_locators_mark_cuts_and_transitions(edit: EditList) -> None:
    events = read_events(to_edl(edit), edit)

    marks = [(event.number, mark) for event in events for mark in event.locators(edit.rate)]
    cuts = [(number, frame - edit.start.frame) for number, (frame, color, _) in marks if color == "RED"]
    assert cuts == [(number, cut) for number, cut in enumerate(edit.cuts, start=2)]
    transitions = [(frame - edit.start.frame, text) for _, (frame, color, text) in marks if color == "MAGENTA"]
    assert transitions == [(mark.start, "DISSOLVE 20 FRAMES") for mark in edit.transitions]


def test_comments_carry_the_full_names(edit_with: Callable[..., EditList]) -> None:
    events = read_events(to_edl(edit_with()), edit_with())

    assert events[1].reel == "A001C002"
    assert "* FROM CLIP NAME:  A001 C002.mov" in events[1].comments
    assert "* FROM FILE: /footage/A001 C002.mov" in events[1].comments
    assert "* STILL 00:00:02:02: /out/film_s002_f00050_x4_still.png" in events[1].comments
    assert "* FRAME RATE: 24000/1001" in events[0].comments


@pytest.mark.parametrize(
    ("source", "reel"),
    [
        ("a_very_long_name.mov", "AVERYLON"),
        ("été.mov", "ETE"),
        ("映画.mov", "AX"),
        ("bl.mov", "BL1"),
        ("Black.mov", "BLACK1"),
        ("bars.mp4", "BARS1"),
        ("a 1.b-2.mov", "A1B2"),
    ],
)
def test_reels_are_eight_plain_characters_and_never_a_generator(
    edit_with: Callable[..., EditList], source: str, reel: str
) -> None:
    edit = edit_with(source=Path("/footage") / source)

    assert {event.reel for event in read_events(to_edl(edit), edit)} == {reel}


def test_numbers_go_on_after_999_in_their_columns(edit_with: Callable[..., EditList]) -> None:
    edit = edit_with(cuts=tuple(range(1, 1200)), frames=1200, transitions=())

    lines = [line for line in to_edl(edit).split("\n") if line[:1].isdigit()]

    assert [line[:5] for line in (lines[0], lines[998], lines[999], lines[1199])] == [
        "001  ",
        "999  ",
        "1000 ",
        "1200 ",
    ]
    assert len({len(line) for line in lines}) == 1


def test_a_list_across_midnight_is_refused(edit_with: Callable[..., EditList]) -> None:
    with pytest.raises(SettingError, match="midnight"):
        to_edl(edit_with(cuts=(30,), start="23:59:59:00", stills=()))
    assert "23:59:40:00" in to_edl(edit_with(cuts=(30,), start="23:59:40:00", stills=()))


def test_rates_without_two_digit_frames_are_refused(edit_with: Callable[..., EditList]) -> None:
    to_edl(edit_with(rate=Fraction(100)))
    with pytest.raises(SettingError) as caught:
        to_edl(edit_with(rate=Fraction(120000, 1001)))
    assert "otio" in caught.value.hint


def test_no_name_breaks_out_of_its_line(hostile: EditList) -> None:
    text = to_edl(hostile)

    text.encode("utf-8")
    assert len(text.splitlines()) == text.count("\n")
    events = read_events(text, hostile)
    assert [event.number for event in events] == [1, 2, 3, 4, 5]
    timeline: Any = read_from_string(text, adapter_name="cmx_3600", rate=float(hostile.rate))
    clips = list(timeline.find_clips())
    assert [clip.source_range.start_time.to_frames() for clip in clips] == [0, 30, 100, 101, 200]
    assert {clip.name for clip in clips} == {printable(hostile.source.name).strip()}
