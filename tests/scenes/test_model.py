from __future__ import annotations

import math

import numpy as np
import pytest

from scenery import shot
from snapupscale.scenes import model, watch
from snapupscale.scenes.features import describe


def tiny(**changes: object) -> model.Model:
    """Two features, two units."""
    fields: dict[str, object] = {
        "shift": np.array([1, 0], dtype=np.float32),
        "scale": np.array([2, 1], dtype=np.float32),
        "hidden": np.array([[1, -1], [0, 1]], dtype=np.float32),
        "bias": np.array([0, 0.5], dtype=np.float32),
        "out": np.array([3, 10], dtype=np.float32),
        "offset": -1.0,
    }
    return model.Model(**(fields | changes))  # type: ignore[arg-type]


def test_odds_are_worked_out_as_by_hand() -> None:
    features = np.array([[2, 0.25], [1, 0.5], [0, 1]], dtype=np.float32)
    # Scaled: (2, 0.25), (0, 0.5), (-2, 1); units: (2, 0), (0, 1), (0, 3.5).
    assert tiny().odds(features) == pytest.approx([5, 9, 34])
    assert tiny().odds(features[:0]).shape == (0,)
    assert tiny().odds(features).dtype == np.float32


def test_a_feature_far_from_all_that_was_seen_counts_no_more_than_a_limit() -> None:
    far, farther = tiny().odds(np.array([[5, 0], [1e6, 0]], dtype=np.float32))
    assert far == farther == pytest.approx(3 * 6 - 1)


@pytest.mark.parametrize("name", ["cut", "transition"])
def test_the_numbers_that_ship_fit_each_other_and_are_finite(name: str) -> None:
    shipped = model.load(name)
    features, units = shipped.hidden.shape
    assert shipped.shift.shape == shipped.scale.shape == (features,)
    assert shipped.bias.shape == shipped.out.shape == (units,)
    for values in (shipped.shift, shipped.scale, shipped.hidden, shipped.bias, shipped.out):
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    assert math.isfinite(shipped.offset)
    assert (shipped.scale > 0).all()
    assert model.load(name) is shipped


def test_the_numbers_that_ship_are_for_the_features_that_are_measured() -> None:
    frames = describe(np.concatenate((shot(1, 20), shot(2, 20))))
    found = watch.places(frames, 0, len(frames))
    assert found.frames.tolist() == [20]
    assert found.features.shape[1] == len(model.load("cut").shift)
    assert found.stretch_features.shape[1] == len(model.load("transition").shift)
    assert model.load("cut").odds(found.features)[0] > 2


def test_there_is_no_other_model() -> None:
    with pytest.raises(FileNotFoundError):
        model.load("magic")
