from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile

from profiles import DISPLAY_P3, SRGB_CURVE, rgb_profile
from snapupscale.colour import ColourTags
from snapupscale.errors import ImageUnreadable
from snapupscale.stills import tiff

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANDOM = np.random.default_rng(21)


def picture(*shape: int, kind: str = "u2") -> NDArray[Any]:
    return RANDOM.integers(0, np.iinfo(kind).max + 1, shape).astype(kind)


def tiff_file(image: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, image, metadata=None, **options)
    return file.getvalue()


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3), (7, 9, 4)])
def test_sixteen_bits_are_written_as_another_decoder_reads_them(shape: tuple[int, ...]) -> None:
    image = picture(*shape)

    data = tiff.encode(image, ColourTags(primaries=9, transfer=16))

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        assert np.array_equal(page.asarray(), image)
        assert page.bitspersample == 16
        assert page.tags["WhitePoint"].value == (3127, 10000, 329, 1000)
        assert page.tags["PrimaryChromaticities"].value[:4] == (177, 250, 73, 250)
        assert page.extrasamples == ((tifffile.EXTRASAMPLE.UNASSALPHA,) if shape[2:] == (4,) else ())


@pytest.mark.parametrize(("primaries", "transfer"), [(1, 1), (9, 16), (12, 13), (6, 6), (2, 2), (2, 13), (10, 17)])
def test_tags_come_back(primaries: int, transfer: int) -> None:
    tags = ColourTags(primaries=primaries, transfer=transfer).as_rgb()

    assert tiff.decode(tiff.encode(picture(3, 4, 3), tags))[1] == tags


def test_primaries_alone_are_understood_from_other_programs() -> None:
    chromaticities = (68, 100, 32, 100, 265, 1000, 69, 100, 15, 100, 6, 100)
    extra = [(318, 5, 2, (3127, 10000, 329, 1000), True), (319, 5, 6, chromaticities, True)]

    _, tags = tiff.decode(tiff_file(picture(3, 4, 3), photometric="rgb", extratags=extra))

    assert tags == ColourTags(primaries=12).as_rgb()


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "adobe_deflate"},
        {"compression": "adobe_deflate", "predictor": 2},
        {"byteorder": ">"},
        {"rowsperstrip": 2},
    ],
)
def test_colour_in_strips(kind: str, options: dict[str, Any]) -> None:
    image = picture(7, 9, 3, kind=kind)

    read, tags = tiff.decode(tiff_file(image, photometric="rgb", **options))

    assert read.dtype == image.dtype
    assert np.array_equal(read, image)
    assert tags == ColourTags().as_rgb()


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_separate_planes(kind: str) -> None:
    planes = picture(3, 7, 9, kind=kind)

    read, _ = tiff.decode(tiff_file(planes, photometric="rgb", planarconfig="separate"))

    assert np.array_equal(read, planes.transpose(1, 2, 0))


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_straight_alpha_is_kept_as_it_is(kind: str) -> None:
    image = picture(7, 9, 4, kind=kind)

    assert np.array_equal(tiff.decode(tiff_file(image, photometric="rgb", extrasamples=["unassalpha"]))[0], image)


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_grey_and_inverted_grey(kind: str) -> None:
    image = picture(7, 9, kind=kind)

    assert np.array_equal(tiff.decode(tiff_file(image, photometric="minisblack"))[0], image)
    assert np.array_equal(tiff.decode(tiff_file(image, photometric="miniswhite"))[0], np.invert(image))


def test_palettes_become_colours() -> None:
    palette = picture(3, 256)
    values = picture(7, 9, kind="u1")

    read, _ = tiff.decode(tiff_file(values, photometric="palette", colormap=palette))

    assert np.array_equal(read, (palette.T[values] >> 8).astype(np.uint8))


def test_float_samples_are_kept() -> None:
    image = RANDOM.random((7, 9, 3)).astype(np.float32)

    read, _ = tiff.decode(tiff_file(image, photometric="rgb"))

    assert read.dtype == np.float32
    assert np.array_equal(read, image)


@pytest.mark.parametrize(("turned", "quarters"), [(3, 2), (6, -1), (8, 1)])
def test_orientation_is_applied(turned: int, quarters: int) -> None:
    image = picture(7, 9, 3)

    read, _ = tiff.decode(tiff_file(image, photometric="rgb", extratags=[(274, 3, 1, turned, True)]))

    assert np.array_equal(read, np.rot90(image, quarters))


def test_the_first_page_is_read() -> None:
    file = io.BytesIO()
    pages = picture(2, 7, 9, 3)
    with tifffile.TiffWriter(file) as writer:
        for page in pages:
            writer.write(page, photometric="rgb", metadata=None)

    assert np.array_equal(tiff.decode(file.getvalue())[0], pages[0])


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (picture(32, 32, 3), {"photometric": "rgb", "tile": (16, 16)}),
        (RANDOM.random((7, 9, 3)).astype(np.float16), {"photometric": "rgb"}),
        (picture(7, 9, kind="u4"), {"photometric": "minisblack"}),
        (picture(7, 9).astype(np.int16), {"photometric": "minisblack"}),
        (picture(7, 9, 3), {"photometric": "rgb", "bigtiff": True}),
        (picture(7, 9, 4), {"photometric": "separated"}),
        (picture(7, 9, 4), {"photometric": "rgb", "extrasamples": ["assocalpha"]}),
        (RANDOM.random((7, 9)).astype(np.float32), {"photometric": "minisblack"}),
    ],
    ids=["tiles", "half", "32-bit", "signed", "bigtiff", "cmyk", "premultiplied", "grey float"],
)
def test_what_would_be_read_wrong_is_refused(image: NDArray[Any], options: dict[str, Any]) -> None:
    data = tiff_file(image, **options)

    with pytest.raises(ImageUnreadable):
        tiff.decode(data)


def test_jpeg_inside_is_refused_not_decoded_wrong() -> None:
    data = bytearray(tiff_file(picture(7, 9, 3, kind="u1"), photometric="rgb"))
    at = data.index(b"\x03\x01\x03\x00\x01\x00\x00\x00\x01\x00")
    data[at + 8] = 7

    with pytest.raises(ImageUnreadable, match="JPEG inside"):
        tiff.decode(bytes(data))


def test_an_icc_profile_gives_the_tags() -> None:
    profile = rgb_profile(DISPLAY_P3, SRGB_CURVE)
    extra = [(34675, 7, len(profile), profile, True)]

    _, tags = tiff.decode(tiff_file(picture(3, 4, 3), photometric="rgb", extratags=extra))

    assert tags == ColourTags(primaries=12, transfer=13).as_rgb()


@pytest.mark.parametrize("left", [0.001, 0.5, 0.99])
def test_a_truncated_file_is_refused(left: float) -> None:
    data = tiff.encode(picture(40, 50, 3), ColourTags())

    with pytest.raises(ImageUnreadable):
        tiff.decode(data[: int(len(data) * left)])
