"""The default method and the neural one as one: each has a vote on every cut and every transition. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from snapupscale.scenes.adaptive import NONE, Stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHT = 0.6
"""Of either vote. Both see the same frames, so what they say together is less than the sum."""
MOST, MOST_NEURAL = 6.0, 4.0
"""What a vote counts at most. The default method's counts for more, as it tells flashes from cuts better."""
UNSEEN = -2.0
"""What the default method's silence counts: that a place is no candidate may be for want of light or contrast."""


def cut_odds(
    default: NDArray[np.float32], neural: NDArray[np.float32], asked: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """One logarithm of odds for each of N frames out of those of both methods: float32, N.

    default: NONE where the default method saw no candidate. neural: NONE where the network saw no peak. asked: of which
    frames it was asked; elsewhere the default method's odds stay. A peak that is one frame off a candidate counts for
    that: where a cut is, the default method says. What one method alone is sure of is a cut if the other was blind to
    it, and none if the default method is sure of that.
    """
    near = _on_candidates(default, neural)
    seen = default > NONE
    ours = np.where(seen, np.clip(default, -MOST, MOST), UNSEEN)
    votes = np.where(seen | (near > NONE), WEIGHT * (ours + np.clip(near, -MOST_NEURAL, MOST_NEURAL)), NONE)
    return np.where(asked, votes, default).astype(np.float32)


def stretches(default: Stretches, neural: Stretches, asked: NDArray[np.bool_]) -> Stretches:
    """The transitions of both, in order; of two that overlap the default method's ends and kind."""
    rows: list[tuple[int, int, float, int]] = []
    matched: set[int] = set()
    for start, end, odds, kind in _rows(default):
        overlapping = [row for row, (first, last, _, _) in enumerate(_rows(neural)) if first < end and start < last]
        matched.update(overlapping)
        vote = max((float(neural.odds[row]) for row in overlapping), default=NONE)
        rows.append((start, end, _joined(odds, vote) if asked[start:end].all() else odds, kind))
    alone = [row for number, row in enumerate(_rows(neural)) if number not in matched]
    rows += [(start, end, _joined(UNSEEN, odds), kind) for start, end, odds, kind in alone]
    rows.sort()
    return Stretches(
        starts=np.array([row[0] for row in rows], dtype=np.int32),
        ends=np.array([row[1] for row in rows], dtype=np.int32),
        odds=np.array([row[2] for row in rows], dtype=np.float32),
        kinds=np.array([row[3] for row in rows], dtype=np.uint8),
    )


def _joined(default: float, neural: float) -> float:
    return WEIGHT * (max(-MOST, min(MOST, default)) + max(-MOST_NEURAL, min(MOST_NEURAL, neural)))


def _on_candidates(default: NDArray[np.float32], neural: NDArray[np.float32]) -> NDArray[np.float32]:
    """The network's odds, those of peaks next to a likelier candidate moved there."""
    near = neural.astype(np.float32)
    for peak in np.flatnonzero(near > NONE).tolist():
        low = max(0, peak - 1)
        best = low + int(np.argmax(default[low : peak + 2]))
        if default[best] > default[peak]:
            near[best], near[peak] = max(near[best], near[peak]), NONE
    return near


def _rows(found: Stretches) -> list[tuple[int, int, float, int]]:
    return list(
        zip(found.starts.tolist(), found.ends.tolist(), found.odds.tolist(), found.kinds.tolist(), strict=True)
    )
