from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from snapupscale.scenes.cuts import peaks_above

CURVES = arrays(np.float32, st.integers(1, 200), elements=st.floats(0, 1, width=32))


def test_peaks_are_cuts() -> None:
    distance = np.zeros(100, dtype=np.float32)
    distance[[20, 50, 51, 80]] = [0.9, 0.6, 0.7, 0.3]
    assert peaks_above(distance, 0.4, 5) == (20, 51)
    assert peaks_above(distance, 0.2, 5) == (20, 51, 80)
    assert peaks_above(distance, 0.2, 1) == (20, 50, 51, 80)


def test_a_cut_must_exceed_the_threshold() -> None:
    distance = np.array([0, 0, 0.5, 0, 0], dtype=np.float32)
    assert peaks_above(distance, 0.5, 1) == ()
    assert peaks_above(distance, 0.49, 1) == (2,)


def test_of_close_cuts_the_strongest_stays_wherever_it_is() -> None:
    distance = np.zeros(60, dtype=np.float32)
    distance[[20, 24, 28]] = [0.6, 0.9, 0.7]
    assert peaks_above(distance, 0.4, 5) == (24,)
    assert peaks_above(distance, 0.4, 4) == (20, 24, 28)


def test_no_frames_and_one_frame() -> None:
    assert peaks_above(np.zeros(0, dtype=np.float32), 0.1, 3) == ()
    assert peaks_above(np.ones(1, dtype=np.float32), 0.1, 1) == ()


@given(CURVES, st.floats(0.1, 0.8), st.integers(1, 30))
def test_no_shot_is_too_short_and_no_cut_too_weak(curve: np.ndarray, threshold: float, least: int) -> None:
    cuts = peaks_above(curve, threshold, least)
    edges = [0, *cuts, len(curve)]
    if cuts:
        assert min(end - start for start, end in itertools.pairwise(edges)) >= least
    assert all(curve[cut] > threshold for cut in cuts)


@given(CURVES, st.floats(0.1, 0.7))
def test_a_higher_threshold_only_takes_cuts_away(curve: np.ndarray, threshold: float) -> None:
    assert set(peaks_above(curve, threshold + 0.1, 1)) <= set(peaks_above(curve, threshold, 1))


@given(CURVES, st.floats(0.1, 0.8), st.integers(1, 10))
def test_every_peak_that_was_left_out_is_near_a_stronger_one(curve: np.ndarray, threshold: float, least: int) -> None:
    cuts = peaks_above(curve, threshold, least)
    for frame in np.flatnonzero(curve > threshold):
        inside = least <= frame <= len(curve) - least
        assert not inside or any(abs(frame - cut) < least and curve[cut] >= curve[frame] for cut in cuts)
