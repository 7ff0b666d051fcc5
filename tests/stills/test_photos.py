from __future__ import annotations

import io
import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

from profiles import DISPLAY_P3, SRGB_CURVE, rgb_profile
from snapupscale.colour import ColourTags
from snapupscale.errors import ImageUnreadable
from snapupscale.stills import photos

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RANDOM = np.random.default_rng(23)


def picture(*shape: int) -> NDArray[np.uint8]:
    """A smooth picture, which lossy formats keep within a few steps."""
    noise = RANDOM.integers(0, 256, shape).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 4), dtype=np.uint8)


def encoded(suffix: str, image: NDArray[np.uint8], *options: int) -> bytes:
    swapped = image if image.ndim == 2 else image[..., [2, 1, 0, 3][: image.shape[2]]]
    return bytes(cv2.imencode(suffix, swapped, options)[1].tobytes())


def exif(turned: int) -> bytes:
    return b"Exif\0\0II*\0" + struct.pack("<IHHHIHH", 8, 1, 274, 3, 1, turned, 0) + bytes(4)


def jpeg_with_exif(image: NDArray[np.uint8], turned: int) -> bytes:
    data, block = encoded(".jpg", image, cv2.IMWRITE_JPEG_QUALITY, 100), exif(turned)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


@pytest.mark.parametrize(
    ("suffix", "options", "error"),
    [
        (".jpg", (cv2.IMWRITE_JPEG_QUALITY, 100), 6),
        (".webp", (cv2.IMWRITE_WEBP_QUALITY, 101), 0),
        (".bmp", (), 0),
    ],
)
def test_rgb_in_its_order(suffix: str, options: tuple[int, ...], error: int) -> None:
    image = picture(24, 36, 3)
    image[..., 0] //= 2

    read, _ = photos.decode(encoded(suffix, image, *options))

    assert read.dtype == np.uint8
    assert np.abs(read.astype(int) - image).max() <= error


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_grey_stays_grey(suffix: str) -> None:
    image = picture(24, 36)

    read, _ = photos.decode(encoded(suffix, image))

    assert read.shape == (24, 36)
    assert np.abs(read.astype(int) - image).max() <= 12


@pytest.mark.parametrize("suffix", [".webp", ".bmp"])
def test_alpha_is_kept(suffix: str) -> None:
    image = np.dstack([picture(24, 36, 3), np.full((24, 36), 200, np.uint8)])

    options = (cv2.IMWRITE_WEBP_QUALITY, 101) if suffix == ".webp" else ()

    read, _ = photos.decode(encoded(suffix, image, *options))

    assert np.array_equal(read, image)


@pytest.mark.parametrize("turned", range(1, 9))
def test_jpeg_orientation_is_that_of_another_reader(turned: int) -> None:
    data = jpeg_with_exif(picture(24, 36, 3), turned)

    read, _ = photos.decode(data)

    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert other is not None
    assert np.array_equal(read, other[..., ::-1])


def test_webp_orientation_is_applied() -> None:
    image = picture(24, 36, 3)
    plain = encoded(".webp", image, cv2.IMWRITE_WEBP_QUALITY, 101)
    canvas = b"VP8X" + struct.pack("<IB3x", 10, 8) + (35).to_bytes(3, "little") + (23).to_bytes(3, "little")
    block = exif(6).removeprefix(b"Exif\0\0")
    body = b"WEBP" + canvas + plain[12:] + b"EXIF" + struct.pack("<I", len(block)) + block
    data = b"RIFF" + struct.pack("<I", len(body)) + body

    assert photos.webp_size(data) == (36, 24)
    assert np.array_equal(photos.decode(data)[0], np.rot90(image, -1))


def test_an_icc_profile_in_parts_gives_the_tags() -> None:
    data, profile = encoded(".jpg", picture(24, 36, 3)), rgb_profile(DISPLAY_P3, SRGB_CURVE)
    parts = [b"ICC_PROFILE\0" + bytes([n, 2]) + part for n, part in ((2, profile[200:]), (1, profile[:200]))]
    segments = b"".join(b"\xff\xe2" + struct.pack(">H", len(part) + 2) + part for part in parts)

    assert photos.decode(data)[1] == ColourTags().as_rgb()
    assert photos.decode(data[:2] + segments + data[2:])[1] == ColourTags(primaries=12, transfer=13).as_rgb()


@pytest.mark.parametrize(
    ("suffix", "size", "options"),
    [
        (".jpg", photos.jpeg_size, ()),
        (".jpg", photos.jpeg_size, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        (".webp", photos.webp_size, (cv2.IMWRITE_WEBP_QUALITY, 80)),
        (".webp", photos.webp_size, (cv2.IMWRITE_WEBP_QUALITY, 101)),
        (".bmp", photos.bmp_size, ()),
    ],
)
@pytest.mark.parametrize("left", [0.02, 0.5, 0.97])
def test_sizes_are_read_and_missing_ends_noticed(
    suffix: str, size: Callable[[bytes], tuple[int, int]], options: tuple[int, ...], left: float
) -> None:
    data = encoded(suffix, picture(60, 100, 3), *options)

    assert size(data) == (100, 60)
    with pytest.raises(ImageUnreadable):
        size(data[: int(len(data) * left)])


def test_a_thumbnail_does_not_stand_in_for_the_end() -> None:
    thumbnail = encoded(".jpg", picture(16, 16, 3))
    data = encoded(".jpg", picture(60, 100, 3))
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 8) + b"Exif\0\0" + thumbnail + data[2:]

    assert photos.jpeg_size(data) == (100, 60)
    with pytest.raises(ImageUnreadable):
        photos.jpeg_size(data[:-200])


def test_cmyk_is_refused() -> None:
    data = bytearray(encoded(".jpg", picture(24, 36, 3)))
    data[data.index(b"\xff\xc0") + 9] = 4

    with pytest.raises(ImageUnreadable, match="CMYK"):
        photos.jpeg_size(bytes(data))


def test_the_first_picture_of_an_animated_webp_is_read() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="webp") as container:
        stream: Any = container.add_stream("libwebp_anim", rate=Fraction(5))
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        for level in (40, 200):
            grey = np.full((24, 32, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))

    read, _ = photos.decode(file.getvalue())

    assert b"ANIM" in file.getvalue()
    assert photos.webp_size(file.getvalue()) == (32, 24)
    assert abs(int(read.mean()) - 40) <= 2


def test_damaged_pictures_are_refused() -> None:
    data = encoded(".webp", picture(24, 36, 3))

    with pytest.raises(ImageUnreadable):
        photos.decode(data[:40] + bytes(len(data) - 40))
