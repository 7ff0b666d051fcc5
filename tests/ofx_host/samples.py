"""Pixels to render."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ofx_host.images import COMPONENTS, DEPTHS

if TYPE_CHECKING:
    from ofx_host.images import Pixels


def noise(depth: str, components: str, height: int = 13, width: int = 21, *, seed: int = 5) -> Pixels:
    """Every bit pattern that may come, infinities and NaNs too."""
    dtype = DEPTHS[depth]
    shape = (height, width, COMPONENTS[components])
    size = height * width * COMPONENTS[components] * dtype.itemsize
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8).view(dtype).reshape(shape)


def picture(depth: str, components: str, height: int = 13, width: int = 21, *, seed: int = 5) -> Pixels:
    """Numbers that mean something: floats are from -1 to 3."""
    if DEPTHS[depth].kind == "u":
        return noise(depth, components, height, width, seed=seed)
    shape = (height, width, COMPONENTS[components])
    return (np.random.default_rng(seed).random(shape, np.float32) * 4 - 1).astype(DEPTHS[depth])


def same(one: Pixels, other: Pixels) -> bool:
    return one.shape == other.shape and one.tobytes() == other.tobytes()


def complement(pixels: Pixels) -> Pixels:
    """What the stand-in for the sidecar makes of it: colours turned round, alpha kept."""
    result = pixels.copy()
    top = 1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
    result[..., :3] = top - pixels[..., :3]
    return result
