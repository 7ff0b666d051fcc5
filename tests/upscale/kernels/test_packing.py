"""Packed weights hold every value once, where the kernels look for it; split and phased ones compute the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from snapupscale.upscale.kernels import packing


def _channel(row: int, outputs: int) -> int:
    """The output channel of a row of a matrix of factors, by the layout of mma and wgmma fragments: in a tile of 8
    columns, two neighbours belong to one thread of four; a thread's tiles together hold contiguous channels."""
    tiles = min(4, outputs // 8)
    tile, within = divmod(row, 8)
    quad, odd = divmod(within, 2)
    return tile // tiles * 8 * tiles + quad * 2 * tiles + tile % tiles * 2 + odd


def _unpacked(packed: torch.Tensor, shape: tuple[int, int, int, int], outputs: int, plane: int) -> torch.Tensor:
    """The weight that was packed, read as the hardware reads it."""
    channels, inputs, side, _ = shape
    weight = torch.full(shape, float("nan"), dtype=torch.float16)
    at = 0
    for block in range(0, channels, outputs):
        for low in range(0, inputs, plane):
            wide = min(plane, inputs - low)
            for column in range(side):
                for row in range(side * outputs):
                    kernel_row, within = side - 1 - row // outputs, row % outputs
                    mask = row % 8 if wide == 64 else row // 2 % 4
                    for unit in range(wide // 8):
                        start = at + row * wide + (unit ^ mask) * 8
                        place = slice(low + 8 * unit, low + 8 * unit + 8)
                        channel = block + _channel(within, outputs)
                        assert weight[channel, place, kernel_row, column].isnan().all()
                        weight[channel, place, kernel_row, column] = packed[start : start + 8]
                at += side * outputs * wide
    assert at == packed.numel()
    return weight


@pytest.mark.parametrize(
    ("shape", "outputs", "plane"),
    [
        ((32, 96, 3, 3), 32, 64),
        ((64, 64, 3, 3), 64, 64),
        ((64, 96, 3, 3), 32, 32),
        ((64, 32, 3, 3), 16, 32),
        ((8, 64, 3, 3), 8, 64),
        ((8, 64, 3, 3), 8, 32),
        ((128, 64, 2, 2), 64, 64),
    ],
)
def test_every_weight_is_where_the_kernel_looks(shape: tuple[int, int, int, int], outputs: int, plane: int) -> None:
    weight = torch.randn(shape, generator=torch.manual_seed(1)).half()
    packed = torch.from_numpy(packing.packed(weight.numpy(), outputs, plane))
    assert torch.equal(_unpacked(packed, shape, outputs, plane), weight)


def test_phases_are_the_kernel_behind_an_enlargement() -> None:
    torch.manual_seed(2)
    weight, picture = torch.randn(5, 4, 3, 3), torch.randn(1, 4, 6, 7)
    expected = F.conv2d(F.interpolate(picture, scale_factor=2, mode="nearest"), weight, padding=1)
    padded = F.pad(picture, (1, 1, 1, 1))
    result = torch.empty_like(expected)
    for index, kernel in enumerate(torch.from_numpy(packing.phases(weight.numpy())).split(5)):
        down, right = divmod(index, 2)
        result[:, :, down::2, right::2] = F.conv2d(padded[:, :, down : down + 7, right : right + 8], kernel)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-5)


def test_split_pixels_and_weights_are_as_good_as_float32() -> None:
    torch.manual_seed(3)
    weight, picture = torch.randn(64, 3, 3, 3) * 0.2, torch.rand(1, 3, 32, 32)
    near = picture.half()
    rest = (picture - near.float()).half()
    channels = torch.cat([near, rest, near], 1).double()
    result = F.conv2d(channels, torch.from_numpy(packing.halves(weight.numpy())).double(), padding=1)
    exact = F.conv2d(picture.double(), weight.double(), padding=1)
    halved = F.conv2d(near.double(), weight.half().double(), padding=1)
    assert (result - exact).abs().max() < 2e-6
    assert (result - exact).abs().max() < (halved - exact).abs().max() / 200


def test_padding_adds_zeros_alone() -> None:
    values = np.ones((3, 2, 3, 3), np.float32)
    result = packing.padded(values, 8, 4)
    assert result.shape == (8, 4, 3, 3)
    assert np.array_equal(result[:3, :2], values)
    assert result.sum() == values.sum()
    assert packing.padded(np.ones(3), 8).tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
