"""Markers: relative, unvalidated, one a frame, found by customData (facts 1.1)."""

from __future__ import annotations

from typing import Any

import pytest
from resolve_emulator.markers import COLOURS
from workbench import Bench


def owners(profile: str = "19.1.3-studio") -> list[Any]:
    bench = Bench(profile)
    clip = bench.add_media("/nowhere/a.mov", frames=100)
    return [bench.handle(thing) for thing in (bench.timeline, bench.add_item(clip, 86400, 50), clip)]


@pytest.mark.parametrize("owner", owners(), ids=lambda owner: owner._face.kind)
def test_markers_of_every_owner(owner: Any) -> None:
    assert owner.GetMarkers() == {}
    assert owner.AddMarker(96, "Green", "one", "note", 12) is True
    assert owner.AddMarker(20, "Blue", "two", "", 1, "ours:2") is True
    assert list(owner.GetMarkers()) == [20, 96]
    assert owner.GetMarkers()[96] == {"color": "Green", "duration": 12, "note": "note", "name": "one", "customData": ""}
    assert owner.GetMarkerByCustomData("ours:2")["name"] == "two"
    assert owner.GetMarkerByCustomData("nobody's") == {}
    assert owner.UpdateMarkerCustomData(96, "ours:1") is True
    assert owner.GetMarkerCustomData(96) == "ours:1"
    assert owner.DeleteMarkerByCustomData("ours:1") is True
    assert owner.DeleteMarkerByCustomData("ours:1") is False
    assert owner.DeleteMarkerAtFrame(96) is False
    assert owner.DeleteMarkersByColor("All") is True
    assert owner.GetMarkers() == {}


def test_frames_are_relative_and_not_validated() -> None:
    """An absolute frame is taken, echoed, and lies past the end."""
    bench = Bench()
    bench.add_item(bench.add_media("/nowhere/a.mov", frames=100), 86400, 50)
    timeline = bench.handle(bench.timeline)
    assert timeline.AddMarker(86400, "Blue", "", "", 1) is True
    assert list(timeline.GetMarkers()) == [86400]


def test_an_occupied_frame_is_refused() -> None:
    timeline = owners()[0]
    assert timeline.AddMarker(5, "Blue", "", "", 1) is True
    assert timeline.AddMarker(5.0, "Red", "", "", 1) is False
    assert timeline.GetMarkers()[5]["color"] == "Blue"


@pytest.mark.parametrize("colour", sorted(COLOURS))
def test_the_sixteen_colours(colour: str) -> None:
    assert len(COLOURS) == 16
    assert owners()[0].AddMarker(5, colour, "", "", 1) is True


@pytest.mark.parametrize("colour", ["Orange", "blue", "", None, 3])
def test_other_colours_are_refused(colour: Any) -> None:
    assert owners()[0].AddMarker(5, colour, "", "", 1) is False


@pytest.mark.parametrize(("profile", "kind"), [("18.6-studio", float), ("19.1.3-studio", float), ("21.1-studio", int)])
def test_keys_are_numbers_of_the_kind_that_the_reference_prints(profile: str, kind: type) -> None:
    timeline = owners(profile)[0]
    timeline.AddMarker(96, "Blue", "", "", 1)
    [(frame, marker)] = timeline.GetMarkers().items()
    assert type(frame) is kind
    assert type(marker["duration"]) is kind


def test_the_first_match_alone_is_deleted_by_custom_data() -> None:
    timeline = owners()[0]
    for frame in (30, 10, 20):
        timeline.AddMarker(frame, "Blue", "", "", 1, "same")
    assert timeline.DeleteMarkerByCustomData("same") is True
    assert list(timeline.GetMarkers()) == [20, 30]


def test_deleting_by_colour_leaves_the_others() -> None:
    timeline = owners()[0]
    for frame, colour in enumerate(("Blue", "Red", "Blue")):
        timeline.AddMarker(frame, colour, "", "", 1)
    assert timeline.DeleteMarkersByColor("Blue") is True
    assert list(timeline.GetMarkers()) == [1]
    assert timeline.DeleteMarkersByColor("Blue") is False


@pytest.mark.parametrize("which", [0, 2])
def test_marks_in_and_out(which: int) -> None:
    """Any number is kept, relative or absolute (facts 1.2)."""
    owner = owners()[which]
    assert owner.GetMarkInOut() == {}
    assert owner.SetMarkInOut(0, 134) is True
    assert owner.GetMarkInOut() == {"video": {"in": 0, "out": 134}, "audio": {"in": 0, "out": 134}}
    assert owner.SetMarkInOut(86410, 86420, "video") is True
    assert owner.ClearMarkInOut("audio") is True
    assert owner.GetMarkInOut() == {"video": {"in": 86410, "out": 86420}}
    assert owner.SetMarkInOut(5, 4) is False
    assert owner.SetMarkInOut(1, 2, "subtitle") is False
