"""Single pictures through FFmpeg's codecs, sample for sample: no container is guessed, nothing is converted."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
from av.error import FFmpegError

from snapupscale.colour import ColourTags
from snapupscale.errors import ImageUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# The one plane of each format: samples of a pixel, and the type of one sample.
_PACKED = {
    "gray": (1, "u1"),
    "ya8": (2, "u1"),
    "rgb24": (3, "u1"),
    "rgba": (4, "u1"),
    **{f"{name}{end}": (n, f"{mark}u2") for name, n in (("gray16", 1), ("ya16", 2), ("rgb48", 3), ("rgba64", 4))
       for end, mark in (("le", "<"), ("be", ">"))},
    **{f"{name}{end}": (n, f"{mark}f4") for name, n in (("grayf32", 1), ("rgbf32", 3), ("rgbaf32", 4))
       for end, mark in (("le", "<"), ("be", ">"))},
}  # fmt: skip
# One plane for each sample, in the order green, blue, red, alpha.
_PLANAR = {
    "gbrp": (3, "u1"),
    "gbrap": (4, "u1"),
    "gbrp16le": (3, "<u2"),
    "gbrp16be": (3, ">u2"),
    "gbrap16le": (4, "<u2"),
    "gbrap16be": (4, ">u2"),
}
_GREEN_BLUE_RED_ALPHA = (2, 0, 1, 3)


def encode(codec: str, pixel_format: str, image: NDArray[np.uint16], tags: ColourTags) -> bytes:
    """`image` as one packet of the codec, tagged as full-range RGB."""
    height, width = image.shape[:2]
    context = cast("av.VideoCodecContext", av.CodecContext.create(codec, "w"))
    context.width, context.height, context.pix_fmt = width, height, pixel_format
    context.time_base, context.sample_aspect_ratio = Fraction(1, 25), Fraction(1)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=pixel_format)
    for holder in (context, frame):
        holder.color_primaries, holder.color_trc = tags.primaries, tags.transfer
        holder.colorspace, holder.color_range = 0, 2
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def decode(codec: str, data: bytes, options: Mapping[str, str]) -> tuple[NDArray[Any], ColourTags]:
    """The first picture in `data`, HxW, HxWx3 or HxWx4 (alpha last), with the colour tags that it carries.

    Palettes become RGB, or RGBA where an entry is not opaque; grey with alpha becomes RGBA. Raises ImageUnreadable.
    """
    context = cast("av.VideoCodecContext", av.CodecContext.create(codec, "r"))
    context.options = dict(options)
    try:
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    except FFmpegError as error:
        raise ImageUnreadable(f"damaged or cut off ({error.strerror})") from error
    if not frames:
        raise ImageUnreadable("it holds no picture")
    frame = frames[0]
    return _samples(frame), ColourTags(primaries=frame.color_primaries, transfer=frame.color_trc).as_rgb()


def _samples(frame: av.VideoFrame) -> NDArray[Any]:
    name = frame.format.name
    if name in {"monob", "monow"}:
        return frame.to_ndarray(format="gray")
    if name == "pal8":
        coloured = frame.to_ndarray(format="rgba")
        return coloured if (coloured[..., 3] < 255).any() else np.ascontiguousarray(coloured[..., :3])
    if name in _PLANAR:
        count, kind = _PLANAR[name]
        planes = [_plane(frame, number, 1, kind) for number in _GREEN_BLUE_RED_ALPHA[:count]]
        return np.concatenate(planes, axis=2)
    if name not in _PACKED:
        raise ImageUnreadable(f"its pixel format {name} is not supported")
    count, kind = _PACKED[name]
    image = _plane(frame, 0, count, kind)
    if count == 1:
        return image[..., 0]
    return np.concatenate([image[..., :1]] * 3 + [image[..., 1:]], axis=2) if count == 2 else image


def _plane(frame: av.VideoFrame, number: int, count: int, kind: str) -> NDArray[Any]:
    """A copy of one plane as height x width x `count`, in the byte order of this machine."""
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane), dtype=kind).reshape(plane.height, -1)[:, : frame.width * count]
    return rows.reshape(plane.height, frame.width, count).astype(rows.dtype.newbyteorder("="))
