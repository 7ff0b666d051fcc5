"""Does a result look like the picture it came from? Means of blocks are compared, so restored detail does not count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 16
"""Edge of a block in cells of the network."""

# Real footage moved a block by at most 0.07 and a tile by 0.03. Noise and pixel patterns can move both by far more, so
# that what is found here is a reason to compute again, not yet an error.
_TILE_LIMIT = 0.06
_BLOCK_LIMIT = 0.25
_CONTRAST = 0.02
_KEPT = 0.25


def fault(before: NDArray[np.float32], after: NDArray[np.float32]) -> str | None:
    """What seems wrong with `after`, or None. Both hold the means of the same blocks, blocks x channels, white being 1.

    A mean is not finite when any sample of its block is not.
    """
    if not np.isfinite(after).all():
        return "values that are not finite"
    change = np.abs(after - before)
    if change.mean() > _TILE_LIMIT or change.max() > _BLOCK_LIMIT:
        return f"brightness that moved by {change.mean():.2f} on average and {change.max():.2f} at most"
    contrast = before.std(axis=0).max()
    if contrast > _CONTRAST and after.std(axis=0).max() < _KEPT * contrast:
        return "a flat area where the picture has contrast"
    return None


def worst(before: NDArray[np.float32], after: NDArray[np.float32]) -> int:
    """The index of the block that changed most."""
    return int(np.abs(after - before).max(axis=1).argmax())
