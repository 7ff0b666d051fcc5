"""A timeline as the formats of interchange see it: tracks, and the pieces of media on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resolve_emulator.state import Clip, Item, Timeline

COMMON_RATES = [Fraction(rate * 1000, 1001) for rate in (24, 30, 60, 120)]


@dataclass(kw_only=True)
class Piece:
    """One item with media. `start` is absolute in the timeline, `source` counts on the timecode of the media."""

    kind: str
    track: int
    name: str
    start: Fraction
    duration: Fraction
    source: Fraction
    path: str = ""
    rate: Fraction = Fraction(24)
    """That of the media, as are its first timecode frame and its length."""
    media_start: int = 0
    media_frames: int = 0
    still: bool = False
    sound: bool = False
    """Whether the media has sound."""
    speed: Fraction = Fraction(1)
    enabled: bool = True
    span_known: bool = True
    properties: dict[str, Any] = field(default_factory=dict)
    markers: dict[float, dict[str, Any]] = field(default_factory=dict)
    group: int = 0
    """The same for pieces that are linked; 0 for none."""

    @property
    def end(self) -> Fraction:
        return self.start + self.duration

    @property
    def source_frames(self) -> Fraction:
        """How much of the media the piece shows, without its direction."""
        return self.duration * abs(self.speed)


@dataclass(kw_only=True)
class Cut:
    """A timeline: its clock, how many tracks it has, and its pieces by type, track and time."""

    name: str
    rate: Fraction
    drop: bool = False
    start: int = 0
    width: int = 1920
    height: int = 1080
    tracks: dict[str, int] = field(default_factory=lambda: {"video": 1, "audio": 1})
    pieces: list[Piece] = field(default_factory=list)
    markers: dict[float, dict[str, Any]] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return int(max((piece.end for piece in self.pieces), default=self.start))

    def lane(self, kind: str, track: int) -> list[Piece]:
        """The pieces of one track."""
        return [piece for piece in self.pieces if (piece.kind, piece.track) == (kind, track)]


def read_timeline(timeline: Timeline, size: tuple[int, int]) -> Cut:
    """What there is to export: the items with media. Transitions, titles and generators are left out."""
    cut = Cut(name=timeline.name, rate=timeline.rate, drop=timeline.drop, start=timeline.start)
    cut.width, cut.height = size
    cut.markers = {frame: dict(marker) for frame, marker in timeline.markers.items()}
    groups: dict[str, int] = {}
    for kind in ("video", "audio"):
        cut.tracks[kind] = len(timeline.tracks[kind])
        for number, track in enumerate(timeline.tracks[kind], 1):
            for item in track.items:
                if item.clip and item.kind != "transition":
                    group = _group(item, groups) if item.linked else 0
                    cut.pieces.append(_piece(item, item.clip, kind, number, group))
    return cut


def joined_sound(cut: Cut, picture: Piece) -> list[Piece]:
    """The linked sound of a piece that covers the same span."""
    return [
        piece
        for piece in cut.pieces
        if piece.kind == "audio"
        and piece.group == picture.group != 0
        and (piece.start, piece.duration, piece.path) == (picture.start, picture.duration, picture.path)
    ]


def near_rate(value: float) -> Fraction:
    """The exact rate of a rounded one."""
    found = [rate for rate in COMMON_RATES if abs(float(rate) - value) < 0.005]
    return found[0] if found else Fraction(value).limit_denominator(1001)


def _piece(item: Item, clip: Clip, kind: str, track: int, group: int) -> Piece:
    asset = clip.asset
    return Piece(
        kind=kind,
        track=track,
        name=item.name,
        start=item.start,
        duration=item.duration,
        source=asset.start + item.source_in,
        path=asset.path,
        rate=asset.rate,
        media_start=asset.start,
        media_frames=asset.frames,
        still=asset.kind == "still",
        sound=asset.has_audio,
        speed=item.speed,
        enabled=item.enabled,
        properties=dict(item.properties),
        markers={frame: dict(marker) for frame, marker in item.markers.items()},
        group=group,
    )


def _group(item: Item, groups: dict[str, int]) -> int:
    number = next((groups[name] for name in (item.id, *item.linked) if name in groups), len(set(groups.values())) + 1)
    groups.update(dict.fromkeys((item.id, *item.linked), number))
    return number
