from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from media.apart import FRAMES, made
from snapupscale.media.segments import Segment, in_order_of_work, segments, successive
from snapupscale.media.source import probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_what_has_few_keyframes_or_no_whole_index_is_not_divided(clip: Callable[..., Path], tmp_path: Path) -> None:
    assert not segments(made(clip, "apart_one.mp4", options={"g": "999", "sc_threshold": "0"}))
    assert not segments(made(clip, "apart_rare.mp4", frames=340, options={"g": "320", "sc_threshold": "0"}))
    assert not segments(made(clip, "apart.mkv", options={"g": "30"}))
    whole = made(clip, "apart_faststart.mp4", options={"g": "30"}, container_options={"movflags": "faststart"})
    assert segments(whole, threads=1)
    cut_off = tmp_path / "cut_off.mp4"
    cut_off.write_bytes(whole.path.read_bytes()[:-2000])
    assert not segments(probe(cut_off))


def test_the_longest_of_the_last_ones_is_begun_so_early_that_all_end_together() -> None:
    parts = [
        Segment(number=number, start=0, delay=0, packets=30, size=size, checked=False)
        for number, size in enumerate((50, 10, 30, 10, 20, 10, 40))
    ]
    assert [part.number for part in in_order_of_work(parts, 2)] == [0, 1, 2, 6, 3, 4, 5]
    assert [part.number for part in in_order_of_work(parts, 1)] == [0, 1, 2, 3, 4, 5, 6]
    assert [part.number for part in in_order_of_work(parts[:4], 2)] == [0, 1, 2, 3]


def test_work_that_cannot_be_shared_is_done_in_one_go(clip: Callable[..., Path]) -> None:
    source = made(clip, "apart_closed.mp4")
    assert len(segments(source, threads=1)) == 7
    assert not segments(source, threads=6)


def test_large_pictures_are_decoded_in_one_go(clip: Callable[..., Path]) -> None:
    source = made(clip, "apart_closed.mp4")
    assert not segments(replace(source, width=3840, height=2160), threads=1)


def test_one_after_the_other_they_may_be_large_uneven_and_few(clip: Callable[..., Path]) -> None:
    source = made(clip, "apart_closed.mp4")
    assert len(successive(replace(source, width=3840, height=2160))) == 7
    alone = made(clip, "apart_one.mp4", options={"g": "999", "sc_threshold": "0"})
    assert [part.packets for part in successive(alone)] == [FRAMES]
    assert not successive(made(clip, "apart_rare.mp4", frames=340, options={"g": "320", "sc_threshold": "0"}))
    assert not successive(made(clip, "apart.mkv", options={"g": "30"}))
