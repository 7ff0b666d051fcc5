from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import ADOBE_RGB, DISPLAY_P3, SRGB, SRGB_CURVE, parametric, rgb_profile, table
from snapupscale.colour import ColourTags
from snapupscale.stills.icc import tags_of_profile

UNSPECIFIED = ColourTags().as_rgb()


@pytest.mark.parametrize(
    ("colourants", "curve", "primaries", "transfer"),
    [
        (SRGB, SRGB_CURVE, 1, 13),
        (DISPLAY_P3, SRGB_CURVE, 12, 13),
        (SRGB, parametric(0, 2.2), 1, 4),
        (SRGB, parametric(3, 1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081), 1, 1),
        (SRGB, parametric(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0, 0), 1, 13),
        (SRGB, parametric(0, 1.5), 1, 2),
        (SRGB, table(), 1, 8),
        (SRGB, table(563), 1, 4),
        (SRGB, table(*(round(65535 * (n / 1023) ** 2.2) for n in range(1024))), 1, 4),
        (ADOBE_RGB, table(563), 2, 2),
    ],
)
def test_colourants_and_curves_are_recognised(
    colourants: tuple[tuple[float, ...], ...], curve: bytes, primaries: int, transfer: int
) -> None:
    expected = ColourTags(primaries=primaries, transfer=transfer).as_rgb()

    assert tags_of_profile(rgb_profile(colourants, curve)) == expected


def test_a_cicp_tag_goes_before_the_curves() -> None:
    profile = rgb_profile(cicp=b"cicp" + bytes(4) + bytes([9, 16, 0, 1]))

    assert tags_of_profile(profile) == ColourTags(primaries=9, transfer=16).as_rgb()


def test_other_kinds_of_profile_are_unspecified() -> None:
    assert tags_of_profile(rgb_profile(space=b"CMYK")) == UNSPECIFIED
    assert tags_of_profile(rgb_profile(curve=parametric(9, 1.0))) == UNSPECIFIED
    assert tags_of_profile(b"") == UNSPECIFIED


@given(at=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8), length=st.integers(0, 500))
def test_broken_profiles_never_raise(at: list[tuple[int, int]], length: int) -> None:
    data = bytearray(rgb_profile())
    for place, value in at:
        data[place % len(data)] = value

    assert tags_of_profile(bytes(data[:length])).full_range
