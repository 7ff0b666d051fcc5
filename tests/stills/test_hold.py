from __future__ import annotations

import shutil
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

from snapupscale.colour import ColourTags
from snapupscale.errors import Cancelled, DiskFull, ImageUnreadable, OutputUnwritable, SettingError
from snapupscale.media.decoder import Decoder
from snapupscale.media.pixels import to_rgb
from snapupscale.media.source import probe
from snapupscale.stills import hold as holding
from snapupscale.stills.hold import hold, on_rate, read_movie
from snapupscale.stills.images import write_image
from snapupscale.stills.shared_sample import share_first_sample
from snapupscale.timecode import RATES, Timecode

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FILM = Fraction(24000, 1001)
NTSC = Fraction(30000, 1001)
BT709 = ColourTags(primaries=1, transfer=1).as_rgb()


def scenery(height: int, width: int, channels: int = 3) -> NDArray[np.uint16]:
    """A picture with edges and soft areas, as an enlarged one has them."""
    small = np.random.default_rng(7).random((max(2, height // 12), max(2, width // 12), channels), dtype=np.float32)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)
    return np.rint(large.clip(0, 1) * 65535).astype(np.uint16)


def still(folder: Path, image: NDArray[Any], tags: ColourTags = BT709, name: str = "a.tiff") -> Path:
    write_image(folder / name, image, tags=tags)
    return folder / name


def pictures(movie: Path) -> list[av.VideoFrame]:
    return [frame.picture for frame in Decoder(probe(movie)).frames()]


def psnr(image: NDArray[Any], other: NDArray[Any]) -> float:
    error = np.mean((image.astype(np.float64) / 65535 - other.astype(np.float64) / 65535) ** 2)
    return float(-10 * np.log10(error))


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_it_lasts_exactly_as_asked_at_every_rate(tmp_path: Path, rate: Fraction) -> None:
    movie = tmp_path / "a.snapupscale.mov"

    made = hold(still(tmp_path, scenery(18, 32)), movie, frames=7, rate=rate)

    assert made == read_movie(movie)
    assert (made.frames, made.rate, made.size) == (7, rate, (32, 18))
    source = probe(movie)
    assert (source.frames, source.rate, source.duration) == (7, rate, 7 / rate)
    with av.open(str(movie)) as container:
        times = [packet.pts * packet.time_base for packet in container.demux(video=0) if packet.size]
        assert container.duration == round(7 / rate * 1_000_000)
    assert times == [number / rate for number in range(7)]


@pytest.mark.parametrize("frames", [1, 2, 300])
def test_every_frame_is_the_same_whole_picture(tmp_path: Path, frames: int) -> None:
    movie = tmp_path / "a.mov"

    hold(still(tmp_path, scenery(18, 32)), movie, frames=frames, rate=NTSC)

    shown = [to_rgb(picture) for picture in pictures(movie)]
    assert len(shown) == frames
    assert all(np.array_equal(picture, shown[0]) for picture in shown)


@pytest.mark.parametrize(("suffix", "channels"), [(".png", 3), (".tiff", 3), (".exr", 3), (".tiff", 1), (".png", 4)])
def test_the_picture_is_that_of_the_still(tmp_path: Path, suffix: str, channels: int) -> None:
    image = scenery(216, 384, channels)
    source = still(tmp_path, image[..., 0] if channels == 1 else image, name=f"a{suffix}")
    movie = tmp_path / "a.mov"

    hold(source, movie, frames=2, rate=FILM)

    rgb = to_rgb(pictures(movie)[1], codec="prores")
    assert rgb.shape == (216, 384, max(3, channels))
    assert psnr(rgb, np.repeat(image, 3, axis=2) if channels == 1 else image) > 47


@pytest.mark.parametrize(
    ("primaries", "transfer", "matrix"),
    [(1, 1, 1), (9, 16, 9), (9, 18, 9), (6, 6, 6), (5, 6, 6), (12, 13, 1), (2, 2, 1)],
)
def test_its_tags_are_those_of_the_still(tmp_path: Path, primaries: int, transfer: int, matrix: int) -> None:
    tags = ColourTags(primaries=primaries, transfer=transfer).as_rgb()
    image = np.full((32, 32, 3), (60000, 10000, 4000), dtype=np.uint16)
    movie = tmp_path / "a.mov"

    hold(still(tmp_path, image, tags), movie, frames=2, rate=FILM)

    source = probe(movie)
    assert source.tags == ColourTags(primaries=primaries, transfer=transfer, matrix=matrix, full_range=False)
    box = b"colrnclc" + bytes([0, primaries, 0, transfer, 0, matrix])
    assert (box in movie.read_bytes()) == (primaries != 2)  # what isn't known is left out
    rgb = to_rgb(pictures(movie)[0])
    assert np.abs(rgb.astype(int) - image).max() < 65535 // 250  # another matrix would be tens of levels off


def test_codes_that_ten_bits_hold_come_back_as_they_were(tmp_path: Path) -> None:
    greys = np.linspace(0, 65535, 64).astype(np.uint16)
    image = np.repeat(np.repeat(greys[None, :, None], 16, axis=0).repeat(16, axis=1), 3, axis=2)
    movie = tmp_path / "a.mov"

    hold(still(tmp_path, image), movie, frames=1, rate=FILM)

    rgb = to_rgb(pictures(movie)[0]).astype(int)
    assert np.abs(rgb - image).max() <= 65535 / 876
    assert rgb[8, 8].tolist() == [0, 0, 0]
    assert rgb[8, -8].tolist() == [65535, 65535, 65535]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (17, 33), (18, 33), (17, 32)])
def test_odd_sides_are_made_even_by_repeating_the_edge(tmp_path: Path, height: int, width: int) -> None:
    image = np.full((height, width, 3), 50000, dtype=np.uint16)
    movie = tmp_path / "a.mov"

    made = hold(still(tmp_path, image), movie, frames=2, rate=FILM)

    assert made.size == (width + width % 2, height + height % 2)
    assert np.abs(to_rgb(pictures(movie)[0]).astype(int) - 50000).max() < 200


@pytest.mark.parametrize(
    ("start", "of", "rate", "label"),
    [
        ("10:20:30:12", Fraction(25), Fraction(25), "10:20:30:12"),
        ("10:20:30:12", Fraction(25), FILM, "10:20:30:11"),
        ("10:20:30:12", FILM, Fraction(48), "10:20:30:24"),
        ("01:00:59;29", NTSC, NTSC, "01:00:59;29"),
        ("01:01:00;02", NTSC, FILM, "01:01:00:01"),
        ("23:59:59:24", Fraction(25), Fraction(120), "23:59:59:115"),
        ("23:59:59:115", Fraction(120), Fraction(25), "23:59:59:23"),
    ],
)
def test_it_starts_at_the_timecode_of_its_frame(
    tmp_path: Path, start: str, of: Fraction, rate: Fraction, label: str
) -> None:
    movie = tmp_path / "a.mov"
    timecode = Timecode.parse(start, of)

    hold(still(tmp_path, scenery(18, 32)), movie, frames=3, rate=rate, start=timecode)

    assert str(on_rate(timecode, rate)) == label
    assert str(probe(movie).start) == label


def test_without_a_timecode_it_has_none(tmp_path: Path) -> None:
    hold(still(tmp_path, scenery(18, 32)), tmp_path / "a.mov", frames=3, rate=FILM)

    assert probe(tmp_path / "a.mov").start is None


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("frames", [2, 3, 500])
def test_a_movie_that_would_be_too_large_holds_its_picture_once(
    tmp_path: Path, frames: int, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, start = still(tmp_path, scenery(90, 160, channels)), Timecode.parse("10:00:00:00", FILM)
    plain, shared = tmp_path / "plain.mov", tmp_path / "shared.mov"
    made = hold(source, plain, frames=frames, rate=FILM, start=start)
    size = (plain.stat().st_size - 2000) // frames

    monkeypatch.setattr(holding, "MOST_BYTES", size)
    assert hold(source, shared, frames=frames, rate=FILM, start=start) == replace(made, path=shared)

    assert packets(shared) == packets(plain)
    assert len(pictures(shared)) == frames
    assert replace(probe(shared), path=plain, files=(plain,), fingerprint="") == replace(probe(plain), fingerprint="")
    # The picture, and 12 bytes a frame of tables.
    assert shared.stat().st_size < size + 3000 + 12 * frames


def packets(movie: Path) -> list[tuple[bytes, int, int, bool]]:
    with av.open(str(movie)) as container:
        found = [packet for packet in container.demux(video=0) if packet.size]
        return [(bytes(packet), packet.pts, packet.duration, packet.is_keyframe) for packet in found]


@pytest.mark.parametrize("name", ["a.tiff", "cut.mov", "more.mov", "none.mov"])
def test_what_does_not_end_with_its_tables_is_not_touched(tmp_path: Path, name: str) -> None:
    hold(still(tmp_path, scenery(18, 32)), tmp_path / "a.mov", frames=3, rate=FILM)
    whole = (tmp_path / "a.mov").read_bytes()
    (tmp_path / "cut.mov").write_bytes(whole[:-10])
    (tmp_path / "more.mov").write_bytes(whole + b"\0\0\0\x08free")
    (tmp_path / "none.mov").write_bytes(b"")
    before = (tmp_path / name).read_bytes()

    with pytest.raises(ValueError, match=name):
        share_first_sample(tmp_path / name, b"ap4h", 100, 3)

    assert (tmp_path / name).read_bytes() == before


def test_cancelled_in_the_midst_it_leaves_the_old_movie_and_no_part(tmp_path: Path) -> None:
    source, movie = still(tmp_path, scenery(18, 32)), tmp_path / "a.mov"
    hold(source, movie, frames=3, rate=FILM)
    seen = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 4:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        hold(source, movie, frames=9, rate=FILM, progress=stop)

    assert seen == [(done, 9) for done in range(5)]
    assert read_movie(movie).frames == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mov", "a.tiff"]


@pytest.mark.parametrize(
    ("name", "frames", "rate", "error"),
    [
        ("a.mp4", 3, FILM, "not in a.mp4"),
        ("a.mov", 0, FILM, "for 0 frames"),
        ("a.mov", -1, FILM, "for -1 frames"),
        ("a.mov", 10**9, FILM, "for 1000000000 frames"),
    ],
)
def test_what_it_cannot_make_is_refused(tmp_path: Path, name: str, frames: int, rate: Fraction, error: str) -> None:
    with pytest.raises(SettingError, match=error):
        hold(still(tmp_path, scenery(18, 32)), tmp_path / name, frames=frames, rate=rate)


def test_a_side_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="16384"):
        hold(still(tmp_path, np.zeros((1, 16386, 3), dtype=np.uint16)), tmp_path / "b.mov", frames=1, rate=FILM)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")

    with pytest.raises(ImageUnreadable):
        hold(tmp_path / "a.png", tmp_path / "a.mov", frames=1, rate=FILM)
    assert not (tmp_path / "a.mov").exists()


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 5000, 5000))

    with pytest.raises(DiskFull, match="less on the disk"):
        hold(still(tmp_path, scenery(90, 160)), tmp_path / "a.mov", frames=500, rate=FILM)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tiff"]


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a POSIX thing")
def test_a_disk_that_fills_up_leaves_no_part(tmp_path: Path) -> None:
    source = still(tmp_path, scenery(180, 320))
    script = f"""
import resource
from fractions import Fraction
from pathlib import Path
from snapupscale.errors import DiskFull
from snapupscale.stills.hold import hold
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    hold(Path({str(source)!r}), Path({str(tmp_path)!r}) / "a.mov", frames=500, rate=Fraction(25))
except DiskFull as error:
    print(error.code)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["disk-full"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.tiff"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritable, match="missing"):
        hold(still(tmp_path, scenery(18, 32)), tmp_path / "missing" / "a.mov", frames=1, rate=FILM)


def test_what_is_no_movie_of_a_still_reads_as_none(tmp_path: Path) -> None:
    (tmp_path / "b.mov").write_bytes(b"\0" * 100)

    assert read_movie(tmp_path / "a.mov") is None
    assert read_movie(tmp_path / "b.mov") is None
    assert read_movie(still(tmp_path, scenery(18, 32), name="c.png")) is None


@pytest.mark.slow
def test_a_picture_of_8k_is_held(tmp_path: Path) -> None:
    image = scenery(4320, 7680)
    movie = tmp_path / "a.mov"

    made = hold(still(tmp_path, image), movie, frames=3, rate=FILM)

    assert made.size == (7680, 4320)
    assert psnr(to_rgb(pictures(movie)[0]), image) > 50
