"""Making, copying and deleting timelines."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from resolve_emulator.importing import add_clip
from resolve_emulator.settings import own_rate
from resolve_emulator.state import Asset, Project, Timeline, Track
from snapupscale.timecode import Timecode

if TYPE_CHECKING:
    from fractions import Fraction

    from resolve_emulator.application import Application
    from resolve_emulator.state import Clip


def start_frame(rate: Fraction, *, drop: bool, timecode: str = "01:00:00:00") -> int:
    """The frame of a start timecode: 86400 for one hour at 24, 107892 at 29.97 with drop frame."""
    return Timecode.parse(timecode[:8] + (";" if drop else ":") + timecode[9:], rate).frame


def create(app: Application, name: str, *, locked: bool = True) -> Timeline:
    """An empty timeline with the project's settings, one video and one audio track; it becomes the current one. Its
    clip lies in the current bin."""
    settings = app.project.settings
    rate, drop = own_rate(settings), settings["timelineDropFrameTimecode"] == "1"
    start = start_frame(rate, drop=drop)
    timeline = Timeline(
        id=app.new_id(),
        name=name,
        rate=rate,
        drop=drop,
        start=start,
        playhead=start,
        tracks={"video": [Track()], "audio": [Track(sub_type="stereo")], "subtitle": []},
        settings={"useCustomSettings": "0"},
    )
    _enter(app, timeline)
    app.project.timeline = timeline
    if locked:
        lock_if_asked(app, timeline)
    return timeline


def lock_if_asked(app: Application, timeline: Timeline) -> None:
    """Lock the tracks under the quirk of that name."""
    if app.quirks.locked:
        for _, _, track in timeline.all_tracks():
            track.locked = True


def duplicate(app: Application, timeline: Timeline, name: str) -> Timeline:
    """A copy with new ids for the timeline and its items; it becomes the current one."""
    clips = {id(clip): clip for clip in app.project.clips()}
    new = copy.deepcopy(timeline, {id(timeline.clip): None, **clips})
    return adopt(app, new, name)


def adopt(app: Application, new: Timeline, name: str) -> Timeline:
    """Give a timeline and its items new ids and a clip in the current bin; it becomes the current one."""
    new.id, new.name, new.selection = app.new_id(), name, []
    ids = {item.id: app.new_id() for item in new.items()}
    for item in new.items():
        item.id = ids[item.id]
        item.linked = [ids[other] for other in item.linked if other in ids]
    _enter(app, new)
    app.project.timeline = new
    return new


def remove(project: Project, timeline: Timeline) -> None:
    """Delete a timeline with its clip and its items."""
    project.timelines.remove(timeline)
    timeline.gone = True
    for item in timeline.items():
        item.gone = True
    for folder in project.bins():
        folder.clips = [clip for clip in folder.clips if clip.timeline is not timeline]
    if timeline.clip:
        timeline.clip.gone = True
    if project.timeline is timeline:
        project.timeline = project.timelines[0] if project.timelines else None


def end_frame(timeline: Timeline) -> int:
    """The frame after the last item; the start of an empty timeline."""
    return int(max((item.end for item in timeline.items()), default=timeline.start))


def refresh(clip: Clip) -> None:
    """Let the clip of a timeline be as long as the timeline."""
    if clip.timeline:
        clip.asset = _asset(clip.timeline)


def _enter(app: Application, timeline: Timeline) -> None:
    clip = add_clip(app, _asset(timeline), timeline.name)
    clip.timeline, timeline.clip = timeline, clip
    app.project.timelines.append(timeline)


def _asset(timeline: Timeline) -> Asset:
    return Asset(
        kind="timeline",
        file_name="",
        rate=timeline.rate,
        frames=max(1, end_frame(timeline) - timeline.start),
        start=timeline.start,
        drop=timeline.drop,
        audio_channels=2,
    )
