"""Values that the networks have not learned: what lies outside 0 to 1, what is no number, what is multiplied by alpha.

A frame is split into values in 0 to 1 for the network and what they leave over, which is put back afterwards:

- Up to twice white, highlights are compressed by u / (1 + c u) above a quarter of white, u counted from there. c comes
  from the brightest 8x8 block nearby and grows steadily from 0. Where nothing near is above white every value stays as
  it is, bit by bit, so that a highlight that appears changes nothing but its surroundings, and makes no frame jump.
- What is above that, or above the block's mean, and what is below 0 is left over. It keeps its values and its detail.
- What is no number, and infinity, is black and white for the network; the caller puts it back where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from snapupscale.upscale.resize import bounded

if TYPE_CHECKING:
    from torch import Tensor

    from snapupscale.upscale.resize import Window

_KNEE = 0.25
_MOST = 2.0
"""With more, the little that the network is off by would show in the highlights, where expanding magnifies it."""

_BLOCK = 8
"""Edge in pixels of the blocks whose means say how bright it is nearby, and which colour there is."""

_LEAST_ALPHA = 2.0**-10
"""Alpha below which a sample's colour means nothing: it is left over whole."""

_SEEN_ALPHA = 0.125
"""Alpha below which a sample does not decide about the highlights of the frame."""

_AROUND = 2
"""Blocks to each side in which colour is looked for where there is no alpha."""

_TINY = 2.0**-24


@dataclass(frozen=True, kw_only=True)
class Remainder:
    """What the network is not shown: `peak` of the highlights nearby (1 to 2), `rest` of the colour, and `cover`.

    Planes of the size of the frame. cover: alpha, where the colour was divided by it.
    """

    peak: Tensor
    rest: Tensor
    cover: Tensor | None

    def resized(self, width: int, height: int, window: Window) -> Remainder:
        """The same for what `window` shows at width x height."""
        peak, rest = (bounded(planes, width, height, window) for planes in (self.peak, self.rest))
        cover = None if self.cover is None else bounded(self.cover, width, height, window)
        return Remainder(peak=peak, rest=rest, cover=cover)

    def joined(self, values: Tensor) -> Tensor:
        """The colour that belongs to `values` (1x3xHxW in [0, 1])."""
        colour = expanded(values, self.peak)
        if self.cover is not None:
            colour.mul_(self.cover)
        return colour.add_(self.rest)


def split(colour: Tensor, alpha: Tensor | None) -> tuple[Tensor, Remainder]:
    """`colour` (1x3xHxW, finite) as values for the network, 1x3xHxW in [0, 1], and what is left over.

    alpha: 1x1xHxW, finite, if the colour is to be divided by it.
    """
    cover = None if alpha is None else torch.where(alpha < _LEAST_ALPHA, 0, alpha)
    base = (colour if cover is None else _divided(colour, cover)).clamp(0, _MOST)
    peak = _peak(base if cover is None else torch.where(cover < _SEEN_ALPHA, base.clamp(max=1), base))
    base = torch.minimum(base, peak)
    rest = colour - (base if cover is None else base * cover)
    return compressed(base, peak), Remainder(peak=peak, rest=rest, cover=cover)


def compressed(values: Tensor, peak: Tensor) -> Tensor:
    """`values`, 0 to `peak`, in 0 to 1."""
    above = (values - _KNEE).clamp_(min=0)
    return above.div_((above * _bend(peak)).add_(1)).add_(values.clamp(max=_KNEE)).clamp_(max=1)


def expanded(values: Tensor, peak: Tensor) -> Tensor:
    """The opposite of `compressed`."""
    above = (values - _KNEE).clamp_(min=0)
    return above.div_((above * -_bend(peak)).add_(1)).add_(values.clamp(max=_KNEE))


def usable(samples: Tensor) -> Tensor:
    """`samples`, with black for what is no number, white for infinity and black for its negative."""
    return samples.nan_to_num(nan=0.0, posinf=1.0, neginf=0.0)


def _bend(peak: Tensor) -> Tensor:
    return 1 / (1 - _KNEE) - 1 / (peak - _KNEE)


def _peak(values: Tensor) -> Tensor:
    """The brightest block near each place, 1 to 2, 1x1xHxW: smooth, and no less than the mean of its own block."""
    blocks = F.avg_pool2d(values, _BLOCK, ceil_mode=True, count_include_pad=False).amax(1, keepdim=True)
    near = F.max_pool2d(blocks, 5, stride=1, padding=2)
    smooth = F.avg_pool2d(near, 3, stride=1, padding=1, count_include_pad=False).clamp(1, _MOST)
    return _spread(smooth, values)


def _spread(blocks: Tensor, like: Tensor) -> Tensor:
    """One value for each block as planes of the size of `like`, interpolated between the blocks."""
    large = F.interpolate(blocks, scale_factor=_BLOCK, mode="bilinear", align_corners=False)
    return large[:, :, : like.shape[2], : like.shape[3]]


def _divided(colour: Tensor, cover: Tensor) -> Tensor:
    """`colour` over `cover`. Where there is none, the colour that is near: black there would darken the edges."""
    seen = cover > 0
    parts = torch.cat((colour * seen, cover), 1)
    blocks = F.avg_pool2d(parts, _BLOCK, ceil_mode=True, count_include_pad=False)
    near = F.avg_pool2d(blocks, 2 * _AROUND + 1, stride=1, padding=_AROUND, count_include_pad=False)
    fill = near[:, :3] / near[:, 3:].clamp(min=_TINY)
    return torch.where(seen, colour / cover, _spread(fill, cover))
