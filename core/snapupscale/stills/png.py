"""PNG with 16 bits per sample and the colour tags in a cICP chunk."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from snapupscale.errors import ImageUnreadable, SettingError
from snapupscale.stills import rasters
from snapupscale.stills.directory import first_directory, orientation, upright
from snapupscale.stills.icc import tags_of_profile
from snapupscale.stills.scanlines import deflated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from snapupscale.colour import ColourTags

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_PROFILE = 4 << 20
_FORMATS = {1: "gray16be", 3: "rgb48be", 4: "rgba64be"}
_MOST, _MARGIN, _ALIGNMENT = 1 << 31, 128, 64
"""FFmpeg's bound for a picture of any kind: 8 bytes a pixel with a margin, of rows that are aligned."""


def encode(
    image: NDArray[np.uint16] | NDArray[np.uint8], tags: ColourTags, tick: Callable[[float], None] = lambda share: None
) -> Iterator[bytes]:
    """The parts of a PNG file with 16 bits per sample (W3C PNG, third edition); uint8 counts as 257 times itself.

    The tags are a cICP chunk (an sRGB chunk for the transfer of sRGB with its primaries) with cHRM and gAMA for older
    readers; where both are unspecified there is none of them. `tick` is called with 0 to 1 and may raise to cancel.
    Raises SettingError for a size that `require_size` refuses.
    """
    height, width = image.shape[:2]
    require_size(width, height)
    # FFmpeg's encoder knows the chunks of the colour; with the pixels of a large picture it takes its time.
    pixel = rasters.encode("png", _FORMATS[image[0, 0].size], image[:1, :1].astype(np.uint16), tags)
    yield SIGNATURE
    for name, body in _chunks(pixel):
        if name == b"IHDR":
            yield from _chunk(name, struct.pack(">II", width, height) + body[8:])
        elif name == b"IDAT":
            for piece in deflated(image, tick):
                yield from _chunk(name, piece)
        else:
            yield from _chunk(name, body)


def require_size(width: int, height: int) -> None:
    """Raise SettingError for a picture that FFmpeg, and with it `decode` and many programs, would not read back."""
    aligned = -(-width // _ALIGNMENT) * _ALIGNMENT
    if 8 * (aligned + _MARGIN) * (height + _MARGIN) >= _MOST:
        raise SettingError(
            f"a PNG cannot hold {width} x {height} pixels here",
            hint="Choose --format exr or tiff, or a smaller --scale.",
        )


def size(data: bytes) -> tuple[int, int]:
    """Width and height as the header gives them."""
    if len(data) < 24:
        raise ImageUnreadable("cut off in its header")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def decode(data: bytes) -> tuple[NDArray[Any], ColourTags]:
    """The picture (that of the first frame where it is animated) and its tags. Raises ImageUnreadable.

    cICP goes before iCCP, and that before sRGB, cHRM and gAMA, as the specification orders them.
    """
    image, tags = rasters.decode("png", data, {"err_detect": "crccheck+bitstream+buffer+explode"})
    chunks = dict(_chunks(data))
    if b"iCCP" in chunks and b"cICP" not in chunks:
        tags = tags_of_profile(_profile(chunks[b"iCCP"]))
    return upright(image, orientation(first_directory(chunks.get(b"eXIf", b"")))), tags


def _profile(body: bytes) -> bytes:
    """The profile in an iCCP chunk: a name, a zero, the method, and the deflated bytes."""
    with suppress(zlib.error):
        return zlib.decompressobj().decompress(body.partition(b"\0")[2][1:], _MAX_PROFILE)
    return b""


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(name: bytes, body: bytes) -> tuple[bytes, ...]:
    """The parts of a chunk: its length, its name, its body, and the CRC of both."""
    return struct.pack(">I", len(body)), name, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))
