from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from signals import make_odds, make_signal, make_stretches
from snapupscale.scenes.adaptive import EVEN, HELD, NONE, STEEPNESS, Stretches, confidence, score, undisputed
from snapupscale.scenes.adaptive import transitions_above as above
from snapupscale.scenes.methods import Detection, find_cuts
from snapupscale.scenes.shots import Transition

COUNT = 120
ODDS = arrays(np.float32, COUNT, elements=st.one_of(st.just(NONE), st.floats(-12, 12, width=32)))


@st.composite
def some_stretches(draw: st.DrawFn) -> Stretches:
    """A few that don't overlap."""
    edges = sorted(draw(st.lists(st.integers(1, COUNT), unique=True, max_size=12)))
    rows = [
        (start, end, draw(st.floats(-5, 12, width=32)), draw(st.sampled_from(("dissolve", "fade", "wipe"))))
        for start, end in zip(edges[::2], edges[1::2], strict=False)
    ]
    return make_stretches(*rows)


def fair(stretches: Stretches) -> np.ndarray:
    return np.ones(len(stretches.starts), dtype=np.bool_)


def detect(odds: np.ndarray, stretches: Stretches, threshold: float, min_shot: float = 0.25) -> Detection:
    signal = make_signal(np.zeros(len(odds), dtype=np.float32), odds=odds, stretches=stretches)
    return find_cuts(signal, threshold=threshold, min_shot=min_shot)


def test_the_score_always_rises() -> None:
    odds = np.arange(-30, 30, 0.25)
    steps = np.diff(score(odds).astype(np.float64))
    assert (steps >= 0).all()
    assert (steps[odds[:-1] < 18] > 0).all()  # beyond, a float32 has no room between here and 1
    assert 0 < score(np.array([NONE]))[0] < score(np.array([30.0]))[0] <= 1


def test_on_the_scale_of_the_threshold_the_score_is_a_line() -> None:
    thresholds = np.arange(1, 9) / 10
    assert score((thresholds - EVEN) * STEEPNESS) == pytest.approx(thresholds, abs=1e-6)
    assert score(np.zeros(1))[0] == pytest.approx(0.4)


def test_the_score_has_no_jump_at_the_ends_of_the_scale() -> None:
    for threshold in (0.1, 0.8):
        near = (np.array([threshold - 1e-4, threshold + 1e-4]) - EVEN) * STEEPNESS
        low, high = score(near)
        assert 0 < high - low < 4e-4


def test_confidence_is_the_probability_of_odds() -> None:
    odds = np.array([0, np.log(9), -np.log(9), NONE, 80], dtype=np.float32)
    assert confidence(odds) == pytest.approx([0.5, 0.9, 0.1, 0, 1], abs=1e-6)


@given(ODDS, some_stretches(), st.floats(0.1, 0.8), st.floats(0.1, 0.8), st.sampled_from((0, 0.25, 1)))
def test_a_higher_threshold_only_takes_away(
    odds: np.ndarray, stretches: Stretches, one: float, other: float, min_shot: float
) -> None:
    low, high = (detect(odds, stretches, threshold, min_shot) for threshold in sorted((one, other)))
    assert set(high.cuts) <= set(low.cuts)
    assert len(high.confidence) == len(high.cuts)
    covered = [set(range(each.start, each.end)) for each in low.transitions]
    assert all(any(set(range(each.start, each.end)) <= frames for frames in covered) for each in high.transitions)


@given(ODDS, some_stretches())
def test_cut_and_transition_are_never_at_one_place(odds: np.ndarray, stretches: Stretches) -> None:
    kept, chosen = undisputed(odds, stretches)
    for row, (start, end) in enumerate(zip(stretches.starts, stretches.ends, strict=True)):
        inside = slice(max(0, start - 1), end + 2)
        likeliest = odds[inside].max()
        assert chosen[row] == (stretches.odds[row] >= likeliest)
        assert not chosen[row] or (kept[inside] == NONE).all()
    assert ((kept == odds) | (kept == NONE)).all()


def test_a_cut_inside_a_likelier_transition_is_none_at_any_threshold() -> None:
    odds, stretches = make_odds(COUNT, f50=3, f90=3), make_stretches((45, 55, 4, "dissolve"))
    for threshold in (0.1, 0.4, 0.7):
        found = detect(odds, stretches, threshold)
        assert found.cuts == (90,)
        assert [each.start for each in found.transitions] == [45]
    # At 0.8 odds of 3.2 are asked for: the transition has them, and still hides the cut.
    assert detect(odds, stretches, 0.8).cuts == ()


def test_a_transition_across_a_likelier_cut_is_none_at_any_threshold() -> None:
    odds, stretches = make_odds(COUNT, f50=3), make_stretches((45, 55, 2, "dissolve"))
    assert [detect(odds, stretches, threshold).transitions for threshold in (0.1, 0.4, 0.8)] == [()] * 3
    assert detect(odds, stretches, 0.4).cuts == (50,)


@pytest.mark.parametrize(("frame", "hidden"), [(43, False), (44, True), (56, True), (57, False)])
def test_a_cut_counts_as_inside_up_to_one_frame_beyond_the_ends(frame: int, hidden: bool) -> None:
    found = detect(make_odds(COUNT, **{f"f{frame}": 3}), make_stretches((45, 55, 4, "wipe")), 0.4)
    assert (found.cuts == ()) is hidden


def test_transitions_are_compared_with_the_threshold() -> None:
    stretches = make_stretches((10, 20, 0.5, "dissolve"), (40, 60, -0.5, "wipe"), (80, 90, 5, "fade"))
    assert [each.kind for each, _ in above(stretches, fair(stretches), 0.4)] == ["dissolve", "fade"]
    assert [each.kind for each, _ in above(stretches, fair(stretches), 0.3)] == ["dissolve", "wipe", "fade"]
    (only,) = above(stretches, fair(stretches), 0.8)
    assert only[0] == Transition(start=80, end=90, kind="fade")
    assert only[1] == pytest.approx(1 / (1 + np.exp(-5)))
    assert above(stretches, ~fair(stretches), 0.1) == ()


@pytest.mark.parametrize(
    ("kinds", "held", "count"),
    [
        (("fade", "fade"), 0, 1),
        (("fade", "fade"), HELD, 1),
        (("fade", "fade"), HELD + 1, 2),
        (("fade", "dissolve"), 2, 2),
        (("wipe", "fade"), 2, 2),
        (("dissolve", "dissolve"), 2, 2),
    ],
)
def test_a_fade_out_and_in_through_a_colour_is_one(kinds: tuple[str, str], held: int, count: int) -> None:
    stretches = make_stretches((10, 20, 2, kinds[0]), (20 + held, 30 + held, 1, kinds[1]))
    found = above(stretches, fair(stretches), 0.4)
    assert len(found) == count
    if count == 1:
        assert found[0][0] == Transition(start=10, end=30 + held, kind="fade")
        assert found[0][1] == pytest.approx(1 / (1 + np.exp(-2)))
