"""The default method: how likely a cut or a transition is at each place, measured once, compared with any threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.scenes.shots import Transition

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = -30.0
"""Logarithm of the odds where nothing speaks for a cut."""
EVEN = 0.4
"""The threshold at which a cut is as likely as none."""
STEEPNESS = 8.0
"""By how much the logarithm of the odds rises with 1 on the scale of the threshold."""
LEAST, MOST = 0.1, 0.8
"""The thresholds that there are."""
HELD = 6
"""Frames of one colour up to which a fade out and a fade in are one transition."""
KINDS = ("dissolve", "fade", "wipe")


@dataclass(frozen=True, kw_only=True)
class Stretches:
    """Gradual transitions that may be there, the likeliest of those that overlap, in order; one row each."""

    starts: NDArray[np.int32]
    """The first frame that has changed."""
    ends: NDArray[np.int32]
    """One past the last that is not yet the new shot's."""
    odds: NDArray[np.float32]
    """Logarithms."""
    kinds: NDArray[np.uint8]
    """Places in KINDS."""


def score(odds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logarithms of odds on the scale of the threshold: EVEN for even odds, and 1 / STEEPNESS more for each unit, from
    LEAST to MOST; beyond these it tends to 0 and 1, so that it always rises."""
    exact = odds.astype(np.float64)
    line = EVEN + exact / STEEPNESS
    below = LEAST * np.exp(np.minimum(0, line - LEAST) / LEAST)
    above = 1 - (1 - MOST) * np.exp(-np.maximum(0, line - MOST) / (1 - MOST))
    return np.asarray(np.where(line < LEAST, below, np.where(line > MOST, above, line)), dtype=np.float32)


def confidence(odds: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probability that goes with logarithms of odds."""
    return (1 / (1 + np.exp(-np.maximum(odds, NONE)))).astype(np.float32)


def undisputed(odds: NDArray[np.float32], stretches: Stretches) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The odds without those of cuts inside a likelier transition, and which transitions hold no likelier cut.

    It is decided by the odds alone, so that raising the threshold can only take away.
    """
    kept = odds.copy()
    fair = np.ones(len(stretches.odds), dtype=np.bool_)
    for row, (start, end) in enumerate(zip(stretches.starts.tolist(), stretches.ends.tolist(), strict=True)):
        inside = slice(max(0, start - 1), end + 2)
        fair[row] = stretches.odds[row] >= odds[inside].max(initial=NONE)
        if fair[row]:
            kept[inside] = NONE
    return kept, fair


def transitions_above(
    stretches: Stretches, fair: NDArray[np.bool_], threshold: float
) -> tuple[tuple[Transition, float], ...]:
    """The fair transitions whose score is above `threshold`, with their confidence."""
    transitions: list[tuple[Transition, float]] = []
    for row in np.flatnonzero(fair & (score(stretches.odds) > threshold)).tolist():
        start, end = int(stretches.starts[row]), int(stretches.ends[row])
        one = Transition(start=start, end=end, kind=KINDS[stretches.kinds[row]])
        sure = float(confidence(stretches.odds[row : row + 1])[0])
        if transitions and _continues(transitions[-1][0], one):
            earlier, surety = transitions.pop()
            one, sure = replace(earlier, end=end), max(surety, sure)
        transitions.append((one, sure))
    return tuple(transitions)


def _continues(fade_out: Transition, fade_in: Transition) -> bool:
    """Whether two fades are one, through a colour that is held for no more than a few frames."""
    return fade_out.kind == fade_in.kind == "fade" and fade_in.start - fade_out.end <= HELD
