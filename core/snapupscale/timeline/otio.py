"""The shots as an OpenTimelineIO timeline. Loads opentimelineio, so `exports` imports it when it is needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from opentimelineio.opentime import RationalTime, TimeRange
from opentimelineio.schema import (
    Clip,
    ExternalReference,
    Gap,
    ImageSequenceReference,
    Marker,
    MarkerColor,
    Timeline,
    Track,
    TrackKind,
)

from snapupscale.timecode import format_rate
from snapupscale.timeline.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from snapupscale.scenes.shots import Shot, Transition
    from snapupscale.timeline.editlist import EditList, Still

STILLS_TRACK = "SnapUpscale"


def to_otio(edit: EditList) -> str:
    """A video track of clips whose source ranges count on the source's timecode, as its available range does; where
    there are stills, a second track that holds each for the length of its shot, with gaps between.

    A still is an external reference that is available for just that length: a picture can be held for any time, and
    editors read this without an effect. Cuts and transitions are markers of the clip that they begin in, in the
    clip's media time. Names are file names, since DaVinci Resolve looks for media by them.
    """
    timeline = Timeline(name=printable(edit.name), global_start_time=_time(edit, edit.start.frame))
    timeline.metadata["snapupscale"] = {
        "rate": format_rate(edit.rate),
        "drop_frame": edit.start.drop,
        "width": int(edit.width),
        "height": int(edit.height),
    }
    transitions = edit.transitions_by_shot()
    track = Track(name="V1", kind=TrackKind.Video)
    track.extend([_clip(edit, shot, transitions.get(shot.number, [])) for shot in edit.shots])
    timeline.tracks.append(track)
    if edit.stills:
        stills = edit.still_by_shot()
        track = Track(name=STILLS_TRACK, kind=TrackKind.Video)
        track.extend([_held(edit, shot, stills.get(shot.number)) for shot in edit.shots])
        timeline.tracks.append(track)
    text: str = timeline.to_json_string(indent=4)
    return f"{text}\n"


def _clip(edit: EditList, shot: Shot, transitions: list[Transition]) -> Clip:
    clip = Clip(
        name=printable(edit.media.name),
        media_reference=_source(edit),
        source_range=_range(edit, edit.start.frame + shot.start, shot.length),
        metadata={"snapupscale": {"shot": int(shot.number)}},
    )
    if shot.number > 1:
        clip.markers.append(_marker(edit, shot.start, 1, f"Cut to shot {shot.number}", MarkerColor.RED))
    for transition in transitions:
        length = transition.end - transition.start
        text = f"{printable(transition.kind).capitalize()}, {length} frames"
        clip.markers.append(_marker(edit, transition.start, length, text, MarkerColor.MAGENTA))
    return clip


def _source(edit: EditList) -> ExternalReference | ImageSequenceReference:
    available = _range(edit, edit.start.frame, edit.frames)
    sequence = edit.sequence
    if sequence is None:
        reference = ExternalReference(target_url=_url(edit.source), available_range=available)
    else:
        reference = ImageSequenceReference(
            target_url_base=f"{_url(edit.source.parent)}/",
            name_prefix=_quoted(sequence.prefix),
            name_suffix=_quoted(sequence.suffix),
            start_frame=int(edit.first_number or 0),
            rate=float(edit.rate),
            frame_zero_padding=sequence.digits,
            available_range=available,
        )
    reference.name = printable(edit.media.name)
    return reference


def _held(edit: EditList, shot: Shot, still: Still | None) -> Clip | Gap:
    length = _range(edit, 0, shot.length)
    if still is None:
        return Gap(source_range=length)
    reference = ExternalReference(target_url=_url(still.path), available_range=length)
    reference.name = printable(still.path.name)
    return Clip(
        name=reference.name,
        media_reference=reference,
        source_range=length,
        metadata={"snapupscale": {"shot": int(shot.number), "frame": int(still.frame)}},
    )


def _marker(edit: EditList, frame: int, length: int, text: str, color: str) -> Marker:
    return Marker(name=text, marked_range=_range(edit, edit.start.frame + frame, length), color=color)


def _range(edit: EditList, start: int, length: int) -> TimeRange:
    return TimeRange(_time(edit, start), _time(edit, length))


def _time(edit: EditList, frames: int) -> RationalTime:
    return RationalTime(int(frames), float(edit.rate))


def _url(path: Path) -> str:
    return path.absolute().as_uri()


def _quoted(name: str) -> str:
    return quote(os.fsencode(name))
