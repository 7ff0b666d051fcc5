"""A picture as arrays: what is accepted, what its samples mean, and how its matte is kept in bounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]

LEVELS = {"uint8": 255, "uint16": 65535, "float32": 1}
"""The value of full white, by sample type. The type alone decides: a dark 16-bit picture stays a 16-bit picture."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a grey result (ITU-R BT.601), as in the official program. They sum to 1."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """`colour`: HxW (grey) or HxWx3 (RGB). `alpha`: HxW, or None. Both of one sample type, in native byte order."""

    colour: Pixels
    alpha: Pixels | None = None

    @classmethod
    def of(cls, image: Pixels) -> Picture:
        """`image`: HxW, HxWx3 (RGB) or HxWx4 (RGBA, not premultiplied); uint8, uint16, or float32 in [0, 1].

        Raises SettingError for anything else.
        """
        if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (3, 4)):
            raise SettingError(f"a picture of shape {image.shape}", hint="Give HxW, HxWx3 or HxWx4.")
        if 0 in image.shape:
            raise SettingError(f"an empty picture of shape {image.shape}", hint="Give at least one pixel.")
        if image.dtype.name not in LEVELS:
            raise SettingError(f"a picture of {image.dtype}", hint=f"Give one of {', '.join(LEVELS)}.")
        image = np.asarray(image, image.dtype.newbyteorder("="))
        if image.dtype == np.float32 and not (image.min() >= 0 and image.max() <= 1):
            raise SettingError("float samples outside 0 to 1, or not numbers", hint="Scale or clip them first.")
        if image.ndim == 3 and image.shape[2] == 4:
            return cls(colour=image[:, :, :3], alpha=image[:, :, 3])
        return cls(colour=image)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.colour.dtype


def whole_cells(pixels: Pixels, cell: int) -> Pixels:
    """`pixels` reflected at the right and bottom up to whole cells, as the official program does."""
    height, width = pixels.shape[:2]
    extra = [(0, -height % cell), (0, -width % cell)] + [(0, 0)] * (pixels.ndim - 2)
    return np.pad(pixels, extra, mode="reflect") if cell > 1 else pixels


def bounded(large: Pixels, small: Pixels) -> Pixels:
    """`large`, an enlarged HxW matte, kept between the least and the greatest value of `small` within one pixel: what
    was wholly transparent or opaque stays exactly so."""
    height, width = small.shape
    padded = np.pad(small, 1, mode="edge")
    around = [padded[down : down + height, right : right + width] for down in range(3) for right in range(3)]
    rows = np.arange(large.shape[0]) * height // large.shape[0]
    columns = np.arange(large.shape[1]) * width // large.shape[1]
    least, greatest = (reduce(choose, around)[rows[:, None], columns] for choose in (np.minimum, np.maximum))
    return np.asarray(np.clip(large, least, greatest), dtype=large.dtype)
