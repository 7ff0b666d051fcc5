"""The methods of finding cuts, and the one function that runs them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from snapupscale.errors import SettingError
from snapupscale.scenes import adaptive, neural_cuts, neural_vote
from snapupscale.scenes.candidates import REASONS
from snapupscale.scenes.cuts import peaks_above

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from snapupscale.scenes.adaptive import Stretches
    from snapupscale.scenes.shots import Transition
    from snapupscale.scenes.signal import Signal

THRESHOLDS = (0.1, 0.8)
DEFAULT_METHOD = "adaptive"
DEFAULT_THRESHOLD = 0.4
DEFAULT_MIN_SHOT = 0.0
_FLAT = 0.04
"""Contrast below which a frame shows one colour."""


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A frame that is no cut, and why: `flash`, `motion`, `too short` or `transition`."""

    frame: int
    reason: str


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
    confidence: tuple[float, ...] = ()
    """Of each cut the probability that it is one; empty for a method that gives none."""
    transition_confidence: tuple[float, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    """Frames that differ much from the one before and yet are no cut, ascending."""

    within: tuple[int, ...] = ()
    """Middles of fades at which no shot begins, since beyond them nothing but one colour is seen."""

    @property
    def certainty(self) -> tuple[float, ...]:
        """Of each of `boundaries` the confidence of its cut or transition; empty for a method that gives none."""
        middles = (transition.middle for transition in self.transitions)
        known = dict(zip(middles, self.transition_confidence, strict=False))
        known |= dict(zip(self.cuts, self.confidence, strict=False))
        return tuple(known[frame] for frame in self.boundaries) if self.confidence or self.transition_confidence else ()

    @property
    def boundaries(self) -> tuple[int, ...]:
        """Where shots begin, ascending: at the cuts, and in the middle of each transition from one shot to another."""
        middles = {transition.middle for transition in self.transitions} - {0, *self.within}
        return tuple(sorted({*self.cuts, *middles}))


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


def _adaptive(signal: Signal, threshold: float, min_length: int) -> Detection:
    """Odds that a fitted model gives for a cut, from the frames on both sides of it, and for a gradual transition."""
    return _by_odds("adaptive", signal, signal.odds, signal.stretches, threshold, min_length)


def _neural(signal: Signal, threshold: float, min_length: int) -> Detection:
    """What TransNetV2 says (Soucek and Lokoc 2020)."""
    single, many = _network(signal)
    stretches = neural_cuts.stretches(single, many, signal.contrast)
    return _by_odds("neural", signal, neural_cuts.cut_odds(single, many), stretches, threshold, min_length)


def _combined(signal: Signal, threshold: float, min_length: int) -> Detection:
    """Both, each with a vote."""
    single, many = _network(signal)
    asked = np.isfinite(single)
    odds = neural_vote.cut_odds(signal.odds, neural_cuts.cut_odds(single, many), asked)
    there = neural_cuts.stretches(single, many, signal.contrast)
    stretches = neural_vote.stretches(signal.stretches, there, asked)
    return _by_odds("combined", signal, odds, stretches, threshold, min_length)


def _network(signal: Signal) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if signal.network is None:
        raise SettingError("the network was not asked", hint="Analyse the source with network=True.")
    return signal.network.single, signal.network.many


def _by_odds(
    method: str,
    signal: Signal,
    odds: NDArray[np.float32],
    stretches: Stretches,
    threshold: float,
    min_length: int,
) -> Detection:
    kept, fair = adaptive.undisputed(odds, stretches)
    distance = adaptive.score(kept)
    cuts = peaks_above(distance, threshold, min_length)
    found = adaptive.transitions_above(stretches, fair, threshold)
    transitions = tuple(transition for transition, _ in found)
    return Detection(
        method=method,
        threshold=threshold,
        cuts=cuts,
        transitions=transitions,
        within=_without_a_shot(signal, cuts, transitions),
        distance=distance,
        confidence=tuple(round(sure, 3) for sure in adaptive.confidence(odds[list(cuts)]).tolist()),
        transition_confidence=tuple(round(confidence, 3) for _, confidence in found),
        rejected=_rejected(signal, odds, distance, threshold, cuts),
    )


def _without_a_shot(
    signal: Signal, cuts: tuple[int, ...], transitions: tuple[Transition, ...]
) -> tuple[int, ...]:
    """The middles of fades that would begin, or end, a shot of one colour alone: at the start and the end of footage,
    and the second of two about a colour that is held."""
    seen = signal.contrast >= _FLAT
    for transition in transitions:
        seen[transition.start : transition.end] = False
    fades = {transition.middle for transition in transitions if transition.kind == "fade"}
    edges = [0, *sorted({*cuts, *(transition.middle for transition in transitions)}), len(signal)]
    dropped: list[int] = []
    for start, end in pairwise(edges):
        if not seen[start:end].any():
            dropped += [edge for edge in (end, start) if edge in fades and edge not in dropped][:1]
    return tuple(dropped)


def _rejected(
    signal: Signal,
    odds: NDArray[np.float32],
    distance: NDArray[np.float32],
    threshold: float,
    cuts: tuple[int, ...],
) -> tuple[Rejected, ...]:
    """The frames that a plain comparison of histograms would make cuts of at the same threshold, or the odds alone."""
    likely = adaptive.score(odds) > threshold
    over = (signal.distance > threshold) & (signal.reasons > 0) | likely
    over[list(cuts)] = False
    return tuple(
        Rejected(frame=frame, reason=_reason(bool(likely[frame]), bool(distance[frame] > threshold), reason))
        for frame, reason in ((frame, REASONS[signal.reasons[frame]]) for frame in np.flatnonzero(over).tolist())
    )


def _reason(likely: bool, apart: bool, otherwise: str) -> str:
    if likely:
        return "too short" if apart else "transition"
    return otherwise


METHODS: Mapping[str, Callable[[Signal, float, int], Detection]] = {
    "adaptive": _adaptive,
    "neural": _neural,
    "combined": _combined,
    "histogram": _histogram,
}
_WITH_NETWORK = ("neural", "combined")


class Needs(TypedDict):
    """What a method needs of `analyse`."""

    network: bool
    whole: bool


def needs(method: str) -> Needs:
    """What to ask `analyse` for, so that `method` can run on its signal."""
    return {"network": method in _WITH_NETWORK, "whole": method != DEFAULT_METHOD}
