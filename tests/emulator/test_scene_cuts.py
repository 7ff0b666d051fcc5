"""DetectSceneCuts: razors the timeline and tells nothing (facts 1.2)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from workbench import Bench

from footage import two_shots

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def pieces(bench: Bench, kind: str = "video") -> list[tuple[int, int, int]]:
    """Start, duration and first source frame of the items."""
    start = bench.timeline.start
    items = bench.timeline.tracks[kind][0].items
    return [(int(item.start) - start, int(item.duration), int(item.source_in)) for item in items]


def test_it_cuts_where_a_test_says_and_the_sound_with_it() -> None:
    bench = Bench()
    clip = bench.add_media("/nowhere/a.mov", frames=200, audio_channels=2)
    bench.add_item(clip, 86400, 100, source=10, sound=True)
    bench.add_item(clip, 86500, 20, source=150)
    bench.cut_at(86430, 86470, 86500, 90000)
    assert bench.handle(bench.timeline).DetectSceneCuts() is True
    assert pieces(bench) == [(0, 30, 10), (30, 40, 40), (70, 30, 80), (100, 20, 150)]
    assert pieces(bench, "audio") == [(0, 30, 10), (30, 40, 40), (70, 30, 80)]
    last = bench.handle(bench.timeline.tracks["video"][0].items[2])
    assert [item.GetStart() for item in last.GetLinkedItems()] == [86470]


@pytest.mark.parametrize(("rate", "expected"), [(24, [(0, 20, 0), (20, 20, 20)]), (48, [(0, 40, 0), (40, 40, 20)])])
def test_it_finds_the_cuts_of_real_footage(clip: Callable[..., Path], rate: int, expected: Any) -> None:
    path = clip("emulated_cuts.mp4", frames=40, rate=Fraction(24), picture=two_shots)
    bench = Bench(rate=rate)
    bench.add_item(bench.add_media(path), bench.timeline.start, 40 * rate // 24)
    assert bench.handle(bench.timeline).DetectSceneCuts() is True
    assert pieces(bench) == expected


def test_there_must_be_something_to_cut() -> None:
    bench = Bench()
    assert bench.handle(bench.timeline).DetectSceneCuts() is False
    bench.add_item(bench.add_media("/nowhere/a.mov", frames=50), 86400, 50)
    bench.lock()
    assert bench.handle(bench.timeline).DetectSceneCuts() is False
