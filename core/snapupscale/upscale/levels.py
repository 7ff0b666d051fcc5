"""Keep the local levels of the picture: the networks shift flat areas by up to 19 of 255, which a timeline shows.

The shift (output averaged over small squares, minus input averaged likewise) is fitted around each place as a linear
function of the input, and that smooth function is taken off the output. Detail stays as the network made it, and edges
get no halo, as the fit follows them. Method: He and Sun, Fast Guided Filter, arXiv 1505.00996.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.nn import functional as F

from snapupscale.upscale.tiling import Box
from snapupscale.upscale.torch_job import means, part

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Pool = Callable[[Tensor, int], Tensor]

SQUARE = 4
"""Edge in cells of the squares that are averaged."""

_RADIUS = 2
"""Squares to each side that a fit takes in."""

_SMOOTHING = 1e-3
"""Variance of the picture below which a place counts as flat, white being 1."""

_MARGIN = (2 * _RADIUS + 2) * SQUARE

CONTEXT = _MARGIN + SQUARE - 1
"""The most cells that `region` adds on a side."""


def region(core: Box, whole: Box) -> Box:
    """The cells that the levels of `core` depend on, in whole squares counted from the corner of `whole`."""
    return core.grown(_MARGIN, whole).covered(SQUARE).times(SQUARE).grown(0, whole)


@dataclass(frozen=True, kw_only=True)
class Shift:
    """slope * picture + offset for each square of `region`, 1x3x(squares). `smooth` holds the means of the squares."""

    slope: Tensor
    offset: Tensor
    smooth: Tensor
    region: Box

    @classmethod
    def fitted(cls, picture: Tensor, output: Tensor, region: Box, pool: Pool = means) -> Shift:
        """The shift between `picture` and `output`, both of `region` and in [0, 1]. pool: what `means` does."""
        before = pool(picture, picture.shape[3] // region.width * SQUARE)
        change = pool(output, output.shape[3] // region.width * SQUARE) - before
        mean, mean_change = _around(before), _around(change)
        covariance = _around(before * change) - mean * mean_change
        variance = _around(before * before) - mean * mean
        slope = covariance / (variance + _SMOOTHING)
        return cls(slope=_around(slope), offset=_around(mean_change - slope * mean), smooth=before, region=region)

    def taken_off(self, output: Tensor, picture: Tensor, box: Box) -> Tensor:
        """The part `box` of `output`, without the shift. `output` and `picture` are those of the region."""
        scale = output.shape[3] // self.region.width
        target = box.seen_from(self.region).times(scale)
        slope = _enlarged(self.slope, scale * SQUARE, target)
        offset = _enlarged(self.offset, scale * SQUARE, target)
        around = _enlarged(picture, output.shape[3] // picture.shape[3], target)
        # Where the network takes noise away, the change is the noise, and the slope falls below 0. Taken off along the
        # picture itself it would put the noise back; along the means of the squares it can't.
        smooth = _enlarged(self.smooth, scale * SQUARE, target)
        shift = offset.addcmul_(slope.clamp(min=0), around).addcmul_(slope.clamp(max=0), smooth)
        return part(output, target) - shift


def _around(values: Tensor) -> Tensor:
    return F.avg_pool2d(values, 2 * _RADIUS + 1, stride=1, padding=_RADIUS, count_include_pad=False)


def _enlarged(values: Tensor, factor: int, target: Box) -> Tensor:
    """The part `target` of what bilinear interpolation makes of `values`, `factor` times as large."""
    whole = Box(0, 0, values.shape[3], values.shape[2])
    source = target.covered(factor).grown(1, whole)
    large = F.interpolate(part(values, source), scale_factor=factor, mode="bilinear", align_corners=False)
    return part(large, target.seen_from(source.times(factor)))
