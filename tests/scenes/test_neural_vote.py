from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from snapupscale.scenes import neural_vote
from snapupscale.scenes.adaptive import KINDS, NONE, Stretches

ODDS = st.one_of(st.just(NONE), st.floats(-10, 10, width=32))
ALL = np.ones(60, dtype=np.bool_)


def odds(**values: float) -> np.ndarray:
    """NONE but at the frames named, as `f30=2`."""
    made = np.full(60, NONE, dtype=np.float32)
    for name, value in values.items():
        made[int(name[1:])] = value
    return made


def stretches(*rows: tuple[int, int, float, str]) -> Stretches:
    return Stretches(
        starts=np.array([row[0] for row in rows], dtype=np.int32),
        ends=np.array([row[1] for row in rows], dtype=np.int32),
        odds=np.array([row[2] for row in rows], dtype=np.float32),
        kinds=np.array([KINDS.index(row[3]) for row in rows], dtype=np.uint8),
    )


@pytest.mark.parametrize(
    ("default", "neural", "cut"),
    [
        (6, 4, True),
        (9, NONE, True),  # the default method is sure, the network saw nothing
        (2, NONE, False),
        (-9, 9, False),  # a flash that the network took for a cut
        (-1, 4, True),
        (NONE, 4, True),  # in the dark, no candidate of the default method
        (NONE, 1, False),
        (1, 1, True),
        (-1, -1, False),
    ],
)
def test_who_is_surer_wins_and_the_default_method_tells_flashes(default: float, neural: float, cut: bool) -> None:
    joined = neural_vote.cut_odds(odds(f30=default), odds(f30=neural), ALL)
    assert (joined[30] > 0) == cut
    assert (np.delete(joined, 30) == NONE).all()


def test_what_both_say_is_surer_than_either() -> None:
    assert neural_vote.cut_odds(odds(f30=2), odds(f30=2), ALL)[30] > 2
    assert neural_vote.cut_odds(odds(f30=-2), odds(f30=-2), ALL)[30] < -2


@pytest.mark.parametrize("peak", [29, 30, 31])
def test_a_peak_one_frame_off_counts_for_the_candidate(peak: int) -> None:
    joined = neural_vote.cut_odds(odds(f30=1), odds(**{f"f{peak}": 3}), ALL)
    assert np.flatnonzero(joined > NONE).tolist() == [30]
    assert joined[30] > 1


def test_a_peak_two_frames_off_is_a_cut_of_its_own() -> None:
    joined = neural_vote.cut_odds(odds(f30=5), odds(f32=5), ALL)
    assert np.flatnonzero(joined > NONE).tolist() == [30, 32]


def test_where_the_network_was_not_asked_the_default_methods_odds_stay() -> None:
    default = odds(f10=2.5, f40=2.5)
    asked = np.arange(60) >= 30
    joined = neural_vote.cut_odds(default, odds(f40=9), asked)
    assert joined[10] == np.float32(2.5)
    assert joined[40] > 2.5
    found = neural_vote.stretches(stretches((5, 15, 2.5, "wipe"), (35, 45, 2.5, "wipe")), stretches(), asked)
    assert found.odds.tolist() == [2.5, pytest.approx(0.6 * (2.5 - 4))]


def test_of_transitions_that_overlap_the_default_methods_is_kept() -> None:
    found = neural_vote.stretches(stretches((20, 30, 1, "wipe")), stretches((22, 33, 2, "dissolve")), ALL)
    assert (found.starts.tolist(), found.ends.tolist(), found.kinds.tolist()) == ([20], [30], [KINDS.index("wipe")])
    assert found.odds[0] == pytest.approx(1.8)


def test_transitions_of_either_are_in_order() -> None:
    found = neural_vote.stretches(stretches((40, 50, 5, "fade")), stretches((5, 20, 4, "dissolve")), ALL)
    assert found.starts.tolist() == [5, 40]
    assert found.odds[0] > 0
    assert found.starts.dtype == np.int32
    assert len(neural_vote.stretches(stretches(), stretches(), ALL).starts) == 0


@given(arrays(np.float32, 60, elements=ODDS), arrays(np.float32, 60, elements=ODDS), st.floats(0, 3, width=32))
def test_more_odds_of_either_never_make_a_candidate_less_likely(
    default: np.ndarray, neural: np.ndarray, more: np.float32
) -> None:
    before = neural_vote.cut_odds(default, neural, ALL)
    after = neural_vote.cut_odds(default, np.where(neural > NONE, neural + np.float32(more), NONE), ALL)
    seen = before > NONE
    assert (after[seen] >= before[seen]).all()
    assert (np.abs(before[seen]) <= 0.6 * 10 + 1e-5).all()
