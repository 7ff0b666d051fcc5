from __future__ import annotations

import time
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from media.apart import CLIPS, FRAMES, made
from snapupscale.media.decoder import Decoder
from snapupscale.media.segment_decoder import NotApart
from snapupscale.media.segment_reader import SegmentReader
from snapupscale.media.segments import segments
from snapupscale.media.source import Source, probe
from snapupscale.scenes import cache
from snapupscale.scenes.signal import analyse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


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
    reader = SegmentReader(source, parts, decoders=threads)
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
    reader = SegmentReader(source, segments(source, threads=1), decoders=2)
    glimpses = reader.glimpses()
    next(glimpses)
    glimpses.close()
    assert reader._stopped.is_set()
    assert len(list(reader.glimpses())) == FRAMES


def test_a_pulse_is_felt_while_nothing_is_shown(clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """So that who waits sees progress, and can stop."""
    source = made(clip, "apart_closed.mp4")
    monkeypatch.setattr("snapupscale.media.segment_reader._PULSE_SECONDS", 0.01)
    pulses: list[int] = []

    def pulse(frames: int) -> None:
        pulses.append(frames)
        if frames:
            raise KeyboardInterrupt

    def slow(thumbnails: Sequence[np.ndarray], asked: Sequence[int]) -> list[int]:
        time.sleep(0.1)
        return list(asked)

    reader = SegmentReader(source, segments(source, threads=1), decoders=2, leaps=slow, pulse=pulse)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(reader.glimpses())
    assert time.monotonic() - began < 1
    assert 0 < pulses[-1] < FRAMES
