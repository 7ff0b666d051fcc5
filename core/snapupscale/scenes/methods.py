"""The methods of finding cuts, and the one function that runs them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from snapupscale.errors import SettingError
from snapupscale.scenes.cuts import peaks_above

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from snapupscale.scenes.shots import Transition
    from snapupscale.scenes.signal import Signal

THRESHOLDS = (0.1, 0.8)
DEFAULT_METHOD = "histogram"
DEFAULT_THRESHOLD = 0.4
DEFAULT_MIN_SHOT = 0.25


@dataclass(frozen=True, kw_only=True)
class Detection:
    """What a method found in a signal."""

    method: str
    threshold: float
    cuts: tuple[int, ...]
    """Frame numbers of the first frame of each new shot, ascending."""
    transitions: tuple[Transition, ...]
    distance: NDArray[np.float32]
    """Per frame, on the scale of the threshold: what the method compared with it."""


def find_cuts(
    signal: Signal,
    *,
    method: str = DEFAULT_METHOD,
    threshold: float = DEFAULT_THRESHOLD,
    min_shot: float | Fraction = DEFAULT_MIN_SHOT,
) -> Detection:
    """The cuts in `signal`: `threshold` from 0.1 (many cuts) to 0.8 (few), no shot shorter than `min_shot` seconds.

    Pure and quick: call it again for every move of a slider. Raises SettingError.
    """
    check_settings(method=method, threshold=threshold, min_shot=min_shot)
    min_length = max(1, math.ceil(Fraction(min_shot) * signal.rate))
    return METHODS[method](signal, threshold, min_length)


def check_settings(*, method: str, threshold: float, min_shot: float | Fraction) -> None:
    """Raise SettingError for what `find_cuts` would refuse, before any footage is decoded for it."""
    if method not in METHODS:
        raise SettingError(f"unknown method {method!r}", hint=f"Methods: {', '.join(METHODS)}.")
    if not THRESHOLDS[0] <= threshold <= THRESHOLDS[1]:
        raise SettingError(f"threshold {threshold} is outside {THRESHOLDS[0]} to {THRESHOLDS[1]}")
    if not 0 <= min_shot < math.inf:
        raise SettingError(f"the minimum shot length {min_shot} is not a number of seconds from 0 up")


def _histogram(signal: Signal, threshold: float, min_length: int) -> Detection:
    """The plain original: the Bhattacharyya distance of the colour histograms of neighbouring frames."""
    cuts = peaks_above(signal.distance, threshold, min_length)
    return Detection(method="histogram", threshold=threshold, cuts=cuts, transitions=(), distance=signal.distance)


METHODS: Mapping[str, Callable[[Signal, float, int], Detection]] = {"histogram": _histogram}
