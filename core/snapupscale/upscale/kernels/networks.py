"""The networks by hand-written kernels, as the plain ones in networks.py see themselves: features, then the tail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from snapupscale.errors import KernelUnavailable
from snapupscale.upscale import devices
from snapupscale.upscale.kernels import packing, source
from snapupscale.upscale.kernels.convolution import Convolution, library, planes_like, shuffle, split
from snapupscale.upscale.networks import CHANNELS, ENLARGE, GROWTH, Compact, RRDBNet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from snapupscale.upscale.catalog import ModelSpec
    from snapupscale.upscale.kernels.convolution import Library
    from snapupscale.upscale.networks import Pace

_RESIDUAL = 0.2
_BAND_CELLS = 1 << 17
"""Of the tail at a time."""


def build(
    spec: ModelSpec, parameters: Mapping[str, Tensor], device: torch.device, *, generic: bool = False
) -> KernelCompact | KernelRRDB:
    """The network of `spec` on `device`. parameters: float32, by official name. generic: see `source.choose`.

    Raises KernelUnavailable, also when the driver fails, and torch's own error when memory runs out.
    """
    index = number(device)
    try:
        with torch.cuda.device(index):
            # Weights are put in order on the device: for hundreds of layers the host would take most of a second.
            parameters = {name: values.to(device) for name, values in parameters.items()}
            if spec.architecture == "compact":
                return KernelCompact(library(index, source.COMPACT, generic=generic), parameters, spec)
            return KernelRRDB(library(index, source.RRDB, generic=generic), parameters, spec)
    except RuntimeError as error:
        if devices.ran_out(error):
            raise
        raise KernelUnavailable(f"the kernels cannot be loaded: {error}") from error


def number(device: torch.device) -> int:
    """Which of torch's CUDA devices `device` is."""
    return torch.cuda.current_device() if device.index is None else device.index


class KernelCompact(Compact):
    """SRVGGNetCompact. Its layers as torch has them stay empty, and tell the sizes alone."""

    bands_itself = True
    family: str
    """Of the kernels."""
    body_values = 2 * CHANNELS + GROWTH
    tail_values = CHANNELS + 2 * 3 * ENLARGE**2

    def __init__(self, library: Library, parameters: Mapping[str, Tensor], spec: ModelSpec) -> None:
        with torch.device("meta"):
            super().__init__(spec.blocks)
        blocks = spec.blocks
        self._library, self.family = library, library.family.name
        self._layers = [self._layer(parameters, index) for index in range(blocks + 1)]
        weight, bias = _layer(parameters, f"body.{2 * blocks + 2}")
        weight, bias = packing.padded(weight, CHANNELS), packing.padded(bias, CHANNELS)
        self._last = Convolution(self._library, source.PLAIN, weight, bias)
        self._layer_operations = 2 * 9 * CHANNELS * CHANNELS

    def features(self, picture: Tensor, pace: Pace) -> Tensor:
        values = split(self._library, picture)
        first, second = planes_like(picture, 1), planes_like(picture, 1)
        for layer in self._layers:
            layer.run(values, first)
            values, first, second = first, second, first
            pace.tick(self._layer_operations * picture[0, 0].numel())
        return _as_features(values)

    def tail(self, features: Tensor, picture: Tensor, pace: Pace) -> Tensor:
        detail = planes_like(features, 1)
        self._last.run(_as_planes(features), detail)
        result = shuffle(self._library, detail, picture)
        pace.tick(self._layer_operations * picture[0, 0].numel())
        return result

    def _layer(self, parameters: Mapping[str, Tensor], index: int) -> Convolution:
        weight, bias = _layer(parameters, f"body.{2 * index}")
        slope = parameters[f"body.{2 * index + 1}.weight"]
        if index:
            return Convolution(self._library, source.PRELU, weight, bias, slope)
        return Convolution(self._library, source.FIRST_PRELU, _first(weight), bias, slope)


class KernelRRDB(RRDBNet):
    """RRDBNet. Its layers as torch has them stay empty, and tell the sizes alone."""

    bands_itself = True
    family: str
    """Of the kernels."""
    body_values = 3 * (CHANNELS + 4 * GROWTH) + CHANNELS + GROWTH
    tail_values = 2 * 3 * ENLARGE**2

    def __init__(self, library: Library, parameters: Mapping[str, Tensor], spec: ModelSpec) -> None:
        with torch.device("meta"):
            super().__init__(spec.blocks, spec.scale)
        self._library, self.family = library, library.family.name
        weight, bias = _layer(parameters, "conv_first")
        first = source.FIRST if self.cell == 1 else source.PLAIN
        self._first = Convolution(self._library, first, _first(weight), bias)
        self._dense_blocks = [
            [self._dense(parameters, f"body.{block}.rdb{dense}.conv") for dense in (1, 2, 3)]
            for block in range(spec.blocks)
        ]
        self._body = Convolution(self._library, source.PLAIN, *_layer(parameters, "conv_body"))
        self._enlarging_layers = [self._enlarging(parameters, f"conv_up{index}") for index in (1, 2)]
        self._hr = Convolution(self._library, source.LEAKY, *_layer(parameters, "conv_hr"))
        weight, bias = _layer(parameters, "conv_last")
        weight, bias = packing.padded(weight, 8), packing.padded(bias, 8)
        self._last = Convolution(self._library, source.PIXELS, weight, bias)

    def features(self, picture: Tensor, pace: Pace) -> Tensor:
        picture = F.pixel_unshuffle(picture, self.cell)
        pixels = split(self._library, picture)
        states = [planes_like(picture, 3) for _ in range(3)]
        kept = planes_like(picture, 1)
        for target in (states[0], kept):
            self._first.run(pixels, target)
        cells = picture[0, 0].numel()
        for block in self._dense_blocks:
            for index, layers in enumerate(block):
                self._run_dense(layers, states, index)
                pace.tick(sum(2 * 9 * (64 + 32 * i) * 32 for i in (0, 1, 2, 3, 4, 4)) * cells)
        # Every thread reads what it adds before it writes, and no other reads it.
        self._body.run(states[0], kept, first=kept)
        return _as_features(kept)

    def tail(self, features: Tensor, picture: Tensor, pace: Pace) -> Tensor:
        height, width = features.shape[2:]
        result = torch.empty((1, 3, ENLARGE * height, ENLARGE * width), device=features.device)
        rows = max(8, min(height, _BAND_CELLS // width))
        at_twice = planes_like(features[:, :, : rows + 2], 1, 2)
        at_four = [planes_like(features[:, :, : rows + 2], 1, ENLARGE) for _ in range(2)]
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            self._band(_as_planes(features), at_twice, at_four, result[0], top, bottom)
            pace.tick((2 * 9 * CHANNELS * (CHANNELS * (4 + 16 + 16) + 3 * 16)) * width * (bottom - top))
        return result

    def _band(
        self, state: Tensor, at_twice: Tensor, at_four: list[Tensor], result: Tensor, top: int, bottom: int
    ) -> None:
        """The rows of `result` that belong to those from `top` to `bottom` of `state`. Each layer computes the rows
        that the next one needs, and none beyond the edge of the picture, where there are zeros."""
        height = state.shape[1]
        first, end = max(0, top - 1), min(height, bottom + 1)
        twice = at_twice[:, : 2 * (end - first)]
        self._enlarging_layers[0].run(state, twice, skipped=first, rows=end - first)
        first_twice, end_twice = max(0, 2 * top - 1), min(2 * height, 2 * bottom + 1)
        four = at_four[0][:, : 2 * (end_twice - first_twice)]
        self._enlarging_layers[1].run(twice, four, skipped=first_twice - 2 * first, rows=end_twice - first_twice)
        first_four, end_four = max(0, 4 * top - 1), min(4 * height, 4 * bottom + 1)
        fine = at_four[1][:, : end_four - first_four]
        self._hr.run(four, fine, skipped=first_four - 2 * first_twice, rows=end_four - first_four)
        self._last.run(fine, result[:, 4 * top : 4 * bottom], skipped=4 * top - first_four, rows=4 * (bottom - top))

    def _run_dense(self, layers: list[Convolution], states: list[Tensor], index: int) -> None:
        """Five convolutions, each reading all before it; the last one's result becomes the next state."""
        *inner, last = layers
        state, following = states[index], states[(index + 1) % 3]
        for step, layer in enumerate(inner):
            layer.run(state, state, channel=CHANNELS + GROWTH * step)
        second = states[0] if index == 2 else None
        last.run(state, following, first=state, second=second, scales=(_RESIDUAL, _RESIDUAL))

    def _dense(self, parameters: Mapping[str, Tensor], prefix: str) -> list[Convolution]:
        return [
            Convolution(self._library, layer, *_layer(parameters, f"{prefix}{index + 1}"))
            for index, layer in enumerate(source.DENSE)
        ]

    def _enlarging(self, parameters: Mapping[str, Tensor], name: str) -> Convolution:
        weight, bias = _layer(parameters, name)
        return Convolution(self._library, source.ENLARGED, packing.phases(weight), bias)


def _layer(parameters: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return parameters[f"{name}.weight"], parameters[f"{name}.bias"]


def _first(weight: Tensor) -> Tensor:
    """The weights of a first layer for pixels that are split, padded to what the kernels take."""
    return packing.padded(packing.halves(weight), CHANNELS, 32 if weight.shape[1] == 3 else 64)


def _as_features(planes: Tensor) -> Tensor:
    """One plane as 1x64xHxW."""
    return planes.permute(0, 3, 1, 2)


def _as_planes(features: Tensor) -> Tensor:
    """1x64xHxW, or a part of it, as the plane that it came from."""
    return features.permute(0, 2, 3, 1)
