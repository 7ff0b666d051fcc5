from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from media.apart import FRAMES, made
from snapupscale.media import samples, skim
from snapupscale.media.decoder import Decoder
from snapupscale.media.segment_decoder import SegmentDecoder
from snapupscale.media.segment_reader import SegmentReader
from snapupscale.media.segments import successive
from snapupscale.media.skim import skimmed
from snapupscale.scenes.quiet import leaps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from snapupscale.media.intra import Glimpse
    from snapupscale.media.segment_decoder import Look
    from snapupscale.media.skim import Leaps
    from snapupscale.media.source import Source

CUTS = (70, 140)
"""Where the picture of `apart.pan` is another one."""


def nowhere(thumbnails: Sequence[np.ndarray], asked: Sequence[int]) -> list[int]:
    return []


def everywhere(thumbnails: Sequence[np.ndarray], asked: Sequence[int]) -> list[int]:
    return list(asked)


def seen(source: Source, found: Leaps, decoders: int = 2) -> list[Glimpse]:
    reader = SegmentReader(source, successive(source), decoders=decoders, leaps=found)
    glimpses = list(reader.glimpses())
    assert reader.decoded == sum(glimpse.decoded for glimpse in glimpses)
    assert [glimpse.index for glimpse in glimpses] == list(range(FRAMES))
    assert np.array_equal(reader.index().ticks, index_of(source).ticks)
    return glimpses


def index_of(source: Source) -> Decoder:
    decoder = Decoder(source)
    for _ in decoder.frames(fast=True):
        pass
    return decoder.index()


def whole(source: Source) -> list[np.ndarray]:
    return [frame.sample for frame in Decoder(source).frames(fast=True)]


@pytest.mark.parametrize("decoders", [1, 2])
@pytest.mark.parametrize("name", ["apart_closed.mp4", "apart_open.mp4", "apart_hevc.mp4"])
def test_what_is_left_out_is_between_what_one_pass_gives(clip: Callable[..., Path], name: str, decoders: int) -> None:
    source = made(clip, name)
    glimpses, expected = seen(source, nowhere, decoders), whole(source)
    there = [glimpse.index for glimpse in glimpses if glimpse.decoded]
    assert FRAMES / 3 < len(there) < FRAMES * 0.95
    for one, other in pairwise(there):
        assert np.array_equal(glimpses[one].sample, expected[one])
        for index in range(one + 1, other):
            part = (index - one) / (other - one)
            assert np.array_equal(glimpses[index].sample, samples.between(expected[one], expected[other], part))
    assert there[-1] == FRAMES - 1


@pytest.mark.parametrize("name", ["apart_closed.mp4", "apart_open.mp4", "apart_hevc.mp4"])
def test_where_something_may_happen_all_is_decoded(clip: Callable[..., Path], name: str) -> None:
    source = made(clip, name)
    glimpses = seen(source, everywhere)
    assert all(glimpse.decoded for glimpse in glimpses)
    assert all(map(np.array_equal, (glimpse.sample for glimpse in glimpses), whole(source)))


@pytest.mark.parametrize("name", ["apart_closed.mp4", "apart_open.mp4", "apart_hevc.mp4"])
def test_cuts_that_packets_do_not_tell_of_are_seen(
    clip: Callable[..., Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made(clip, name)
    monkeypatch.setattr(skim, "calm", lambda packets: frozenset(packet.time for packet in packets[:-1]))
    there = {glimpse.index for glimpse in seen(source, leaps) if glimpse.decoded}
    assert there < set(range(FRAMES))
    for cut in CUTS:
        assert {cut - 1, cut} <= there


@pytest.mark.parametrize("name", ["apart_mpeg2.mov", "apart_whole.mov"])
def test_where_no_frame_can_be_left_out_none_is(clip: Callable[..., Path], name: str) -> None:
    assert all(glimpse.decoded for glimpse in seen(made(clip, name), nowhere))


def test_frames_come_while_the_segment_is_decoded(clip: Callable[..., Path]) -> None:
    """Not at its end: those that wait take memory, and nobody sees that it goes on."""
    source = made(clip, "apart_closed.mp4")
    segment = successive(source)[0]
    come_by: list[int] = []

    def reached(frames: int) -> bool:
        come_by.append(frames)
        return True

    with SegmentDecoder(source.path, source.stream) as decoder:
        waiting = 0
        shown: list[Look] = []
        for look in skimmed(decoder, segment, nowhere, reached):
            shown.append(look)
            count = len(shown) + sum(len(each.left_out) for each in shown)
            waiting = max(waiting, (come_by[-1] if come_by else 0) - count)
    assert come_by == sorted(come_by)
    assert come_by[-1] == segment.packets
    assert waiting < 12


def test_who_stops_is_not_kept_waiting(clip: Callable[..., Path]) -> None:
    source = made(clip, "apart_closed.mp4")
    with SegmentDecoder(source.path, source.stream) as decoder:
        looks = list(skimmed(decoder, successive(source)[1], everywhere, lambda frames: frames < 12))
    assert len(looks) < 12
