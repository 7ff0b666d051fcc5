"""Files as the media pool sees them: probed for real, with numbered stills taken together as sequences."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.error import FFmpegError

from resolve_emulator.state import Asset
from snapupscale.errors import SnapUpscaleError
from snapupscale.media.source import probe

if TYPE_CHECKING:
    from collections.abc import Iterator

STILLS = frozenset([".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".dpx", ".bmp", ".webp", ".tga", ".heic"])
_AUDIO = frozenset([".wav", ".mp3", ".m4a", ".aac", ".aif", ".aiff", ".flac", ".ogg"])
_CONTAINERS = {"mov": "QuickTime", "matroska": "MKV", "mxf": "MXF", "avi": "AVI", "mpegts": "MPEG TS"}
_CODECS = {
    "h264": "H.264 High L4.0",
    "hevc": "H.265 Main L4.0",
    "prores": "Apple ProRes 422 HQ",
    "dnxhd": "DNxHR HQ",
    "ffv1": "FFV1",
    "mjpeg": "Photo JPEG",
    "mpeg4": "MPEG4 Video",
}
_TICKS = Fraction(48000)
"""The rate at which the length of sound is probed."""
_NUMBERED = re.compile(r"(.*?)(\d+)$")


def find_assets(path: Path, *, still_rate: Fraction) -> Iterator[Asset]:
    """What importing a file or a folder makes: nothing for what can't be read. A still whose neighbours by number lie
    beside it comes as their sequence (facts 1.4), at `still_rate` frames per second."""
    if path.is_dir():
        done: set[str] = set()
        for child in sorted(path.iterdir()):
            for asset in find_assets(child, still_rate=still_rate) if child.is_file() else ():
                if asset.path not in done:
                    done.add(asset.path)
                    yield asset
        return
    if path.suffix.lower() in STILLS:
        numbers = neighbours(path)
        yield from find_sequence(path, numbers, still_rate) if len(numbers) > 1 else _still(path)
        return
    found = probe_file(path)
    if found and found.kind == "audio":
        # Sound has no rate of its own: it keeps that of the project at its import.
        found = replace(found, rate=still_rate, frames=max(1, int(found.frames * still_rate / _TICKS)))
    if found:
        yield found


def neighbours(path: Path) -> list[int]:
    """The unbroken run of numbers, among the pictures of the same name and width, that a still's own number is in."""
    match = _NUMBERED.fullmatch(path.stem)
    if not match:
        return []
    prefix, digits = match[1], match[2]
    there = {
        int(name[2])
        for name in (_NUMBERED.fullmatch(other.stem) for other in path.parent.glob(f"*{path.suffix}"))
        if name and name[1] == prefix and len(name[2]) == len(digits)
    }
    first = last = int(digits)
    while first - 1 in there:
        first -= 1
    while last + 1 in there:
        last += 1
    return list(range(first, last + 1))


def find_sequence(path: Path, numbers: list[int], rate: Fraction) -> Iterator[Asset]:
    """The sequence of the pictures with these numbers, named `name_[0001-0100].png`."""
    match = _NUMBERED.fullmatch(path.stem)
    for still in _still(path):
        if match is None:
            return
        digits = len(match[2])
        name = f"{match[1]}[{numbers[0]:0{digits}}-{numbers[-1]:0{digits}}]{path.suffix}"
        yield replace(
            still,
            kind="video",
            path=str(path.parent / name),
            file_name=name,
            rate=rate,
            frames=len(numbers),
            start=numbers[0],
        )


def probe_file(path: Path) -> Asset | None:
    """A movie or a sound; None for what is neither."""
    try:
        stamp = path.stat()
    except OSError:
        return None
    return _probed(str(path), stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=256)
def _probed(name: str, _changed: int, _size: int) -> Asset | None:
    path = Path(name)
    sound = _sound(path)
    if path.suffix.lower() in _AUDIO:
        return sound
    try:
        source = probe(path)
    except SnapUpscaleError:
        return sound
    frames = source.frames or (int(source.duration * source.rate) if source.duration else 1)
    return Asset(
        kind="video",
        path=name,
        file_name=path.name,
        rate=source.rate,
        frames=frames,
        width=source.width,
        height=source.height,
        start=source.start.frame if source.start else 0,
        drop=bool(source.start and source.start.drop),
        audio_channels=sound.audio_channels if sound else 0,
        audio_codec=sound.audio_codec if sound else "",
        container=_container(source.container, path),
        codec=_CODECS.get(source.codec, source.codec),
        bit_depth=source.bit_depth,
        field_order="Upper Field" if source.interlaced else "Progressive",
        pixel_aspect="Square" if source.pixel_aspect == 1 else f"{float(source.pixel_aspect):.3f}",
        alpha="Straight" if source.alpha else "None",
    )


def _sound(path: Path) -> Asset | None:
    try:
        with av.open(str(path)) as container:
            streams = container.streams.audio
            if not streams:
                return None
            seconds = Fraction(container.duration or 0, av.time_base)
            return Asset(
                kind="audio",
                path=str(path),
                file_name=path.name,
                rate=_TICKS,
                frames=max(1, int(seconds * _TICKS)),
                audio_channels=sum(stream.codec_context.channels for stream in streams),
                container="Wave" if path.suffix.lower() == ".wav" else _container(container.format.name, path),
                audio_codec=str(streams[0].codec_context.name),
            )
    except (FFmpegError, OSError, ValueError):
        return None


def _still(path: Path) -> Iterator[Asset]:
    try:
        with av.open(str(path)) as container:
            stream: Any = container.streams.video[0]
            if not stream.codec_context.width:
                return
            yield Asset(
                kind="still",
                path=str(path),
                file_name=path.name,
                width=stream.codec_context.width,
                height=stream.codec_context.height,
                container=path.suffix[1:].upper(),
                codec=path.suffix[1:].upper(),
            )
    except (FFmpegError, OSError, IndexError):
        return


def _container(name: str, path: Path) -> str:
    if path.suffix.lower() in {".mp4", ".m4v"}:
        return "MP4"
    return next((shown for part, shown in _CONTAINERS.items() if part in name), name.upper())


def absolute(path: str) -> Path:
    """The path as the editor keeps it."""
    return Path(os.path.abspath(path))  # noqa: PTH100
