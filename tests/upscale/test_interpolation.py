from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from snapupscale.upscale.interpolation import resample, resample_as_reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

KERNELS = ("lanczos", "bicubic")
SIZES = [(20, 30, 13, 47), (20, 30, 80, 120), (31, 17, 9, 5), (1, 1, 4, 3), (2, 50, 7, 50), (64, 64, 128, 64)]


def lanczos(image: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """The first axis resampled by the formula, one output at a time."""
    length = len(image)
    stretch = max(1.0, length / size)
    result = np.zeros((size, *image.shape[1:]))
    for index in range(size):
        x = (np.arange(length) + 0.5 - (index + 0.5) * length / size) / stretch
        weights = np.sinc(x) * np.sinc(x / 3) * (np.abs(x) < 3)
        result[index] = np.tensordot(weights / weights.sum(), image, 1)
    return result


@pytest.mark.parametrize(("height", "width", "new_height", "new_width"), SIZES)
def test_lanczos_is_the_formula(height: int, width: int, new_height: int, new_width: int) -> None:
    image = np.random.default_rng(1).random((height, width, 3), np.float32)
    expected = lanczos(lanczos(image.astype(float), new_height).swapaxes(0, 1), new_width).swapaxes(0, 1)
    np.testing.assert_allclose(resample(image, new_width, new_height), expected, atol=2e-6)


@pytest.mark.parametrize(("height", "width", "new_height", "new_width"), SIZES)
def test_bicubic_agrees_with_torch(height: int, width: int, new_height: int, new_width: int) -> None:
    image = np.random.default_rng(2).random((height, width, 3), np.float32)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None]
    expected = F.interpolate(tensor, size=(new_height, new_width), mode="bicubic", antialias=True)
    actual = resample(image, new_width, new_height, "bicubic")
    np.testing.assert_allclose(actual, expected[0].permute(1, 2, 0).numpy(), atol=2e-6)


@pytest.mark.parametrize("kernel", KERNELS)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 90), st.integers(1, 90), st.sampled_from(["u1", "u2", "f4"])
)
def test_flat_pictures_stay_as_they_are(
    kernel: str, height: int, width: int, new_height: int, new_width: int, dtype: str
) -> None:
    image = np.full((height, width, 3), 0.7 if dtype == "f4" else 201, dtype)
    result = resample(image, new_width, new_height, kernel)  # type: ignore[arg-type]
    assert result.shape == (new_height, new_width, 3)
    assert result.dtype == image.dtype
    np.testing.assert_allclose(result, image[0, 0, 0], atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_nothing_aliases_when_a_picture_shrinks(kernel: str) -> None:
    checks = (np.indices((120, 120)).sum(0) % 2 * 255).astype(np.uint8)
    small = resample(checks, 50, 50, kernel)  # type: ignore[arg-type]
    assert np.abs(small[4:-4, 4:-4].astype(int) - 127.5).max() < 8


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_picture_does_not_move(kernel: str) -> None:
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (8, 1))
    back = resample(resample(ramp, 192, 24, kernel), 64, 8, kernel)  # type: ignore[arg-type]
    np.testing.assert_allclose(back[:, 8:-8], ramp[:, 8:-8], atol=1e-3)


def test_integers_are_clipped_and_floats_are_not() -> None:
    edge = np.zeros((4, 16), np.uint16)
    edge[:, 8:] = 65535
    assert resample(edge, 64, 16).max() == 65535
    assert resample(edge, 64, 16)[:, :28].max() < 7000
    assert resample(edge.astype(np.float32), 64, 16).min() < -1000


def test_grey_and_any_number_of_channels() -> None:
    image = np.random.default_rng(3).integers(0, 255, (9, 7, 4), np.uint8)
    whole = resample(image, 20, 30)
    for channel in range(4):
        np.testing.assert_array_equal(whole[:, :, channel], resample(image[:, :, channel], 20, 30))


def test_the_same_size_is_a_copy() -> None:
    image = np.zeros((5, 6), np.uint8)
    result = resample(image, 6, 5)
    result[0, 0] = 1
    assert image[0, 0] == 0


def test_the_reference_way_keeps_type_and_channels() -> None:
    image = np.random.default_rng(4).integers(0, 65535, (8, 10, 4), np.uint16)
    result = resample_as_reference(image, 15, 12)
    assert result.shape == (12, 15, 4)
    assert result.dtype == np.uint16
