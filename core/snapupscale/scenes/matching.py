"""How much of one picture is found again in another, after motion and whatever the exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BLOCK = (6, 8)
"""Rows and columns of the blocks that are looked for, in pictures of 18 x 32."""
REACH = (3, 4)
"""Rows and columns by which a block may have moved."""
_FLAT = 9.0
"""Variance, levels squared, of blocks that show nothing to look for."""
_SURE = 0.8
_AT_ONCE = 64


def found_again(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """For pictures N x 18 x 32 in levels: N x 2. First the mean, over the blocks of `one`, of the best correlation
    within REACH in `other` (blocks count by their contrast), 0 to 1; second the share of blocks with one above 0.8."""
    count, rows, columns = one.shape
    if not count:
        return np.zeros((0, 2), np.float32)
    here = one - np.repeat(np.repeat(_block_means(one), BLOCK[0], axis=1), BLOCK[1], axis=2)
    powers = _block_means(np.square(here))
    padding = ((0, 0), (REACH[0], REACH[0]), (REACH[1], REACH[1]))
    padded = np.pad(other, padding, mode="edge")
    spread = _window_means(np.square(padded)) - np.square(_window_means(padded))
    best = np.zeros_like(powers)
    for down in range(2 * REACH[0] + 1):
        for right in range(2 * REACH[1] + 1):
            product = _block_means(here * padded[:, down : down + rows, right : right + columns])
            power = spread[:, down : down + rows : BLOCK[0], right : right + columns : BLOCK[1]]
            correlation = (product + _FLAT) / np.sqrt((powers + _FLAT) * (np.maximum(power, 0) + _FLAT))
            np.maximum(best, correlation, out=best)
    weights = np.sqrt(powers) + 1
    mean = (best * weights).sum(axis=(1, 2)) / weights.sum(axis=(1, 2))
    return np.stack((mean, (best > _SURE).mean(axis=(1, 2))), axis=1).astype(np.float32)


def found_between(
    pictures: NDArray[np.float32], pairs: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]
) -> NDArray[np.float32]:
    """`found_again` for pairs of arrays of M places in `pictures`: pairs x M x 2."""
    ones, others = (np.concatenate(places) for places in zip(*pairs, strict=True))
    # Many in one go are quicker than few, up to where their copies take more memory than that is worth.
    parts = [slice(first, first + _AT_ONCE) for first in range(0, max(1, len(ones)), _AT_ONCE)]
    found = [found_again(pictures[ones[part]], pictures[others[part]]) for part in parts]
    return np.concatenate(found).reshape(len(pairs), -1, 2)


def _block_means(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over the blocks of N x H x W: all N at once, one below the other, as one picture."""
    count, rows, columns = pictures.shape
    size = (columns // BLOCK[1], count * rows // BLOCK[0])
    means = cv2.resize(pictures.reshape(-1, columns), size, interpolation=cv2.INTER_AREA)
    return np.asarray(means, dtype=np.float32).reshape(count, rows // BLOCK[0], size[0])


def _window_means(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """At each place of N x H x W the mean over the block that begins there; where it would not fit, anything."""
    column = np.ascontiguousarray(pictures).reshape(-1, pictures.shape[2])
    means = cv2.boxFilter(column, -1, BLOCK[::-1], anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(means, dtype=np.float32).reshape(pictures.shape)
