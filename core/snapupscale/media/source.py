"""Footage: what a file or an image sequence holds, found out without decoding it."""

from __future__ import annotations

import stat
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.error import EOFError as EndOfFile
from av.error import FFmpegError, InvalidDataError

from snapupscale.errors import (
    NotAVideo,
    NoVideoStream,
    SettingError,
    SourceChanged,
    SourceEmpty,
    SourceError,
    SourceMissing,
    SourceTruncated,
    SourceUnreadable,
)
from snapupscale.media import pixels
from snapupscale.media.fingerprint import fingerprint
from snapupscale.media.sequences import parse_sequence
from snapupscale.timecode import Timecode, can_drop, exact_rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from snapupscale.colour import ColourTags

DEFAULT_SEQUENCE_RATE = Fraction(24)
# What a container calls itself need not be text. From version 19 on av puts up with that by itself.
_LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
_ASSUMED_RATE = Fraction(25)
_ATTACHED_PICTURE = 0x0400
_DEFAULT_STREAM = 0x0001
_PROGRESSIVE = 1
# Formats of libavformat that make a moving picture out of a text or of one still picture.
_NO_FOOTAGE = ("_pipe", "image2", "tty", "lavfi", "concat", "ico")
_BOX_FILES = (b"ftyp", b"mdat", b"wide", b"free", b"skip", b"moov")
_KNOWN_HEADS = (b"RIFF", b"\x1aE\xdf\xa3", b"\x06\x0e\x2b\x34")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One piece of footage. Sizes are of the coded picture, before rotation and pixel aspect."""

    path: Path
    """As given, made absolute; a pattern for an image sequence."""
    files: tuple[Path, ...]
    """The file, or the pictures of the sequence in order."""
    numbers: tuple[int, ...]
    """The numbers in the names of a sequence; empty for a file."""
    container: str
    codec: str
    stream: int
    """Index of the video stream that is used."""
    width: int
    height: int
    rate: Fraction
    """Frames per second; the average where the footage has a variable rate."""
    rate_given: bool
    """Whether the rate comes from the user, or for lack of one from us, and not from the footage."""
    frames: int | None
    """As the container declares it; None where it doesn't."""
    duration: Fraction | None
    """Seconds of picture as the container declares it."""
    start: Timecode | None
    """Start timecode of the camera or the editor that wrote the file."""
    pixel_format: str
    bit_depth: int
    alpha: bool
    tags: ColourTags
    pixel_aspect: Fraction
    """Width of a pixel to its height."""
    rotation: int
    """Degrees counter-clockwise by which players turn the picture."""
    interlaced: bool
    fingerprint: str
    warnings: tuple[str, ...] = ()

    @property
    def is_sequence(self) -> bool:
        return bool(self.numbers)

    @property
    def name(self) -> str:
        """The clip's name: that of the file without its suffix, of a sequence without the numbers."""
        sequence = parse_sequence(self.path) if self.is_sequence else None
        return (sequence.prefix.rstrip("._- ") if sequence else self.path.stem) or "clip"

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height of the picture as it is shown: turned, with square pixels (no side is shrunk)."""
        width, height, aspect = self.width, self.height, self.pixel_aspect
        if self.rotation % 180:
            width, height, aspect = height, width, 1 / aspect
        if aspect >= 1:
            return round(width * aspect), height
        return width, round(height / aspect)


def probe(path: Path | str, *, rate: Fraction | None = None) -> Source:
    """What the footage at `path` holds. A name such as `name.%04d.png` or `name_[0001-0100].png` is an image sequence.

    `rate` (frames per second, exact) overrides what the container says; sequences default to 24. Opens the file and
    decodes one frame. Raises a SourceError for what can't be used.
    """
    path = Path(path).absolute()
    try:
        sequence = None if path.exists() else parse_sequence(path)
        files = sequence.files() if sequence else {}
    except OSError as error:
        raise _source_error(error, path) from error
    if sequence is None:
        return _probe_file(path, rate)
    if not files:
        raise SourceMissing(f"no picture matches {path.name} in {path.parent}")
    return _probe_sequence(path, files, rate or DEFAULT_SEQUENCE_RATE)


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open one file for reading, local files alone. Raises a SourceError."""
    _require_content(path)
    try:
        container = av.open(str(path), options={"protocol_whitelist": "file"}, **_LENIENT)
    except (InvalidDataError, EndOfFile) as error:
        raise _undecodable(path) from error
    except FFmpegError as error:
        raise NotAVideo(f"{path} cannot be opened: {error.strerror}") from error
    with container:
        yield container


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream to use, as editors choose it: the first that is marked default, else the first; never an attached
    picture. Raises NoVideoStream."""
    streams = [stream for stream in container.streams.video if not int(stream.disposition) & _ATTACHED_PICTURE]
    streams = [stream for stream in streams if stream.codec_context is not None]
    if not streams:
        raise NoVideoStream(f"{path} holds no video stream")
    return min(streams, key=lambda stream: (not int(stream.disposition) & _DEFAULT_STREAM, stream.index))


def require_unchanged(source: Source) -> None:
    """Raise SourceChanged when the files of `source` aren't what they were when it was probed."""
    try:
        now = fingerprint(source.files)
    except OSError as error:
        raise SourceChanged(f"{source.path} went away while it was read") from error
    if now != source.fingerprint:
        raise SourceChanged(f"{source.path} was written to while it was read")


def _probe_file(path: Path, rate: Fraction | None) -> Source:
    with opened(path) as container:
        if any(part in container.format.name for part in _NO_FOOTAGE):
            raise NotAVideo(
                f"{path} is a single picture or a text",
                hint="For pictures use `snapupscale upscale`; for a sequence give its pattern, name.%04d.png.",
            )
        stream = video_stream(container, path)
        frame = _first_frame(container, stream, path)
        warnings: list[str] = []
        exact = rate or _declared_rate(stream, warnings)
        if len(container.streams.video) > 1:
            warnings.append(f"of {len(container.streams.video)} video streams, stream {stream.index} is used")
        return Source(
            path=path,
            files=(path,),
            numbers=(),
            container=container.format.name,
            stream=stream.index,
            rate=exact,
            rate_given=rate is not None,
            frames=stream.frames or None,
            duration=_duration(container, stream),
            start=_start_timecode(container, stream, exact),
            fingerprint=fingerprint((path,)),
            warnings=tuple(warnings),
            **_picture(stream, frame),
        )


def _probe_sequence(path: Path, files: dict[int, Path], rate: Fraction) -> Source:
    numbers = tuple(files)
    missing = numbers[-1] - numbers[0] + 1 - len(numbers)
    first = files[numbers[0]]
    with opened(first) as container:
        stream = video_stream(container, first)
        frame = _first_frame(container, stream, first)
        picture = _picture(stream, frame)
    return Source(
        path=path,
        files=tuple(files.values()),
        numbers=numbers,
        container="image sequence",
        stream=0,
        rate=rate,
        rate_given=True,
        frames=len(numbers),
        duration=(numbers[-1] - numbers[0] + 1) / rate,
        start=Timecode(frame=numbers[0], rate=rate) if numbers[0] >= 1000 else None,
        fingerprint=fingerprint(files.values()),
        warnings=(f"{missing} pictures of the sequence are missing",) if missing else (),
        **picture,
    )


def _declared_rate(stream: VideoStream, warnings: list[str]) -> Fraction:
    declared = stream.average_rate or stream.guessed_rate
    try:
        if declared:
            return exact_rate(declared)
        warnings.append(f"the container gives no frame rate; {_ASSUMED_RATE} is assumed")
    except SettingError:
        warnings.append(f"the container gives {float(declared or 0):g} frames per second; {_ASSUMED_RATE} is assumed")
    return _ASSUMED_RATE


def _first_frame(container: InputContainer, stream: VideoStream, path: Path) -> av.VideoFrame:
    """The first frame that decodes. Raises SourceTruncated or SourceEmpty."""
    faults = 0
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except InvalidDataError:
                faults += 1
                continue
            if frames:
                return frames[0]
    except (FFmpegError, IndexError) as error:
        raise SourceTruncated(f"{path} cannot be read: {error}") from error
    if faults or stream.frames:
        raise SourceTruncated(f"no frame of {path} can be decoded")
    raise SourceEmpty(f"{path} holds a video stream without a frame")


def _picture(stream: VideoStream, frame: av.VideoFrame) -> dict[str, Any]:
    context = stream.codec_context
    components = frame.format.components
    return {
        "codec": context.codec.canonical_name,
        "width": frame.width,
        "height": frame.height,
        "pixel_format": frame.format.name,
        "bit_depth": max(component.bits for component in components),
        "alpha": any(component.is_alpha for component in components) or frame.format.has_palette,
        "tags": pixels.frame_tags(frame),
        "pixel_aspect": _aspect(stream),
        "rotation": frame.rotation if frame.rotation % 90 == 0 else 0,
        "interlaced": frame.interlaced_frame or getattr(context, "field_order", 0) > _PROGRESSIVE,
    }


def _aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio
    return aspect if aspect and Fraction(1, 10) <= aspect <= 10 else Fraction(1)


def _duration(container: InputContainer, stream: VideoStream) -> Fraction | None:
    if stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    written = stream.metadata.get("DURATION", "")
    try:
        hours, minutes, seconds = written.split(":")
        return Fraction(hours) * 3600 + Fraction(minutes) * 60 + Fraction(seconds)
    except ValueError:
        pass
    alone = len(container.streams) == 1
    return Fraction(container.duration, av.time_base) if alone and container.duration else None


def _start_timecode(container: InputContainer, stream: VideoStream, rate: Fraction) -> Timecode | None:
    for metadata in (stream.metadata, *(other.metadata for other in container.streams), container.metadata):
        text = metadata.get("timecode")
        if not text:
            continue
        try:
            return Timecode.parse(text if can_drop(rate) else text.replace(";", ":"), rate)
        except SettingError:
            continue
    return None


def _require_content(path: Path) -> None:
    try:
        state = path.stat()
    except OSError as error:
        raise _source_error(error, path) from error
    if not stat.S_ISREG(state.st_mode):
        raise SourceUnreadable(f"{path} is not a regular file")
    if state.st_size == 0:
        raise SourceEmpty(f"{path} has no content")
    try:
        path.open("rb").close()
    except OSError as error:
        raise _source_error(error, path) from error


def _source_error(error: OSError, path: Path) -> SourceError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SourceMissing(f"{path} does not exist")
    return SourceUnreadable(f"{path} cannot be read: {error.strerror or error}")


def _undecodable(path: Path) -> SourceError:
    """A file that starts as footage does but lacks its index was cut off; anything else is no footage."""
    with path.open("rb") as file:
        head = file.read(8)
    if head[4:8] in _BOX_FILES or head.startswith(_KNOWN_HEADS):
        return SourceTruncated(f"{path} is cut off: its index is missing")
    return NotAVideo(f"{path} is not a video that can be read")
