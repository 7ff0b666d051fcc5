from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import av
import pytest

from media.apart import made
from snapupscale.media.disposable import Told, calm, teller, worth_leaving_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("name", ["apart_closed.mp4", "apart_open.mp4", "apart_hevc.mp4", "apart_whole.mov"])
def test_packets_are_told_apart_as_ffmpeg_does(clip: Callable[..., Path], name: str) -> None:
    path = str(made(clip, name).path)
    with av.open(path) as container:
        stream = container.streams.video[0]
        disposable = teller(stream.codec_context)
        assert disposable is not None
        packets = [packet for packet in container.demux(stream) if packet.size]
        kept = {packet.pts for packet in packets if not disposable(memoryview(packet))}
    with av.open(path) as container:
        container.streams.video[0].codec_context.skip_frame = "NONREF"
        assert {picture.pts for picture in container.decode(video=0)} == kept
    assert (len(kept) < len(packets)) == (name != "apart_whole.mov")


def context(name: str, record: bytes) -> Any:
    return SimpleNamespace(name=name, extradata=record)


def test_what_is_not_certain_is_not_told() -> None:
    layers = {count: bytes([1, *[0] * 20, count << 3 | 3]) for count in (0, 1, 2)}
    assert teller(context("hevc", layers[1])) is not None
    assert teller(context("hevc", layers[2])) is None
    assert teller(context("hevc", layers[0])) is None
    assert teller(context("h264", b"\x01\x64\x00\x28\xff")) is not None
    # Without lengths: as in a raw stream.
    assert teller(context("h264", b"\x00\x00\x00\x01\x67\x64")) is None
    assert teller(context("h264", b"")) is None
    assert teller(context("mpeg2video", layers[1])) is None


def unit(head: int, size: int = 3) -> bytes:
    return size.to_bytes(2, "big") + bytes([head, *[7] * (size - 1)])


@pytest.mark.parametrize(
    ("units", "disposable"),
    [
        ((0x01,), True),
        ((0x09, 0x06, 0x01, 0x01), True),
        ((0x01, 0x21), False),
        ((0x41,), False),
        ((0x65,), False),
        ((0x09, 0x06), False),
        ((), False),
    ],
)
def test_every_slice_of_a_packet_counts(units: tuple[int, ...], disposable: bool) -> None:
    tell = teller(context("h264", b"\x01\x64\x00\x28\xfd"))
    assert tell is not None
    assert tell(memoryview(b"".join(map(unit, units)))) == disposable


def test_a_packet_that_is_cut_off_is_read_to_its_end() -> None:
    tell = teller(context("h264", b"\x01\x64\x00\x28\xfd"))
    assert tell is not None
    assert tell(memoryview(unit(0x01)[:3]))
    assert not tell(memoryview(b"\x00"))


def pyramid(groups: int, sizes: dict[int, int] | None = None) -> list[Told]:
    """A keyframe, then groups of four frames of which the second is referred to by the first and third."""
    order = [0, *(4 * group + place for group in range(groups) for place in (4, 2, 1, 3))]
    usual = {0: 800, 2: 400, 1: 100, 3: 100}
    return [
        Told(time=10 * at, size=(sizes or {}).get(at, usual[at % 4]), keyframe=at == 0, disposable=at % 2 == 1)
        for at in order
    ]


def test_steady_footage_is_calm_but_beside_keyframes_and_at_the_end() -> None:
    assert calm(pyramid(5)) == {10 * at for at in range(4, 17)}


@pytest.mark.parametrize("at", [9, 10, 12])
def test_a_packet_that_is_large_among_its_like_is_not(at: int) -> None:
    usual = {1: 100, 2: 400, 0: 800}[{9: 1, 10: 2, 12: 0}[at]]
    near = {10 * place for place in range(at - 3, at + 4)}
    assert not calm(pyramid(5, {at: 3 * usual})) & near
    assert calm(pyramid(5, {at: 3 * usual})) == {10 * place for place in range(4, 17)} - near
    assert calm(pyramid(5, {at: usual * 3 // 2})) == calm(pyramid(5))


def test_few_packets_are_never_calm() -> None:
    assert not calm(pyramid(0))
    assert not calm(pyramid(1))


def test_little_footage_and_other_codecs_are_decoded_whole(clip: Callable[..., Path]) -> None:
    source = made(clip, "apart_closed.mp4")
    large = replace(source, width=1920, height=1080, frames=1100)
    assert worth_leaving_out(large)
    assert not worth_leaving_out(source)
    assert not worth_leaving_out(replace(large, frames=900))
    assert not worth_leaving_out(replace(large, frames=None))
    assert not worth_leaving_out(replace(large, codec="mpeg2video"))
