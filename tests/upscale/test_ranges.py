from __future__ import annotations

import pytest
import torch

from snapupscale.upscale.ranges import Remainder, compressed, expanded, split, usable


def colours(height: int = 40, width: int = 48) -> torch.Tensor:
    return torch.rand((1, 3, height, width), generator=torch.Generator().manual_seed(2))


def joined(parts: tuple[torch.Tensor, Remainder]) -> torch.Tensor:
    return parts[1].joined(parts[0])


def test_what_is_in_range_stays_bit_by_bit() -> None:
    colour = colours()
    colour[0, :, :20, :20] = 1
    values, remainder = split(colour, None)
    assert torch.equal(values, colour)
    assert torch.equal(remainder.joined(values), colour)
    assert not remainder.rest.any()


@pytest.mark.parametrize("peak", [1.0, 1.01, 1.5, 2.0])
def test_the_curve_is_smooth_and_has_an_opposite(peak: float) -> None:
    values = torch.linspace(0, peak, 4001)
    low = compressed(values, torch.tensor(peak))
    assert float(low.min()) == 0
    assert float(low.max()) == pytest.approx(1, abs=1e-6)
    steps = low.diff()
    assert (steps > 0).all()
    assert float(steps.diff().abs().max()) < 0.02 * float(steps.max())
    torch.testing.assert_close(expanded(low, torch.tensor(peak)), values, atol=2e-5, rtol=0)


def test_a_growing_highlight_makes_no_frame_jump() -> None:
    values = torch.linspace(0, 1, 101)
    frames = torch.stack([compressed(values, torch.tensor(1 + step / 100)) for step in range(101)])
    assert float(frames.diff(dim=0).abs().max()) < 0.01
    assert torch.equal(frames[0], values)


def test_a_highlight_changes_its_surroundings_alone() -> None:
    colour = colours(96, 96)
    before, _ = split(colour, None)
    colour[0, :, 8:16, 8:16] = 3
    values, remainder = split(colour, None)
    assert torch.equal(values[..., 48:, :], before[..., 48:, :])
    assert torch.equal(values[..., 48:], before[..., 48:])
    assert float(remainder.peak[0, 0, 12, 12]) == pytest.approx(2)
    assert float(remainder.peak.diff(dim=3).abs().max()) < 0.2


@pytest.mark.parametrize("level", [1.2, 4, 100, 65504, 1e30, -0.3, -50])
def test_values_out_of_range_come_back(level: float) -> None:
    colour = colours()
    colour[0, :, 8:30, 8:30] = level
    values, remainder = split(colour, None)
    assert float(values.min()) >= 0
    assert float(values.max()) <= 1
    torch.testing.assert_close(remainder.joined(values), colour, atol=2e-6, rtol=1e-5)


def test_a_single_hot_pixel_leaves_the_frame_as_it_is() -> None:
    colour = colours() * 0.9
    quiet = colour.clone()
    colour[0, :, 20, 20], quiet[0, :, 20, 20] = 5, 1
    values, remainder = split(colour, None)
    assert torch.equal(values, quiet)
    assert remainder.rest[0, 0, 20, 20] == 4


def test_what_is_no_number_becomes_one() -> None:
    samples = torch.tensor([float("nan"), float("inf"), float("-inf"), -3.5, 9e9])
    assert usable(samples).tolist() == [0, 1, 0, -3.5, pytest.approx(9e9)]


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_premultiplied_frame_is_divided_and_comes_back(scale: float) -> None:
    straight, alpha = colours() * scale, torch.linspace(0, 1, 48).expand(1, 1, 40, 48)
    colour = straight * alpha
    parts = split(colour, alpha)
    torch.testing.assert_close(joined(parts), colour, atol=1e-6, rtol=1e-5)
    if scale == 1:
        torch.testing.assert_close(parts[0][..., 8:], straight[..., 8:], atol=1e-5, rtol=1e-5)


def test_an_opaque_frame_is_not_changed_by_its_alpha() -> None:
    colour = colours()
    values, remainder = split(colour, torch.ones(1, 1, 40, 48))
    assert torch.equal(values, colour)
    assert not remainder.rest.any()


def test_beside_an_edge_the_network_sees_its_colour_and_not_black() -> None:
    alpha = torch.zeros(1, 1, 40, 48)
    alpha[..., :24] = 1
    colour = torch.tensor([0.9, 0.5, 0.2]).view(1, 3, 1, 1) * alpha
    parts = split(colour, alpha)
    torch.testing.assert_close(parts[0][..., 24:32], colour[..., :8], atol=1e-4, rtol=0)
    assert torch.equal(joined(parts), colour)


@pytest.mark.parametrize("alpha", [0.0, 1e-6, -1.0])
def test_colour_without_alpha_is_kept(alpha: float) -> None:
    """Light is drawn that way: colour that is added to what is behind it."""
    colour = colours() * 3
    parts = split(colour, torch.full((1, 1, 40, 48), alpha))
    assert parts[0].isfinite().all()
    assert torch.equal(joined(parts), colour)


def test_colour_that_exceeds_its_alpha_by_far_stays_finite() -> None:
    colour = torch.full((1, 3, 16, 16), 3e38)
    parts = split(colour, torch.full((1, 1, 16, 16), 0.002))
    assert parts[0].isfinite().all()
    torch.testing.assert_close(joined(parts), colour)
