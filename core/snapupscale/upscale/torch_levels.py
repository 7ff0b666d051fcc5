"""The shift of levels.py, fitted and taken off by torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

from snapupscale.upscale.levels import RADIUS, SMOOTHING, SQUARE, Shift
from snapupscale.upscale.tiling import Box
from snapupscale.upscale.torch_job import means, part

if TYPE_CHECKING:
    from torch import Tensor


def fitted(picture: Tensor, output: Tensor, region: Box) -> Shift[Tensor]:
    """The shift between `picture` and `output`, both of `region` and in [0, 1]."""
    before = means(picture, picture.shape[3] // region.width * SQUARE)
    change = means(output, output.shape[3] // region.width * SQUARE) - before
    mean, mean_change = _around(before), _around(change)
    covariance = _around(before * change) - mean * mean_change
    variance = _around(before * before) - mean * mean
    slope = covariance / (variance + SMOOTHING)
    return Shift(slope=_around(slope), offset=_around(mean_change - slope * mean), smooth=before, region=region)


def taken_off(shift: Shift[Tensor], output: Tensor, picture: Tensor, box: Box) -> Tensor:
    """The part `box` of `output`, without the shift. `output` and `picture` are those of the region."""
    scale = output.shape[3] // shift.region.width
    target = box.seen_from(shift.region).times(scale)
    slope = _enlarged(shift.slope, scale * SQUARE, target)
    offset = _enlarged(shift.offset, scale * SQUARE, target)
    around = _enlarged(picture, output.shape[3] // picture.shape[3], target)
    # Where the network takes noise away, the change is the noise, and the slope falls below 0. Taken off along the
    # picture itself it would put the noise back; along the means of the squares it can't.
    smooth = _enlarged(shift.smooth, scale * SQUARE, target)
    added = offset.addcmul_(slope.clamp(min=0), around).addcmul_(slope.clamp(max=0), smooth)
    return part(output, target) - added


def _around(values: Tensor) -> Tensor:
    return F.avg_pool2d(values, 2 * RADIUS + 1, stride=1, padding=RADIUS, count_include_pad=False)


def _enlarged(values: Tensor, factor: int, target: Box) -> Tensor:
    """The part `target` of what bilinear interpolation makes of `values`, `factor` times as large."""
    whole = Box(0, 0, values.shape[3], values.shape[2])
    source = target.covered(factor).grown(1, whole)
    large = F.interpolate(part(values, source), scale_factor=factor, mode="bilinear", align_corners=False)
    return part(large, target.seen_from(source.times(factor)))
