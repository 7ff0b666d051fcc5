from __future__ import annotations

import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from snapupscale.errors import SourceChanged
from snapupscale.media import samples
from snapupscale.media.decoder import Decoder
from snapupscale.media.intra import REACH, Glimpse, NotSparse, SparseReader
from snapupscale.media.packets import is_intra
from snapupscale.media.source import Source, probe
from snapupscale.scenes.quiet import midway, quiet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CUTS = (37, 41, 90)
SIZE = {"width": 256, "height": 144}
CODECS: dict[str, dict[str, Any]] = {
    "sparse_mjpeg.mov": {"codec": "mjpeg", "pixel_format": "yuvj422p", "options": {"q:v": "3"}},
    "sparse_prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
    "sparse_dnxhr.mov": {"codec": "dnxhd", "pixel_format": "yuv422p", "options": {"profile": "dnxhr_sq"}},
    "sparse_intra.mp4": {"options": {"g": "1", "bf": "0"}},
    "sparse_v210.mov": {"codec": "v210", "pixel_format": "yuv422p10le"},
}


def shots(number: int, width: int, height: int) -> np.ndarray:
    """Slow pans over pictures that change at CUTS; the second shot is of 4 frames."""
    shot = sum(number >= cut for cut in CUTS)
    detail = np.random.default_rng(shot).integers(30, 220, (6, 10, 3), dtype=np.uint8)
    image = cv2.resize(detail, (width * 5 // 4, height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.roll(image, number // 3, axis=1)[:, :width])


def made(clip: Callable[..., Path], name: str) -> Source:
    return probe(clip(name, frames=130, picture=shots, **SIZE, **CODECS[name]))


def read(source: Source, **options: Any) -> tuple[list[Glimpse], SparseReader]:
    reader = SparseReader(source, quiet=quiet, midway=midway, **options)
    return list(reader.glimpses()), reader


@pytest.mark.parametrize("name", CODECS)
def test_cuts_are_decoded_on_both_sides_and_little_else(clip: Callable[..., Path], name: str) -> None:
    source = made(clip, name)
    assert is_intra(source)
    glimpses, reader = read(source)
    assert [glimpse.index for glimpse in glimpses] == list(range(130))
    near = {frame for cut in CUTS for frame in range(cut - REACH, cut + REACH)}
    assert all(glimpses[frame].decoded for frame in near)
    assert reader.decoded == sum(glimpse.decoded for glimpse in glimpses)
    assert reader.decoded < 130 * 0.4


@pytest.mark.parametrize("name", CODECS)
def test_what_is_decoded_is_as_in_a_whole_decode_and_the_rest_nearly_so(clip: Callable[..., Path], name: str) -> None:
    source = made(clip, name)
    glimpses, _ = read(source)
    whole = [samples.sample(frame.picture) for frame in Decoder(source).frames(fast=True)]
    for glimpse, expected in zip(glimpses, whole, strict=True):
        apart = np.abs(glimpse.sample.astype(int) - expected)
        assert apart.max() == 0 if glimpse.decoded else apart.mean() < 3


def test_the_index_is_that_of_a_whole_decode_and_finds_the_frames(clip: Callable[..., Path]) -> None:
    source = made(clip, "sparse_prores.mov")
    _, reader = read(source)
    decoder = Decoder(source)
    frames = list(decoder.frames())
    index, expected = reader.index(), decoder.index()
    assert [index.time(number) for number in range(130)] == [expected.time(number) for number in range(130)]
    assert index.keyframes.all()
    wanted = random.Random(1).sample(range(130), 12)
    for got in Decoder(source).read(wanted, index):
        original = frames[got.index].picture.to_ndarray(format="gray16le")
        assert np.array_equal(got.picture.to_ndarray(format="gray16le"), original)


def test_any_number_of_threads_and_any_stride_give_the_same_cuts(clip: Callable[..., Path]) -> None:
    source = made(clip, "sparse_mjpeg.mov")
    first, _ = read(source, threads=1)
    again, _ = read(source, threads=5)
    assert all(
        one.decoded == other.decoded and np.array_equal(one.sample, other.sample)
        for one, other in zip(first, again, strict=True)
    )
    for stride in (1, 5, 16, 500):
        glimpses, _ = read(source, stride=stride)
        assert all(glimpses[frame].decoded for cut in CUTS for frame in (cut - 1, cut))


@pytest.mark.parametrize("flashes", [(43, 44), (47,), (41,)])
def test_a_flash_between_two_strides_is_told_by_its_size(clip: Callable[..., Path], flashes: tuple[int, ...]) -> None:
    def flash(number: int, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), 250, dtype=np.uint8) if number in flashes else shots(50, width, height)

    name = f"flash{flashes[0]}.mov"
    source = probe(clip(name, frames=80, picture=flash, **SIZE, **CODECS["sparse_mjpeg.mov"]))
    glimpses, reader = read(source)
    assert all(glimpses[frame].decoded for near in flashes for frame in (near - 1, near, near + 1))
    assert reader.decoded < 40


def test_times_count_from_the_first_frame(clip: Callable[..., Path]) -> None:
    times = {"time_base": Fraction(1, 1000), "pts": [700 + number * 40 + number // 7 * 13 for number in range(40)]}
    source = probe(clip("sparse_late.mkv", frames=40, picture=shots, **SIZE, **CODECS["sparse_mjpeg.mov"], **times))
    _, reader = read(source)
    decoder = Decoder(source)
    frames = list(decoder.frames())
    assert [reader.index().time(number) for number in range(40)] == [frame.time for frame in frames]


def fading(number: int, width: int, height: int) -> np.ndarray:
    """From light to dark in frames 30 to 90."""
    light = 1 - 0.9 * min(1.0, max(0.0, (number - 30) / 60))
    return (shots(0, width, height) * light).astype(np.uint8)


def test_of_an_even_fade_few_frames_are_decoded_and_the_rest_are_as_they_are(clip: Callable[..., Path]) -> None:
    source = probe(clip("sparse_fading.mov", frames=130, picture=fading, **SIZE, **CODECS["sparse_mjpeg.mov"]))
    glimpses, reader = read(source)
    assert reader.decoded < 60
    for frame in Decoder(source).frames(fast=True):
        whole = samples.sample(frame.picture).astype(int)
        assert np.abs(glimpses[frame.index].sample - whole).mean() < 2


@pytest.mark.parametrize("frames", [1, 2, 8, 9, 17])
def test_short_footage(clip: Callable[..., Path], frames: int) -> None:
    source = probe(clip(f"short{frames}.mov", frames=frames, picture=shots, **SIZE, **CODECS["sparse_mjpeg.mov"]))
    glimpses, reader = read(source)
    assert len(glimpses) == len(reader.index()) == frames
    assert glimpses[-1].decoded


def test_frames_that_refer_to_others_ask_for_a_whole_decode(clip: Callable[..., Path]) -> None:
    options = {"g": "60", "x264-params": "scenecut=0"}
    source = probe(clip("not_intra.mp4", frames=70, picture=shots, **SIZE, options=options))
    with pytest.raises(NotSparse):
        read(source)


def test_damaged_and_cut_off_footage_asks_for_a_whole_decode(clip: Callable[..., Path], tmp_path: Path) -> None:
    data = bytearray(made(clip, "sparse_prores.mov").path.read_bytes())
    path = tmp_path / "damaged.mov"
    for at in range(len(data) // 3, len(data) // 3 + 200_000, 500):
        data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(NotSparse):
        read(probe(path))
    whole = clip("sparse_early.mov", frames=60, picture=shots, **SIZE, **CODECS["sparse_mjpeg.mov"],
                 container_options={"movflags": "faststart"})
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(NotSparse):
        read(probe(path))


def test_a_source_written_to_meanwhile_is_an_error(clip: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    path.write_bytes(made(clip, "sparse_mjpeg.mov").path.read_bytes())
    glimpses = SparseReader(probe(path), quiet=quiet, midway=midway).glimpses()
    next(glimpses)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(SourceChanged):
        list(glimpses)


def test_a_reader_that_is_left_early_leaves_nothing_open(clip: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    path.write_bytes(made(clip, "sparse_mjpeg.mov").path.read_bytes())
    glimpses = SparseReader(probe(path), quiet=quiet, midway=midway).glimpses()
    next(glimpses)
    glimpses.close()
    assert not list(glimpses)
