"""The networks by hand-written kernels: features, then the tail, as the plain ones in networks.py have them."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from snapupscale.errors import KernelUnavailable
from snapupscale.upscale import failures
from snapupscale.upscale import layers as official
from snapupscale.upscale.kernels import packing, source
from snapupscale.upscale.kernels.convolution import Convolution, library, planes_like, shuffle, split
from snapupscale.upscale.layers import CHANNELS, ENLARGE, GROWTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from snapupscale.upscale.catalog import ModelSpec
    from snapupscale.upscale.kernels.convolution import Library
    from snapupscale.upscale.kernels.gpu import Gpu
    from snapupscale.upscale.kernels.planes import Memory, Planes

    Floats = NDArray[np.float32]

_RESIDUAL = 0.2
_BAND_CELLS = 1 << 17
"""Of the tail at a time."""


class Pace(Protocol):
    """`tick` is called with the floating-point operations that were just queued."""

    @property
    def tick(self) -> Any: ...


def build(
    spec: ModelSpec, parameters: Mapping[str, Floats], gpu: Gpu, memory: Memory, *, generic: bool = False
) -> KernelNetwork:
    """The network of `spec` on `gpu`, its pictures in `memory`. parameters: by official name. generic: see
    `source.choose`. Raises KernelUnavailable, and RuntimeError when the driver fails."""
    gpu.activate()
    if spec.architecture == "compact":
        return KernelCompact(library(gpu, source.COMPACT, generic=generic), memory, parameters, spec)
    return KernelRRDB(library(gpu, source.RRDB, generic=generic), memory, parameters, spec)


@contextmanager
def loading() -> Iterator[None]:
    """What the driver has against the kernels, raised as KernelUnavailable; memory that runs out stays what it is."""
    try:
        yield
    except RuntimeError as error:
        if failures.ran_out(error):
            raise
        raise KernelUnavailable(f"the kernels cannot be loaded: {error}") from error


class KernelNetwork:
    """See networks.Network, whose names mean the same here. Pictures are planes in float32, features in half precision.

    `tail` keeps its short-lived memory small by itself.
    """

    cell = 1
    reach: int
    halo: int
    widest: int
    body_values: int
    tail_values: int
    family: str
    """Of the kernels."""

    def __init__(self, library: Library, memory: Memory, spec: ModelSpec, tail: int) -> None:
        """tail: layers that belong to it."""
        self.library, self._memory, self.family = library, memory, library.family.name
        self.halo = official.halo(spec)
        ours = official.layers(spec)
        self._body_layers, self._tail_layers = ours[:-tail], ours[-tail:]

    def features(self, picture: Planes, pace: Pace) -> Any:
        """picture: 1x3xHxW, H and W multiples of `cell`. 1x64x(H/cell)x(W/cell)."""
        raise NotImplementedError

    def tail(self, features: Planes, picture: Planes, pace: Pace) -> Any:
        """RGB, 1x3 float32, ENLARGE times as large as `features`, which are those of the area of `picture`."""
        raise NotImplementedError

    def body_operations(self) -> int:
        """Floating-point operations of `features` per cell."""
        return sum(map(_operations, self._body_layers))

    def tail_operations(self) -> int:
        """The same for `tail`."""
        raise NotImplementedError


class KernelCompact(KernelNetwork):
    """SRVGGNetCompact."""

    reach = 1
    widest = CHANNELS
    body_values = 2 * CHANNELS + GROWTH
    tail_values = CHANNELS + 2 * 3 * ENLARGE**2

    def __init__(self, library: Library, memory: Memory, parameters: Mapping[str, Floats], spec: ModelSpec) -> None:
        super().__init__(library, memory, spec, 1)
        blocks = spec.blocks
        self._layers = [self._layer(parameters, index) for index in range(blocks + 1)]
        weight, bias = _layer(parameters, f"body.{2 * blocks + 2}")
        weight, bias = packing.padded(weight, CHANNELS), packing.padded(bias, CHANNELS)
        self._last = Convolution(self.library, source.PLAIN, weight, bias)
        self._layer_operations = 2 * 9 * CHANNELS * CHANNELS

    def features(self, picture: Planes, pace: Pace) -> Any:
        values = split(self.library, self._memory, picture)
        first, second = (planes_like(self._memory, picture, 1) for _ in range(2))
        for layer in self._layers:
            layer.run(values, first)
            values, first, second = first, second, first
            pace.tick(self._layer_operations * math.prod(picture.shape[2:]))
        return _as_features(values)

    def tail(self, features: Planes, picture: Planes, pace: Pace) -> Any:
        detail = planes_like(self._memory, features, 1)
        self._last.run(_as_planes(features), detail)
        result = shuffle(self.library, self._memory, detail, picture)
        pace.tick(self._layer_operations * math.prod(picture.shape[2:]))
        return result

    def tail_operations(self) -> int:
        return sum(map(_operations, self._tail_layers))

    def _layer(self, parameters: Mapping[str, Floats], index: int) -> Convolution:
        weight, bias = _layer(parameters, f"body.{2 * index}")
        slope = parameters[f"body.{2 * index + 1}.weight"]
        if index:
            return Convolution(self.library, source.PRELU, weight, bias, slope)
        return Convolution(self.library, source.FIRST_PRELU, _first(weight), bias, slope)


class KernelRRDB(KernelNetwork):
    """RRDBNet. For scale 2 a cell is 2x2 pixels, so that the body works at half size."""

    reach = 2
    widest = CHANNELS + 4 * GROWTH
    body_values = 3 * (CHANNELS + 4 * GROWTH) + CHANNELS + GROWTH
    tail_values = 2 * 3 * ENLARGE**2

    def __init__(self, library: Library, memory: Memory, parameters: Mapping[str, Floats], spec: ModelSpec) -> None:
        super().__init__(library, memory, spec, 4)
        self.cell = ENLARGE // spec.scale
        weight, bias = _layer(parameters, "conv_first")
        first = source.FIRST if self.cell == 1 else source.PLAIN
        self._first = Convolution(self.library, first, _first(weight), bias)
        self._dense_blocks = [
            [self._dense(parameters, f"body.{block}.rdb{dense}.conv") for dense in (1, 2, 3)]
            for block in range(spec.blocks)
        ]
        self._body = Convolution(self.library, source.PLAIN, *_layer(parameters, "conv_body"))
        self._enlarging_layers = [self._enlarging(parameters, f"conv_up{index}") for index in (1, 2)]
        self._hr = Convolution(self.library, source.LEAKY, *_layer(parameters, "conv_hr"))
        weight, bias = _layer(parameters, "conv_last")
        weight, bias = packing.padded(weight, 8), packing.padded(bias, 8)
        self._last = Convolution(self.library, source.PIXELS, weight, bias)

    def features(self, picture: Planes, pace: Pace) -> Any:
        pixels = split(self.library, self._memory, picture, self.cell)
        height, width = pixels.shape[1:3]
        states = [self._memory.halves(3, height, width, CHANNELS) for _ in range(3)]
        kept = self._memory.halves(1, height, width, CHANNELS)
        for target in (states[0], kept):
            self._first.run(pixels, target)
        cells = height * width
        for block in self._dense_blocks:
            for index, layers in enumerate(block):
                self._run_dense(layers, states, index)
                pace.tick(sum(2 * 9 * (64 + 32 * i) * 32 for i in (0, 1, 2, 3, 4, 4)) * cells)
        # Every thread reads what it adds before it writes, and no other reads it.
        self._body.run(states[0], kept, first=kept)
        return _as_features(kept)

    def tail(self, features: Planes, picture: Planes, pace: Pace) -> Any:
        height, width = features.shape[2:]
        result = self._memory.floats(1, 3, ENLARGE * height, ENLARGE * width)
        rows = max(8, min(height, _BAND_CELLS // width))
        band = features[:, :, : rows + 2]
        at_twice = planes_like(self._memory, band, 1, 2)
        at_four = [planes_like(self._memory, band, 1, ENLARGE) for _ in range(2)]
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            self._band(_as_planes(features), at_twice, at_four, result[0], top, bottom)
            pace.tick((2 * 9 * CHANNELS * (CHANNELS * (4 + 16 + 16) + 3 * 16)) * width * (bottom - top))
        return result

    def tail_operations(self) -> int:
        up1, *rest = map(_operations, self._tail_layers)
        return 4 * up1 + 16 * sum(rest)

    def _band(
        self, state: Planes, at_twice: Planes, at_four: list[Planes], result: Planes, top: int, bottom: int
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

    def _run_dense(self, layers: list[Convolution], states: list[Planes], index: int) -> None:
        """Five convolutions, each reading all before it; the last one's result becomes the next state."""
        *inner, last = layers
        state, following = states[index], states[(index + 1) % 3]
        for step, layer in enumerate(inner):
            layer.run(state, state, channel=CHANNELS + GROWTH * step)
        second = states[0] if index == 2 else None
        last.run(state, following, first=state, second=second, scales=(_RESIDUAL, _RESIDUAL))

    def _dense(self, parameters: Mapping[str, Floats], prefix: str) -> list[Convolution]:
        return [
            Convolution(self.library, layer, *_layer(parameters, f"{prefix}{index + 1}"))
            for index, layer in enumerate(source.DENSE)
        ]

    def _enlarging(self, parameters: Mapping[str, Floats], name: str) -> Convolution:
        weight, bias = _layer(parameters, name)
        return Convolution(self.library, source.ENLARGED, packing.phases(weight), bias)


def _operations(layer: official.Layer) -> int:
    """Per position of its input, a multiplication and an addition counting as two."""
    return 2 * math.prod(layer.shapes()[f"{layer.name}.weight"]) if layer.kind == "conv" else 0


def _layer(parameters: Mapping[str, Floats], name: str) -> tuple[Floats, Floats]:
    return parameters[f"{name}.weight"], parameters[f"{name}.bias"]


def _first(weight: Floats) -> Floats:
    """The weights of a first layer for pixels that are split, padded to what the kernels take."""
    return packing.padded(packing.halves(weight), CHANNELS, 32 if weight.shape[1] == 3 else 64)


def _as_features(planes: Planes) -> Any:
    """One plane as 1x64xHxW."""
    return planes.permute(0, 3, 1, 2)


def _as_planes(features: Planes) -> Any:
    """1x64xHxW, or a part of it, as the plane that it came from."""
    return features.permute(0, 2, 3, 1)
