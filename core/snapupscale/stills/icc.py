"""ICC profiles, as far as H.273 has numbers for what they say."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.colour import UNSPECIFIED, ColourTags
from snapupscale.stills.primaries import CHROMATICITIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Curve = Callable[[float], float]

_RGB = b"RGB "
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_NAMED_PRIMARIES = (1, 12, 9, 5, 6, 11)
_COLOURANT_TOLERANCE = 0.003
_CURVE_TOLERANCE = 0.004
_PROBES = (0.02, 0.1, 0.25, 0.5, 0.75)
_CURVES: dict[int, Curve] = {
    13: lambda x: ((x + 0.055) / 1.055) ** 2.4 if x > 0.04045 else x / 12.92,
    1: lambda x: ((x + 0.099) / 1.099) ** (1 / 0.45) if x >= 0.081 else x / 4.5,
    4: lambda x: x**2.2,
    5: lambda x: x**2.8,
    8: lambda x: x,
}
"""From code value to light, by TransferCharacteristics of H.273."""


def tags_of_profile(profile: bytes) -> ColourTags:
    """The tags that stand for an RGB profile made of primaries and curves; unspecified for any other, and for broken
    ones. A cicp tag is taken at its word (ICC.1:2022, 9.2.17); else colourants and curve are compared with those of
    H.273."""
    try:
        return _tags(profile).as_rgb()
    except (struct.error, ValueError, ArithmeticError, LookupError):
        return ColourTags().as_rgb()


def _tags(profile: bytes) -> ColourTags:
    if profile[16:20] != _RGB:
        return ColourTags()
    tags = _elements(profile)
    if b"cicp" in tags:
        primaries, transfer = struct.unpack_from("BB", tags[b"cicp"], 8)
        return ColourTags(primaries=primaries, transfer=transfer)
    needed = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC")
    if not all(name in tags for name in needed):
        return ColourTags()
    found = np.array([struct.unpack_from(">3i", tags[name], 8) for name in needed[:3]]).T / 65536
    for primaries in _NAMED_PRIMARIES:
        if np.abs(_colourants(primaries) - found).max() <= _COLOURANT_TOLERANCE:
            return ColourTags(primaries=primaries, transfer=_transfer(_curve(tags[b"rTRC"])))
    return ColourTags()


def _elements(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * n) for n in range(min(count, 100)))
    return {name: profile[start : start + size] for name, start, size in entries}


def _colourants(primaries: int) -> NDArray[np.float64]:
    """XYZ of red, green and blue as columns, adapted from the white of the primaries to D50 by Bradford."""
    x, y = np.array(CHROMATICITIES[primaries]).reshape(4, 2).T
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    scaled = xyz[:, :3] * np.linalg.solve(xyz[:, :3], xyz[:, 3])
    gain = (_BRADFORD @ _D50) / (_BRADFORD @ xyz[:, 3])
    return np.asarray(np.linalg.solve(_BRADFORD, gain[:, None] * (_BRADFORD @ scaled)))


def _transfer(curve: Curve) -> int:
    for code, known in _CURVES.items():
        if all(abs(curve(x) - known(x)) <= _CURVE_TOLERANCE for x in _PROBES):
            return code
    return UNSPECIFIED


def _curve(element: bytes) -> Curve:
    """A curveType or parametricCurveType (ICC.1:2022, 10.6 and 10.18)."""
    if element[:4] == b"para":
        return _parametric(element)
    (count,) = struct.unpack_from(">I", element, 8)
    if count == 0:
        return lambda x: x
    table = np.array(struct.unpack_from(f">{count}H", element, 12))
    if count == 1:
        exponent = float(table[0]) / 256
        return lambda x: x**exponent
    return lambda x: float(np.interp(x, np.linspace(0, 1, count), table / 65535))


def _parametric(element: bytes) -> Curve:
    (kind,) = struct.unpack_from(">H", element, 8)
    numbers = [number / 65536 for number in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", element, 12)]
    g, a, b, c, d, e, f = numbers + [1.0, 0.0, 0.0, 0.0, 0.0, 0.0][len(numbers) - 1 :]
    if kind in {1, 2}:
        below = c if kind == 2 else 0.0
        return lambda x: (a * x + b) ** g + below if x >= -b / a else below
    return lambda x: (a * x + b) ** g + e if x >= d else c * x + f
