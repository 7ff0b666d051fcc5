from __future__ import annotations

import pytest

from snapupscale.colour import ColourTags
from snapupscale.stills.primaries import CHROMATICITIES, interop_id, primaries_of, tags_of_interop_id


@pytest.mark.parametrize(
    ("primaries", "transfer", "name"),
    [
        (1, 1, "g24_rec709_display"),
        (1, 6, "g24_rec709_display"),
        (1, 13, "srgb_rec709_display"),
        (9, 16, "pq_rec2020_display"),
        (9, 18, "hlg_rec2020_display"),
        (12, 13, "srgb_p3d65_display"),
        (12, 16, "pq_p3d65_display"),
        (6, 6, None),
        (9, 14, None),
        (2, 2, None),
        (1, 2, None),
    ],
)
def test_interop_ids_are_given_only_where_one_is_defined(primaries: int, transfer: int, name: str | None) -> None:
    assert interop_id(ColourTags(primaries=primaries, transfer=transfer)) == name


def test_interop_ids_lead_back_to_the_tags() -> None:
    assert tags_of_interop_id("pq_rec2020_display") == ColourTags(primaries=9, transfer=16).as_rgb()
    assert tags_of_interop_id("lin_rec709_scene") == ColourTags(primaries=1, transfer=8).as_rgb()
    assert tags_of_interop_id("lin_ap1_scene") is None


@pytest.mark.parametrize("code", sorted(CHROMATICITIES))
def test_chromaticities_are_recognised_after_rounding(code: int) -> None:
    rounded = [round(value, 3) for value in CHROMATICITIES[code]]

    assert primaries_of(rounded) == (6 if code == 7 else code)


def test_other_chromaticities_are_unspecified() -> None:
    assert primaries_of((0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)) == 2
