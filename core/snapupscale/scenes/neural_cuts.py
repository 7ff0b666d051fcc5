"""The probabilities of TransNetV2 as what the default method speaks in: odds of cuts and of transitions. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.scenes import adaptive
from snapupscale.scenes.adaptive import KINDS, NONE, Stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVEN_CUT, EVEN_STRETCH = 0.3, 0.4
"""The probability, and the strength of a stretch, at which a cut or a transition is as likely as none: at 0.3 the
network's F1 is 95.9, at its authors' 0.5 it is 93.0."""
STEEPNESS = 2.0
"""How much faster odds rise than the network's own, which is too cautious: of cuts given 0.3 to 0.5, 84 % were real."""

_NEAR = 2
_INSIDE = 0.3
_GAP, _SHORTEST = 3, 4
_FLAT = 0.025


def cut_odds(single: NDArray[np.float32], many: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of N frames the logarithm of the odds that a shot begins with each, NONE but at peaks: float32, N.

    single, many: as NeuralNet.probabilities gives them; NaN counts as nothing. A peak of `single` is at the last frame
    of the old shot; one in a run of `many` belongs to a transition and is none here.
    """
    odds = np.full(len(single), NONE, dtype=np.float32)
    peaks = _peaks(np.nan_to_num(single))
    for start, end in _runs(many):
        peaks[start : end + 1] = False
    frames = np.flatnonzero(peaks[:-1])
    odds[frames + 1] = _odds(single[frames], EVEN_CUT)
    return odds


def stretches(
    single: NDArray[np.float32], many: NDArray[np.float32], contrast: NDArray[np.float32]
) -> Stretches:
    """The transitions in `many`: its runs that are longer than a hard cut's, in order.

    contrast: of each frame, as in a Signal; what goes through a flat picture is a fade, all else counts as a dissolve.
    """
    runs = _runs(many)
    strengths = [np.sqrt(_greatest(single, start - 2, end + 2) * _greatest(many, start, end)) for start, end in runs]
    flat = [contrast[max(0, start - 1) : end + 1].min() < _FLAT for start, end in runs]
    return Stretches(
        starts=np.array([start for start, _ in runs], dtype=np.int32),
        # The run ends with the first frame that shows the new shot alone.
        ends=np.array([end - 1 for _, end in runs], dtype=np.int32),
        odds=_odds(np.array(strengths, dtype=np.float32), EVEN_STRETCH),
        kinds=np.array([KINDS.index("fade" if one else "dissolve") for one in flat], dtype=np.uint8),
    )


def least_probability(threshold: float) -> float:
    """The probability that a cut must have at the user's `threshold`: 0.1 means 0.11, 0.2 0.16, 0.3 0.22, 0.4 0.30,
    0.5 0.39, 0.6 0.49, 0.7 0.59, 0.8 0.68."""
    odds = (threshold - adaptive.EVEN) * adaptive.STEEPNESS / STEEPNESS + np.log(EVEN_CUT / (1 - EVEN_CUT))
    return float(1 / (1 + np.exp(-odds)))


def _odds(probabilities: NDArray[np.float32], even: float) -> NDArray[np.float32]:
    inner = np.clip(probabilities.astype(np.float64), 1e-6, 1 - 1e-6)
    odds = STEEPNESS * (np.log(inner / (1 - inner)) - np.log(even / (1 - even)))
    clipped: NDArray[np.float32] = np.maximum(odds, NONE).astype(np.float32)
    return clipped


def _peaks(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which values are above 0 and the greatest of those near, of equals the first, whatever the threshold."""
    padded = np.pad(values, _NEAR, constant_values=-1)
    before = np.max([padded[offset : offset + len(values)] for offset in range(_NEAR)], axis=0)
    after = np.max([padded[_NEAR + 1 + offset : _NEAR + 1 + offset + len(values)] for offset in range(_NEAR)], axis=0)
    return np.asarray((values > 0) & (values > before) & (values >= after), dtype=np.bool_)


def _runs(many: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Start and end, exclusive, of stretches inside which `many` is high, but for a few frames; those of hard cuts,
    which are shorter, left out."""
    inside = np.flatnonzero(many > _INSIDE)  # NaN is not
    if not len(inside):
        return []
    breaks = [place + 1 for place, (one, other) in enumerate(pairwise(inside)) if other - one > _GAP]
    parts = np.split(inside, breaks)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts if part[-1] + 1 - part[0] >= _SHORTEST]


def _greatest(values: NDArray[np.float32], start: int, end: int) -> float:
    return float(np.nan_to_num(values[max(0, start) : end]).max(initial=0))
