from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from scenery import BLACK, WHITE, dissolve, shot
from snapupscale.scenes import blends, watch
from snapupscale.scenes.adaptive import KINDS, NONE
from snapupscale.scenes.candidates import REASONS
from snapupscale.scenes.watch import Seen, Watch, likeliest

CUTS = (60, 185, 310, 400)
DISSOLVE, FADE, FLASH = (260, 280), (440, 456), 350


@cache
def footage() -> np.ndarray:
    """600 frames: four cuts, a dissolve, a fade to black, a flash, shots that stand and such that move."""
    moving = shot(3, 125, speed=(0, 0.7))
    first, second, third = shot(1, 60), shot(2, 75), shot(4, 30)
    flashed, fifth = shot(5, 90), shot(6, 40)
    flashed[FLASH - 310] = WHITE[0]
    faded = (dissolve(fifth, BLACK, 16), np.repeat(BLACK, 144, axis=0))
    parts = (first, moving, second, dissolve(second, third, 20), third, flashed, fifth, *faded)
    return np.concatenate(parts)


def seen(pictures: np.ndarray) -> Seen:
    eye = Watch()
    for picture in pictures:
        eye.add(picture)
    return eye.finish()


def test_what_happens_is_seen_where_it_happens() -> None:
    found = seen(footage())
    assert len(found.odds) == len(found.reasons) == len(footage()) == 600
    assert set(np.flatnonzero(found.odds > 0).tolist()) == set(CUTS)
    assert (found.reasons[[*CUTS]] > 0).all()
    assert (found.reasons[[FLASH, FLASH + 1]] == REASONS.index("flash")).all()
    assert (found.odds[1:50] < -4).all()
    assert found.odds[0] == NONE
    likely = found.stretches.odds > 0
    for starts, (start, end), kind in zip(found.stretches.starts[likely], (DISSOLVE, FADE), (0, 1), strict=True):
        assert abs(starts - start) <= 2
        row = found.stretches.starts.tolist().index(starts)
        assert abs(found.stretches.ends[row] - end) <= 2
        assert found.stretches.kinds[row] == kind


@pytest.mark.parametrize(("batch", "chunk"), [(8, 32), (64, 1), (34, 200)])
def test_how_many_frames_are_taken_at_once_makes_no_difference(
    batch: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_CHUNK", 100_000)
    whole = seen(footage())
    monkeypatch.setattr(watch, "_BATCH", batch)
    monkeypatch.setattr(watch, "_CHUNK", chunk)
    parts = seen(footage())
    assert parts.odds == pytest.approx(whole.odds, abs=1e-4)
    assert np.array_equal(parts.reasons, whole.reasons)
    assert parts.stretches.odds == pytest.approx(whole.stretches.odds, abs=1e-4)
    for name in ("starts", "ends", "kinds"):
        assert np.array_equal(getattr(parts.stretches, name), getattr(whole.stretches, name)), name


def test_memory_does_not_grow_with_the_footage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_BATCH", 16)
    monkeypatch.setattr(watch, "_CHUNK", 64)
    kept: list[int] = []
    judge = Watch._judge

    def spied(eye: Watch, end: int) -> None:
        kept.append(eye._kept)
        judge(eye, end)
        kept.append(eye._kept)

    monkeypatch.setattr(Watch, "_judge", spied)
    seen(footage())
    assert len(kept) > 10
    assert max(kept) <= 64 + 2 * blends.SPAN + 16


def test_no_frames() -> None:
    found = Watch().finish()
    assert found.odds.shape == found.reasons.shape == found.stretches.starts.shape == (0,)
    assert (found.odds.dtype, found.reasons.dtype) == (np.float32, np.uint8)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_few_frames(count: int) -> None:
    found = seen(footage()[:count])
    assert len(found.odds) == count
    assert (found.odds < -4).all()
    assert len(found.stretches.starts) == 0
    found = seen(np.concatenate((footage()[:count], footage()[60 : 60 + count])))
    assert len(found.odds) == 2 * count
    assert int(np.argmax(found.odds)) == count


def test_of_stretches_that_overlap_the_likeliest_stays() -> None:
    found = likeliest([(10, 30, 1.0, 0), (25, 40, 3.0, 1), (40, 50, 0.5, 2), (5, 20, 0.2, 0), (60, 70, -4.0, 2)])
    assert (found.starts.tolist(), found.ends.tolist()) == ([5, 25, 40, 60], [20, 40, 50, 70])
    assert [KINDS[kind] for kind in found.kinds] == ["dissolve", "fade", "wipe", "wipe"]
    assert found.odds == pytest.approx([0.2, 3, 0.5, -4])


def test_of_equally_likely_ones_the_first() -> None:
    assert likeliest([(12, 22, 1.0, 0), (10, 20, 1.0, 0)]).starts.tolist() == [10]
    assert likeliest([]).starts.dtype == np.int32
