from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from profiles import DISPLAY_P3, SRGB_CURVE, rgb_profile
from snapupscale.colour import ColourTags
from snapupscale.errors import ImageUnreadable
from snapupscale.stills import png

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANDOM = np.random.default_rng(20)
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_file(samples: NDArray[Any], depth: int, kind: int, *chunks: bytes) -> bytes:
    """A PNG file by the specification, without a filter: an encoder that shares nothing with the one under test."""
    height, width = samples.shape[:2]
    rows = samples.reshape(height, -1)
    bits = (rows[..., None] >> np.arange(depth)[::-1] & 1).reshape(height, -1).astype(np.uint8)
    lines = b"".join(b"\0" + np.packbits(line).tobytes() for line in bits)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return png.SIGNATURE + header + b"".join(chunks) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def chunks_of(data: bytes) -> dict[bytes, bytes]:
    found, at = {}, 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(name + body)
        found[name] = body
        at += 12 + length
    return found


def encoded(image: NDArray[Any], tags: ColourTags) -> bytes:
    return b"".join(png.encode(image, tags))


def picture(*shape: int, depth: int = 16) -> NDArray[Any]:
    return RANDOM.integers(0, 2**depth, shape, dtype=np.uint16)


@pytest.mark.parametrize(
    ("primaries", "transfer", "cicp"),
    [
        (1, 1, "01010001"),
        (9, 16, "09100001"),
        (9, 18, "09120001"),
        (12, 13, "0c0d0001"),
        (12, 16, "0c100001"),
        (6, 6, "06060001"),
        (5, 6, "05060001"),
    ],
)
def test_the_tags_of_video_are_in_a_cicp_chunk(primaries: int, transfer: int, cicp: str) -> None:
    tags = ColourTags(primaries=primaries, transfer=transfer, matrix=1).as_rgb()

    chunks = chunks_of(encoded(picture(3, 4, 3), tags))

    assert chunks[b"cICP"].hex() == cicp
    assert b"cHRM" in chunks
    assert png.decode(encoded(picture(3, 4, 3), tags))[1] == tags


def test_unspecified_tags_leave_no_colour_chunk() -> None:
    chunks = chunks_of(encoded(picture(3, 4, 3), ColourTags()))

    assert not {b"cICP", b"cHRM", b"gAMA", b"sRGB", b"iCCP"} & chunks.keys()


def test_srgb_has_its_own_chunk() -> None:
    tags = ColourTags(primaries=1, transfer=13).as_rgb()
    data = encoded(picture(3, 4, 3), tags)

    assert b"sRGB" in chunks_of(data)
    assert png.decode(data)[1] == tags


@pytest.mark.parametrize(("shape", "kind"), [((7, 9), GREY), ((7, 9, 3), RGB), ((7, 9, 4), RGBA)])
def test_sixteen_bits_are_written_as_another_decoder_reads_them(shape: tuple[int, ...], kind: int) -> None:
    image = picture(*shape)

    data = encoded(image, ColourTags(primaries=1, transfer=1))
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)

    assert chunks_of(data)[b"IHDR"] == struct.pack(">IIBBBBB", 9, 7, 16, kind, 0, 0, 0)
    assert other is not None
    assert other.dtype == np.uint16
    assert np.array_equal(other if other.ndim == 2 else other[..., [2, 1, 0, 3][: shape[2]]], image)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_grey_of_every_depth(depth: int) -> None:
    values = picture(5, 11, depth=depth)

    image, _ = png.decode(png_file(values, depth, GREY))

    assert image.dtype == (np.uint16 if depth == 16 else np.uint8)
    assert np.array_equal(image, values * (1 if depth >= 8 else 255 // (2**depth - 1)))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(("kind", "channels"), [(RGB, 3), (RGBA, 4)])
def test_colour_of_both_depths(depth: int, kind: int, channels: int) -> None:
    values = picture(5, 11, channels, depth=depth)

    image, tags = png.decode(png_file(values, depth, kind))

    assert image.dtype == (np.uint16 if depth == 16 else np.uint8)
    assert np.array_equal(image, values)
    assert tags == ColourTags().as_rgb()


@pytest.mark.parametrize("depth", [8, 16])
def test_grey_with_alpha_becomes_rgba(depth: int) -> None:
    values = picture(5, 11, 2, depth=depth)

    image, _ = png.decode(png_file(values, depth, GREY_ALPHA))

    assert np.array_equal(image, values[..., [0, 0, 0, 1]])


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("opaque", [True, False])
def test_palettes_become_colours(depth: int, opaque: bool) -> None:
    palette = picture(2**depth, 3, depth=8).astype(np.uint8)
    values = picture(5, 11, depth=depth)
    values[0, 0] = 0
    extra = [chunk(b"PLTE", palette.tobytes())] + ([] if opaque else [chunk(b"tRNS", b"\x07")])

    image, _ = png.decode(png_file(values, depth, PALETTE, *extra))

    alpha = np.where(values == 0, 7, 255)[..., None]
    expected = palette[values] if opaque else np.concatenate([palette[values], alpha], axis=2)
    assert np.array_equal(image, expected)


def test_a_transparent_colour_becomes_alpha() -> None:
    values = picture(5, 11, 3, depth=1)

    image, _ = png.decode(png_file(values, 8, RGB, chunk(b"tRNS", struct.pack(">HHH", 1, 1, 1))))

    assert np.array_equal(image[..., 3], np.where((values == 1).all(axis=2), 0, 255))


def test_the_first_picture_of_an_animation_is_read() -> None:
    values = picture(5, 11, 3, depth=8)
    control = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 11, 5, 0, 0, 1, 10, 0, 0))
    later = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, 11, 5, 0, 0, 1, 10, 0, 0))
    data = png_file(values, 8, RGB, chunk(b"acTL", struct.pack(">II", 2, 0)), control)
    pixels = zlib.compress(b"".join(b"\0" + bytes(33) for _ in range(5)))
    data = data[:-12] + later + chunk(b"fdAT", struct.pack(">I", 2) + pixels) + data[-12:]

    assert np.array_equal(png.decode(data)[0], values)


def test_exif_orientation_is_applied() -> None:
    values = picture(5, 11, 3, depth=8)
    exif = b"MM\0*" + struct.pack(">IHHHIHH", 8, 1, 274, 3, 1, 6, 0) + bytes(4)

    image, _ = png.decode(png_file(values, 8, RGB, chunk(b"eXIf", exif)))

    assert np.array_equal(image, np.rot90(values, -1))


@pytest.mark.parametrize(("more", "tags"), [((), (12, 13)), ((chunk(b"cICP", b"\x09\x10\0\1"),), (9, 16))])
def test_an_icc_profile_gives_the_tags_where_no_cicp_does(more: tuple[bytes, ...], tags: tuple[int, int]) -> None:
    profile = chunk(b"iCCP", b"P3\0\0" + zlib.compress(rgb_profile(DISPLAY_P3, SRGB_CURVE)))

    read = png.decode(png_file(picture(5, 11, 3, depth=8), 8, RGB, *more, profile))[1]

    assert read == ColourTags(primaries=tags[0], transfer=tags[1]).as_rgb()


@pytest.mark.parametrize("left", [0.05, 0.5, 0.99])
def test_a_truncated_file_is_refused(left: float) -> None:
    data = encoded(picture(40, 50, 3), ColourTags())

    with pytest.raises(ImageUnreadable):
        png.decode(data[: int(len(data) * left)])


def test_a_flipped_bit_is_noticed() -> None:
    data = bytearray(encoded(picture(40, 50, 3), ColourTags()))
    data[len(data) // 2] ^= 0x10

    with pytest.raises(ImageUnreadable):
        png.decode(bytes(data))
