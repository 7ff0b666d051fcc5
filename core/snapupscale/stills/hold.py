"""A still held for a while: a movie of one picture, of exactly as many frames as asked for, that editors decode."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
from av.error import FFmpegError

from snapupscale import files
from snapupscale.errors import DiskFull, OutputUnwritable, SettingError
from snapupscale.stills.images import read_image
from snapupscale.stills.names import safe_stem
from snapupscale.stills.shared_sample import share_first_sample
from snapupscale.timecode import Timecode, format_rate, nominal
from snapupscale.timeline.memory import HELD_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from av.container import OutputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from snapupscale.colour import ColourTags

# ProRes 4444: every edition on every system decodes it, it keeps full chroma and alpha, and each frame stands alone.
# Some programs take no ProRes of a vendor that they don't know.
_CODEC, _OPTIONS = "prores_ks", {"profile": "4444", "vendor": "apl0"}
_TAG = b"ap4h"
MOST_BYTES = 1 << 29
"""Beyond this size a movie holds its picture once, and its tables name it for every frame; smaller ones are plain."""
_PLACEHOLDER = bytes(8)
_MOST_FRAMES = 10_000_000
_LONGEST_SIDE = 16384
# Of the matrices that ProRes can name; the weights of red and blue are those of ITU-T H.273, table 4.
_BT709, _BT601, _BT2020 = 1, 6, 9
_MATRICES = {5: _BT601, 6: _BT601, 9: _BT2020}
_WEIGHTS = {_BT709: (0.2126, 0.0722), _BT601: (0.299, 0.114), _BT2020: (0.2627, 0.0593)}
_LIMITED = 1
_LOWEST, _HIGHEST = 4, 1019
"""Codes of 10 bits that are no synchronisation words."""
_BAND = 256
"""Rows that are converted at a time: of the largest stills a whole copy in float would fill the memory."""
_COARSEST = 1000
"""Ticks a second at least; players round shorter ones."""


@dataclass(frozen=True, kw_only=True)
class Movie:
    """A movie as it was read back after it was written. `rate` is in frames per second, `size` width and height."""

    path: Path
    frames: int
    rate: Fraction
    size: tuple[int, int]


def hold(
    still: Path,
    movie: Path,
    *,
    frames: int,
    rate: Fraction,
    start: Timecode | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Movie:
    """Write to `movie`, a .mov, the picture in `still` for `frames` frames at `rate` frames per second, exactly.

    The picture may be all that `read_image` reads; code values are kept, as non-constant-luminance Y'CbCr of 10 bits in
    the limited range, and primaries and transfer are tagged as the still's. Odd sides are made even by repeating the
    last row or column. `start` is the timecode of the first frame; of another rate it keeps its hours, minutes and
    seconds. What would be more than MOST_BYTES holds the picture once. `progress` gets the frames written and their
    number; it may raise to cancel, and nothing is left then. Raises SettingError, ImageUnreadable, DiskFull or
    OutputUnwritable.
    """
    if movie.suffix != ".mov":
        raise SettingError(f"a still is held in a .mov, not in {movie.name}")
    if not 1 <= frames <= _MOST_FRAMES:
        raise SettingError(f"a still can't be held for {frames} frames")
    progress(0, frames)
    image, tags = read_image(still)
    if max(image.shape[:2]) > _LONGEST_SIDE:
        raise SettingError(f"{still.name} is too large for a movie: no side may have more than {_LONGEST_SIDE} pixels")
    picture = _picture(image, tags)
    with files.replacing(movie) as temporary:
        try:
            _write(temporary, picture, frames, rate, start, progress)
            written = read_movie(temporary)
        except FFmpegError as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise OutputUnwritable(f"cannot write {movie}: {error.strerror}") from error
        if written is None or (written.frames, written.rate) != (frames, rate):
            raise OutputUnwritable(f"{movie} did not come out with {frames} frames at {format_rate(rate)}")
    return Movie(path=movie, frames=frames, rate=rate, size=written.size)


def movie_name(stem: str, frames: int, rate: Fraction) -> str:
    """The file name of the movie of the still with the name `stem`, without its suffix: `STEM_48f_23.976` and so on."""
    return f"{safe_stem(stem)}_{frames}f_{round(float(rate), 3):g}{HELD_SUFFIX}"


def read_movie(path: Path) -> Movie | None:
    """What the movie of a still at `path` holds by its tables, or None for a file that is no such movie or not there.

    Nothing is decoded."""
    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            stream = container.streams.video[0]
            duration, rate = stream.duration, stream.average_rate
            if not stream.frames or duration is None or rate is None or stream.time_base is None:
                return None
            if duration * stream.time_base * rate != stream.frames:
                return None
            size = (stream.codec_context.width, stream.codec_context.height)
            return Movie(path=path, frames=stream.frames, rate=Fraction(rate), size=size)
    except (FFmpegError, OSError, IndexError):
        return None


def on_rate(start: Timecode, rate: Fraction) -> Timecode:
    """`start` at `rate`: itself where that is its own, else the label of the same hour, minute and second, and of the
    frame on screen at that part of the second. Only a timecode that keeps its rate stays drop-frame."""
    if start.rate == rate:
        return start
    label = str(start)
    hours, minutes, seconds, frames = (int(label[at : at + 2 if at < 9 else None]) for at in (0, 3, 6, 9))
    base = nominal(rate)
    within = frames * base // nominal(start.rate)
    return Timecode(frame=((hours * 60 + minutes) * 60 + seconds) * base + within, rate=rate)


def _write(
    path: Path,
    picture: av.VideoFrame,
    frames: int,
    rate: Fraction,
    start: Timecode | None,
    progress: Callable[[int, int], None],
) -> None:
    with av.open(str(path), "w", format="mov", options=_container_options(rate)) as container:
        stream = _stream(container, picture, rate)
        if start is not None:
            stream.metadata["timecode"] = str(on_rate(start, rate))
        packets = [*stream.encode(picture), *stream.encode(None)]
        data = b"".join(bytes(packet) for packet in packets)
        shared = len(data) * frames > MOST_BYTES
        _require_space(path, len(data) if shared else len(data) * frames)
        for number in range(frames):
            packet = av.Packet(_PLACEHOLDER if shared and number else data)
            packet.stream, packet.time_base = stream, 1 / rate
            packet.pts = packet.dts = number
            packet.duration, packet.is_keyframe = 1, True
            container.mux(packet)
            progress(number + 1, frames)
    if shared:
        share_first_sample(path, _TAG, len(data), frames)


def _stream(container: OutputContainer, picture: av.VideoFrame, rate: Fraction) -> VideoStream:
    alpha = picture.format.name.startswith("yuva")
    options = {**_OPTIONS, "alpha_bits": "16" if alpha else "0"}
    stream = cast("VideoStream", container.add_stream(_CODEC, rate=rate, options=options))
    stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, picture.format.name
    stream.time_base = stream.codec_context.time_base = 1 / rate
    stream.codec_context.sample_aspect_ratio = Fraction(1)
    stream.codec_context.color_primaries, stream.codec_context.color_trc = picture.color_primaries, picture.color_trc
    stream.codec_context.colorspace, stream.codec_context.color_range = picture.colorspace, picture.color_range
    picture.pts, picture.time_base = 0, 1 / rate
    return stream


def _container_options(rate: Fraction) -> dict[str, str]:
    """Ticks in which a frame and the whole movie are whole numbers, and no edit list, which some programs round."""
    scale = str(rate.numerator * -(-_COARSEST // rate.numerator))
    return {"video_track_timescale": scale, "movie_timescale": scale, "use_editlist": "0"}


def _require_space(path: Path, size: int) -> None:
    """Refuse at once what would fail after minutes of writing."""
    if shutil.disk_usage(path.parent).free < size:
        raise DiskFull(
            f"the movie of a still takes {size / 1e9:.1f} GB, and there is less on the disk of {path.parent}",
            hint="Free some space, or choose a smaller scale.",
        )


def _picture(image: NDArray[Any], tags: ColourTags) -> av.VideoFrame:
    """`image` as a tagged frame of 10 bits."""
    height, width = (length + length % 2 for length in image.shape[:2])
    alpha = image.ndim == 3 and image.shape[2] == 4
    frame = av.VideoFrame(width, height, "yuva444p10le" if alpha else "yuv444p10le")
    matrix = _MATRICES.get(tags.primaries, _BT709)
    planes = [np.zeros((plane.height, plane.line_size // 2), dtype="<u2") for plane in frame.planes]
    for top in range(0, height, _BAND):
        # The last row and column again, where there is an odd one.
        rows = np.arange(top, min(top + _BAND, height)).clip(max=image.shape[0] - 1)
        band = image[rows][:, np.arange(width).clip(max=image.shape[1] - 1)]
        for plane, codes in zip(planes, _codes(band, matrix), strict=True):
            plane[top : top + len(rows), :width] = codes
    for target, plane in zip(frame.planes, planes, strict=True):
        target.update(plane.tobytes())
    frame.color_primaries, frame.color_trc = tags.primaries, tags.transfer
    frame.colorspace, frame.color_range = matrix, _LIMITED
    return frame


def _codes(band: NDArray[Any], matrix: int) -> Iterator[NDArray[np.uint16]]:
    """Y', Cb, Cr, and alpha where there is any, of rows of a picture: ITU-T H.273, equations 38 to 40, at 10 bits."""
    peak = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}.get(band.dtype, 1.0)
    levels = np.nan_to_num(band.astype(np.float32) / np.float32(peak)).clip(0, 1)
    if levels.ndim == 2:
        levels = np.stack([levels] * 3, axis=-1)
    red_weight, blue_weight = _WEIGHTS[matrix]
    weights = np.array([red_weight, 1 - red_weight - blue_weight, blue_weight], dtype=np.float32)
    luma = levels[..., :3] @ weights
    yield _rounded(luma * np.float32(876) + np.float32(64))
    yield _rounded((levels[..., 2] - luma) * np.float32(448 / (1 - blue_weight)) + np.float32(512))
    yield _rounded((levels[..., 0] - luma) * np.float32(448 / (1 - red_weight)) + np.float32(512))
    if levels.shape[2] == 4:
        yield np.rint(levels[..., 3] * np.float32(1023)).astype(np.uint16)


def _rounded(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.rint(values).clip(_LOWEST, _HIGHEST).astype(np.uint16)
