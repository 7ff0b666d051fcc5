"""Resampling of planes where they are: Lanczos in float32 on any device, of a whole picture or a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from snapupscale.upscale.interpolation import taps

if TYPE_CHECKING:
    from torch import Tensor

_POSITIONS = {"cuda": 128, "mps": 64, "cpu": 16}
"""Positions of a band: many make few and large products, few make little of them zeros."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """A part of a picture in pixels, not always whole ones; (left, top) is its upper left corner."""

    left: float
    top: float
    width: float
    height: float

    def times(self, factor: int) -> Window:
        """The same part of the picture `factor` times as large."""
        return Window(
            left=self.left * factor, top=self.top * factor, width=self.width * factor, height=self.height * factor
        )


def resized(values: Tensor, width: int, height: int, window: Window | None = None) -> Tensor:
    """What `window` of `values` (1xCxHxW float32) shows, or all of it, at width x height; not clipped.

    The same as `interpolation.resample` with Lanczos. At the border of the window the samples beyond it count, at that
    of the picture the kernel is cut off and normalised. What has that size already is given back itself.
    """
    window = window or whole(values.shape[3], values.shape[2])
    across = _axis(values.shape[3], width, window.left, window.width, values.device)
    down = _axis(values.shape[2], height, window.top, window.height, values.device)
    return _columns(_rows(values, down), across)


def bounded(values: Tensor, width: int, height: int, window: Window | None = None) -> Tensor:
    """`resized`, kept between the least and the greatest of the 3x3 samples around each place: without ringing."""
    window = window or whole(values.shape[3], values.shape[2])
    large = resized(values, width, height, window)
    if large is values:
        return values
    least = nearest(-F.max_pool2d(-values, 3, stride=1, padding=1), width, height, window)
    greatest = nearest(F.max_pool2d(values, 3, stride=1, padding=1), width, height, window)
    return torch.clamp(large, least, greatest)


def nearest(values: Tensor, width: int, height: int, window: Window | None = None) -> Tensor:
    """The samples of `values` (1xCxHxW of any type) in which the places of the result lie."""
    window = window or whole(values.shape[3], values.shape[2])
    across = _axis(values.shape[3], width, window.left, window.width, values.device)
    down = _axis(values.shape[2], height, window.top, window.height, values.device)
    if not down.same:
        values = values.index_select(2, down.nearest)
    return values if across.same else values.index_select(3, across.nearest)


def whole(width: int, height: int) -> Window:
    """All of a picture."""
    return Window(left=0.0, top=0.0, width=float(width), height=float(height))


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """How one axis is resampled: `bands` x positions x span weights, of the `span` samples from `lows` on.

    `nearest`: the sample in which each of the `size` positions lies. `same`: every sample stays where and as it is.
    """

    size: int
    lows: tuple[int, ...]
    bands: Tensor
    nearest: Tensor
    same: bool


@lru_cache(maxsize=64)
def _axis(length: int, size: int, start: float, extent: float, device: torch.device) -> _Axis:
    """Kept for the frames that follow: they mostly have the same geometry, and copying to a GPU takes its time."""
    first, weights = taps(length, size, start=start, extent=extent)
    count, each = weights.shape[1], min(size, _POSITIONS[device.type])
    starts = np.arange(0, size, each)
    ends = np.minimum(starts + each, size) - 1
    span = int((first[ends] - first[starts]).max()) + count
    lows = np.minimum(first[starts], length - span)
    bands = np.zeros((len(starts) * each, span), np.float32)
    places = first - lows[np.arange(size) // each]
    bands[np.arange(size)[:, None], places[:, None] + np.arange(count)] = weights
    within = np.floor(start + (np.arange(size) + 0.5) * (extent / size)).clip(0, length - 1)
    return _Axis(
        size=size,
        lows=tuple(map(int, lows)),
        bands=torch.from_numpy(bands.reshape(len(starts), each, span)).to(device),
        nearest=torch.from_numpy(within.astype(np.int64)).to(device),
        same=size == length and start == 0 and extent == length,
    )


def _rows(values: Tensor, axis: _Axis) -> Tensor:
    if axis.same:
        return values
    planes, each = values[0], axis.bands.shape[1]
    channels, _, width = planes.shape
    result = values.new_empty((channels, axis.size, width))
    for index, (low, band) in enumerate(zip(axis.lows, axis.bands, strict=True)):
        target = result[:, index * each : (index + 1) * each]
        weights = band[: target.shape[1]].expand(channels, -1, -1)
        target.copy_(torch.bmm(weights, planes[:, low : low + band.shape[1]]))
    return result[None]


def _columns(values: Tensor, axis: _Axis) -> Tensor:
    if axis.same:
        return values
    _, channels, height, width = values.shape
    lines, each = values.reshape(channels * height, width), axis.bands.shape[1]
    result = values.new_empty((channels * height, axis.size))
    for index, (low, band) in enumerate(zip(axis.lows, axis.bands, strict=True)):
        target = result[:, index * each : (index + 1) * each]
        target.copy_(torch.mm(lines[:, low : low + band.shape[1]], band[: target.shape[1]].T))
    return result.view(1, channels, height, axis.size)
