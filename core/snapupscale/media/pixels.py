"""Decoded video frames as RGB arrays: bit depth, subsampling, range, matrix and alpha honoured, in float arithmetic."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from av.error import FFmpegError

from snapupscale.colour import UNSPECIFIED, ColourTags
from snapupscale.errors import NotAVideo

if TYPE_CHECKING:
    from av.video.format import VideoFormat
    from numpy.typing import NDArray

# Luma weights of red and blue for each matrix code point of ITU-T H.273, table 4.
LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
_SUBSAMPLINGS = {(1, 1): "444", (2, 1): "422", (2, 2): "420", (1, 2): "440", (4, 1): "411", (4, 4): "410"}
_MPEG_RANGE, _FULL_RANGE = 1, 2
_CENTRED_CHROMA = ("mjpeg", "mpeg1video")


def frame_tags(frame: av.VideoFrame) -> ColourTags:
    """The colour tags of `frame`, with what is unspecified filled in as players do: BT.601 up to 576 lines and 1024
    columns, else BT.709; limited range for YUV, full range for RGB and grey."""
    name = frame.format.name
    rgb = is_rgb(frame.format)
    matrix = int(frame.colorspace)
    if rgb:
        matrix = 0
    elif matrix not in LUMA_WEIGHTS:
        matrix = 6 if frame.height <= 576 and frame.width <= 1024 else 1
    full = name.startswith(("yuvj", "gray", "ya", "mono")) or rgb
    if int(frame.color_range) in (_MPEG_RANGE, _FULL_RANGE):
        full = int(frame.color_range) == _FULL_RANGE
    return ColourTags(
        primaries=_code(frame.color_primaries), transfer=_code(frame.color_trc), matrix=matrix, full_range=full
    )


def to_rgb(frame: av.VideoFrame, *, codec: str = "") -> NDArray[np.uint16]:
    """`frame` as full-range R'G'B' in its own primaries and transfer: uint16 H x W x 3, or x 4 with alpha (straight).

    Chroma is interpolated (bicubic) at the siting of the codec: left for MPEG-2 and later, centred for JPEG and MPEG-1.
    Float pictures are clipped to 0..1. Raises NotAVideo for a pixel format that can't be read.
    """
    tags = frame_tags(frame)
    planar = planar_of(frame)
    peak = _peak(planar.format)
    planes = [plane_of(planar, index) for index in range(len(planar.planes))]
    if is_rgb(planar.format):
        green, blue, red = planes[:3]
        channels = [_luma(plane, peak, tags) for plane in (red, green, blue)]
        alpha = planes[3] if len(planes) > 3 else None
    elif len(planes) < 3:
        luma = _luma(planes[0], peak, tags)
        channels = [luma, luma, luma]
        alpha = planes[1] if len(planes) > 1 else None
    else:
        size = (planar.width, planar.height)
        centred = codec in _CENTRED_CHROMA
        blue, red = (_upsampled(plane.astype(np.float32), size, centred=centred) for plane in planes[1:3])
        channels = _matrixed(_luma(planes[0], peak, tags), _chroma(blue, peak, tags), _chroma(red, peak, tags), tags)
        alpha = planes[3] if len(planes) > 3 else None
    if alpha is not None:
        channels.append(alpha.astype(np.float32) / np.float32(peak))
    return _quantised(np.stack(channels, axis=-1))


def luma(frame: av.VideoFrame) -> NDArray[np.float32]:
    """The luma of `frame` in full resolution, full range 0..1: float32, H x W (for RGB the mean of the channels)."""
    tags = frame_tags(frame)
    planar = planar_of(frame)
    peak = _peak(planar.format)
    if is_rgb(planar.format):
        total = sum(plane_of(planar, index).astype(np.float32) for index in range(3))
        return _luma(np.asarray(total / np.float32(3), dtype=np.float32), peak, tags)
    return _luma(plane_of(planar, 0), peak, tags)


def upright(image: NDArray[Any], frame: av.VideoFrame) -> NDArray[Any]:
    """`image` turned and mirrored as the display matrix of `frame` says (multiples of 90 degrees, else unchanged)."""
    matrix = _display_matrix(frame)
    if matrix is None:
        return image
    a, b, c, d = (int(np.sign(value)) for value in matrix)
    if abs(a) + abs(c) != 1 or abs(b) + abs(d) != 1:
        return image
    if a == 0:
        image = np.swapaxes(image, 0, 1)
        a, d = c, b
    if a < 0:
        image = image[:, ::-1]
    if d < 0:
        image = image[::-1]
    return np.ascontiguousarray(image)


def _display_matrix(frame: av.VideoFrame) -> tuple[float, float, float, float] | None:
    """a, b, c, d of the 3 x 3 matrix of ISO/IEC 14496-12 (x' = a x + c y, y' = b x + d y)."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return None
    values = np.frombuffer(data, dtype=np.int32) / 65536  # type: ignore[call-overload]
    a, b, c, d = (float(values[index]) for index in (0, 1, 3, 4))
    size = max(abs(a), abs(b), abs(c), abs(d))
    if size == 0:
        return None
    return tuple(value if abs(value) > size / 100 else 0.0 for value in (a, b, c, d))  # type: ignore[return-value]


def _code(value: object) -> int:
    """A code point of H.273; decoders without one give None or 0."""
    number = int(value) if isinstance(value, int) else UNSPECIFIED
    return number if number > 0 else UNSPECIFIED


def is_rgb(pixel_format: VideoFormat) -> bool:
    return pixel_format.is_rgb or pixel_format.has_palette or pixel_format.name.startswith("xyz")


def planar_of(frame: av.VideoFrame) -> av.VideoFrame:
    """`frame` with one component a plane, losslessly; itself when it already is."""
    target = _planar_name(frame.format.name, frame.width, frame.height)
    if target == frame.format.name:
        return frame
    try:
        # With several threads swscale 9.5 writes wrong rows where its slices of p010 meet.
        return frame.reformat(format=target, threads=1)
    except (FFmpegError, ValueError) as error:
        raise NotAVideo(f"the pixel format {frame.format.name} cannot be read") from error


@lru_cache
def _planar_name(name: str, width: int, height: int) -> str:
    pixel_format = av.VideoFormat(name, width, height)
    components = pixel_format.components
    bits = max(component.bits for component in components)
    alpha = any(component.is_alpha for component in components) or pixel_format.has_palette
    depth = "" if bits <= 8 else f"{bits}le"
    separate = len({component.plane for component in components}) == len(components)
    if separate and not pixel_format.is_big_endian and not pixel_format.is_bit_stream and not pixel_format.has_palette:
        return str(pixel_format.name)
    if is_rgb(pixel_format):
        kind = "gbrap" if alpha else "gbrp"
        return f"{kind}{'f32le' if bits == 32 else depth and '16le'}"
    if len(components) == 2:
        return f"yuva444p{depth and '16le'}"
    if len(components) == 1:
        return f"gray{depth}"
    ratio = (pixel_format.width // components[1].width, pixel_format.height // components[1].height)
    return f"yuv{'a' if alpha else ''}{_SUBSAMPLINGS.get(ratio, '444')}p{depth}"


def plane_of(frame: av.VideoFrame, index: int) -> NDArray[Any]:
    """One plane as H x W in its own sample type, without the padding at the ends of the rows."""
    plane = frame.planes[index]
    bits = frame.format.components[0].bits
    kind = np.dtype(np.float32) if bits == 32 else np.dtype("<u2") if bits > 8 else np.dtype(np.uint8)
    return rows_of(plane).view(kind)[:, : plane.width]


def rows_of(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """The bytes of a plane, one row a line of the picture, with the padding at their ends."""
    data: NDArray[np.uint8] = np.frombuffer(plane, dtype=np.uint8)  # type: ignore[call-overload]
    return data.reshape(plane.height, plane.line_size)


def _peak(pixel_format: VideoFormat) -> float:
    bits = max(component.bits for component in pixel_format.components)
    return 1.0 if bits == 32 else float(2**bits - 1)


def _luma(plane: NDArray[Any], peak: float, tags: ColourTags) -> NDArray[np.float32]:
    values = plane.astype(np.float32)
    if tags.full_range:
        return values / np.float32(peak)
    unit = (peak + 1) / 256
    return (values - np.float32(16 * unit)) / np.float32(219 * unit)


def _chroma(values: NDArray[np.float32], peak: float, tags: ColourTags) -> NDArray[np.float32]:
    centred = values - np.float32((peak + 1) / 2)
    return centred / np.float32(peak if tags.full_range else 224 * (peak + 1) / 256)


def _matrixed(
    y: NDArray[np.float32], cb: NDArray[np.float32], cr: NDArray[np.float32], tags: ColourTags
) -> list[NDArray[np.float32]]:
    """R', G', B' of non-constant-luminance Y'CbCr, ITU-T H.273 equations 38 to 40 solved for R'G'B'."""
    red_weight, blue_weight = LUMA_WEIGHTS[tags.matrix]
    red = y + np.float32(2 * (1 - red_weight)) * cr
    blue = y + np.float32(2 * (1 - blue_weight)) * cb
    green_weight = np.float32(1 - red_weight - blue_weight)
    green = (y - np.float32(red_weight) * red - np.float32(blue_weight) * blue) / green_weight
    return [red, green, blue]


def _upsampled(plane: NDArray[np.float32], size: tuple[int, int], *, centred: bool) -> NDArray[np.float32]:
    width, height = size
    if plane.shape == (height, width):
        return plane
    across = round(width / plane.shape[1])
    down = round(height / plane.shape[0])
    left = 0.5 / across - 0.5 if centred else 0.0
    top = 0.5 / down - 0.5
    matrix = np.array([[1 / across, 0, left], [0, 1 / down, top]], dtype=np.float64)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _quantised(rgb: NDArray[np.float32]) -> NDArray[np.uint16]:
    rgb = np.nan_to_num(rgb, copy=False, nan=0.0, posinf=1.0, neginf=0.0)
    levels: NDArray[np.uint16] = np.rint(np.clip(rgb, 0, 1) * np.float32(65535)).astype(np.uint16)
    return levels
