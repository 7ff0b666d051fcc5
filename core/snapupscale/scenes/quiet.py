"""Whether anything can have happened between frames, told from their thumbnails alone, erring on the safe side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_LEAP = 2.0
"""How many times as far as the steps beside it a step goes in which a cut may be."""
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
    if _light(one, other) > 1 or _chroma(one, other) > 1:
        return False
    return bool((np.abs(one - other).mean(axis=(0, 1)) < _STILL).all()) or _motion(one, other) < 1


def leaps(thumbnails: Sequence[NDArray[np.uint8]], asked: Sequence[int]) -> list[int]:
    """Of the steps `asked`, each from the thumbnail of that number to the next: those in which a cut may be. They are
    not quiet, and in light, colour or motion go further than the steps before and after; in much motion all go far."""
    differences: dict[int, NDArray[np.float64]] = {}

    def difference(step: int) -> NDArray[np.float64]:
        if step not in differences:
            one, other = _small(thumbnails[step]), _small(thumbnails[step + 1])
            differences[step] = np.array([_light(one, other), _chroma(one, other), _motion(one, other)])
        return differences[step]

    found = []
    for step in asked:
        if quiet(thumbnails[step], thumbnails[step + 1]):
            continue
        beside = [difference(near) for near in (step - 1, step + 1) if 0 <= near < len(thumbnails) - 1]
        usual = np.max(beside, axis=0) if beside else np.zeros(3)
        if ((difference(step) > 1) & (difference(step) > _LEAP * usual)).any():
            found.append(step)
    return found


def midway(first: NDArray[np.uint8], middle: NDArray[np.uint8], last: NDArray[np.uint8]) -> bool:
    """Whether `middle` is the mean of the two others, which differ: a picture fades evenly from the one to the other,
    so that each frame between them can be told from them."""
    one, half, other = _small(first), _small(middle), _small(last)
    off = float(np.abs(2 * half - one - other).mean(axis=(0, 1)).sum()) / 2
    return off < min(_ALONG[0] * float(np.abs(one - other).mean(axis=(0, 1)).sum()), _ALONG[1])


def _small(thumbnail: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(thumbnail, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _light(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How much the mean luma differs, over what is allowed."""
    darker, lighter = sorted(float(small[..., 0].mean()) for small in (one, other))
    return max((lighter - darker) / _LIGHT[0], ((lighter + _BLACK) / (darker + _BLACK) - 1) / (_LIGHT[1] - 1))


def _chroma(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How much the mean chroma of any quarter differs, over what is allowed."""
    return float(np.abs(_quarters(one) - _quarters(other))[..., 1:].max()) / _CHROMA


def _motion(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How much differs though each quarter is moved to where it fits best, over what is allowed."""
    luma = [np.ascontiguousarray(small[..., 0]) for small in (one, other)]
    limit = _MOVED * (_FLAT + min(float(plane.std()) for plane in luma))
    return max(_moved(luma[0], luma[1]), _moved(luma[1], luma[0])) / limit


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
