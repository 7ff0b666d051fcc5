from __future__ import annotations

import os
import threading
import time
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from snapupscale.media.frames import FrameIndex
from snapupscale.media.source import probe
from snapupscale.scenes import cache, model
from snapupscale.scenes.adaptive import NONE, Stretches
from snapupscale.scenes.cache import Stored
from snapupscale.scenes.meter import Measured, Network
from snapupscale.scenes.methods import find_cuts
from snapupscale.scenes.signal import analyse
from snapupscale.scenes.watch import Seen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snapupscale.media.source import Source


def made(count: int, *, seed: int = 0, network: bool = False) -> Stored:
    """What a decode of so many frames might have given: numbers of no order, and a candidate in 20 frames."""
    random = np.random.default_rng(seed)
    bits = random.random((4, count)) < 0.1
    index = FrameIndex(
        ticks=np.arange(count, dtype=np.int64) * 1001,
        tick=Fraction(1, 25025),
        keyframes=bits[0],
        damaged=bits[1],
        interlaced=bits[2],
        decoded=~bits[3] if seed else np.ones(count, dtype=np.bool_),
        signatures=random.integers(0, 256, (count, 8, 8), dtype=np.uint8),
        seekable=False,
    )
    starts = np.arange(5, count - 40, 50, dtype=np.int32)
    stretches = Stretches(
        starts=starts,
        ends=starts + 12,
        odds=random.normal(0, 4, len(starts)).astype(np.float32),
        kinds=random.integers(0, 3, len(starts), dtype=np.uint8),
    )
    places = random.random(count) < 0.05
    odds = np.where(places, random.normal(-3, 5, count), NONE).astype(np.float32)
    reasons = np.where(places, random.integers(1, 3, count), 0).astype(np.uint8)
    seen = Seen(odds=odds, reasons=reasons, stretches=stretches)
    curves = random.random((6, count)).astype(np.float32)
    names = ("distance", "luma", "contrast", "motion")
    asked = Network(single=curves[4], many=curves[5]) if network else None
    measured = Measured(**dict(zip(names, curves, strict=False)), seen=seen, network=asked)
    return Stored(index=index, measured=measured, warnings=("damaged: frame 3",))


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal down to the types of their arrays."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return bool(one == other)


@pytest.fixture
def source(clip: Callable[..., Path]) -> Source:
    return probe(clip("cached.mp4", frames=12))


def file_of(source: Source) -> Path:
    return cache._path(source)


@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("count", [1, 40, 500])
def test_what_was_stored_comes_back(source: Source, count: int, network: bool) -> None:
    assert cache.load(source) is None
    stored = made(count, network=network)
    cache.store(source, stored)
    loaded = cache.load(source)
    assert loaded is not None
    assert same(stored, loaded)
    assert loaded.whole
    other = made(count, seed=1, network=network)
    assert not same(other, loaded)
    assert other.whole == other.index.decoded.all()


def test_a_file_that_ends_early_counts_as_none(source: Source) -> None:
    cache.store(source, made(300))
    path = file_of(source)
    whole = path.read_bytes()
    for part in range(20):
        path.write_bytes(whole[: len(whole) * part // 20])
        assert cache.load(source) is None, part
    path.write_bytes(whole[:-1])
    assert cache.load(source) is None
    path.write_bytes(whole)
    assert cache.load(source) is not None


def test_a_file_of_which_a_part_was_lost_counts_as_none(source: Source) -> None:
    cache.store(source, made(300))
    path = file_of(source)
    whole = path.read_bytes()
    for part in range(20):
        low = len(whole) * part // 20
        path.write_bytes(whole[:low] + bytes(64) + whole[low + 64 :])
        loaded = cache.load(source)
        assert loaded is None or same(loaded, made(300)), part


def test_a_damaged_file_is_written_anew(source: Source) -> None:
    first = analyse(source)
    path = file_of(source)
    path.write_bytes(path.read_bytes()[:1000])
    again = analyse(source)
    assert np.array_equal(first.distance, again.distance)
    assert cache.load(source) is not None


def test_two_writers_at_once_leave_a_whole_file(source: Source) -> None:
    ones = [made(400, seed=seed) for seed in range(2)]
    read: list[Stored | None] = []

    def write(stored: Stored) -> None:
        for _ in range(20):
            cache.store(source, stored)
            read.append(cache.load(source))

    threads = [threading.Thread(target=write, args=(one,)) for one in ones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 40
    for loaded in (*read, cache.load(source)):
        assert loaded is not None
        assert any(same(loaded, one) for one in ones)
    assert [path.name for path in file_of(source).parent.iterdir()] == [file_of(source).name]


def test_another_version_is_another_file(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store(source, made(20))
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    assert cache.load(source) is None


def test_another_fit_is_another_file(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store(source, made(20))
    before = model.mark()
    model.mark.cache_clear()
    assert model.mark() == before
    monkeypatch.setattr(model, "_fitted", lambda name: name.encode())
    model.mark.cache_clear()
    assert cache.load(source) is None
    model.mark.cache_clear()


def test_another_source_and_rate_are_other_files(source: Source, clip: Callable[..., Path]) -> None:
    cache.store(source, made(20))
    assert cache.load(replace(source, rate=Fraction(25))) is None
    assert cache.load(probe(clip("cached_too.mp4", frames=13))) is None


def test_what_is_discarded_is_gone(source: Source) -> None:
    cache.store(source, made(20))
    assert cache.discard(source)
    assert cache.load(source) is None
    assert not cache.discard(source)


def test_a_file_that_was_used_is_dropped_last(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "KEPT", 2)
    cache.store(source, made(20))
    path = file_of(source)
    os.utime(path, (1, 1))
    other = path.with_name("other.npz")
    other.touch()
    os.utime(other, (1000, 1000))
    assert cache.load(source) is not None
    cache.store(replace(source, rate=Fraction(50)), made(20))
    assert path.exists()
    assert not other.exists()


def test_an_hour_is_small_and_quick(source: Source) -> None:
    hour = 25 * 3600
    cache.store(source, made(hour))
    assert file_of(source).stat().st_size <= 10_000_000
    find_cuts(analyse(source))
    times = []
    for _ in range(3):
        began = time.process_time()
        found = find_cuts(analyse(source))
        times.append(time.process_time() - began)
    print(f"an hour: {1000 * min(times):.0f} ms, {file_of(source).stat().st_size / 1e6:.1f} MB")
    assert len(found.cuts) > 1000
    assert min(times) < 0.2  # the benchmark asks for 0.05, on a machine that does nothing else
