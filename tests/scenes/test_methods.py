from __future__ import annotations

import numpy as np
import pytest

from signals import make_signal
from snapupscale.errors import SettingError
from snapupscale.scenes.methods import find_cuts


def test_cuts_come_from_the_signal_alone() -> None:
    distance = np.zeros(100, dtype=np.float32)
    distance[[30, 60]] = [0.7, 0.35]
    signal = make_signal(distance)
    assert find_cuts(signal, threshold=0.4).cuts == (30,)
    assert find_cuts(signal, threshold=0.3).cuts == (30, 60)
    assert find_cuts(signal).method == "histogram"
    assert find_cuts(signal).transitions == ()


def test_the_minimum_length_is_in_seconds() -> None:
    distance = np.zeros(100, dtype=np.float32)
    distance[[30, 35]] = [0.7, 0.6]
    assert find_cuts(make_signal(distance), min_shot=0).cuts == (30, 35)
    assert find_cuts(make_signal(distance), min_shot=0.25).cuts == (30,)
    assert find_cuts(make_signal(distance), min_shot=5 / 24).cuts in {(30,), (30, 35)}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"method": "magic"}, "histogram"),
        ({"threshold": 0.05}, "0.1"),
        ({"threshold": 0.9}, "0.8"),
        ({"threshold": float("nan")}, "threshold"),
        ({"min_shot": -1}, "seconds"),
        ({"min_shot": float("inf")}, "seconds"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], word: str) -> None:
    with pytest.raises(SettingError) as error:
        find_cuts(make_signal(np.zeros(10, dtype=np.float32)), **settings)  # type: ignore[arg-type]
    assert word in str(error.value) + error.value.hint
