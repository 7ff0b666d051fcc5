from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import OpenEXR
import pytest

from snapupscale.colour import ColourTags
from snapupscale.errors import ImageUnreadable, ImplausibleResult
from snapupscale.stills import exr

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANDOM = np.random.default_rng(22)


def picture(*shape: int) -> NDArray[np.float32]:
    return RANDOM.random(shape, dtype=np.float32)


def exr_file(channels: dict[str, NDArray[Any]], **header: Any) -> bytes:
    file = io.BytesIO()
    with OpenEXR.File(header, channels) as exr_:
        exr_.write(file)
    return file.getvalue()


def header_of(data: bytes) -> dict[str, Any]:
    with OpenEXR.File(io.BytesIO(data), header_only=True) as file:
        return {name: value for name, value in file.header().items() if name != "channels"}


def test_tags_are_standard_attributes_and_numbers() -> None:
    header = header_of(exr.encode(picture(3, 4, 3), ColourTags(primaries=9, transfer=16)))

    assert header["colorInteropID"] == "pq_rec2020_display"
    assert header["chromaticities"] == pytest.approx((0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329))
    assert header["snapupscale:ColourPrimaries"] == "9"
    assert header["snapupscale:TransferCharacteristics"] == "16"
    assert header["compression"] == OpenEXR.ZIP_COMPRESSION
    assert OpenEXR.checkColorMetadata(header) == 0


def test_nothing_is_claimed_about_unspecified_colour() -> None:
    header = header_of(exr.encode(picture(3, 4, 3), ColourTags()))

    assert not {"colorInteropID", "chromaticities"} & header.keys()


@pytest.mark.parametrize(("primaries", "transfer"), [(1, 1), (9, 16), (12, 13), (6, 6), (2, 2), (2, 13)])
def test_tags_come_back(primaries: int, transfer: int) -> None:
    tags = ColourTags(primaries=primaries, transfer=transfer).as_rgb()

    assert exr.decode(exr.encode(picture(3, 4, 3), tags))[1] == tags


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3), (7, 9, 4), (1, 1, 3)])
def test_samples_come_back_rounded_to_half(shape: tuple[int, ...]) -> None:
    image = picture(*shape)

    read, _ = exr.decode(exr.encode(image, ColourTags()))

    assert read.dtype == np.float32
    assert np.array_equal(read, image.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("maximum", [255, 1023])
def test_code_values_of_8_and_10_bits_survive(maximum: int) -> None:
    values = np.arange(maximum + 1).reshape(1, -1)

    read, _ = exr.decode(exr.encode((values / maximum).astype(np.float32), ColourTags()))

    assert np.array_equal(np.rint(read * maximum), values)


def test_colour_says_linear_bt709_where_nothing_else_is_said() -> None:
    plain = exr_file({"RGB": picture(3, 4, 3)})
    wide = exr_file({"RGB": picture(3, 4, 3)}, chromaticities=(0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329))
    named = exr_file({"RGB": picture(3, 4, 3)}, colorInteropID="srgb_p3d65_display")

    assert exr.decode(plain)[1] == ColourTags(primaries=1, transfer=8).as_rgb()
    assert exr.decode(wide)[1] == ColourTags(primaries=9, transfer=8).as_rgb()
    assert exr.decode(named)[1] == ColourTags(primaries=12, transfer=13).as_rgb()


def test_full_floats_and_values_above_one_are_read() -> None:
    image = picture(3, 4, 3) * 100

    assert np.array_equal(exr.decode(exr_file({"RGB": image}))[0], image)


def test_grey_with_alpha_becomes_rgba() -> None:
    grey, alpha = picture(3, 4), picture(3, 4)

    read, _ = exr.decode(exr_file({"Y": grey, "A": alpha}))

    assert np.array_equal(read, np.dstack([grey, grey, grey, alpha]))


def test_the_first_part_is_read() -> None:
    parts = [picture(3, 4, 3), picture(3, 4, 3)]
    file = io.BytesIO()
    with OpenEXR.File([OpenEXR.Part({}, {"RGB": part}, f"part{number}") for number, part in enumerate(parts)]) as exr_:
        exr_.write(file)

    assert exr.size(file.getvalue()) == (4, 3)
    assert np.array_equal(exr.decode(file.getvalue())[0], parts[0])


@pytest.mark.parametrize(
    "channels",
    [{"Z": picture(3, 4)}, {"id": np.zeros((3, 4), np.uint32)}, {"diffuse.R": picture(3, 4)}],
    ids=["depth", "integers", "layer"],
)
def test_pictures_without_plain_colour_are_refused(channels: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(ImageUnreadable, match="no plain colour channels"):
        exr.decode(exr_file(channels))


@pytest.mark.parametrize("left", [0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused_without_a_word_on_stdout(left: float, capfd: pytest.CaptureFixture[str]) -> None:
    data = exr.encode(picture(40, 50, 3), ColourTags())

    with pytest.raises(ImageUnreadable):
        exr.decode(data[: int(len(data) * left)])
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_samples_that_a_half_cannot_hold_are_refused(value: float) -> None:
    image = picture(3, 4, 3)
    image[1, 2, 0] = value

    with pytest.raises(ImplausibleResult):
        exr.encode(image, ColourTags())
