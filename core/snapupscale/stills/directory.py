"""The first directory of a TIFF structure: what heads a TIFF file, and the EXIF block of the other formats."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNATURES = {b"II*\0": "<", b"MM\0*": ">"}
ORIENTATION = 274
UPRIGHT = 1
_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 1, 2, 3, 4, 5, 7
_CODES = {_BYTE: "B", _ASCII: "s", _SHORT: "H", _LONG: "I", _RATIONAL: "I", _UNDEFINED: "s"}


def first_directory(data: bytes) -> dict[int, tuple[Any, ...]]:
    """The values of each tag in the first directory of `data` (TIFF 6.0, section 2); empty where it is none.

    Rationals come as numerator and denominator in turn, text and undefined bytes as one `bytes`. Entries of other
    types, without values, and with values outside `data`, are left out.
    """
    order = SIGNATURES.get(data[:4], "")
    if not order or len(data) < 8:
        return {}
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    if start + 2 > len(data):
        return {}
    (entries,) = struct.unpack_from(f"{order}H", data, start)
    found: dict[int, tuple[Any, ...]] = {}
    for at in range(start + 2, min(start + 2 + 12 * entries, len(data) - 11), 12):
        tag, kind, count = struct.unpack_from(f"{order}HHI", data, at)
        if kind not in _CODES or not count:
            continue
        terms = 2 * count if kind == _RATIONAL else count
        layout = f"{order}{terms}{_CODES[kind]}"
        size = struct.calcsize(layout) if terms <= len(data) else len(data) + 1
        place = at + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, at + 8)[0]
        if place + size <= len(data):
            found.setdefault(tag, struct.unpack_from(layout, data, place))
    return found


def orientation(directory: dict[int, tuple[Any, ...]]) -> int:
    """The Orientation of 1 to 8 that a directory gives, 1 (upright) where it gives none."""
    value = directory.get(ORIENTATION, (UPRIGHT,))
    return int(value[0]) if len(value) == 1 and value[0] in range(1, 9) else UPRIGHT


def upright(image: NDArray[Any], turned: int) -> NDArray[Any]:
    """`image` (height, width, ...) turned as its Orientation `turned` asks, so that row 0 is its top."""
    if turned >= 5:
        image = image.swapaxes(0, 1)
    if turned in {3, 4, 7, 8}:
        image = image[::-1]
    if turned in {2, 3, 6, 7}:
        image = image[:, ::-1]
    return np.ascontiguousarray(image)
