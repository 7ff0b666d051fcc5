"""ICC profiles made for tests."""

from __future__ import annotations

import struct

# XYZ of red, green and blue under D50, as the profiles of their makers have them.
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def fixed(*values: float) -> bytes:
    """Numbers as s15Fixed16."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def parametric(kind: int, *numbers: float) -> bytes:
    """A parametricCurveType."""
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + fixed(*numbers)


def table(*values: int) -> bytes:
    """A curveType: nothing for the identity, one number for an exponent in 256ths, else samples."""
    return b"curv" + bytes(4) + struct.pack(f">I{len(values)}H", len(values), *values)


SRGB_CURVE = parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def rgb_profile(
    colourants: tuple[tuple[float, ...], ...] = SRGB,
    curve: bytes = SRGB_CURVE,
    *,
    space: bytes = b"RGB ",
    **more: bytes,
) -> bytes:
    """A profile of three colourants, one curve, and what else is given by its four letters."""
    elements = {
        name: b"XYZ " + bytes(4) + fixed(*xyz) for name, xyz in zip(("rXYZ", "gXYZ", "bXYZ"), colourants, strict=True)
    }
    elements |= dict.fromkeys(("rTRC", "gTRC", "bTRC"), curve) | more
    entries, body = b"", b""
    start = 132 + 12 * len(elements)
    for name, element in elements.items():
        entries += struct.pack(">4sII", name.encode(), start + len(body), len(element))
        body += element
    header = (bytes(12) + b"mntr" + space + b"XYZ ").ljust(128, b"\0")
    return header + struct.pack(">I", len(elements)) + entries + body
