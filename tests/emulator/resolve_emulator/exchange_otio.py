"""OpenTimelineIO files: tracks of clips and gaps, with Resolve's own values in the metadata."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import opentimelineio as otio

from resolve_emulator.exchange import Cut, Piece, near_rate
from snapupscale.timecode import can_drop

META = "Resolve_OTIO"
_KINDS = {"video": otio.schema.TrackKind.Video, "audio": otio.schema.TrackKind.Audio}


def write(cut: Cut) -> str:
    """Every track, source ranges on the timecode of the media; colours of clips and flags are left out (facts 1.2)."""
    timeline = otio.schema.Timeline(name=cut.name, global_start_time=_time(cut.start, cut.rate))
    timeline.metadata[META] = {"Resolve OTIO Meta Version": "1.0"}
    for kind, name in _KINDS.items():
        for number in range(1, cut.tracks[kind] + 1):
            track = otio.schema.Track(name=f"{kind.capitalize()} {number}", kind=name)
            lane = cut.lane(kind, number)
            at = Fraction(cut.start)
            for piece in lane:
                if piece.start > at:
                    track.append(otio.schema.Gap(source_range=_range(Fraction(0), piece.start - at, cut.rate)))
                track.append(_clip(piece, cut))
                at = piece.end
            timeline.tracks.append(track)
    timeline.tracks.markers.extend(
        [_marker(frame + cut.start, marker, cut.rate) for frame, marker in sorted(cut.markers.items())]
    )
    text: str = timeline.to_json_string(indent=4)
    return text


def read(text: str) -> Cut:
    """The file as a cut; a rate comes from its start time, else from the first range."""
    timeline = otio.adapters.read_from_string(text, "otio_json")
    clips = list(timeline.find_clips())
    began = timeline.global_start_time
    rate = near_rate(began.rate if began else clips[0].source_range.duration.rate)
    cut = Cut(name=timeline.name, rate=rate, start=round(began.value) if began else 0, drop=False)
    cut.drop = bool(timeline.metadata.get("snapupscale", {}).get("drop_frame")) and can_drop(rate)
    for kind, name in _KINDS.items():
        tracks = [track for track in timeline.tracks if track.kind == name]
        cut.tracks[kind] = max(1, len(tracks))
        for number, track in enumerate(tracks, 1):
            at = Fraction(cut.start)
            for part in track:
                length = _frames(part.duration(), rate) if not isinstance(part, otio.schema.Transition) else 0
                if isinstance(part, otio.schema.Clip):
                    cut.pieces.append(_piece(part, kind, number, at, Fraction(length)))
                at += length
    for marker in timeline.tracks.markers:
        cut.markers[_frames(marker.marked_range.start_time, rate) - cut.start] = _read_marker(marker, rate)
    return cut


def _clip(piece: Piece, cut: Cut) -> Any:
    known = None if piece.still else _range(Fraction(piece.media_start), Fraction(piece.media_frames), piece.rate)
    media = otio.schema.ExternalReference(target_url=piece.path, available_range=known)
    media.name = Path(piece.path).name or piece.name
    length = piece.duration * piece.rate / cut.rate
    clip = otio.schema.Clip(
        name=piece.name,
        media_reference=media if piece.path else otio.schema.MissingReference(),
        source_range=_range(piece.source, length, piece.rate),
    )
    clip.metadata[META] = {"Link Group ID": piece.group} if piece.group else {}
    clip.enabled = piece.enabled
    if piece.speed != 1:
        clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=float(piece.speed)))
    if piece.properties:
        clip.effects.append(_transform(piece.properties))
    clip.markers.extend(
        [_marker(frame + int(piece.source), marker, piece.rate) for frame, marker in sorted(piece.markers.items())]
    )
    return clip


def _piece(clip: Any, kind: str, track: int, at: Fraction, length: Fraction) -> Piece:
    media = clip.media_reference
    span = clip.trimmed_range()
    own = near_rate(span.start_time.rate)
    known = getattr(media, "available_range", None)
    warp = next((each.time_scalar for each in clip.effects if isinstance(each, otio.schema.LinearTimeWarp)), 1.0)
    first = Fraction(span.start_time.value).limit_denominator(1000)
    return Piece(
        kind=kind,
        track=track,
        name=clip.name,
        start=at,
        duration=length,
        source=first,
        path=_path(media),
        rate=own,
        media_start=round(known.start_time.value) if known else 0,
        media_frames=round(known.duration.value) if known else 0,
        speed=Fraction(warp).limit_denominator(10000),
        enabled=clip.enabled,
        properties=_properties(clip),
        markers={
            round(each.marked_range.start_time.value) - int(first): _read_marker(each, own) for each in clip.markers
        },
        group=int(clip.metadata.get(META, {}).get("Link Group ID", 0)),
    )


def _path(media: Any) -> str:
    if isinstance(media, otio.schema.ImageSequenceReference):
        return unquote(urlparse(media.target_url_for_image_number(0)).path)
    url = getattr(media, "target_url", "") or ""
    return unquote(urlparse(url).path) if url.startswith("file:") else url


def _transform(properties: dict[str, Any]) -> Any:
    parameters = [
        {"Parameter ID": f"transformation{name}", "Parameter Value": value, "Key Frames": {}}
        for name, value in sorted(properties.items())
    ]
    own = {"Effect Name": "Transform", "Enabled": True, "Name": "Transform", "Parameters": parameters, "Type": 2}
    return otio.schema.Effect(effect_name="Resolve Effect", metadata={META: own})


def _properties(clip: Any) -> dict[str, Any]:
    own = [effect.metadata[META] for effect in clip.effects if META in effect.metadata]
    listed = [each for effect in own for each in effect["Parameters"]]
    return {each["Parameter ID"].removeprefix("transformation"): each["Parameter Value"] for each in listed}


def _marker(frame: float, marker: dict[str, Any], rate: Fraction) -> Any:
    made = otio.schema.Marker(
        name=marker["name"],
        color=marker["color"].upper(),
        marked_range=_range(Fraction(frame), Fraction(marker["duration"]), rate),
    )
    made.metadata[META] = {"Note": marker["note"], "Keywords": [], "Custom Data": marker["customData"]}
    return made


def _read_marker(marker: Any, rate: Fraction) -> dict[str, Any]:
    own = marker.metadata.get(META, {})
    colour = marker.color.capitalize()
    return {
        "color": colour if colour not in {"Magenta", "Orange", "White", "Black"} else "Blue",
        "duration": max(1, _frames(marker.marked_range.duration, rate)),
        "note": str(own.get("Note", "")),
        "name": marker.name,
        "customData": str(own.get("Custom Data", "")),
    }


def _range(start: Fraction, length: Fraction, rate: Fraction) -> Any:
    return otio.opentime.TimeRange(_time(start, rate), _time(length, rate))


def _time(frames: float | Fraction, rate: Fraction) -> Any:
    return otio.opentime.RationalTime(float(frames), float(rate))


def _frames(time: Any, rate: Fraction) -> int:
    return round(Fraction(time.value).limit_denominator(1000) / near_rate(time.rate) * rate)
