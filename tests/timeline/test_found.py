"""Cuts on the frame numbers that an editor counts."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapupscale.errors import SettingError
from snapupscale.scenes.shots import Transition
from snapupscale.timeline.found import Found


@pytest.mark.parametrize(
    "changes",
    [{"cuts": (5, 4)}, {"cuts": (5, 5)}, {"cuts": (0,)}, {"cuts": (100,)}, {"cuts": (5,), "confidences": (0.5, 0.5)}],
)
def test_contradictions_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Found(rate=Fraction(24), frames=100, **changes)


def test_a_constant_source_keeps_its_numbers_at_any_rate() -> None:
    found = Found(rate=Fraction(24), frames=100, cuts=(10, 50))

    assert found.at_rate(Fraction(25)) is found


def test_a_variable_source_is_counted_in_time() -> None:
    found = Found(
        rate=Fraction(30),
        frames=300,
        cuts=(30, 31, 100),
        transitions=(Transition(start=60, end=61, kind="fade"),),
        variable=True,
        confidences=(0.1, 0.2, 0.3),
    )

    moved = found.at_rate(Fraction(15))

    assert (moved.frames, moved.cuts, moved.confidences) == (150, (15, 16, 50), (0.1, 0.2, 0.3))
    assert moved.transitions == (Transition(start=30, end=31, kind="fade"),)


@given(
    cuts=st.sets(st.integers(1, 299), max_size=50),
    rate=st.fractions(min_value=1, max_value=240, max_denominator=1001),
)
def test_cuts_of_a_variable_source_stay_in_order_and_inside(cuts: set[int], rate: Fraction) -> None:
    ordered = tuple(sorted(cuts))
    confidences = tuple(cut / 300 for cut in ordered)
    found = Found(rate=Fraction(30), frames=300, cuts=ordered, variable=True, confidences=confidences)

    moved = found.at_rate(rate)

    assert list(moved.cuts) == sorted(set(moved.cuts))
    assert len(moved.confidences) == len(moved.cuts)
    for number, confidence in zip(moved.cuts, moved.confidences, strict=True):
        assert abs(number - confidence * 300 * rate / 30) <= 0.51
