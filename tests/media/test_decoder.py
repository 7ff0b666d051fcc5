from __future__ import annotations

import random
import shutil
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

from footage import numbered, read_number
from snapupscale.errors import FrameMissing, SourceChanged, SourceTruncated
from snapupscale.media import pixels
from snapupscale.media.decoder import Decoder
from snapupscale.media.source import Source, probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snapupscale.media.frames import Frame, FrameIndex

OPEN_GOP = {"g": "25", "bf": "3", "x264-params": "open-gop=1:scenecut=0:b-pyramid=2"}
HEVC_OPEN_GOP = {"x265-params": "keyint=25:open-gop=1:bframes=4:scenecut=0:log-level=none"}
FOOTAGE: dict[str, dict[str, Any]] = {
    "bframes.mp4": {"frames": 90, "options": {"g": "25", "bf": "3", "x264-params": "scenecut=0"}},
    "open_gop.mp4": {"frames": 90, "options": OPEN_GOP},
    "open_gop.mkv": {"frames": 90, "options": OPEN_GOP},
    "open_gop.ts": {"frames": 90, "options": OPEN_GOP},
    "hevc_open_gop.mp4": {"codec": "libx265", "frames": 90, "options": HEVC_OPEN_GOP},
    "hevc_open_gop.ts": {"codec": "libx265", "frames": 90, "options": HEVC_OPEN_GOP},
    "intra_refresh.mp4": {"frames": 90, "options": {"g": "25", "x264-params": "intra-refresh=1"}},
    "all_intra.mp4": {"frames": 40, "options": {"g": "1"}},
    "mpeg2.ts": {"codec": "mpeg2video", "frames": 60, "options": {"g": "15", "bf": "2", "b:v": "4M"}},
    "mpeg4.avi": {"codec": "mpeg4", "frames": 60, "options": {"bf": "2", "b:v": "3M"}},
    "bottom_up.avi": {"codec": "rawvideo", "pixel_format": "bgr24", "frames": 12},
    "no_times.h264": {"frames": 50, "options": {"bf": "2"}, "container": "h264"},
    "no_times_many_keys.h264": {"frames": 50, "options": {"g": "10", "bf": "2"}, "container": "h264"},
    "elementary.m2v": {
        "codec": "mpeg2video",
        "frames": 40,
        "options": {"g": "10", "bf": "2", "b:v": "3M"},
        "container": "mpeg2video",
    },
    "programme.mxf": {
        "codec": "mpeg2video",
        "frames": 40,
        "rate": Fraction(25),
        "options": {"g": "10", "bf": "2", "b:v": "5M"},
    },
    "vp9.webm": {"codec": "libvpx-vp9", "frames": 30, "options": {"b:v": "1M"}},
    "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le", "frames": 12},
    "late_start.ts": {"frames": 40, "pts": [number + 1000 for number in range(40)], "options": {"bf": "2"}},
    "variable.mkv": {
        "frames": 40,
        "time_base": Fraction(1, 1000),
        "pts": [number * 33 + number // 10 * 200 for number in range(40)],
    },
}


def full(source: Source) -> tuple[list[Frame], FrameIndex]:
    decoder = Decoder(source)
    return list(decoder.frames()), decoder.index()


def number_in(frame: Frame, source: Source) -> int:
    return read_number(pixels.to_rgb(frame.picture, codec=source.codec))


@pytest.mark.parametrize("name", FOOTAGE)
def test_frames_come_in_presentation_order(clip: Callable[..., Path], name: str) -> None:
    source = probe(clip(name, **FOOTAGE[name]))
    frames, _ = full(source)
    assert [number_in(frame, source) for frame in frames] == list(range(FOOTAGE[name]["frames"]))
    assert frames[0].time == 0


@pytest.mark.parametrize("name", FOOTAGE)
def test_random_access_gives_exactly_the_frame_of_the_full_decode(clip: Callable[..., Path], name: str) -> None:
    source = probe(clip(name, **FOOTAGE[name]))
    frames, index = full(source)
    expected = {frame.index: frame.picture.to_ndarray(format="gray16le") for frame in frames}
    for wanted in random.Random(name).sample(range(len(frames)), 8):
        (got,) = Decoder(source).read([wanted], index)
        assert (got.index, got.time) == (wanted, frames[wanted].time)
        assert np.array_equal(got.picture.to_ndarray(format="gray16le"), expected[wanted])


LOW = {"crf": "36", "g": "40", "bf": "3", "x264-params": "scenecut=0:open-gop=1"}
FILTERED: dict[str, dict[str, Any]] = {
    **{name: FOOTAGE[name] for name in ("open_gop.ts", "hevc_open_gop.mp4", "intra_refresh.mp4")},
    "low_rate.mp4": {"frames": 120, "options": LOW},
}


@pytest.mark.parametrize("name", FILTERED)
def test_a_fast_decode_has_the_same_times_and_its_index_finds_the_whole_frames(
    clip: Callable[..., Path], name: str
) -> None:
    source = probe(clip(name, **FILTERED[name]))
    frames, whole = full(source)
    decoder = Decoder(source)
    for _ in decoder.frames(fast=True):
        pass
    index = decoder.index()
    assert index.ticks.tolist() == whole.ticks.tolist()
    assert not np.array_equal(index.signatures, whole.signatures)
    for wanted in random.Random(name).sample(range(len(frames)), 8):
        (got,) = Decoder(source).read([wanted], index)
        expected = frames[wanted].picture.to_ndarray(format="gray16le")
        assert np.array_equal(got.picture.to_ndarray(format="gray16le"), expected)


def test_a_frame_far_from_its_signature_is_given_where_two_starts_agree_on_it(clip: Callable[..., Path]) -> None:
    source = probe(clip("bframes.mp4", **FOOTAGE["bframes.mp4"]))
    frames, index = full(source)
    drifted = replace(index, signatures=255 - index.signatures)
    for wanted in (10, 60, 80):
        (got,) = Decoder(source).read([wanted], drifted)
        expected = frames[wanted].picture.to_ndarray(format="gray16le")
        assert np.array_equal(got.picture.to_ndarray(format="gray16le"), expected)


@pytest.mark.parametrize("name", ["open_gop.mp4", "hevc_open_gop.ts", "mpeg4.avi"])
def test_one_pass_over_many_frames_gives_them_all(clip: Callable[..., Path], name: str) -> None:
    source = probe(clip(name, **FOOTAGE[name]))
    _, index = full(source)
    wanted = [3, 24, 25, 26, 27, 50, 51, 59, 24]
    got = list(Decoder(source).read(wanted, index))
    assert [frame.index for frame in got] == sorted(set(wanted))
    assert [number_in(frame, source) for frame in got] == sorted(set(wanted))


def test_an_edit_list_is_honoured(clip: Callable[..., Path], tmp_path: Path) -> None:
    whole = clip("bframes.mp4", **FOOTAGE["bframes.mp4"])
    trimmed = tmp_path / "trimmed.mp4"
    with av.open(str(whole)) as container, av.open(str(trimmed), "w", options={"avoid_negative_ts": "disabled"}) as out:
        stream = container.streams.video[0]
        copy = out.add_stream_from_template(stream)
        shift = int(10 / Fraction(24) / stream.time_base)
        for packet in container.demux(stream):
            if packet.pts is not None and packet.dts is not None:
                packet.pts -= shift
                packet.dts -= shift
                packet.stream = copy
                out.mux(packet)
    source = probe(trimmed)
    frames, index = full(source)
    assert [number_in(frame, source) for frame in frames] == list(range(10, 90))
    assert [number_in(frame, source) for frame in Decoder(source).read([0, 40, 79], index)] == [10, 50, 89]


def test_a_frame_outside_is_refused(clip: Callable[..., Path]) -> None:
    source = probe(clip("all_intra.mp4", **FOOTAGE["all_intra.mp4"]))
    _, index = full(source)
    for wanted in (-1, 40):
        with pytest.raises(FrameMissing, match="frames 0 to 39"):
            list(Decoder(source).read([wanted], index))


def test_truncated_footage_yields_what_is_there_and_says_so(clip: Callable[..., Path], tmp_path: Path) -> None:
    whole = clip(
        "index_first.mp4", frames=90, options={"g": "25"}, container_options={"movflags": "faststart"}
    ).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    source = probe(cut)
    decoder = Decoder(source)
    frames = list(decoder.frames())
    assert decoder.faulty
    assert 20 < len(frames) < 90
    assert [number_in(frame, source) for frame in frames[:20]] == list(range(20))
    assert f"{len(frames)} of 90 frames" in " ".join(decoder.warnings)


def test_a_damaged_stretch_is_left_out_and_warned_of(clip: Callable[..., Path], tmp_path: Path) -> None:
    data = bytearray(clip("mpeg4.avi", **FOOTAGE["mpeg4.avi"]).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = random.Random(1).randbytes(4000)
    broken = tmp_path / "broken.avi"
    broken.write_bytes(data)
    decoder = Decoder(probe(broken))
    assert 30 < len(list(decoder.frames())) <= 60


def test_a_source_written_to_while_it_is_read_is_an_error(clip: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "growing.mp4"
    shutil.copy(clip("bframes.mp4", **FOOTAGE["bframes.mp4"]), path)
    frames = Decoder(probe(path)).frames()
    next(frames)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(SourceChanged, match="written to"):
        list(frames)


def test_a_source_replaced_after_the_analysis_is_noticed(clip: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    shutil.copy(clip("bframes.mp4", **FOOTAGE["bframes.mp4"]), path)
    source = probe(path)
    _, index = full(source)
    shutil.copy(clip("negative.mp4", frames=90, picture=negative), path)
    with pytest.raises(SourceChanged):
        list(Decoder(source).read([50], index))


def negative(number: int, width: int, height: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return 255 - numbered(number, width, height)


def test_the_frame_at_a_time(clip: Callable[..., Path]) -> None:
    _, index = full(probe(clip("variable.mkv", **FOOTAGE["variable.mkv"])))
    for number in (0, 9, 10, 39):
        assert index.at(index.time(number)) == number
        assert index.at(index.time(number) + Fraction(1, 100)) == number
    assert index.at(index.time(10) - Fraction(1, 1000)) == 9
    assert (index.at(Fraction(-1)), index.at(Fraction(1000))) == (0, 39)


def test_sequences_are_read_by_number(tmp_path: Path) -> None:
    for number in (998, 999, 1000, 1002):
        cv2.imwrite(str(tmp_path / f"shot.{number:04d}.png"), numbered(number, 96, 54)[..., ::-1])
    (tmp_path / "shot.0999.txt").write_text("no picture")
    source = probe(tmp_path / "shot.%04d.png", rate=Fraction(25))
    frames, index = full(source)
    assert [number_in(frame, source) for frame in frames] == [998, 999, 1000, 1002]
    assert [frame.time * 25 for frame in frames] == [0, 1, 2, 4]
    assert [number_in(frame, source) for frame in Decoder(source).read([3, 1], index)] == [999, 1002]
    assert "1 pictures of the sequence are missing" in source.warnings


def test_a_sequence_in_resolves_notation_is_limited_to_its_range(tmp_path: Path) -> None:
    for number in range(1, 9):
        cv2.imwrite(str(tmp_path / f"a_{number:04d}.png"), numbered(number, 96, 54)[..., ::-1])
    source = probe(tmp_path / "a_[0003-0006].png")
    assert [number_in(frame, source) for frame in full(source)[0]] == [3, 4, 5, 6]


def test_a_damaged_picture_of_a_sequence_is_left_out_and_named(tmp_path: Path) -> None:
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"a{number}.png"), numbered(number, 96, 54)[..., ::-1])
    (tmp_path / "a1.png").write_bytes((tmp_path / "a1.png").read_bytes()[:200])
    source = probe(tmp_path / "a%d.png")
    decoder = Decoder(source)
    frames = list(decoder.frames())
    index = decoder.index()
    assert [number_in(frame, source) for frame in frames] == [0, 2, 3]
    assert "a1.png" in decoder.warnings[0]
    again = list(Decoder(source).read([1, 2], index))
    assert [(frame.index, number_in(frame, source)) for frame in again] == [(1, 2), (2, 3)]


def test_a_sequence_without_a_whole_picture(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a0.png"), numbered(0, 96, 54))
    source = probe(tmp_path / "a%d.png")
    (tmp_path / "a0.png").write_bytes(b"")
    with pytest.raises((SourceTruncated, SourceChanged)):
        list(Decoder(source).frames())


def test_h264_with_b_frames_in_avi_has_times_that_rise(clip: Callable[..., Path]) -> None:
    frames, index = full(probe(clip("b_frames.avi", frames=40, options={"bf": "3", "g": "10"})))
    assert [frame.time for frame in frames] != sorted(frame.time for frame in frames)
    assert not index.seekable
    assert [index.time(number) * 24 for number in range(40)] == list(range(40))
    source = probe(clip("b_frames.avi", frames=40, options={"bf": "3", "g": "10"}))
    assert [number_in(frame, source) for frame in Decoder(source).read([7, 8, 33], index)] == [7, 8, 33]


def test_a_cut_off_movie_is_decoded_to_its_last_frame(clip: Callable[..., Path], tmp_path: Path) -> None:
    whole = clip(
        "index_first.mp4", frames=90, options={"g": "25"}, container_options={"movflags": "faststart"}
    ).read_bytes()
    counts = set()
    for attempt in range(3):
        cut = tmp_path / f"cut{attempt}.mp4"
        cut.write_bytes(whole[: len(whole) * 7 // 10])
        counts.add(len(list(Decoder(probe(cut), threaded=False).frames())))
    with av.open(str(cut)) as container:
        reference = 0
        try:
            for packet in container.demux(video=0):
                reference += len(packet.decode())
        except av.error.FFmpegError:
            reference += len(container.streams.video[0].codec_context.decode(None))
    assert counts == {reference}


def test_interlaced_frames_after_progressive_ones(clip: Callable[..., Path], tmp_path: Path) -> None:
    settings = {"width": 192, "height": 112, "rate": Fraction(25), "picture": woven, "container": "h264"}
    progressive = clip("progressive.h264", frames=10, options={"bf": "0"}, **settings)
    combed = clip("combed.h264", frames=20, options={"bf": "0", "x264-params": "tff=1:interlaced=1"}, **settings)
    path = tmp_path / "both.h264"
    path.write_bytes(progressive.read_bytes() + combed.read_bytes())
    source = probe(path)
    frames, index = full(source)
    assert not index.interlaced[:10].any()
    assert index.interlaced[10:].all()
    (still,) = Decoder(source).read([20], index)
    assert combing(still) < combing(frames[20]) / 3


def test_interlaced_frames_come_without_combs(clip: Callable[..., Path]) -> None:
    path = clip(
        "interlaced.mpg",
        codec="mpeg2video",
        rate=Fraction(25),
        frames=12,
        options={"b:v": "20M", "flags": "+ilme+ildct", "g": "1"},
        picture=woven,
    )
    source = probe(path)
    assert source.interlaced
    frames, index = full(source)
    for wanted in (0, 5, 11):
        (still,) = Decoder(source).read([wanted], index)
        assert combing(still) < combing(frames[wanted]) / 3


def woven(number: int, width: int, height: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A bar that moves between the fields."""
    image = np.full((height, width, 3), 60, dtype=np.uint8)
    for field in (0, 1):
        left = (number * 2 + field) * 6 % (width - 30)
        image[field::2, left : left + 30] = 220
    return image


def combing(frame: Frame) -> float:
    luma = pixels.luma(frame.picture)
    return float(np.abs(2 * luma[1:-1] - luma[:-2] - luma[2:]).mean())


def test_a_frame_is_sampled_once(clip: Callable[..., Path]) -> None:
    frame = next(iter(Decoder(probe(clip("all_intra.mp4", **FOOTAGE["all_intra.mp4"]))).frames()))
    assert frame.sample is frame.sample
    assert frame.matrix == pixels.frame_tags(frame.picture).matrix
