"""The OTIO timeline, read back with opentimelineio."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import opentimelineio as otio
import pytest

from snapupscale.scenes.shots import Transition
from snapupscale.timecode import exact_rate
from snapupscale.timeline.otio import STILLS_TRACK, to_otio
from snapupscale.timeline.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.timeline.editlist import EditList


def read(edit: EditList) -> Any:
    """The timeline; the caller has to hold it, since a track goes when its timeline does."""
    return otio.adapters.read_from_string(to_otio(edit), adapter_name="otio_json")


def span(time_range: Any, rate: Fraction) -> tuple[int, int]:
    """Start and exclusive end in whole frames."""
    assert time_range.start_time.rate == time_range.duration.rate == float(rate)
    start, length = time_range.start_time.value, time_range.duration.value
    assert start.is_integer()
    assert length.is_integer()
    return int(start), int(start + length)


def path_of(url: str) -> bytes:
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("file", "", "", "")
    return unquote_to_bytes(parts.path)


def test_clips_have_the_exact_ranges_of_the_shots(edit: EditList) -> None:
    timeline = read(edit)

    track = timeline.tracks[0]
    begin = edit.start.frame
    assert track.kind == otio.schema.TrackKind.Video
    assert timeline.global_start_time == otio.opentime.RationalTime(begin, float(edit.rate))
    for clip, shot in zip(track, edit.shots, strict=True):
        assert span(clip.source_range, edit.rate) == (begin + shot.start, begin + shot.end)
        assert span(clip.media_reference.available_range, edit.rate) == (begin, begin + edit.frames)
        assert clip.name == clip.media_reference.name == edit.media.name
        assert clip.metadata["snapupscale"]["shot"] == shot.number
    if len(edit.shots) < 100:  # Asking each clip for its place costs time that grows with the square of their number.
        places = [span(clip.range_in_parent(), edit.rate) for clip in track]
        assert places == [(shot.start, shot.end) for shot in edit.shots]
    assert exact_rate(timeline.metadata["snapupscale"]["rate"]) == edit.rate


def test_markers_stand_at_cuts_and_transitions(edit: EditList) -> None:
    timeline = read(edit)

    marks: dict[str, list[tuple[int, int]]] = {"RED": [], "MAGENTA": []}
    for clip in timeline.tracks[0]:
        for marker in clip.markers:
            start, end = span(marker.marked_range, edit.rate)
            marks[marker.color].append((start - edit.start.frame, end - edit.start.frame))
            assert clip.source_range.contains(marker.marked_range.start_time)
    assert marks["RED"] == [(cut, cut + 1) for cut in edit.cuts]
    assert marks["MAGENTA"] == [(mark.start, mark.end) for mark in edit.transitions]


def test_stills_are_held_above_their_shots(edit: EditList) -> None:
    timeline = read(edit)

    if not edit.stills:
        assert len(timeline.tracks) == 1
        return
    track = timeline.tracks[1]
    stills = {still.shot: still for still in edit.stills}
    assert track.name == STILLS_TRACK
    assert len(track) == len(edit.shots)
    for item, shot in zip(track, edit.shots, strict=True):
        assert span(item.range_in_parent(), edit.rate) == (shot.start, shot.end)
        if shot.number not in stills:
            assert isinstance(item, otio.schema.Gap)
            continue
        still = stills[shot.number]
        assert path_of(item.media_reference.target_url) == str(still.path).encode()
        assert item.media_reference.available_range == item.source_range
        assert dict(item.metadata["snapupscale"]) == {"shot": still.shot, "frame": still.frame}


def test_the_source_is_a_file_uri(edit_with: Callable[..., EditList]) -> None:
    timeline = read(edit_with(source=Path("/footage/100% é #1?.mov")))

    reference = timeline.tracks[0][0].media_reference
    assert isinstance(reference, otio.schema.ExternalReference)
    assert reference.target_url == "file:///footage/100%25%20%C3%A9%20%231%3F.mov"


@pytest.mark.parametrize("name", ["plate é.%04d.png", "plate é.[0007-0306].png"])
def test_an_image_sequence_keeps_its_numbers(edit_with: Callable[..., EditList], name: str) -> None:
    edit = edit_with(source=Path("/footage") / name, first_number=7, start="00:00:10:00")

    timeline = read(edit)

    clip = timeline.tracks[0][1]
    reference = clip.media_reference
    assert isinstance(reference, otio.schema.ImageSequenceReference)
    assert path_of(reference.target_url_for_image_number(0)) == "/footage/plate é.0007.png".encode()
    assert reference.number_of_images_in_sequence() == edit.frames
    assert reference.end_frame() == 306
    first_of_shot = reference.frame_for_time(clip.source_range.start_time)
    assert first_of_shot == 7 + edit.shots[1].start


def test_ranges_go_on_across_midnight(edit_with: Callable[..., EditList]) -> None:
    timeline = read(edit_with(start="23:59:59:00", rate=Fraction(25)))

    assert [clip.source_range.start_time.value for clip in timeline.tracks[0]][:2] == [2_159_975, 2_160_005]


def test_numbers_from_arrays_are_written(edit_with: Callable[..., EditList]) -> None:
    import numpy as np

    edit = edit_with(cuts=tuple(np.array([30, 100, 101, 200])), transitions=(), stills=())

    timeline = read(edit)
    assert [clip.source_range.start_time.value for clip in timeline.tracks[0]] == [0, 30, 100, 101, 200]


def test_names_come_back(hostile: EditList) -> None:
    timeline = read(hostile)

    assert timeline.name == printable(hostile.name)
    assert path_of(timeline.tracks[0][0].media_reference.target_url) == bytes(hostile.source)
    assert path_of(timeline.tracks[1][1].media_reference.target_url) == bytes(hostile.stills[0].path)
    assert timeline.tracks[0][1].name == printable(hostile.source.name)
    assert len(timeline.tracks[0]) == 5


def test_a_transition_at_the_end_keeps_its_length(edit_with: Callable[..., EditList]) -> None:
    edit = edit_with(transitions=(Transition(start=280, end=300, kind="fade"),))

    timeline = read(edit)

    marker = timeline.tracks[0][4].markers[1]
    assert span(marker.marked_range, edit.rate) == (280, 300)
    assert marker.name == "Fade, 20 frames"
