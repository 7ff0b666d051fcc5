"""Signatures: what tells a frame that was read again from a broken or another one, whatever its decoder left out."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np

from snapupscale.media.pixels import rows_of

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray

SIDE = 8
"""Blocks of a signature across and down."""
# Of mean and largest difference. Without the loop filter half of all frames of the clips that this was measured on
# differ by less; its error piles up between keyframes, though, and the most were a mean of 7 and a block of 31.
_ALIKE = (1.5, 6)
_CHECKED_ROWS = 8


def signature(sample: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Means of SIDE x SIDE blocks of luma, uint8, of a frame's sample: H x W x 3, as `samples.sample` has it."""
    luma = cv2.extractChannel(sample, 0)
    return np.asarray(cv2.resize(luma, (SIDE, SIDE), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def alike(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    """Whether two signatures are surely those of one frame, decoded with and without the loop filter, or nearly so:
    neighbours in still footage are as close. Frames that differ more may still be the same."""
    apart = np.abs(first.astype(np.int16) - second)
    return bool(apart.mean() <= _ALIKE[0] and apart.max() <= _ALIKE[1])


def checksum(picture: av.VideoFrame) -> int:
    """CRC-32 of every eighth row of the first plane: tells neighbouring frames apart at a small part of the cost of
    decoding them, where both were decoded in the same way."""
    plane = picture.planes[0]
    rows = rows_of(plane)
    used = min(plane.line_size, -(-plane.width * picture.format.padded_bits_per_pixel // 8))
    if picture.format.is_planar:
        used = min(used, plane.width * -(-picture.format.components[0].bits // 8))
    return zlib.crc32(np.ascontiguousarray(rows[::_CHECKED_ROWS, :used]).data)
