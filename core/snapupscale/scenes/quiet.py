"""Whether anything can have happened between frames, told from their thumbnails alone, erring on the safe side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STILL = 3.0
"""Mean difference in levels, of luma and of chroma, of frames that need no further look."""
_MOVED = 0.25
"""Largest difference of frames of one shot, over their contrast, with each quarter moved to where it fits best. Of 319
cuts of film, sport, animation and talk six had less between two frames 8 apart, and four of these hardly show at all;
of frames 8 apart in one shot two in three have less."""
_CHROMA = 10.0
"""Largest difference of the mean chroma of any quarter, in levels."""
_LIGHT = (6.0, 1.25)
"""Largest difference and ratio of the mean luma: while light fades in or out, a frame is not the mean of those about
it."""
_BLACK = 4.0
"""Added to both for the ratio, in levels."""
_FLAT = 8.0
"""Added to the contrast, so that noise in a flat picture is no difference."""
_ALONG = (0.15, 3.0)
"""Largest mean difference of a frame from the mean of two about it: over that of the two, and in levels, of luma and
chroma together. On either side of a cut the first is 0.5."""
_ROWS, _COLUMNS = 18, 32
_ACROSS, _DOWN = 4, 2
"""How far a quarter may move."""


def quiet(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    """Whether two thumbnails, 36 x 64 x 3, are surely of one shot in one light: they hardly differ, or the one is the
    other with its quarters moved. Much motion can make it false."""
    one, other = _small(first), _small(second)
    if _fades(one, other) or np.abs(_quarters(one) - _quarters(other))[..., 1:].max() > _CHROMA:
        return False
    if (np.abs(one - other).mean(axis=(0, 1)) < _STILL).all():
        return True
    luma = [np.ascontiguousarray(small[..., 0]) for small in (one, other)]
    limit = _MOVED * (_FLAT + min(float(plane.std()) for plane in luma))
    return _moved(luma[0], luma[1]) < limit and _moved(luma[1], luma[0]) < limit


def midway(first: NDArray[np.uint8], middle: NDArray[np.uint8], last: NDArray[np.uint8]) -> bool:
    """Whether `middle` is the mean of the two others, which differ: a picture fades evenly from the one to the other,
    so that each frame between them can be told from them."""
    one, half, other = _small(first), _small(middle), _small(last)
    off = float(np.abs(2 * half - one - other).mean(axis=(0, 1)).sum()) / 2
    return off < min(_ALONG[0] * float(np.abs(one - other).mean(axis=(0, 1)).sum()), _ALONG[1])


def _small(thumbnail: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(thumbnail, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _fades(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    darker, lighter = sorted(float(small[..., 0].mean()) for small in (one, other))
    return lighter - darker > _LIGHT[0] or lighter + _BLACK > _LIGHT[1] * (darker + _BLACK)


def _quarters(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means: 2 x 2 x 3."""
    return np.asarray(small.reshape(2, _ROWS // 2, 2, _COLUMNS // 2, 3).mean(axis=(1, 3)))


def _moved(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Root mean square difference of the quarters of `one` and the best place for each in `other`, in levels."""
    height, width = _ROWS // 2, _COLUMNS // 2
    total = 0.0
    for top in (0, height):
        for left in (0, width):
            part = one[top : top + height, left : left + width]
            around = other[
                max(0, top - _DOWN) : top + height + _DOWN, max(0, left - _ACROSS) : left + width + _ACROSS
            ]
            least = float(cv2.matchTemplate(around, part, cv2.TM_SQDIFF).min())
            total += (max(0.0, least) / part.size) ** 0.5
    return total / 4
