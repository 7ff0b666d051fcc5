"""FCPXML: a spine with connected clips; empty tracks, colours and markers are lost (facts 1.2)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlparse
from xml.etree.ElementTree import Element, SubElement, fromstring, indent, tostring

from resolve_emulator.exchange import Cut, Piece, joined_sound
from resolve_emulator.face import need

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLIPS = ("asset-clip", "video", "audio", "clip")


def write(cut: Cut, version: str) -> str:
    """The first video track as the spine; what lies on other tracks hangs on the part of it that it begins in."""
    root = Element("fcpxml", version=version)
    resources = SubElement(root, "resources")
    shape = SubElement(resources, "format", id="r0", frameDuration=_time(1, cut.rate))
    shape.attrib.update(width=str(cut.width), height=str(cut.height))
    assets = _assets(resources, cut)
    event = SubElement(SubElement(root, "library"), "event", name=f"{cut.name} (Resolve)")
    sequence = SubElement(SubElement(event, "project", name=f"{cut.name} (Resolve)"), "sequence", format="r0")
    sequence.set("tcStart", _time(cut.start, cut.rate))
    sequence.set("tcFormat", "DF" if cut.drop else "NDF")
    sequence.set("duration", _time(cut.end - cut.start, cut.rate))
    spine = SubElement(sequence, "spine")
    hosts: list[tuple[Fraction, Fraction, Fraction, Element]] = []

    def gap(start: Fraction, length: Fraction) -> None:
        made = SubElement(spine, "gap", name="Gap", start=_time(start, cut.rate), duration=_time(length, cut.rate))
        made.set("offset", _time(start, cut.rate))
        hosts.append((start, start + length, start / cut.rate, made))

    joined: list[Piece] = []
    position = Fraction(cut.start)
    for piece in cut.lane("video", 1):
        if piece.start > position:
            gap(position, piece.start - position)
        position = piece.end
        sound = joined_sound(cut, piece)
        joined += sound
        made = _clip(spine, piece, cut, assets, piece.start / cut.rate, sound=bool(sound))
        hosts.append((piece.start, piece.end, piece.source / piece.rate, made))
    if position < cut.end:
        gap(position, cut.end - position)
    for piece in cut.pieces:
        if (piece.track == 1 and piece.kind == "video") or any(piece is each for each in joined):
            continue
        sound = joined_sound(cut, piece) if piece.kind == "video" else []
        joined += sound
        begin, _, base, host = next(each for each in hosts if each[0] <= piece.start < each[1])
        offset = base + (piece.start - begin) / cut.rate
        made = _clip(host, piece, cut, assets, offset, sound=bool(sound))
        made.set("lane", str(piece.track - 1 if piece.kind == "video" else -piece.track))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{tostring(root, encoding="unicode")}\n'


def read(text: str) -> Cut:
    """The first sequence; markers are passed over."""
    root = fromstring(text)
    project = root.find(".//project")
    need(root.tag == "fcpxml" and project is not None)
    assert project is not None
    sequence = next(project.iter("sequence"))
    formats = {each.get("id"): each for each in root.iter("format")}
    rate = 1 / _seconds(formats[sequence.get("format")].get("frameDuration"))
    name = (project.get("name") or "").removesuffix(" (Resolve)")
    cut = Cut(name=name, rate=rate, start=int(_seconds(sequence.get("tcStart")) * rate))
    cut.drop = sequence.get("tcFormat") == "DF"
    assets = {each.get("id"): each for each in root.iter("asset")}
    for part in sequence.find("spine") or ():
        offset = _seconds(part.get("offset"))
        _read_part(part, offset, cut, assets, formats)
    for kind in ("video", "audio"):
        cut.tracks[kind] = max((piece.track for piece in cut.pieces if piece.kind == kind), default=1)
    return cut


def _read_part(part: Element, at: Fraction, cut: Cut, assets: dict[str | None, Element],
               formats: dict[str | None, Element]) -> None:  # fmt: skip
    lane = int(part.get("lane") or 0)
    if part.tag in _CLIPS:
        cut.pieces += _pieces(part, at, lane, cut, assets[part.get("ref")], formats)
    start = _seconds(part.get("start"))
    for child in part:
        if child.get("lane"):
            _read_part(child, at + _seconds(child.get("offset")) - start, cut, assets, formats)


def _pieces(part: Element, at: Fraction, lane: int, cut: Cut, asset: Element,
            formats: dict[str | None, Element]) -> Iterator[Piece]:  # fmt: skip
    shape = formats.get(asset.get("format"))
    duration = shape.get("frameDuration") if shape is not None else None
    own = 1 / _seconds(duration) if duration else cut.rate
    began = _seconds(asset.get("start")) * own
    source = asset.find("media-rep")
    points = [(_seconds(each.get("time")), _seconds(each.get("value"))) for each in part.iter("timept")]
    adjusted = part.find("adjust-transform")
    piece = Piece(
        kind="audio" if lane < 0 else "video",
        track=-lane if lane < 0 else lane + 1,
        name=part.get("name") or "",
        start=at * cut.rate,
        duration=_seconds(part.get("duration")) * cut.rate,
        source=_seconds(part.get("start"), began / own) * own,
        path=unquote(urlparse((source if source is not None else asset).get("src") or "").path),
        rate=own,
        media_start=int(began),
        speed=(points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0]) if points else Fraction(1),
        enabled=part.get("enabled") != "0",
        properties={} if adjusted is None else {key: _value(value) for key, value in adjusted.attrib.items()},
    )
    yield piece
    if piece.kind == "video" and asset.get("hasAudio") == "1" and part.get("srcEnable") != "video":
        piece.group = len(cut.pieces) + 1
        yield replace(piece, kind="audio", properties={})


def _assets(resources: Element, cut: Cut) -> dict[str, str]:
    found: dict[str, str] = {}
    for piece in cut.pieces:
        if piece.path in found:
            continue
        found[piece.path] = f"r{2 * len(found) + 2}"
        shape = f"r{2 * len(found) - 1}"
        SubElement(resources, "format", id=shape, frameDuration=_time(1, piece.rate))
        asset = SubElement(resources, "asset", id=found[piece.path], name=Path(piece.path).name, format=shape)
        asset.set("start", _time(piece.media_start, piece.rate))
        asset.set("duration", _time(piece.media_frames, piece.rate))
        asset.set("hasVideo", "1")
        if piece.sound:
            asset.set("hasAudio", "1")
        SubElement(asset, "media-rep", kind="original-media", src=f"file://{quote(piece.path)}")
    return found


def _clip(parent: Element, piece: Piece, cut: Cut, assets: dict[str, str], at: Fraction, *, sound: bool) -> Element:
    made = SubElement(parent, "asset-clip", name=piece.name, ref=assets[piece.path], offset=_shown(at))
    made.set("start", _time(piece.source, piece.rate))
    made.set("duration", _time(piece.duration, cut.rate))
    made.set("enabled", "1" if piece.enabled else "0")
    made.set("tcFormat", "NDF")
    if piece.kind == "audio" or (piece.sound and not sound):
        made.set("srcEnable", piece.kind)
    if piece.speed != 1:
        ramp = SubElement(made, "timeMap")
        first, last = Fraction(0), piece.duration * piece.speed / cut.rate
        for time, value in ((Fraction(0), first), (piece.duration / cut.rate, last)):
            SubElement(ramp, "timept", time=_shown(time), value=_shown(value), interp="linear")
    if piece.properties:
        SubElement(made, "adjust-transform", {key: str(value) for key, value in sorted(piece.properties.items())})
    return made


def _value(text: str) -> float | bool:
    return text == "True" if text in {"True", "False"} else float(text)


def _time(frames: Fraction | int, rate: Fraction) -> str:
    return _shown(frames / rate)


def _shown(seconds: Fraction) -> str:
    return f"{seconds.numerator}/{seconds.denominator}s"


def _seconds(text: str | None, otherwise: Fraction = Fraction(0)) -> Fraction:
    return Fraction(text.removesuffix("s")) if text else otherwise
