from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from snapupscale import files
from snapupscale.colour import ColourTags
from snapupscale.errors import Cancelled, DiskFull, ImageUnreadable, OutputUnwritable, SettingError
from snapupscale.stills.images import FORMATS, MAX_PIXELS, read_image, require_size, write_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RANDOM = np.random.default_rng(24)
TAGS = ColourTags(primaries=1, transfer=1).as_rgb()
SHAPES = [(5, 7), (5, 7, 3), (5, 7, 4), (1, 1), (1, 1, 3)]


def picture(*shape: int, kind: str = "u2") -> NDArray[Any]:
    return RANDOM.integers(0, np.iinfo(kind).max + 1, shape).astype(kind)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_come_back_exactly(tmp_path: Path, suffix: str, shape: tuple[int, ...]) -> None:
    image = picture(*shape)

    write_image(tmp_path / f"a{suffix}", image, tags=TAGS)
    read, tags = read_image(tmp_path / f"a{suffix}")

    assert read.dtype == np.uint16
    assert np.array_equal(read, image)
    assert tags == TAGS


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_eight_bits_are_widened_exactly(tmp_path: Path, suffix: str, shape: tuple[int, ...]) -> None:
    image = picture(*shape, kind="u1")

    write_image(tmp_path / f"a{suffix}", image, tags=TAGS)
    read, _ = read_image(tmp_path / f"a{suffix}")

    assert np.array_equal(read, image.astype(int) * 257)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_exr_takes_all_three_kinds(tmp_path: Path, kind: str, shape: tuple[int, ...]) -> None:
    image = RANDOM.random(shape, dtype=np.float32) if kind == "f4" else picture(*shape, kind=kind)
    level = image if kind == "f4" else image.astype(np.float32) / np.iinfo(kind).max

    write_image(tmp_path / "a.exr", image, tags=TAGS)
    read, tags = read_image(tmp_path / "a.exr")

    assert np.array_equal(read, level.astype(np.float16).astype(np.float32))
    assert tags == TAGS


@pytest.mark.parametrize("suffix", [known.suffix for known in FORMATS.values()])
def test_views_and_transposed_arrays_are_written_as_they_look(tmp_path: Path, suffix: str) -> None:
    image = picture(8, 6, 3)

    write_image(tmp_path / f"a{suffix}", image[::-1, 1::2].transpose(1, 0, 2), tags=TAGS)
    write_image(tmp_path / f"b{suffix}", np.ascontiguousarray(image[::-1, 1::2].transpose(1, 0, 2)), tags=TAGS)

    assert np.array_equal(read_image(tmp_path / f"a{suffix}")[0], read_image(tmp_path / f"b{suffix}")[0])


def test_names_of_200_characters_spaces_and_any_script_work(tmp_path: Path) -> None:
    path = tmp_path / ("Überfahrt 東京 " + "x" * 180 + ".PNG")

    write_image(path, picture(3, 4, 3), tags=TAGS)

    assert read_image(path)[0].shape == (3, 4, 3)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (picture(3, 4, 2), "a.png"),
        (picture(3, 4, 5), "a.tiff"),
        (picture(0, 4, 3), "a.png"),
        (picture(3), "a.exr"),
        (picture(3, 4, 3).astype(np.float32), "a.png"),
        (picture(3, 4, 3).astype(np.float64), "a.exr"),
        (picture(3, 4, 3).astype(np.int32), "a.tiff"),
        (picture(3, 4, 3), "a.jpg"),
        (picture(3, 4, 3), "a"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_before_writing(tmp_path: Path, image: NDArray[Any], name: str) -> None:
    with pytest.raises(SettingError):
        write_image(tmp_path / name, image, tags=TAGS)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_too_large_for_png_says_so(tmp_path: Path) -> None:
    image = np.zeros((1, 3_000_000, 3), np.uint16)

    with pytest.raises(SettingError, match="3000000 x 1 pixels"):
        write_image(tmp_path / "a.png", image, tags=TAGS)


@pytest.mark.parametrize("suffix", [known.suffix for known in FORMATS.values()])
def test_a_full_disk_leaves_the_old_still_and_no_part(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, picture(4, 4, 3), tags=TAGS)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "_sync", full)

    with pytest.raises(DiskFull):
        write_image(path, picture(4, 4, 3), tags=TAGS)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a POSIX thing")
@pytest.mark.parametrize("suffix", [known.suffix for known in FORMATS.values()])
def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path: Path, suffix: str) -> None:
    script = f"""
import resource, numpy as np
from pathlib import Path
from snapupscale.colour import ColourTags
from snapupscale.errors import DiskFull
from snapupscale.stills.images import write_image
image = np.random.default_rng(0).integers(0, 65536, (128, 128, 3), dtype=np.uint16)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_image(Path({str(tmp_path)!r}) / "a{suffix}", image, tags=ColourTags())
except DiskFull as error:
    print(error.code)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["disk-full"]
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritable, match="missing"):
        write_image(tmp_path / "missing" / "a.png", picture(3, 4, 3), tags=TAGS)


def test_the_content_tells_the_format_not_the_suffix(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture(3, 4, 3), tags=TAGS)
    (tmp_path / "a.png").rename(tmp_path / "a.tiff")

    assert read_image(tmp_path / "a.tiff")[0].shape == (3, 4, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp"])
def test_camera_formats_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), np.full((6, 8, 3), (10, 20, 200), np.uint8))

    read, tags = read_image(path)

    assert np.abs(read[3, 4].astype(int) - (200, 20, 10)).max() <= 6
    assert tags == ColourTags().as_rgb()


def bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    parts = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    packed = (struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"#EXTM3U\nhttp://example.com/x.png\n", "no picture"),
        (b"just text", "no picture"),
        (b"\x89PNG\r\n\x1a\n", "cut off"),
        (b"II*\0", "cut off"),
        (b"\x76\x2f\x31\x01", "cut off"),
        (b"\xff\xd8\xff", "cut off"),
        (b"BM", "cut off"),
        (b"RIFF\x00\x00\x00\x00WEBP", "cut off"),
        (bomb(), "60000 x 60000 pixels are too many"),
    ],
)
def test_what_is_no_picture_is_named_with_a_hint(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)

    with pytest.raises(ImageUnreadable, match=message) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageUnreadable, match="No such file"):
        read_image(tmp_path / "missing.png")
    with pytest.raises(ImageUnreadable, match="not a file"):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", [known.suffix for known in FORMATS.values()])
def test_every_size_beyond_the_limit_is_refused_from_the_header(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / f"a{suffix}", picture(20, 30, 3), tags=TAGS)
    monkeypatch.setattr("snapupscale.stills.images.MAX_PIXELS", 599)

    with pytest.raises(ImageUnreadable, match="30 x 20 pixels are too many"):
        read_image(tmp_path / f"a{suffix}")
    assert MAX_PIXELS > 16_000**2


def test_damaged_files_never_raise_anything_else(tmp_path: Path) -> None:
    image = cv2.GaussianBlur(picture(24, 32, 3, kind="u1"), (0, 0), 3)
    sources = [cv2.imencode(suffix, image)[1].tobytes() for suffix in (".jpg", ".webp", ".bmp", ".tiff")]
    for known in FORMATS.values():
        write_image(tmp_path / f"a{known.suffix}", image, tags=TAGS)
        sources.append((tmp_path / f"a{known.suffix}").read_bytes())
    refused = 0
    for source in sources:
        for _ in range(60):
            data = bytearray(source[: RANDOM.integers(1, len(source))] if RANDOM.random() < 0.3 else source)
            for at in RANDOM.integers(0, min(len(data), 400), RANDOM.integers(1, 9)):
                data[at] = RANDOM.integers(0, 256)
            (tmp_path / "damaged").write_bytes(data)
            try:
                assert read_image(tmp_path / "damaged")[0].size
            except ImageUnreadable:
                refused += 1
    assert refused > 100


def test_the_table_of_formats_loads_no_codec() -> None:
    script = "import sys, snapupscale.stills.images; print({'av', 'cv2', 'numpy', 'OpenEXR'} & sys.modules.keys())"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def test_writing_goes_through_the_atomic_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    monkeypatch.setattr(files, "write_parts", lambda path, _: seen.append(path))

    write_image(tmp_path / "a.png", picture(3, 4, 3), tags=TAGS)

    assert seen == [tmp_path / "a.png"]


@pytest.mark.parametrize("suffix", [known.suffix for known in FORMATS.values()])
def test_what_progress_raises_leaves_the_old_still_and_no_part(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, picture(4, 4, 3), tags=TAGS)
    before, told = path.read_bytes(), []

    def stop(share: float) -> None:
        told.append(share)
        if len(told) == (2 if suffix == ".png" else 1):
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        write_image(path, picture(4, 4, 3), tags=TAGS, progress=stop)
    assert told[0] == 0
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_size_that_a_png_cannot_hold_is_known_before_the_work() -> None:
    require_size((4320, 7680, 3), 2, ".png")
    with pytest.raises(SettingError, match="15360 x 30720") as error:
        require_size((7680, 3840, 3), 4, ".png")
    assert "exr or tiff" in error.value.hint
    require_size((7680, 3840, 3), 4, ".tiff")


@pytest.mark.parametrize(("height", "width", "more"), [(1, 2_080_704, (1, 2_080_705)), (1_397_973, 1, (1_397_974, 1))])
def test_the_largest_png_that_is_not_refused_is_read_back(
    tmp_path: Path, height: int, width: int, more: tuple[int, int]
) -> None:
    image = np.full((height, width, 3), 7, np.uint8)

    write_image(tmp_path / "a.png", image, tags=TAGS)

    assert np.array_equal(read_image(tmp_path / "a.png")[0], image.astype(np.uint16) * 257)
    with pytest.raises(SettingError):
        require_size((*more, 3), 1, ".png")
