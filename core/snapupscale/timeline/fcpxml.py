"""The shots as FCPXML 1.10, the newest version that DaVinci Resolve writes itself."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from snapupscale.timecode import frame_to_time
from snapupscale.timeline.text import printable

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from snapupscale.scenes.shots import Shot, Transition
    from snapupscale.timeline.editlist import EditList, Still

_FORMAT, _SOURCE = "r1", "r2"


def to_fcpxml(edit: EditList) -> str:
    """A project whose spine holds one asset clip for each shot, with markers; stills are connected above, on lane 1.

    Every time is an exact multiple of the frame duration. Clips start at the source's own timecode, and the sequence
    runs on it too: `offset` counts from `tcStart`, as Final Cut Pro and DaVinci Resolve write it. Names are file
    names with their suffix, since Resolve looks for media by them. Elements stand in the order of Apple's document
    type definition: stills before markers.
    """
    root = Element("fcpxml", version="1.10")
    stills, transitions = edit.still_by_shot(), edit.transitions_by_shot()
    _add_resources(SubElement(root, "resources"), edit)
    event = SubElement(SubElement(root, "library"), "event", name=printable(edit.name))
    sequence = SubElement(
        SubElement(event, "project", name=printable(edit.name)),
        "sequence",
        format=_FORMAT,
        duration=_time(edit, edit.frames),
        tcStart=_time(edit, edit.start.frame),
        tcFormat=_timecode_format(edit),
    )
    spine = SubElement(sequence, "spine")
    for shot in edit.shots:
        clip = _add_clip(spine, edit, shot)
        if shot.number in stills:
            _add_still(clip, edit, shot, stills[shot.number])
        _add_markers(clip, edit, shot, transitions.get(shot.number, []))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{tostring(root, encoding="unicode")}\n'


def _add_resources(resources: Element, edit: EditList) -> None:
    SubElement(
        resources,
        "format",
        id=_FORMAT,
        frameDuration=_time(edit, 1),
        width=str(edit.width),
        height=str(edit.height),
    )
    asset = _add_asset(resources, _SOURCE, edit.media)
    asset.set("start", _time(edit, edit.start.frame))
    asset.set("duration", _time(edit, edit.frames))
    asset.set("format", _FORMAT)
    for size in sorted({still.size for still in edit.stills}, key=_still_format):
        still_format = SubElement(resources, "format", id=_still_format(size), name="FFVideoFormatRateUndefined")
        if size is not None:
            still_format.set("width", str(size[0]))
            still_format.set("height", str(size[1]))
    for still in edit.stills:
        asset = _add_asset(resources, _still_id(still), still.path)
        # A picture without a length of its own: it may be held for any time.
        asset.set("start", "0s")
        asset.set("duration", "0s")
        asset.set("format", _still_format(still.size))


def _add_asset(resources: Element, identity: str, path: Path) -> Element:
    asset = SubElement(resources, "asset", id=identity, name=printable(path.name), hasVideo="1")
    SubElement(asset, "media-rep", kind="original-media", src=path.absolute().as_uri())
    return asset


def _add_clip(spine: Element, edit: EditList, shot: Shot) -> Element:
    position = _time(edit, edit.start.frame + shot.start)
    return SubElement(
        spine,
        "asset-clip",
        ref=_SOURCE,
        name=printable(edit.media.name),
        offset=position,
        start=position,
        duration=_time(edit, shot.length),
        format=_FORMAT,
        tcFormat=_timecode_format(edit),
    )


def _add_still(clip: Element, edit: EditList, shot: Shot, still: Still) -> None:
    SubElement(
        clip,
        "video",
        ref=_still_id(still),
        lane="1",
        name=printable(still.path.name),
        offset=clip.attrib["start"],
        start="0s",
        duration=_time(edit, shot.length),
    )


def _add_markers(clip: Element, edit: EditList, shot: Shot, transitions: list[Transition]) -> None:
    if shot.number > 1:
        _add_marker(clip, edit, shot.start, 1, f"Cut to shot {shot.number}")
    for transition in transitions:
        length = transition.end - transition.start
        text = f"{printable(transition.kind).capitalize()}, {length} frames"
        _add_marker(clip, edit, transition.start, length, text)


def _add_marker(clip: Element, edit: EditList, frame: int, length: int, text: str) -> None:
    SubElement(
        clip,
        "marker",
        start=_time(edit, edit.start.frame + frame),
        duration=_time(edit, length),
        value=text,
    )


def _still_id(still: Still) -> str:
    return f"still{still.shot}"


def _still_format(size: tuple[int, int] | None) -> str:
    return "still" if size is None else f"still{size[0]}x{size[1]}"


def _timecode_format(edit: EditList) -> str:
    return "DF" if edit.start.drop else "NDF"


def _time(edit: EditList, frames: int) -> str:
    seconds: Fraction = frame_to_time(frames, edit.rate)
    return f"{seconds}s"
