from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snapupscale.upscale import picture, resize
from snapupscale.upscale.interpolation import resample
from snapupscale.upscale.resize import Window, bounded, nearest, resized

SIZES = [
    (20, 30, 13, 47),
    (20, 30, 80, 120),
    (31, 17, 9, 5),
    (1, 1, 4, 3),
    (2, 50, 7, 50),
    (64, 64, 128, 64),
    (270, 90, 135, 60),
]


def planes(height: int, width: int, channels: int = 3, seed: int = 1) -> torch.Tensor:
    return torch.rand((1, channels, height, width), generator=torch.Generator().manual_seed(seed))


def part(left: float, top: float, width: float, height: float) -> Window:
    return Window(left=left, top=top, width=width, height=height)


@pytest.mark.parametrize(("height", "width", "new_height", "new_width"), SIZES)
def test_it_is_what_pictures_on_the_host_get(height: int, width: int, new_height: int, new_width: int) -> None:
    values = planes(height, width)
    expected = resample(values[0].permute(1, 2, 0).numpy(), new_width, new_height)
    actual = resized(values, new_width, new_height)
    np.testing.assert_allclose(actual[0].permute(1, 2, 0).numpy(), expected, atol=1e-6)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 150), st.integers(1, 150))
def test_any_size_is_what_the_host_makes(height: int, width: int, new_height: int, new_width: int) -> None:
    values = planes(height, width, 1)
    expected = resample(values[0, 0].numpy(), new_width, new_height)
    np.testing.assert_allclose(resized(values, new_width, new_height)[0, 0].numpy(), expected, atol=1e-6)


def test_the_positions_of_a_band_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = planes(100, 130)
    expected = resized(values, 71, 260)
    monkeypatch.setattr(resize, "_POSITIONS", {"cpu": 64})
    resize._axis.cache_clear()
    torch.testing.assert_close(resized(values, 71, 260), expected, atol=1e-6, rtol=0)
    resize._axis.cache_clear()


def formula(line: torch.Tensor, size: int, start: float, extent: float) -> np.ndarray:
    """One row by the formula, sample by sample."""
    samples = line.numpy().astype(float)
    step = extent / size
    stretch = max(1.0, step)
    result = []
    for index in range(size):
        x = (np.arange(len(samples)) + 0.5 - start - (index + 0.5) * step) / stretch
        weights = np.sinc(x) * np.sinc(x / 3) * (np.abs(x) < 3)
        result.append(float(weights @ samples / weights.sum()))
    return np.array(result)


@pytest.mark.parametrize(("start", "extent", "size"), [(7.3, 20.9, 64), (0, 11.5, 40), (28.5, 11.5, 17), (3.2, 30, 9)])
def test_a_part_is_the_formula_to_the_fraction_of_a_pixel(start: float, extent: float, size: int) -> None:
    values = planes(3, 40, 1)
    across = resized(values, size, 3, part(start, 0, extent, 3))
    np.testing.assert_allclose(across[0, 0, 1].numpy(), formula(values[0, 0, 1], size, start, extent), atol=2e-6)
    down = resized(values.mT.contiguous(), 3, size, part(0, start, 3, extent))
    torch.testing.assert_close(down, across.mT, atol=1e-6, rtol=0)


def test_a_part_moves_smoothly_and_straight() -> None:
    ramp = torch.linspace(0, 1, 101)[None, None, None, :].repeat(1, 1, 8, 1)
    for shift in (20.0, 20.25, 20.5, 21.0):
        middle = resized(ramp, 40, 8, part(shift, 0, 40, 8))[0, 0, 4, 20]
        assert float(middle) == pytest.approx((shift + 20) / 100, abs=1e-3)


def test_the_same_size_is_the_picture_itself() -> None:
    values = planes(9, 7)
    assert resized(values, 7, 9) is values
    assert bounded(values, 7, 9) is values
    assert nearest(values, 7, 9) is values


def test_bounded_is_what_mattes_on_the_host_get() -> None:
    matte = (planes(23, 31, 1) > 0.7).float()
    large = resized(matte, 93, 69)[0, 0].numpy()
    expected = picture.bounded(large, matte[0, 0].numpy())
    np.testing.assert_allclose(bounded(matte, 93, 69)[0, 0].numpy(), expected, atol=1e-6)
    assert large.min() < -0.01
    assert float(bounded(matte, 93, 69, part(3.3, 4.4, 10, 11)).min()) == 0


def test_nearest_takes_the_sample_around_each_place() -> None:
    values = torch.arange(6).view(1, 1, 2, 3)
    assert nearest(values, 6, 2)[0, 0, 1].tolist() == [3, 3, 4, 4, 5, 5]
    assert nearest(values > 2, 2, 2, part(0.4, 0, 2, 2))[0, 0].tolist() == [[False, False], [True, True]]
