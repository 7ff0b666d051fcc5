from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

from snapupscale.media.decoder import Decoder
from snapupscale.media.segment_decoder import NotApart
from snapupscale.media.segment_reader import SegmentReader
from snapupscale.media.segments import Segment, in_order_of_work, segments
from snapupscale.media.source import Source, probe
from snapupscale.scenes import cache
from snapupscale.scenes.signal import analyse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAMES = 200
SIZE = {"width": 192, "height": 108, "frames": FRAMES}
OPEN = {"g": "32", "bf": "3", "x264-params": "open-gop=1:scenecut=0:bframes=3:b-adapt=0"}
CLIPS: dict[str, dict[str, Any]] = {
    "apart_closed.mp4": {"options": {"g": "30", "bf": "3", "sc_threshold": "0"}},
    "apart_open.mp4": {"options": OPEN},
    "apart_hevc.mp4": {
        "codec": "libx265",
        "options": {"x265-params": "log-level=none:keyint=32:open-gop=1:scenecut=0:bframes=3"},
    },
    "apart_mpeg2.mov": {"codec": "mpeg2video", "options": {"g": "12", "bf": "2"}},
    "apart_whole.mov": {"options": {"g": "40", "bf": "0"}},
}


def pan(number: int, width: int, height: int) -> np.ndarray:
    """A picture that moves, so that every frame refers to others."""
    detail = np.random.default_rng(number // 70).integers(20, 235, (9, 40, 3), dtype=np.uint8)
    image = cv2.resize(detail, (width * 3, height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.roll(image, 2 * number, axis=1)[:, :width])


def made(clip: Callable[..., Path], name: str, **changes: Any) -> Source:
    return probe(clip(name, picture=pan, **{**SIZE, **CLIPS.get(name, {}), **changes}))


def leading(source: Source) -> int:
    """Packets that are shown before the keyframe that they come after."""
    count, shown = 0, 0
    with av.open(str(source.path)) as container:
        for packet in container.demux(video=0):
            if packet.pts is not None:
                shown = packet.pts if packet.is_keyframe else shown
                count += packet.pts < shown
    return count


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", CLIPS)
def test_frames_are_those_of_one_pass(clip: Callable[..., Path], name: str, threads: int) -> None:
    source = made(clip, name)
    assert bool(leading(source)) == (name in {"apart_open.mp4", "apart_hevc.mp4", "apart_mpeg2.mov"})
    parts = segments(source, threads=1)
    assert len(parts) > 3
    assert sum(part.packets for part in parts) == FRAMES
    reader = SegmentReader(source, parts, threads=threads)
    decoder = Decoder(source)
    count = 0
    for glimpse, frame in zip(reader.glimpses(), decoder.frames(fast=True), strict=True):
        assert (glimpse.index, glimpse.matrix, glimpse.decoded) == (frame.index, frame.matrix, True)
        assert np.array_equal(glimpse.sample, frame.sample)
        count += 1
    assert count == FRAMES
    found, expected = reader.index(), decoder.index()
    assert found.tick == expected.tick
    for column in ("ticks", "keyframes", "damaged", "interlaced", "signatures"):
        assert np.array_equal(getattr(found, column), getattr(expected, column)), column


def test_what_has_few_keyframes_or_no_whole_index_is_not_divided(clip: Callable[..., Path], tmp_path: Path) -> None:
    assert not segments(made(clip, "apart_one.mp4", options={"g": "999", "sc_threshold": "0"}))
    assert not segments(made(clip, "apart_rare.mp4", frames=340, options={"g": "320", "sc_threshold": "0"}))
    assert not segments(made(clip, "apart.mkv", options={"g": "30"}))
    whole = made(clip, "apart_faststart.mp4", options={"g": "30"}, container_options={"movflags": "faststart"})
    assert segments(whole, threads=1)
    cut_off = tmp_path / "cut_off.mp4"
    cut_off.write_bytes(whole.path.read_bytes()[:-2000])
    assert not segments(probe(cut_off))


def test_a_keyframe_that_does_not_stand_alone_is_noticed(clip: Callable[..., Path]) -> None:
    refresh = {"g": "40", "bf": "0", "x264-params": "intra-refresh=1:scenecut=0"}
    source = made(clip, "apart_refresh.mp4", options=refresh)
    parts = segments(source, threads=1)
    assert len(parts) > 2
    with pytest.raises(NotApart):
        list(SegmentReader(source, parts).glimpses())


@pytest.fixture
def damaged(clip: Callable[..., Path], tmp_path: Path) -> Source:
    path = tmp_path / "damaged.mp4"
    data = bytearray(made(clip, "apart_closed.mp4").path.read_bytes())
    with av.open(str(made(clip, "apart_closed.mp4").path)) as container:
        entry = container.streams.video[0].index_entries[100]
    data[entry.pos + 4 : entry.pos + entry.size] = bytes(entry.size - 4)
    path.write_bytes(data)
    return probe(path)


def test_damaged_footage_is_decoded_in_one_go(damaged: Source) -> None:
    with pytest.raises(NotApart):
        list(SegmentReader(damaged, segments(damaged, threads=1)).glimpses())
    signal = analyse(damaged)
    assert any("damaged" in warning for warning in signal.warnings)


def test_all_of_it_is_decoded(clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    source = made(clip, "apart_open.mp4")
    monkeypatch.setattr(Decoder, "frames", None)
    monkeypatch.setattr("snapupscale.media.segments.threads_here", lambda: 2)
    assert len(analyse(source)) == FRAMES
    stored = cache.load(source)
    assert stored is not None
    assert stored.whole


def test_who_stops_early_waits_for_no_segment(clip: Callable[..., Path]) -> None:
    source = made(clip, "apart_closed.mp4")
    reader = SegmentReader(source, segments(source, threads=1), threads=2)
    glimpses = reader.glimpses()
    next(glimpses)
    glimpses.close()
    assert reader._stopped.is_set()
    assert len(list(reader.glimpses())) == FRAMES


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
