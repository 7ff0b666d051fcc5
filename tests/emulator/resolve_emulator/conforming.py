"""MediaPool.ImportTimelineFromFile: a timeline made from a file, and its items tied to media again."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resolve_emulator import archive, exchange_edl, exchange_fcpxml, exchange_otio, exchange_xmeml, importing, sequences
from resolve_emulator.clip_properties import is_online
from resolve_emulator.exporting import DRT_MEMBER
from resolve_emulator.face import Refused, need, text
from resolve_emulator.placing import insert, link
from resolve_emulator.settings import default_settings, own_rate
from resolve_emulator.state import Bin, Clip, Item, Timeline, Track

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resolve_emulator.application import Application
    from resolve_emulator.exchange import Cut, Piece


@dataclass(frozen=True, kw_only=True)
class Options:
    """The import options; `name` '' for the name in the file."""

    name: str = ""
    media: bool = True
    path: str = ""
    bins: list[Bin] = field(default_factory=list)


def read_options(given: Any) -> Options:
    """Refuses options of another type."""
    if given is None:
        return Options()
    need(isinstance(given, dict))
    bins = given.get("sourceClipsFolders") or []
    listed = list(bins.values()) if isinstance(bins, dict) else list(bins)
    need(all(isinstance(each, Bin) for each in listed))
    name, path = given.get("timelineName") or "", given.get("sourceClipsPath") or ""
    media = given.get("importSourceClips", True) is not False
    return Options(name=text(name), media=media, path=text(path), bins=listed)


def import_timeline(app: Application, path: Any, options: Options) -> Timeline:
    """The new timeline, which becomes the current one. Refuses a name that is there (facts 1.2), a folder, and what is
    no timeline."""
    source = Path(text(path))
    need(source.is_file())
    kind = source.suffix.lower()
    if kind == ".drt":
        return _import_drt(app, source)
    cut = _read(app, source.read_bytes().decode(), kind)
    name = options.name or cut.name or source.stem
    _need_new(app, name)
    clips = {id(piece): _source(app, piece, options, kind) for piece in cut.pieces}
    timeline = sequences.create(app, name)
    _fill(app, timeline, cut, clips)
    return timeline


def _read(app: Application, content: str, kind: str) -> Cut:
    def rate_of(name: str) -> Fraction:
        named = [clip for clip in app.project.clips() if name in (clip.name, clip.asset.file_name)]
        return named[0].asset.rate if named else own_rate(app.project.settings)

    if kind == ".edl":
        return exchange_edl.read(content, own_rate(app.project.settings), rate_of)
    if kind == ".otio":
        return exchange_otio.read(content)
    if kind == ".fcpxml":
        return exchange_fcpxml.read(content)
    need(kind == ".xml")
    return exchange_xmeml.read(content) if "<xmeml" in content else exchange_fcpxml.read(content)


def _source(app: Application, piece: Piece, options: Options, kind: str) -> Clip | None:
    """The clip of a piece: of the pool by its path, or by its name where the file names none; imported where that is
    asked for. An OTIO's come by import alone, and without one of them nothing comes (recorded on 19.1.3)."""
    if not options.media:
        pool = [clip for folder in _places(app, options) for clip in folder.clips]
        return None if kind == ".otio" else next(_matches(pool, piece), None)
    there = list(_matches(app.project.clips(), piece))
    for clip in there:
        if is_online(clip) or not piece.path:
            return clip
    own, elsewhere = Path(piece.path), Path(options.path) / Path(piece.path or piece.name).name
    first = own if piece.path and own.exists() else elsewhere if options.path and elsewhere.exists() else None
    found = importing.import_media(app, [str(first)]) if first else []
    need(found or kind != ".otio")
    return next(iter([*found, *there]), None)


def _matches(pool: list[Clip], piece: Piece) -> Iterator[Clip]:
    for clip in pool:
        names = (clip.asset.path,) if piece.path else (clip.name, clip.asset.file_name)
        if clip.asset.path and (piece.path or piece.name) in names:
            yield clip


def _places(app: Application, options: Options) -> list[Bin]:
    return [app.project.folder, *(each for each in options.bins if each is not app.project.folder)]


def _fill(app: Application, timeline: Timeline, cut: Cut, clips: dict[int, Clip | None]) -> None:
    if (timeline.rate, timeline.drop) != (cut.rate, cut.drop):
        timeline.rate, timeline.drop = cut.rate, cut.drop
        own = default_settings(cut.rate) | {"timelineDropFrameTimecode": "1" if cut.drop else "0"}
        timeline.settings = own | {"useCustomSettings": "1"}
    timeline.start = timeline.playhead = cut.start
    timeline.markers = dict(cut.markers)
    for kind in ("video", "audio"):
        for _ in range(cut.tracks[kind] - 1):
            timeline.tracks[kind].append(Track(sub_type="stereo" if kind == "audio" else ""))
    groups: dict[int, list[Item]] = {}
    for piece in cut.pieces:
        item = _item(app, piece, clips[id(piece)])
        insert(timeline.tracks[piece.kind][piece.track - 1], item)
        if piece.group:
            groups.setdefault(piece.group, []).append(item)
        if not piece.path and piece.sound and item.clip and item.clip.asset.has_audio:
            other = _item(app, piece, item.clip)
            other.kind = "audio"
            insert(timeline.tracks["audio"][0], other)
            link([item, other])
    for tied in groups.values():
        link(tied)


def _item(app: Application, piece: Piece, clip: Clip | None) -> Item:
    began = clip.asset.start if clip else piece.media_start
    return Item(
        id=app.new_id(),
        kind=piece.kind,
        name=piece.name,
        clip=clip,
        start=piece.start,
        duration=piece.duration,
        source_in=max(Fraction(0), piece.source - began),
        speed=piece.speed,
        span_known=piece.span_known,
        enabled=piece.enabled,
        properties=dict(piece.properties),
        markers=dict(piece.markers),
    )


def _import_drt(app: Application, source: Path) -> Timeline:
    """Everything as it was, under the name of the file (recorded on 19.1.3); the options don't count."""
    if not zipfile.is_zipfile(source):
        raise Refused
    with zipfile.ZipFile(source) as packed:
        saved = json.loads(packed.read(DRT_MEMBER))
    _need_new(app, source.stem)
    pool = {clip.asset.path: clip for clip in app.project.clips() if clip.asset.path}
    found: dict[str, Clip] = {}
    for old in archive.decoded_clips(saved):
        there = pool.get(old.asset.path) if old.asset.path else None
        if there is None:
            there = importing.add_clip(app, old.asset, old.name)
            there.flags, there.color, there.offline = old.flags, old.color, old.offline
        found[old.id] = there
    timeline = archive.decoded_timeline(saved, found)
    return sequences.adopt(app, timeline, source.stem)


def _need_new(app: Application, name: str) -> None:
    need(name and name not in [timeline.name for timeline in app.project.timelines])
