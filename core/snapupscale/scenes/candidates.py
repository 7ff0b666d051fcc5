"""Places where there may be a cut, and what is measured of the frames around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from snapupscale.scenes.features import PAIR, pair_features
from snapupscale.scenes.matching import found_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snapupscale.scenes.features import Descriptors

SPAN = 12
"""Frames each side of a candidate that are looked at: pictures held for eight frames are still seen to be held."""
_NEAR = 4
_CROSS = tuple((before, after) for before in (1, 2, 3, 4) for after in (0, 1, 2, 3))
_MATCHED = ((-1, 0), (-2, 1), (-1, 2), (-3, 0), (-2, -1), (0, 1))
"""Pairs of frames, counted from the candidate, in which blocks are looked for; the last two lie on one side each."""
_CONTEXT = (1, 4, 6)
"""Columns of PAIR whose course around the candidate counts."""
REASONS = ("", "flash", "motion")
_RETURNS = 0.6
_BLOCKS, _LUMA = PAIR.index("blocks"), PAIR.index("luma")
_LEAST_BLOCKS, _LEAST_LUMA = 0.15, 0.05
_LEAST_JUMP, _STANDS_OUT = 0.05, 1.5
_TINY = 0.01
"""Of a difference: below it, ratios say nothing."""


def candidates(steps: NDArray[np.float32]) -> NDArray[np.intp]:
    """The frames that differ from the one before by more than nearly every frame without a cut does, or by less but by
    clearly more than the frames about them do, as in jump cuts.

    steps: N x len(PAIR), each frame against the one before.
    """
    blocks, levels = steps[:, _BLOCKS], steps[:, _LUMA] + steps[:, _LUMA + 1]
    padded = np.pad(blocks, _NEAR)
    about = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1).copy()
    about[:, _NEAR] = 0
    stands_out = (blocks > _LEAST_JUMP) & (blocks > _STANDS_OUT * about.max(axis=1))
    return np.flatnonzero((blocks > _LEAST_BLOCKS) & (levels > _LEAST_LUMA) | stands_out)


def candidate_features(
    frames: Descriptors, steps: NDArray[np.float32], places: NDArray[np.intp]
) -> NDArray[np.float32]:
    """M x FEATURES for candidates `places`, frame numbers; frames beyond either end count as the last one there is."""
    last = len(frames) - 1

    def at(offset: int) -> NDArray[np.intp]:
        return np.clip(places + offset, 0, last)

    here = steps[places]
    cross = np.stack([pair_features(frames, at(-before), at(after)) for before, after in _CROSS])
    around = np.stack([steps[at(offset)] for offset in range(-SPAN, SPAN + 1)])[:, :, list(_CONTEXT)]
    # A frame number clipped at an end would repeat a step, the cut itself even.
    inside = np.stack([(places + offset > 0) & (places + offset <= last) for offset in range(-SPAN, SPAN + 1)])
    around = around * inside[:, :, None]
    before, after = around[:SPAN], around[SPAN + 1 :]
    matched = found_between(frames.medium, [(at(one), at(other)) for one, other in _MATCHED])
    sides = [frames.small[at(offset)][..., 0] for offset in (-1, 0)]
    least, most = cross.min(axis=0), np.maximum(before[-_NEAR:].max(axis=0), after[:_NEAR].max(axis=0))
    far = np.maximum(before.max(axis=0), after.max(axis=0))
    own = [values[:, list(_CONTEXT)] for values in (here, least)]
    # The median of an even number; numpy's own imports all of numpy.ma.
    middle = slice(len(_CROSS) // 2 - 1, len(_CROSS) // 2 + 1)
    columns = (
        here,
        least,
        np.sort(cross, axis=0)[middle].mean(axis=0),
        before[-1], after[0],
        before[-_NEAR:].max(axis=0), after[:_NEAR].max(axis=0),
        before.max(axis=0), after.max(axis=0),
        before[-_NEAR:].mean(axis=0), after[:_NEAR].mean(axis=0),
        before.mean(axis=0), after.mean(axis=0),
        *(np.log((one + _TINY) / (other + _TINY)) for one in own for other in (most, far)),
        *matched,
        np.stack([side.mean(axis=(1, 2)) / 255 for side in sides], axis=1),
        np.stack([side.std(axis=(1, 2)) / 128 for side in sides], axis=1),
    )
    return np.concatenate(columns, axis=1).astype(np.float32)


def reasons(features: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Why each candidate would be none, as a place in REASONS: a flash when frames on both sides of it are much more
    alike than it and the frame before, else motion."""
    width = len(PAIR)
    here, least = features[:, _BLOCKS], features[:, width + _BLOCKS]
    return np.where(least < _RETURNS * here, REASONS.index("flash"), REASONS.index("motion")).astype(np.uint8)
