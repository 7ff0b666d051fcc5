from __future__ import annotations

import av
import numpy as np
import pytest

from snapupscale.media import pixels

# Luma weights as the standards give them, written down apart from the code that is tested.
WEIGHTS = {1: (0.2126, 0.7152, 0.0722), 6: (0.299, 0.587, 0.114), 9: (0.2627, 0.6780, 0.0593)}


def encoded(rgb: tuple[float, float, float], matrix: int, bits: int, *, full: bool) -> tuple[int, int, int]:
    """Y', Cb, Cr code values of R'G'B' in 0..1 by the definition of ITU-R BT.601, BT.709 and BT.2020."""
    weights = WEIGHTS[matrix]
    y = sum(weight * value for weight, value in zip(weights, rgb, strict=True))
    cb = (rgb[2] - y) / (2 * (1 - weights[2]))
    cr = (rgb[0] - y) / (2 * (1 - weights[0]))
    unit = 2 ** (bits - 8)
    if full:
        peak = 2**bits - 1
        chroma = [min(peak, round(value * peak + 128 * unit)) for value in (cb, cr)]
        return round(y * peak), chroma[0], chroma[1]
    return round((219 * y + 16) * unit), round((224 * cb + 128) * unit), round((224 * cr + 128) * unit)


def flat_frame(
    name: str, values: tuple[int, ...], bits: int, matrix: int, *, full: bool, size: tuple[int, int] = (16, 12)
) -> av.VideoFrame:
    frame = av.VideoFrame(*size, name)
    frame.colorspace = matrix
    frame.color_range = 2 if full else 1
    for plane, value in zip(frame.planes, values, strict=True):
        kind = np.uint8 if bits == 8 else np.dtype("<u2")
        count = plane.buffer_size // np.dtype(kind).itemsize
        plane.update(np.full(count, value, dtype=kind).tobytes())
    return frame


COLOURS = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.25, 0.5, 0.75)]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize(
    ("name", "bits"),
    [("yuv420p", 8), ("yuv422p", 8), ("yuv444p", 8), ("yuv420p10le", 10), ("yuv422p12le", 12), ("yuv444p16le", 16)],
)
def test_matrix_and_range_are_undone(name: str, bits: int, matrix: int, full: bool) -> None:
    for colour in COLOURS:
        frame = flat_frame(name, encoded(colour, matrix, bits, full=full), bits, matrix, full=full)
        rgb = pixels.to_rgb(frame)
        assert rgb.shape == (12, 16, 3)
        assert rgb.dtype == np.uint16
        # Luma and chroma are each rounded by half a step at most (a whole one where full range has no room for the
        # last level of chroma), and the largest factor of any matrix is 1.89.
        assert np.abs(rgb / 65535 - colour).max() <= (0.5 + 1.89) / 219 / 2 ** (bits - 8)
        assert np.ptp(rgb.reshape(-1, 3).astype(int), axis=0).max() <= 1


@pytest.mark.parametrize(("name", "bits"), [("nv12", 8), ("p010le", 10), ("yuyv422", 8), ("yuv420p10be", 10)])
def test_packed_and_interleaved_formats_give_what_planar_ones_do(name: str, bits: int) -> None:
    planar = "yuv422p" if name == "yuyv422" else "yuv420p" if bits == 8 else "yuv420p10le"
    values = encoded((0.25, 0.5, 0.75), 1, bits, full=False)
    frame = flat_frame(planar, values, bits, 1, full=False, size=(854, 480))
    other = frame.reformat(format=name)
    other.colorspace, other.color_range = 1, 1
    assert np.array_equal(pixels.to_rgb(other), pixels.to_rgb(frame))


def picture(channels: int, depth: type) -> np.ndarray:
    return np.random.default_rng(3).integers(0, np.iinfo(depth).max, (12, 16, channels), dtype=depth, endpoint=True)


@pytest.mark.parametrize(
    ("name", "channels", "depth"),
    [("rgb24", 3, np.uint8), ("rgba", 4, np.uint8), ("rgb48le", 3, np.uint16), ("rgba64le", 4, np.uint16)],
)
def test_rgb_and_alpha_come_through_exactly(name: str, channels: int, depth: type) -> None:
    image = picture(channels, depth)
    rgb = pixels.to_rgb(av.VideoFrame.from_ndarray(image, format=name))
    assert np.array_equal(rgb, image.astype(np.uint16) * (257 if depth is np.uint8 else 1))


@pytest.mark.parametrize(("name", "scale"), [("gray", 257), ("gray16le", 1)])
def test_grey_becomes_three_equal_channels(name: str, scale: int) -> None:
    image = picture(1, np.uint8 if scale == 257 else np.uint16)[..., 0]
    rgb = pixels.to_rgb(av.VideoFrame.from_ndarray(image, format=name))
    assert np.array_equal(rgb, np.repeat(image[..., None].astype(np.uint16) * scale, 3, axis=2))


def test_alpha_of_yuv() -> None:
    frame = flat_frame("yuva444p", (128, 128, 128, 64), 8, 1, full=True)
    assert np.array_equal(pixels.to_rgb(frame)[..., 3], np.full((12, 16), 64 * 257))


def test_palette() -> None:
    frame = av.VideoFrame(16, 12, "pal8")
    palette = np.zeros((256, 4), dtype=np.uint8)
    palette[7] = (50, 100, 200, 255)
    indices = np.zeros((12, frame.planes[0].line_size), dtype=np.uint8)
    indices[:, 8:16] = 7
    frame.planes[0].update(indices.tobytes())
    frame.planes[1].update(palette.tobytes())
    rgb = pixels.to_rgb(frame)
    assert rgb[0, 0].tolist() == [0, 0, 0, 0]
    assert rgb[0, 12].tolist() == [200 * 257, 100 * 257, 50 * 257, 65535]


def ramp_in_chroma() -> av.VideoFrame:
    """Cb rises by 2 a luma column, sampled where MPEG-2 and H.264 have it: on the even columns."""
    frame = av.VideoFrame(64, 16, "yuv420p")
    frame.colorspace, frame.color_range = 1, 2
    values = [np.full((16, 64), 128), np.tile(64 + 2 * np.arange(0, 64, 2), (8, 1)), np.full((8, 32), 128)]
    for plane, content in zip(frame.planes, values, strict=True):
        padded = np.zeros((plane.height, plane.line_size), dtype=np.uint8)
        padded[:, : plane.width] = content
        plane.update(padded.tobytes())
    return frame


def test_chroma_is_put_where_it_was_sampled() -> None:
    blue = pixels.to_rgb(ramp_in_chroma())[8, :, 2].astype(np.float64) / 65535
    expected = 128 / 255 + 1.8556 * (64 + 2 * np.arange(64) - 128) / 255
    assert np.abs(blue - np.clip(expected, 0, 1))[4:-4].max() < 0.002
    shifted = pixels.to_rgb(ramp_in_chroma(), codec="mjpeg")[8, :, 2].astype(np.float64) / 65535
    inner = slice(4, 24)
    assert np.allclose((blue - shifted)[inner], 1.8556 / 255, atol=0.002)


def test_what_is_not_tagged_is_guessed_by_size() -> None:
    for width, height, matrix in [(720, 576, 6), (1280, 720, 1), (720, 1280, 1)]:
        tags = pixels.frame_tags(av.VideoFrame(width, height, "yuv420p"))
        assert (tags.matrix, tags.full_range, tags.primaries, tags.transfer) == (matrix, False, 2, 2)


def test_luma_is_full_range() -> None:
    white = flat_frame("yuv420p10le", (940, 512, 512), 10, 1, full=False)
    assert np.allclose(pixels.luma(white), 1.0, atol=1e-6)


def test_odd_sizes() -> None:
    frame = av.VideoFrame(17, 13, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    assert pixels.to_rgb(frame).shape == (13, 17, 3)
