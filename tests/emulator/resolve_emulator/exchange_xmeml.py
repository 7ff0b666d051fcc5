"""XML of Final Cut Pro 7: every track; FlipX, colours and markers are lost (facts 1.2)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from urllib.parse import quote, unquote, urlparse
from xml.etree.ElementTree import Element, SubElement, fromstring, indent, tostring

from resolve_emulator.exchange import Cut, Piece
from resolve_emulator.face import need

_LOST = ("FlipX", "FlipY")


def write(cut: Cut) -> str:
    """One sequence; `in` and `out` count on its grid from the start of the file, as they are decoded (facts 5)."""
    root = Element("xmeml", version="5")
    sequence = SubElement(root, "sequence")
    _text(sequence, name=cut.name, duration=cut.end - cut.start)
    _rate(sequence, cut.rate)
    _timecode(sequence, cut.start, cut.rate, drop=cut.drop)
    media = SubElement(sequence, "media")
    known: dict[str, str] = {}
    for kind in ("video", "audio"):
        part = SubElement(media, kind)
        for number in range(1, cut.tracks[kind] + 1):
            track = SubElement(part, "track")
            for piece in cut.lane(kind, number):
                _clip_item(track, piece, cut, known)
        if kind == "video":
            shape = SubElement(SubElement(part, "format"), "samplecharacteristics")
            _text(shape, width=cut.width, height=cut.height)
            _rate(shape, cut.rate)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n{tostring(root, encoding="unicode")}\n'


def read(text: str) -> Cut:
    """The first sequence. Items that are not at 100 % have no span that is known (facts 1.3)."""
    sequence = fromstring(text).find(".//sequence")
    need(sequence is not None and sequence.find("./media/video/format") is not None)
    assert sequence is not None
    rate = _read_rate(sequence)
    begin = sequence.find("timecode")
    cut = Cut(name=sequence.findtext("name") or "", rate=rate)
    cut.start = int(begin.findtext("frame") or 0) if begin is not None else 0
    cut.drop = begin is not None and begin.findtext("displayformat") == "DF"
    files = {file.get("id"): file for file in sequence.iter("file") if len(file)}
    for kind in ("video", "audio"):
        tracks = sequence.findall(f"./media/{kind}/track")
        cut.tracks[kind] = max(1, len(tracks))
        for number, track in enumerate(tracks, 1):
            for item in track.findall("clipitem"):
                reference = item.find("file")
                file = files.get(reference.get("id")) if reference is not None else None
                cut.pieces.append(_piece(item, file, cut, kind, number))
    return cut


def _clip_item(track: Element, piece: Piece, cut: Cut, known: dict[str, str]) -> None:
    item = SubElement(track, "clipitem", id=f"{piece.name} {len(list(track))}{piece.kind}{piece.track}")
    first = (piece.source - piece.media_start) * cut.rate / piece.rate
    _text(item, name=piece.name, duration=piece.media_frames)
    _rate(item, piece.rate)
    _text(item, start=piece.start - cut.start, end=piece.end - cut.start)
    _text(item, enabled="TRUE" if piece.enabled else "FALSE")
    _text(item, **{"in": round(first), "out": round(first + piece.source_frames)})
    if piece.path in known:
        SubElement(item, "file", id=known[piece.path])
    else:
        known[piece.path] = f"file-{len(known) + 1}"
        file = SubElement(item, "file", id=known[piece.path])
        _text(file, duration=piece.media_frames, name=Path(piece.path).name)
        _text(file, pathurl=f"file://localhost{quote(piece.path)}")
        _rate(file, piece.rate)
        _timecode(file, piece.media_start, piece.rate, drop=False)
        SubElement(SubElement(file, "media"), "video" if piece.kind == "video" else "audio")
    if piece.speed != 1:
        _effect(item, "timeremap", {"speed": float(piece.speed * 100)})
    if piece.properties:
        _effect(item, "basic", {name: value for name, value in piece.properties.items() if name not in _LOST})
    if piece.group:
        _text(SubElement(item, "link"), groupindex=piece.group)


def _piece(item: Element, file: Element | None, cut: Cut, kind: str, track: int) -> Piece:
    rate = _read_rate(file if file is not None else item)
    url = urlparse(file.findtext("pathurl") or "") if file is not None else urlparse("")
    began = int(file.findtext("./timecode/frame") or 0) if file is not None else 0
    effects = {effect.findtext("effectid"): effect for effect in item.iter("effect")}
    speed = effects["timeremap"].findtext("./parameter/value") if "timeremap" in effects else None
    start, end = (Fraction(item.findtext(name) or 0) for name in ("start", "end"))
    return Piece(
        kind=kind,
        track=track,
        name=item.findtext("name") or "",
        start=cut.start + start,
        duration=end - start,
        source=began + round(Fraction(item.findtext("in") or 0)) * rate / cut.rate,
        path=unquote(url.path),
        rate=rate,
        media_start=began,
        speed=Fraction(speed) / 100 if speed else Fraction(1),
        span_known=speed is None,
        enabled=item.findtext("enabled") != "FALSE",
        properties=_values(effects["basic"]) if "basic" in effects else {},
        group=int(item.findtext("./link/groupindex") or 0),
    )


def _effect(item: Element, name: str, values: dict[str, float]) -> None:
    effect = SubElement(SubElement(item, "filter"), "effect")
    _text(effect, name=name, effectid=name)
    for key, value in sorted(values.items()):
        _text(SubElement(effect, "parameter"), parameterid=key, value=repr(value))


def _values(effect: Element) -> dict[str, float | bool]:
    found: dict[str, float | bool] = {}
    for each in effect.findall("parameter"):
        value = each.findtext("value") or "0"
        found[each.findtext("parameterid") or ""] = value == "True" if value in {"True", "False"} else float(value)
    return found


def _rate(parent: Element, rate: Fraction) -> None:
    whole = -(-rate.numerator // rate.denominator)
    _text(SubElement(parent, "rate"), timebase=whole, ntsc="TRUE" if rate.denominator != 1 else "FALSE")


def _read_rate(parent: Element) -> Fraction:
    whole = Fraction(parent.findtext("./rate/timebase") or 24)
    return whole * Fraction(1000, 1001) if parent.findtext("./rate/ntsc") == "TRUE" else whole


def _timecode(parent: Element, frame: int, rate: Fraction, *, drop: bool) -> None:
    made = SubElement(parent, "timecode")
    _text(made, frame=frame, displayformat="DF" if drop else "NDF")
    _rate(made, rate)


def _text(parent: Element, **values: object) -> None:
    for name, value in values.items():
        SubElement(parent, name).text = str(value)
