from __future__ import annotations

import os
import subprocess
import sys
import wave
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

from snapupscale.colour import ColourTags
from snapupscale.errors import (
    NotAVideo,
    NoVideoStream,
    SourceEmpty,
    SourceError,
    SourceMissing,
    SourceTruncated,
    SourceUnreadable,
)
from snapupscale.media.source import probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_what_a_file_declares(clip: Callable[..., Path]) -> None:
    path = clip(
        "ntsc.mov",
        rate=Fraction(24000, 1001),
        frames=30,
        pixel_format="yuv422p10le",
        aspect=Fraction(4, 3),
        tags=(9, 16, 9, 1),
        metadata={"timecode": "10:11:12:13"},
    )
    source = probe(path)
    assert (source.width, source.height, source.display_size) == (192, 108, (256, 108))
    assert (source.rate, source.frames, source.bit_depth) == (Fraction(24000, 1001), 30, 10)
    assert source.tags == ColourTags(primaries=9, transfer=16, matrix=9, full_range=False)
    assert str(source.start) == "10:11:12:13"
    assert not source.interlaced
    assert source.name == "ntsc"


def test_drop_frame_start_timecode(clip: Callable[..., Path]) -> None:
    path = clip("df.mov", rate=Fraction(30000, 1001), frames=5, metadata={"timecode": "00:59:59;28"})
    start = probe(path).start
    assert start is not None
    assert (str(start), start.frame) == ("00:59:59;28", 107890)


@pytest.mark.parametrize(("degrees", "size"), [(90, (108, 192)), (-90, (108, 192)), (180, (192, 108))])
def test_rotation_turns_the_display_size(clip: Callable[..., Path], degrees: int, size: tuple[int, int]) -> None:
    source = probe(clip(f"turned{degrees}.mp4", frames=2, rotation=degrees))
    assert abs(source.rotation) == abs(degrees)
    assert source.display_size == size


def test_a_narrow_pixel_makes_the_picture_taller(clip: Callable[..., Path]) -> None:
    source = probe(clip("narrow.mp4", frames=2, aspect=Fraction(8, 9)))
    assert source.display_size == (192, round(108 * 9 / 8))


def test_rates_that_the_container_rounds_are_exact(clip: Callable[..., Path]) -> None:
    source = probe(clip("rounded.mkv", rate=Fraction(24000, 1001), frames=20))
    assert source.rate == Fraction(24000, 1001)


def test_the_rate_can_be_overridden(clip: Callable[..., Path]) -> None:
    assert probe(clip("ntsc2.mp4", frames=3), rate=Fraction(25)).rate == 25


def add_stream(container: Any, picture: np.ndarray[Any, np.dtype[np.uint8]], **settings: Any) -> Any:
    stream = container.add_stream(settings.get("codec", "libx264"), rate=24)
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = settings.get("pixel_format", "yuv420p")
    return stream


def test_of_several_streams_the_first_default_one_is_used(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    pictures = [np.full((54, 96, 3), 50, dtype=np.uint8), np.full((108, 192, 3), 200, dtype=np.uint8)]
    with av.open(str(path), "w") as container:
        streams = [add_stream(container, picture) for picture in pictures]
        streams[0].disposition = av.stream.Disposition.forced
        streams[1].disposition = av.stream.Disposition.default
        for stream, picture in zip(streams, pictures, strict=True):
            for _ in range(3):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    source = probe(path)
    assert (source.stream, source.width) == (1, 192)
    assert any("2 video streams" in warning for warning in source.warnings)


def silence(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    return path


def test_audio_alone_is_no_footage(tmp_path: Path) -> None:
    with pytest.raises(NoVideoStream, match="no video stream") as error:
        probe(silence(tmp_path / "sound.wav"))
    assert error.value.hint


def test_audio_with_a_cover_picture_is_no_footage(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    cover = np.full((64, 64, 3), 128, dtype=np.uint8)
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=48000)
        picture = add_stream(container, cover, codec="png", pixel_format="rgb24")
        picture.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(picture.encode(av.VideoFrame.from_ndarray(cover, format="rgb24")))
        container.mux(picture.encode(None))
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    with pytest.raises(NoVideoStream):
        probe(path)


@pytest.mark.parametrize("name", ["missing.mp4", "no/folder/a.mp4", "name.%04d.png", "a_[0001-0009].png"])
def test_what_is_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceMissing):
        probe(tmp_path / name)


def test_a_file_without_content(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(SourceEmpty):
        probe(tmp_path / "empty.mp4")


def test_a_movie_without_frames(tmp_path: Path) -> None:
    path = tmp_path / "none.mkv"
    with av.open(str(path), "w") as container:
        stream = add_stream(container, np.zeros((54, 96, 3), dtype=np.uint8))
        container.start_encoding()
        container.mux(stream.encode(None))
    with pytest.raises(SourceError) as error:
        probe(path)
    assert error.value.code in {"source-empty", "source-truncated", "no-video-stream"}


def test_a_folder_is_not_footage(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable):
        probe(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes of POSIX")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(SourceUnreadable, match="regular file"):
        probe(tmp_path / "pipe.mp4")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_file_without_permission(clip: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "secret.mp4"
    path.write_bytes(clip("ntsc2.mp4", frames=3).read_bytes())
    path.chmod(0)
    tmp_path.chmod(0o755)
    program = f"""
import os, snapupscale.media.source as source
from snapupscale.errors import SourceUnreadable
if os.getuid() == 0: os.setuid(65534)
try: source.opened({str(path)!r} and __import__("pathlib").Path({str(path)!r})).__enter__()
except SourceUnreadable as error: print("refused", error.code)
"""
    for parent in list(tmp_path.parents)[:3]:
        parent.chmod(0o755)
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "refused source-unreadable", result.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("noise.mp4", bytes(range(256)) * 40),
        ("text.txt", b"these are words\n" * 200),
        ("words.mp4", b"these are words\n" * 200),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"),
        ("join.ffconcat", b"ffconcat version 1.0\nfile /etc/hostname\n"),
    ],
)
def test_what_is_no_video(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NotAVideo):
        probe(path)


def test_a_single_picture_is_sent_to_the_other_command(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), np.zeros((20, 30, 3), dtype=np.uint8))
    with pytest.raises(NotAVideo) as error:
        probe(tmp_path / "one.png")
    assert "snapupscale upscale" in error.value.hint


def test_a_movie_whose_index_was_never_written(clip: Callable[..., Path], tmp_path: Path) -> None:
    whole = clip("index_last.mp4", frames=60).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceTruncated, match="index is missing"):
        probe(cut)


@pytest.mark.parametrize("name", ["with space.mp4", "größe – 映画.mp4", "x" * 200 + ".mp4", "a:b.mp4", "50%d.mp4"])
def test_names_that_trip_programs_up(clip: Callable[..., Path], tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(clip("ntsc2.mp4", frames=3).read_bytes())
    assert probe(path).frames == 3
