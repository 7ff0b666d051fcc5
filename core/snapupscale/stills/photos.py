"""JPEG, WebP and BMP: read only, 8 bits per sample."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from snapupscale.errors import ImageUnreadable
from snapupscale.stills.directory import first_directory, orientation, upright
from snapupscale.stills.icc import tags_of_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from snapupscale.colour import ColourTags

JPEG, BMP = b"\xff\xd8\xff", b"BM"
_START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _APP1, _APP2 = 0xDA, 0xE1, 0xE2
_EXIF, _PROFILE = b"Exif\0\0", b"ICC_PROFILE\0"
_CUT_OFF = "cut off before its end"


def is_webp(head: bytes) -> bool:
    """Whether a file that starts with these bytes is WebP."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height as the frame header gives them. Raises ImageUnreadable for CMYK and for a missing end."""
    found: tuple[int, int] | None = None
    for marker, body, after in _segments(data):
        if marker in _START_OF_FRAME and len(body) >= 6:
            height, width, components = struct.unpack_from(">HHB", body, 1)
            found = width, height
            if components > 3:
                raise ImageUnreadable("JPEG with four inks (CMYK) is not supported", hint="Save it as an RGB picture.")
        if marker == _START_OF_SCAN and data.rfind(b"\xff\xd9") < after:
            raise ImageUnreadable(_CUT_OFF)
    if found is None:
        raise ImageUnreadable(_CUT_OFF)
    return found


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height as the first chunk gives them (WebP container specification). Raises ImageUnreadable."""
    if len(data) < 30 or len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise ImageUnreadable(_CUT_OFF)
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def bmp_size(data: bytes) -> tuple[int, int]:
    """Width and height as the header gives them. Raises ImageUnreadable where rows are missing."""
    if len(data) < 34:
        raise ImageUnreadable(_CUT_OFF)
    start, header = struct.unpack_from("<II", data, 10)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
    (bits,) = struct.unpack_from("<H", data, 24 if header == 12 else 28)
    packed = header > 12 and struct.unpack_from("<I", data, 30)[0] in {1, 2}
    if not packed and start + abs(height) * ((width * bits + 31) // 32 * 4) > len(data):
        raise ImageUnreadable(_CUT_OFF)
    return width, abs(height)


def decode(data: bytes) -> tuple[NDArray[Any], ColourTags]:
    """The picture (the first where it is animated), upright. Raises ImageUnreadable.

    The tags are those of an ICC profile that H.273 has numbers for; else they are unspecified.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ImageUnreadable(f"damaged ({error.err})") from error
    if image is None or image.dtype != np.uint8:
        raise ImageUnreadable("damaged")
    if image.ndim == 3:
        image = image[..., [2, 1, 0, 3][: image.shape[2]]]
    exif, profile = _metadata(data)
    return upright(image, orientation(first_directory(exif))), tags_of_profile(profile)


def _metadata(data: bytes) -> tuple[bytes, bytes]:
    """The EXIF block and the ICC profile, each empty where there is none."""
    if is_webp(data):
        chunks = dict(_chunks(data))
        return chunks.get(b"EXIF", b"").removeprefix(_EXIF), chunks.get(b"ICCP", b"")
    if not data.startswith(JPEG):
        return b"", b""
    segments = [(marker, body) for marker, body, _ in _segments(data)]
    exif = [body.removeprefix(_EXIF) for marker, body in segments if marker == _APP1 and body.startswith(_EXIF)]
    # A profile longer than a segment comes in parts, each with its number and their count (ICC.1:2022, B.4).
    parts = sorted(body[len(_PROFILE) :] for marker, body in segments if marker == _APP2 and body.startswith(_PROFILE))
    return (exif or [b""])[0], b"".join(part[2:] for part in parts)


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, body and end of each JPEG segment up to the first scan (ITU-T T.81, B.1)."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = struct.unpack_from(">xBH", data, at)
        if marker == 0xFF:
            at += 1
            continue
        yield marker, data[at + 4 : at + 2 + length], at + 2 + length
        if marker == _START_OF_SCAN:
            return
        at += 2 + length


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        yield name, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
