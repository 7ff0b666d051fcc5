from __future__ import annotations

import numpy as np
import pytest

from scenery import texture
from snapupscale.scenes.meter import BINS, Meter, bhattacharyya, colour_histogram


def test_bhattacharyya_is_its_definition() -> None:
    generator = np.random.default_rng(1)
    p, q = (generator.random(64) for _ in range(2))
    p, q = p / p.sum(), q / q.sum()
    expected = np.sqrt(1 - sum(np.sqrt(a * b) for a, b in zip(p, q, strict=True)))
    assert bhattacharyya(p.astype(np.float32), q.astype(np.float32)) == pytest.approx(expected, abs=1e-4)
    assert bhattacharyya(p.astype(np.float32), p.astype(np.float32)) < 1e-3
    apart = np.eye(2, dtype=np.float32)
    assert bhattacharyya(apart[0], apart[1]) == 1


def test_a_histogram_sums_to_one_and_tells_greys_apart() -> None:
    dark, bright = (np.full((9, 16, 3), level, dtype=np.uint8) for level in (40, 200))
    assert colour_histogram(dark).shape == (np.prod(BINS),)
    assert colour_histogram(dark).sum() == pytest.approx(1)
    assert bhattacharyya(colour_histogram(dark), colour_histogram(bright)) == 1


def test_frames_are_measured_one_after_the_other() -> None:
    black = np.full((90, 160, 3), (0, 128, 128), dtype=np.uint8)
    halves = black.copy()
    halves[:, :80, 0] = 255
    meter = Meter()
    for sample in (black, halves, halves):
        meter.add(sample, 1)
    found = meter.finish()
    assert found.distance == pytest.approx([0, np.sqrt(1 - np.sqrt(0.5)), 0], abs=1e-3)
    assert found.luma == pytest.approx([0, 0.5, 0.5], abs=1e-6)
    assert found.contrast == pytest.approx([0, 0.5, 0.5], abs=1e-6)
    assert found.motion == pytest.approx([0, 0.5, 0], abs=1e-6)
    assert found.seen.odds.shape == found.seen.reasons.shape == (3,)
    assert found.network is None


def test_a_picture_of_another_size_is_compared_by_its_colours() -> None:
    meter = Meter()
    for size in ((90, 160), (90, 160), (45, 80)):
        meter.add(texture(1, *size, cell=size[0] // 9), 1)
    found = meter.finish()
    assert found.motion.tolist() == [0, 0, 0]
    assert found.distance[2] < 0.4


def test_no_frames() -> None:
    found = Meter().finish()
    assert len(found.distance) == len(found.motion) == len(found.seen.odds) == 0
