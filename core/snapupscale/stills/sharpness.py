"""How sharp and how well exposed a frame is, measured on its luma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRID = (16, 9)
"""Blocks across and down."""
SHARPER_SHARE = 0.5
"""The share of the blocks, the sharpest ones, that counts."""
_LONGEST = 960
_DARK, _BRIGHT = 0.02, 0.98


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What one frame measures."""

    sharpness: float
    """Mean over the sharper half of the blocks of their root mean square gradient, noise taken off; comparable within
    one shot."""
    exposure: float
    """1 when nothing is clipped, towards 0 as black and white areas grow."""
    noise: float
    """Standard deviation of the noise, in units of full scale."""


def measure(luma: NDArray[np.float32]) -> Quality:
    """Measure H x W luma in 0..1.

    Sharpness is the Tenengrad (squared Sobel gradient, Tenenbaum 1970) of the picture at half size or less, per block;
    averaging to the smaller size and subtracting what the noise adds keep grain from counting as detail. Only the
    sharper half of the blocks counts, so a sharp subject before a soft background does well; their roots are averaged,
    so that a caption, small and of very high contrast, does not outweigh the picture.
    """
    small = _reduced(luma)
    energy = cv2.Sobel(small, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(small, cv2.CV_32F, 0, 1) ** 2
    noise = noise_deviation(small)
    # A 3 x 3 Sobel kernel has the squared norm 12; two directions add up. A step of full scale answers with 4.
    blocks = cv2.resize(energy, GRID, interpolation=cv2.INTER_AREA) - np.float32(24 * noise**2)
    gradients = np.sort(np.sqrt(np.maximum(blocks, 0)), axis=None)
    sharpness = float(gradients[int(gradients.size * (1 - SHARPER_SHARE)) :].mean()) / 4
    clipped = float(((luma < _DARK) | (luma > _BRIGHT)).mean())
    return Quality(sharpness=sharpness, exposure=1.0 - clipped, noise=noise)


def noise_deviation(luma: NDArray[np.float32]) -> float:
    """Standard deviation of additive noise: the response to a mask that is blind to edges and ramps, its lower
    quartile over blocks so that texture doesn't count (after Immerkaer, CVIU 64, 1996)."""
    if min(luma.shape) < 3:
        return 0.0
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
    response = np.abs(cv2.filter2D(luma, cv2.CV_32F, mask))
    blocks = cv2.resize(response, GRID, interpolation=cv2.INTER_AREA)
    return float(np.percentile(blocks, 25) * np.sqrt(np.pi / 2) / 6)


def _reduced(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """At half size, or the longer side at 960 where that is smaller still."""
    height, width = luma.shape
    factor = min(0.5, _LONGEST / max(height, width))
    size = (max(GRID[0], round(width * factor)), max(GRID[1], round(height * factor)))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
