from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest

from snapupscale.media import pixels, samples

WIDTH, HEIGHT = 324, 182

def frame_of(
    name: str, planes: list[np.ndarray[Any, Any]], *, matrix: int = 2, full: bool | None = None
) -> av.VideoFrame:
    """A frame whose planes hold the values of `planes`, H x W each."""
    frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], name)
    frame.colorspace = matrix
    if full is not None:
        frame.color_range = 2 if full else 1
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // values.itemsize), dtype=values.dtype)
        rows[:, : plane.width] = values
        plane.update(rows.tobytes())
    return frame


def ramps(name: str, bits: int, *, matrix: int, full: bool, size: tuple[int, int] = (WIDTH, HEIGHT)) -> av.VideoFrame:
    """Luma, and both axes of chroma, that rise in three directions, so slowly that chroma hardly changes in a pixel."""
    shape = av.VideoFrame(*size, name)
    kind = np.uint8 if bits == 8 else np.dtype("<u2")
    planes = []
    for index, plane in enumerate(shape.planes):
        down, right = (np.linspace(0, 1, count) for count in (plane.height, plane.width))
        ways = ((down, right), (down, right[::-1]), (down[::-1], right), (down, 0 * right))[index]
        low, rise = ((60, 60), (88, 40), (88, 40), (0, 200))[index]
        levels = low + rise * (ways[0][:, None] + ways[1])
        planes.append(np.rint(levels * 2 ** (bits - 8)).astype(kind))
    return frame_of(name, planes, matrix=matrix, full=full)


def grid(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """H x W or more at the middles of 72 x 128 equal parts; of rows the even one before where there are many."""
    height, width = values.shape[:2]
    rows, columns = ((np.arange(count) * 2 + 1) * size // (2 * count) for count, size in ((72, height), (128, width)))
    return values[rows - rows % 2 if len(values) >= 144 else rows][:, columns]


def errors(frame: av.VideoFrame) -> tuple[float, float]:
    """How far the sample's colours are from those of the whole picture at the same places, in levels of 8 bits: in the
    mean and at most."""
    whole = grid(pixels.to_rgb(frame))[..., :3] / 257
    sampled = samples.to_rgb(samples.sample(frame), pixels.frame_tags(frame).matrix)
    assert sampled.shape == whole.shape
    off = np.abs(sampled - whole)
    return float(off.mean()), float(off.max())


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [6, 1, 9])
@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("yuv420p", 8),
        ("yuv422p", 8),
        ("yuv444p", 8),
        ("yuva420p", 8),
        ("yuva444p10le", 10),
        ("yuv420p10le", 10),
        ("yuv422p10le", 10),
        ("yuv444p12le", 12),
        ("yuv422p12le", 12),
    ],
)
def test_colours_are_those_of_the_picture(name: str, bits: int, matrix: int, full: bool) -> None:
    mean, most = errors(ramps(name, bits, matrix=matrix, full=full))
    assert mean < 1.5
    # Chroma is read at every other place, and levels of more than 8 bits are cut off; a matrix multiplies up to 1.89.
    assert most < (6 if bits == 8 else 7)


@pytest.mark.parametrize("size", [(641, 361), (479, 853), (161, 91), (160, 90), (2000, 4), (3, 900), (17, 13), (1, 1)])
@pytest.mark.parametrize("name", ["gray", "yuv420p", "yuv444p10le"])
def test_any_size_is_sampled_alike(name: str, size: tuple[int, int]) -> None:
    frame = ramps(name, 10 if "10" in name else 8, matrix=1, full=True, size=size)
    sampled = samples.sample(frame)
    assert sampled.shape == (*samples.SAMPLE, 3)
    assert samples.thumbnail(sampled).shape == (samples.ROWS, samples.COLUMNS, 3)
    if min(size) > 20:
        assert errors(frame)[0] < 2


def picture(channels: int, depth: type) -> np.ndarray[Any, Any]:
    shape = (HEIGHT, WIDTH, channels)
    return np.random.default_rng(3).integers(0, np.iinfo(depth).max, shape, dtype=depth, endpoint=True)


@pytest.mark.parametrize(
    ("name", "channels", "depth"),
    [("rgb24", 3, np.uint8), ("bgra", 4, np.uint8), ("gbrp", 3, np.uint8), ("rgb48le", 3, np.uint16)],
)
def test_rgb(name: str, channels: int, depth: type) -> None:
    frame = av.VideoFrame.from_ndarray(picture(channels, depth), format=name)
    whole = grid(pixels.to_rgb(frame))[..., :3] / 65535
    sampled = samples.sample(frame).astype(np.int64)
    luma = whole @ (0.2126, 0.7152, 0.0722)
    chroma = (whole[..., 2] - luma) / 1.8556, (whole[..., 0] - luma) / 1.5748
    assert np.abs(sampled[..., 0] - 255 * luma).max() < 1.5
    assert np.abs(sampled[..., 1] - 128 - 255 * chroma[0]).max() < 1.5
    assert np.abs(sampled[..., 2] - 128 - 255 * chroma[1]).max() < 1.5


def test_grey_has_no_colour_and_all_its_levels() -> None:
    levels = picture(1, np.uint8)[..., 0]
    sampled = samples.sample(av.VideoFrame.from_ndarray(levels, format="gray"))
    assert np.array_equal(sampled[..., 0], grid(levels))
    assert (sampled[..., 1:] == 128).all()
    deep = av.VideoFrame.from_ndarray(levels.astype(np.uint16) * 257, format="gray16le")
    assert np.array_equal(samples.sample(deep), sampled)


def test_float_pictures_are_clipped() -> None:
    values = np.full((HEIGHT, WIDTH), 0.5, dtype=np.float32)
    values[:60], values[60:120] = np.nan, 7
    sampled = samples.sample(frame_of("gbrpf32le", [values] * 3))
    assert sampled[0, 0].tolist() == [0, 128, 128]
    assert sampled[36, 0].tolist() == [255, 128, 128]
    assert sampled[-1, 0].tolist() == [128, 128, 128]


def test_palette() -> None:
    frame = av.VideoFrame(32, 12, "pal8")
    palette = np.zeros((256, 4), dtype=np.uint8)
    palette[7] = (50, 100, 200, 255)  # blue, green, red, alpha
    numbers = np.zeros((12, frame.planes[0].line_size), dtype=np.uint8)
    numbers[:, 16:32] = 7
    frame.planes[0].update(numbers.tobytes())
    frame.planes[1].update(palette.tobytes())
    rgb = samples.to_rgb(samples.sample(frame), pixels.frame_tags(frame).matrix)
    assert rgb[0, 0].tolist() == [0, 0, 0]
    assert np.abs(rgb[0, 96].astype(int) - (200, 100, 50)).max() <= 2


@pytest.mark.parametrize("size", [(320, 240), (720, 576), (1440, 1080), (1920, 1080)])
@pytest.mark.parametrize("name", ["yuv420p", "yuv422p"])
def test_one_field_of_interlaced_frames_is_read(name: str, size: tuple[int, int]) -> None:
    luma = np.full(size[::-1], 200, dtype=np.uint8)
    luma[::2] = 60
    shape = av.VideoFrame(*size, name).planes[1]
    grey = np.full((shape.height, shape.width), 128, dtype=np.uint8)
    sampled = samples.sample(frame_of(name, [luma, grey, grey], full=True))
    assert np.ptp(sampled[..., 0]) == 0


def area_means(length: int, parts: int) -> np.ndarray[Any, Any]:
    """Parts x length: the share that each place has in each of the parts of a line."""
    edges = np.linspace(0, length, parts + 1)
    covered = np.minimum(edges[1:, None], np.arange(1, length + 1)) - np.maximum(edges[:-1, None], np.arange(length))
    return np.maximum(0, covered) / (length / parts)


@pytest.mark.parametrize("size", [(72, 128), (90, 160), (36, 64)])
def test_a_thumbnail_is_the_mean_of_areas(size: tuple[int, int]) -> None:
    sampled = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    down, right = area_means(size[0], samples.ROWS), area_means(size[1], samples.COLUMNS)
    means = np.stack([down @ sampled[..., channel] @ right.T for channel in range(3)], axis=-1)
    made = samples.thumbnail(sampled)
    assert made.dtype == np.uint8
    assert np.abs(made - means).max() <= 1
