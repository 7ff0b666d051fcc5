from __future__ import annotations

import numpy as np

from fitting.fit import Table, fit, transitions
from scenery import BLACK, dissolve, shot
from snapupscale.scenes.features import describe
from snapupscale.scenes.watch import Places, places

FIRST, SECOND = shot(1, 80), shot(2, 80)
HOLD = np.repeat(BLACK, 16, axis=0)
PICTURES = np.concatenate((FIRST, dissolve(FIRST, HOLD, 8), HOLD, dissolve(HOLD, SECOND, 12), SECOND))
SPAN = (80, 80 + 8 + 16 + 12 - 1)


def found() -> Places:
    return places(describe(PICTURES), 0, len(PICTURES))


def count(kind: str) -> int:
    truth = {"cuts": [], "gradual": [(*SPAN, kind)], "ignore": []}
    return int(transitions(found(), truth).labels.sum())


def test_the_halves_of_a_fade_count_as_found() -> None:
    assert count("fade") > count("dissolve")


def test_what_touches_no_transition_counts_as_none() -> None:
    table = transitions(found(), {"cuts": [], "gradual": [], "ignore": []})
    assert len(table.labels) == len(found().starts)
    assert not table.labels.any()
    ignored = transitions(found(), {"cuts": [], "gradual": [], "ignore": [SPAN]})
    assert len(ignored.labels) < len(table.labels)


def test_a_fit_tells_apart_what_can_be_told_apart() -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(4000, 5)).astype(np.float32)
    labels = (features[:, 0] * features[:, 1] > 0).astype(np.float32)
    fitted = fit(Table(features=features, labels=labels), lean=0.5)
    right = (fitted.odds(features) > 0.5) == (labels > 0)
    assert right.mean() > 0.9
