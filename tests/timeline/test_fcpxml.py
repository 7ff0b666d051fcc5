"""The FCPXML, checked with lxml against a grammar and with exact arithmetic, and read with the adapter of OTIO where
that can: it counts 23 frames per second for 23.976 and fails on pictures, whose format has no frame duration."""

from __future__ import annotations

import io
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import opentimelineio as otio
import pytest
from lxml import etree

from snapupscale.timeline.fcpxml import to_fcpxml
from snapupscale.timeline.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.timeline.editlist import EditList

# The part of the FCPXML 1.10 document type that the export uses: its elements in their order, with their attributes.
GRAMMAR = """
<!ELEMENT fcpxml (resources, library)>
<!ATTLIST fcpxml version CDATA #FIXED "1.10">
<!ELEMENT resources (asset | format)*>
<!ELEMENT format EMPTY>
<!ATTLIST format id ID #REQUIRED name CDATA #IMPLIED frameDuration CDATA #IMPLIED width CDATA #IMPLIED
                 height CDATA #IMPLIED>
<!ELEMENT asset (media-rep)>
<!ATTLIST asset id ID #REQUIRED name CDATA #IMPLIED start CDATA #IMPLIED duration CDATA #IMPLIED
                hasVideo CDATA #IMPLIED format IDREF #IMPLIED>
<!ELEMENT media-rep EMPTY>
<!ATTLIST media-rep kind (original-media | proxy-media) "original-media" src CDATA #REQUIRED>
<!ELEMENT library (event)>
<!ELEMENT event (project)>
<!ATTLIST event name CDATA #IMPLIED>
<!ELEMENT project (sequence)>
<!ATTLIST project name CDATA #IMPLIED>
<!ELEMENT sequence (spine)>
<!ATTLIST sequence format IDREF #REQUIRED duration CDATA #IMPLIED tcStart CDATA #IMPLIED tcFormat (DF | NDF) #IMPLIED>
<!ELEMENT spine (asset-clip)*>
<!ELEMENT asset-clip (video*, marker*)>
<!ATTLIST asset-clip ref IDREF #REQUIRED offset CDATA #IMPLIED name CDATA #IMPLIED start CDATA #IMPLIED
                     duration CDATA #IMPLIED format IDREF #IMPLIED tcFormat (DF | NDF) #IMPLIED>
<!ELEMENT video EMPTY>
<!ATTLIST video ref IDREF #REQUIRED lane CDATA #IMPLIED offset CDATA #IMPLIED name CDATA #IMPLIED start CDATA #IMPLIED
                duration CDATA #REQUIRED>
<!ELEMENT marker EMPTY>
<!ATTLIST marker start CDATA #REQUIRED duration CDATA #IMPLIED value CDATA #REQUIRED>
"""
DOCUMENT_TYPE = etree.DTD(io.StringIO(GRAMMAR))


def read(edit: EditList) -> Any:
    text = to_fcpxml(edit)
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.10">')
    root = etree.fromstring(text.encode("utf-8"))
    assert DOCUMENT_TYPE.validate(root), DOCUMENT_TYPE.error_log
    return root


def frames(element: Any, attribute: str, rate: Fraction) -> int:
    """The time in frames, which it must be a whole number of; 64 bits over 32 as the format demands."""
    text = element.get(attribute)
    assert text.endswith("s")
    seconds = Fraction(text[:-1])
    assert seconds.numerator < 2**63
    assert seconds.denominator < 2**31
    count = seconds * rate
    assert count.denominator == 1
    return count.numerator


def path_of(asset: Any) -> bytes:
    (media,) = asset
    parts = urlsplit(media.get("src"))
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("file", "", "", "")
    return unquote_to_bytes(parts.path)


def by_id(root: Any, identity: str) -> Any:
    (found,) = root.xpath("//*[@id=$identity]", identity=identity)
    return found


def test_the_spine_is_the_shots_on_the_timecode_of_the_source(edit: EditList) -> None:
    root = read(edit)

    sequence, clips = root.find(".//sequence"), root.findall(".//spine/asset-clip")
    begin, rate = edit.start.frame, edit.rate
    assert frames(sequence, "tcStart", rate) == begin
    assert frames(sequence, "duration", rate) == edit.frames
    assert sequence.get("tcFormat") == ("DF" if edit.start.drop else "NDF")
    for clip, shot in zip(clips, edit.shots, strict=True):
        assert frames(clip, "start", rate) == frames(clip, "offset", rate) == begin + shot.start
        assert frames(clip, "duration", rate) == shot.length
        assert clip.get("name") == edit.media.name
    for clip, following in pairwise(clips):
        assert frames(clip, "offset", rate) + frames(clip, "duration", rate) == frames(following, "offset", rate)


def test_the_asset_is_the_whole_source(edit: EditList) -> None:
    root = read(edit)

    asset = by_id(root, root.find(".//asset-clip").get("ref"))
    media = by_id(root, asset.get("format"))
    assert frames(asset, "start", edit.rate) == edit.start.frame
    assert frames(asset, "duration", edit.rate) == edit.frames
    assert frames(media, "frameDuration", edit.rate) == 1
    assert (media.get("width"), media.get("height")) == ("1920", "1080")
    assert path_of(asset) == bytes(edit.media)


def test_markers_stand_at_cuts_and_transitions(edit: EditList) -> None:
    marks: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for marker in read(edit).iterfind(".//asset-clip/marker"):
        start, length = frames(marker, "start", edit.rate), frames(marker, "duration", edit.rate)
        clip = marker.getparent()
        inside = start - frames(clip, "start", edit.rate)
        assert 0 <= inside < frames(clip, "duration", edit.rate)
        marks[marker.get("value").startswith("Cut")].append((start - edit.start.frame, length))

    assert marks[True] == [(cut, 1) for cut in edit.cuts]
    assert marks[False] == [(mark.start, mark.end - mark.start) for mark in edit.transitions]


def test_stills_are_connected_for_the_length_of_their_shot(edit: EditList) -> None:
    root = read(edit)

    videos = root.findall(".//asset-clip/video")
    for video, still in zip(videos, edit.stills, strict=True):
        shot, asset = edit.shots[still.shot - 1], by_id(root, video.get("ref"))
        assert video.get("lane") == "1"
        assert video.get("offset") == video.getparent().get("start")
        assert frames(video, "offset", edit.rate) == edit.start.frame + shot.start
        assert frames(video, "duration", edit.rate) == shot.length
        assert (asset.get("start"), asset.get("duration")) == ("0s", "0s")
        assert path_of(asset) == bytes(still.path)
        picture = by_id(root, asset.get("format"))
        assert picture.get("frameDuration") is None
        assert picture.get("width") == (str(still.size[0]) if still.size else None)


def test_an_hour_of_drop_frame_is_less_than_an_hour_of_time(edit_with: Callable[..., EditList]) -> None:
    sequence = read(edit_with(rate=Fraction(30000, 1001), start="01:00:00;00")).find(".//sequence")

    assert sequence.get("tcStart") == f"{Fraction(107_892 * 1001, 30_000)}s" == "8999991/2500s"
    assert sequence.get("tcFormat") == "DF"


def test_the_adapter_of_otio_reads_the_same_clips(edit_with: Callable[..., EditList]) -> None:
    pytest.importorskip("xml.etree.cElementTree", reason="the adapter needs this module, which newer Pythons dropped")
    edit = edit_with(rate=Fraction(25), stills=())

    events = otio.adapters.read_from_string(to_fcpxml(edit), adapter_name="fcpx_xml")

    (timeline,) = events
    (track,) = timeline.tracks
    ranges = [(clip.source_range.start_time.value, clip.source_range.duration.value) for clip in track]
    assert ranges == [(shot.start, shot.length) for shot in edit.shots]
    marks = [marker.marked_range.start_time.value for clip in track for marker in clip.markers]
    assert marks == [30, 90, 100, 101, 200]


def test_names_come_back_and_stay_inside_their_attributes(hostile: EditList) -> None:
    root = read(hostile)

    name, file_name = printable(hostile.name), printable(hostile.source.name)
    assert root.find(".//event").get("name") == root.find(".//project").get("name") == name
    assert {clip.get("name") for clip in root.iterfind(".//asset-clip")} == {file_name}
    assert len(root.findall(".//asset-clip")) == 5
    assert [path_of(asset) for asset in root.iterfind(".//asset")] == [
        bytes(hostile.source),
        bytes(hostile.stills[0].path),
    ]


def test_a_relative_source_becomes_an_absolute_uri(edit_with: Callable[..., EditList]) -> None:
    root = read(edit_with(source=Path("clip.mov")))

    assert path_of(root.find(".//asset")) == bytes(Path("clip.mov").absolute())
