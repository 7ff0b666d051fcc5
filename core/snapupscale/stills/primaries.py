"""What the colour tags of H.273 are in other formats: chromaticities, and names of the Color Interop Forum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snapupscale.colour import UNSPECIFIED, ColourTags

if TYPE_CHECKING:
    from collections.abc import Sequence

_D65 = (0.3127, 0.3290)
_C = (0.310, 0.316)

CHROMATICITIES: dict[int, tuple[float, ...]] = {
    1: (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65),
    4: (0.670, 0.330, 0.210, 0.710, 0.140, 0.080, *_C),
    5: (0.640, 0.330, 0.290, 0.600, 0.150, 0.060, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    10: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
"""CIE 1931 x and y of red, green, blue and white for the ColourPrimaries of ITU-T H.273, table 2."""

_DISPLAY_IDS: dict[tuple[int, int], str] = {
    (1, 1): "g24_rec709_display",
    (1, 4): "g22_rec709_display",
    (1, 8): "lin_rec709_display",
    (1, 13): "srgb_rec709_display",
    (9, 8): "lin_rec2020_display",
    (9, 16): "pq_rec2020_display",
    (9, 18): "hlg_rec2020_display",
    (10, 16): "pq_xyzd65_display",
    (10, 17): "g26_xyzd65_display",
    (12, 8): "lin_p3d65_display",
    (12, 13): "srgb_p3d65_display",
    (12, 16): "pq_p3d65_display",
}
"""Names by (primaries, transfer): ASWF Color Interop Forum, Color Space Encodings for Displays 1.0.0."""

_SCENE_IDS: dict[str, tuple[int, int]] = {
    "g22_rec709_scene": (1, 4),
    "lin_rec709_scene": (1, 8),
    "srgb_rec709_scene": (1, 13),
    "lin_rec2020_scene": (9, 8),
    "lin_p3d65_scene": (12, 8),
    "srgb_p3d65_scene": (12, 13),
}
_TAGS_OF_ID = {name: codes for codes, name in _DISPLAY_IDS.items()} | _SCENE_IDS

# The reference curves of BT.601 and BT.2020 are that of BT.709 (H.273, table 3: "functionally the same").
_SAME_TRANSFER = {6: 1, 14: 1, 15: 1}
_TOLERANCE = 0.001


def interop_id(tags: ColourTags) -> str | None:
    """The Color Interop ID of `tags`, None where the forum names no such colour space."""
    return _DISPLAY_IDS.get((tags.primaries, _SAME_TRANSFER.get(tags.transfer, tags.transfer)))


def tags_of_interop_id(name: str) -> ColourTags | None:
    """The tags that a Color Interop ID stands for, None where H.273 has no numbers for it."""
    if name not in _TAGS_OF_ID:
        return None
    primaries, transfer = _TAGS_OF_ID[name]
    return ColourTags(primaries=primaries, transfer=transfer).as_rgb()


def primaries_of(chromaticities: Sequence[float]) -> int:
    """The ColourPrimaries whose eight chromaticities are these, within 0.001; 2 (unspecified) where none fits."""
    for code, known in CHROMATICITIES.items():
        if all(abs(a - b) <= _TOLERANCE for a, b in zip(chromaticities, known, strict=True)):
            return code
    return UNSPECIFIED
