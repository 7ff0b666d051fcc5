"""The edits of items that the API offers: deleting, nesting, and cutting at scene changes."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from resolve_emulator import spans
from resolve_emulator.face import Refused, need
from resolve_emulator.importing import add_clip
from resolve_emulator.state import Asset, Item, Timeline
from snapupscale.errors import SnapUpscaleError
from snapupscale.media.source import probe
from snapupscale.scenes.methods import find_cuts
from snapupscale.scenes.signal import analyse

if TYPE_CHECKING:
    from resolve_emulator.application import Application


def delete(timeline: Timeline, going: list[Item], *, ripple: bool) -> None:
    """Take items off; with `ripple` what starts later moves up, on tracks that aren't locked and are free there."""
    for _, _, track in timeline.all_tracks():
        track.items = [item for item in track.items if item not in going]
    for item in sorted(going, key=lambda each: each.start, reverse=True) if ripple else ():
        for _, _, track in timeline.all_tracks():
            taken = any(other.start < item.end and item.start < other.end for other in track.items)
            for later in track.items if not (taken or track.locked) else ():
                later.start -= item.duration if later.start >= item.end else 0
    names = {item.id for item in going}
    for left in timeline.items():
        left.linked = [other for other in left.linked if other not in names]
    for item in going:
        item.gone = True


def nest(app: Application, timeline: Timeline, chosen: list[Item], kind: str, name: str) -> Item:
    """Put one clip in the place of items, on the lowest of their tracks."""
    start, end = min(item.start for item in chosen), max(item.end for item in chosen)
    lanes = [track for _, _, track in timeline.all_tracks() if any(item in track.items for item in chosen)]
    need(lanes)
    delete(timeline, chosen, ripple=False)
    asset = Asset(
        kind=kind, rate=timeline.rate, frames=int(end - start), width=1920, height=1080, audio_channels=2
    )
    clip = add_clip(app, asset, name)
    item = Item(id=app.new_id(), kind="video", name=name, clip=clip, start=start, duration=end - start)
    lanes[0].items.append(item)
    lanes[0].items.sort(key=lambda other: other.start)
    return item


def cut_scenes(app: Application, timeline: Timeline) -> None:
    """Cut the items of the first video track, with the sound linked to them, at the scene changes."""
    track = timeline.tracks["video"][0]
    if track.locked or not track.items:
        raise Refused
    for item in list(track.items):
        for frame in reversed(_cuts_of(timeline, item)):
            _razor(app, timeline, frame, item)


def _cuts_of(timeline: Timeline, item: Item) -> list[int]:
    if timeline.scene_cuts is not None:
        return [frame for frame in timeline.scene_cuts if item.start < frame < item.end]
    if item.clip is None or item.clip.asset.kind != "video" or item.speed <= 0:
        return []
    try:
        found = find_cuts(analyse(probe(item.clip.asset.path, rate=item.clip.asset.rate))).cuts
    except SnapUpscaleError:
        return []
    rate = item.clip.asset.rate
    frames = [item.start + (cut - item.source_in) * timeline.rate / rate / item.speed for cut in found]
    return sorted({math.ceil(frame) for frame in frames if item.start < frame < item.end})


def _razor(app: Application, timeline: Timeline, frame: int, item: Item) -> None:
    tied = {item.id, *item.linked}
    pieces: list[Item] = []
    for _, _, track in timeline.all_tracks():
        for whole in list(track.items):
            if whole.id in tied and whole.start < frame < whole.end:
                pieces.append(_cut_off(app, timeline, whole, frame))
                track.items.append(pieces[-1])
                track.items.sort(key=lambda other: other.start)
    for piece in pieces:
        piece.linked = [other.id for other in pieces if other is not piece]


def _cut_off(app: Application, timeline: Timeline, item: Item, frame: int) -> Item:
    """Shorten `item` to end at `frame`; the rest of it as a new item."""
    kept = Fraction(frame) - item.start
    rate = spans.source_rate(item, timeline.rate)
    rest = replace(
        item,
        id=app.new_id(),
        start=Fraction(frame),
        duration=item.duration - kept,
        source_in=item.source_in + kept * rate / timeline.rate * item.speed,
        markers={},
        marks={},
        properties=dict(item.properties),
        flags=list(item.flags),
        takes=[],
        take=0,
    )
    item.duration = kept
    return rest
