from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from footage import numbered
from snapupscale.media import samples
from snapupscale.media.signatures import SIDE, alike, checksum, signature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMATS = ("yuv420p", "yuv422p10le", "yuyv422", "gray", "gray16be", "rgb24", "gbrp", "rgb48be", "nv12", "p010le")


def picture(values: np.ndarray, pixel_format: str) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(values, format="rgb24").reformat(format=pixel_format)


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_blocks_stand_where_the_picture_has_them(pixel_format: str) -> None:
    values = np.full((72, 128, 3), 60, dtype=np.uint8)
    values[-9:, :16] = 200
    found = signature(samples.sample(picture(values, pixel_format)))
    assert (found.shape, found.dtype) == ((SIDE, SIDE), np.uint8)
    assert found[-1, 0] > found[0, 0] + 30
    assert np.ptp(found[:-1, 2:]) <= 1


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (2000, 4), (17, 13)])
@pytest.mark.parametrize("pixel_format", ["monob", "pal8", "gbrpf32le", "gbrap16be", "ya8"])
def test_every_size_and_format_has_a_signature(size: tuple[int, int], pixel_format: str) -> None:
    frame = av.VideoFrame(*size, pixel_format)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    assert signature(samples.sample(frame)).shape == (SIDE, SIDE)


def test_a_little_more_or_less_is_alike_and_more_is_not() -> None:
    generator = np.random.default_rng(3)
    first = generator.integers(20, 230, (SIDE, SIDE)).astype(np.uint8)
    assert alike(first, first + 1)
    assert not alike(first, first + 4)
    one_block = first.copy()
    one_block[3, 3] += 20
    assert not alike(first, one_block)
    assert not alike(first, 255 - first)


def test_a_frame_without_the_one_that_it_refers_to_is_told(clip: Callable[..., Path]) -> None:
    options = {"g": "100", "bf": "0", "x264-params": "scenecut=0"}
    path = clip("refers.mp4", frames=40, width=320, height=192, options=options)
    whole = decoded(path, skipped=range(0))
    broken = decoded(path, skipped=range(5, 15))
    told = [alike(whole[pts], broken[pts]) for pts in sorted(broken) if pts in whole][16:]
    assert len(told) >= 10
    assert not any(told)


def decoded(path: Path, skipped: range) -> dict[int, np.ndarray]:
    """The signature of each frame by its time, where so many packets never reached the decoder."""
    found = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.flags |= 8  # output frames that are damaged too
        for number, packet in enumerate(container.demux(stream)):
            if number not in skipped:
                found.update({frame.pts: signature(samples.sample(frame)) for frame in packet.decode()})
    return found


def test_checksums_tell_neighbours_apart() -> None:
    sums = {checksum(picture(numbered(number, 96, 54), "yuv420p")) for number in range(20)}
    assert len(sums) == 20
