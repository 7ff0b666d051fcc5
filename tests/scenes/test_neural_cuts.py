from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from snapupscale.scenes import adaptive, neural_cuts
from snapupscale.scenes.adaptive import KINDS, NONE
from snapupscale.scenes.cuts import peaks_above

CURVES = arrays(np.float32, st.integers(1, 40), elements=st.one_of(st.floats(0, 1, width=32), st.just(np.nan)))


def curve(count: int = 100, **values: float) -> np.ndarray:
    """0 but at the frames named, as `f30=0.9`."""
    made = np.zeros(count, dtype=np.float32)
    for name, value in values.items():
        made[int(name[1:])] = value
    return made


def cuts(single: np.ndarray, threshold: float, many: np.ndarray | None = None, least: int = 1) -> tuple[int, ...]:
    odds = neural_cuts.cut_odds(single, np.zeros_like(single) if many is None else many)
    return peaks_above(adaptive.score(odds), threshold, least)


def test_a_cut_is_on_the_frame_after_the_peak() -> None:
    assert cuts(curve(f29=0.9, f28=0.4, f30=0.5), 0.4) == (30,)


def test_the_default_threshold_means_a_probability_of_0_3() -> None:
    single = curve(f20=0.29, f40=0.31, f60=0.5, f80=0.95)
    assert cuts(single, 0.4) == (41, 61, 81)
    assert cuts(single, 0.3) == (21, 41, 61, 81)
    assert cuts(single, 0.7) == (81,)


@pytest.mark.parametrize(
    ("threshold", "probability"),
    [(0.1, 0.11), (0.2, 0.16), (0.3, 0.22), (0.4, 0.30), (0.5, 0.39), (0.6, 0.49), (0.7, 0.59), (0.8, 0.68)],
)
def test_every_threshold_means_the_probability_that_is_documented(threshold: float, probability: float) -> None:
    assert round(neural_cuts.least_probability(threshold), 2) == probability
    assert cuts(curve(f20=probability - 0.01, f60=probability + 0.01), threshold) == (61,)


def test_peaks_three_frames_apart_are_two_cuts_and_equals_next_to_each_other_one() -> None:
    assert cuts(curve(f20=0.9, f21=0.5, f22=0.5, f23=0.8), 0.1) == (21, 24)
    assert cuts(curve(f20=0.9, f21=0.9), 0.1) == (21,)
    assert cuts(curve(f20=0.9, f23=0.8), 0.1, least=6) == (21,)


def test_the_last_frame_starts_no_shot_after_it() -> None:
    assert cuts(curve(f99=0.9), 0.1) == ()
    assert cuts(curve(f0=0.9, f98=0.9), 0.1) == (1, 99)


def test_a_run_of_many_is_a_transition_and_its_peak_no_cut() -> None:
    many = curve()
    many[40:53] = 0.9
    single = curve(f45=0.8, f80=0.9)
    found = neural_cuts.stretches(single, many, np.full(100, 0.2))
    assert cuts(single, 0.4, many) == (81,)
    assert (found.starts.tolist(), found.ends.tolist()) == ([40], [52])
    assert KINDS[found.kinds[0]] == "dissolve"
    assert adaptive.confidence(found.odds)[0] > 0.9


def test_the_run_of_a_hard_cut_is_no_transition() -> None:
    many = curve(f29=0.9, f30=0.8, f31=0.4)
    assert len(neural_cuts.stretches(curve(f29=0.9), many, np.ones(100)).starts) == 0
    assert cuts(curve(f29=0.9), 0.4, many) == (30,)


def test_a_run_with_small_gaps_is_one() -> None:
    many = curve()
    many[20:26] = many[28:36] = many[60:66] = 0.8
    found = neural_cuts.stretches(curve(f27=0.7), many, np.ones(100))
    assert found.starts.tolist() == [20, 60]
    assert found.ends.tolist() == [35, 65]
    assert found.odds[0] > 0 > found.odds[1]


@pytest.mark.parametrize(("least", "kind"), [(0.01, "fade"), (0.1, "dissolve")])
def test_what_goes_through_a_flat_picture_is_a_fade(least: float, kind: str) -> None:
    many, contrast = curve(), np.full(100, 0.2, dtype=np.float32)
    many[40:53] = 0.9
    contrast[46] = least
    contrast[90] = 0
    assert KINDS[neural_cuts.stretches(many, many, contrast).kinds[0]] == kind


def test_where_the_network_was_not_asked_there_is_nothing() -> None:
    nothing = np.full(50, np.nan, dtype=np.float32)
    assert (neural_cuts.cut_odds(nothing, nothing) == NONE).all()
    assert len(neural_cuts.stretches(nothing, nothing, np.ones(50)).starts) == 0
    assert len(neural_cuts.cut_odds(nothing[:0], nothing[:0])) == 0


@given(CURVES, st.floats(0.1, 0.7), st.data())
def test_a_higher_threshold_only_takes_away(single: np.ndarray, threshold: float, data: st.DataObject) -> None:
    many = data.draw(arrays(np.float32, len(single), elements=st.floats(0, 1, width=32)))
    assert np.isfinite(neural_cuts.cut_odds(single, many)).all()
    assert np.isfinite(neural_cuts.stretches(single, many, np.ones_like(single)).odds).all()
    assert set(cuts(single, threshold + 0.1, many)) <= set(cuts(single, threshold, many))
