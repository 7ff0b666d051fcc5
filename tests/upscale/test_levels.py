from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from snapupscale.upscale import levels, torch_levels
from snapupscale.upscale.tiling import Box, grid
from snapupscale.upscale.torch_job import part


def enlarged(picture: torch.Tensor, scale: int = 4) -> torch.Tensor:
    return F.interpolate(picture, scale_factor=scale, mode="nearest")


def corrected(picture: torch.Tensor, output: torch.Tensor, cell: int = 1) -> torch.Tensor:
    whole = Box(0, 0, picture.shape[3] // cell, picture.shape[2] // cell)
    return torch_levels.taken_off(torch_levels.fitted(picture, output, whole), output, picture, whole)


@pytest.mark.parametrize("size", [(40, 64), (1, 1), (3, 50), (17, 5)])
@pytest.mark.parametrize("scale", [4, 2])
def test_a_constant_shift_is_taken_off(size: tuple[int, int], scale: int) -> None:
    cell = 4 // scale
    picture = torch.rand(1, 3, size[0] * cell, size[1] * cell)
    shift = torch.tensor([0.05, -0.02, 0.01]).view(1, 3, 1, 1)
    output = enlarged(picture, scale)
    torch.testing.assert_close(corrected(picture, output + shift, cell), output, rtol=0, atol=1e-5)


def test_two_areas_with_different_shifts_get_no_halo() -> None:
    picture = torch.full((1, 3, 48, 64), 0.2)
    picture[..., 32:] = 0.9
    output = enlarged(picture)
    shifted = output + torch.where(output > 0.5, 0.06, -0.02)
    error = (corrected(picture, shifted) - output).abs()
    assert error[..., :124].max() < 2 / 255
    assert error[..., 132:].max() < 2 / 255
    assert error[..., :96].max() < 0.2 / 255


def test_detail_finer_than_the_squares_is_left_alone() -> None:
    picture = torch.full((1, 3, 48, 48), 0.5)
    detail = 0.2 * torch.sin(torch.arange(192) * 3.14159 / 2).view(1, 1, 1, -1)
    output = enlarged(picture) + detail
    torch.testing.assert_close(corrected(picture, output), output, rtol=0, atol=1e-3)


boxes = st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(1, 90), st.integers(1, 90))


@given(boxes, st.integers(1, 130), st.integers(1, 130))
def test_a_region_is_made_of_whole_squares(corner: tuple[int, int, int, int], width: int, height: int) -> None:
    whole = Box(0, 0, corner[0] + width, corner[1] + height)
    core = Box(corner[0], corner[1], whole.right, whole.bottom)
    region = levels.region(core, whole)
    assert core.grown(0, region) == core
    assert region.grown(0, whole) == region
    assert region.left % 4 == 0
    assert region.top % 4 == 0
    assert region.right == whole.right
    assert region.left == 0 or core.left - region.left >= 24


def test_tiles_give_what_the_whole_gives() -> None:
    generator = torch.Generator().manual_seed(1)
    picture = torch.rand(1, 3, 150, 130, generator=generator)
    output = (enlarged(picture) * 0.9 + 0.1 * torch.rand(1, 3, 600, 520, generator=generator)).clamp(0, 1)
    expected = corrected(picture, output)
    whole = Box(0, 0, 130, 150)
    for core in grid(whole, 3, 4):
        region = levels.region(core, whole)
        shift = torch_levels.fitted(part(picture, region), part(output, region.times(4)), region)
        actual = torch_levels.taken_off(shift, part(output, region.times(4)), part(picture, region), core)
        torch.testing.assert_close(actual, part(expected, core.times(4)), rtol=0, atol=1e-6)


def test_noise_that_was_taken_away_stays_away() -> None:
    generator = torch.Generator().manual_seed(2)
    clean = torch.linspace(0.2, 0.7, 96).view(1, 1, 1, -1).expand(1, 3, 80, 96)
    noise = 0.08 * torch.randn(1, 3, 80, 96, generator=generator)
    result = corrected(clean + noise, enlarged(clean))
    left = (result - enlarged(clean)).flatten() @ enlarged(noise).flatten() / (enlarged(noise) ** 2).sum()
    assert left.abs() < 0.05
