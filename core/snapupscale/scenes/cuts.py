"""Cuts out of a distance curve. Pure: arrays in, frame numbers out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def peaks_above(distance: NDArray[np.float32], threshold: float, min_length: int) -> tuple[int, ...]:
    """The frames whose distance to the frame before exceeds `threshold`, such that no shot has fewer than
    `min_length` frames: of cuts too close to each other the one with the greater distance stays, of equals the first.

    Shots at both ends count too, so a cut nearer to them than `min_length` is dropped.
    """
    least = max(1, min_length)
    above = np.flatnonzero(distance > threshold)
    above = above[(above >= least) & (above <= len(distance) - least)]
    taken = np.zeros(len(distance) + 1, dtype=np.bool_)
    chosen = []
    for frame in above[np.argsort(-distance[above], kind="stable")].tolist():
        if not taken[frame]:
            chosen.append(frame)
            taken[max(0, frame - least + 1) : frame + least] = True
    return tuple(sorted(chosen))
