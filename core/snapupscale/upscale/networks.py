"""The two networks of Real-ESRGAN, written for inference: the body over a whole picture, the tail in pieces.

Sources: RRDBNet, Wang et al., ESRGAN, arXiv 1809.00219; its Real-ESRGAN form and SRVGGNetCompact, Wang et al., arXiv
2107.10833. Parameter names are those of the official weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from snapupscale.upscale.layers import CHANNELS, ENLARGE, GROWTH, halo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snapupscale.upscale.catalog import ModelSpec

_SLOPE = 0.2
_RESIDUAL = 0.2
_WIDE = CHANNELS + 4 * GROWTH


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How convolutions are run.

    `tick` is called with the floating-point operations just done. A convolution that reads or gives more than `most`
    values is run in bands of rows, so that `tick` comes often and short-lived memory stays small; results are the same.
    """

    tick: Callable[[float], None]
    most: float = float("inf")
    layout: torch.memory_format = torch.channels_last


class Network(nn.Module):
    """A Real-ESRGAN network in two halves. A cell is the `cell` x `cell` pixels that are one position of the body.

    `features` takes RGB, 1x3xHxW in [0, 1], H and W multiples of `cell`, and gives 1x64x(H/cell)x(W/cell).
    `tail` takes features and the picture of the same area, and gives RGB float32, ENLARGE times as large as features.
    A cell of the tail's result depends on the features at most `reach` cells away.
    """

    cell = 1
    reach = 1
    halo: int
    """Cells of context that a tile of the whole network is given on each side."""
    widest = CHANNELS
    """Most channels of one tensor."""
    body_values: int
    """Peak of short-lived values per cell in `features`, in numbers of the body's precision."""
    tail_values: int
    """The same for `tail`."""

    def features(self, picture: Tensor, pace: Pace) -> Tensor:
        raise NotImplementedError

    def tail(self, features: Tensor, picture: Tensor, pace: Pace) -> Tensor:
        raise NotImplementedError

    def entrance(self) -> list[nn.Module]:
        """The first layers, which see the pixels themselves and stay in float32 when the rest is halved."""
        raise NotImplementedError

    def entrance_dtype(self) -> torch.dtype:
        """The precision in which `features` and `tail` take the picture."""
        return _dtype(self.entrance()[0])

    def body_operations(self) -> int:
        """Floating-point operations of `features` per cell, a multiplication and an addition counting as two."""
        raise NotImplementedError

    def tail_operations(self) -> int:
        """The same for `tail`."""
        raise NotImplementedError


class Compact(Network):
    """SRVGGNetCompact: `blocks` + 2 convolutions with PReLU between, then pixel shuffle onto the enlarged picture."""

    body_values = 5 * CHANNELS
    tail_values = 4 * 3 * ENLARGE**2

    def __init__(self, blocks: int, halo: int) -> None:
        super().__init__()
        self.halo = halo
        layers: list[nn.Module] = [_conv(3, CHANNELS), nn.PReLU(CHANNELS)]
        for _ in range(blocks):
            layers += [_conv(CHANNELS, CHANNELS), nn.PReLU(CHANNELS)]
        self.body = nn.ModuleList([*layers, _conv(CHANNELS, 3 * ENLARGE**2)])

    def features(self, picture: Tensor, pace: Pace) -> Tensor:
        *layers, last = self.body
        dtype = _dtype(last)
        x, spare = picture, None
        for conv, prelu in zip(layers[::2], layers[1::2], strict=True):
            finish = partial(_activated, prelu, dtype)
            x, spare = _convolve(conv, x, pace, finish, spare), x
        return x

    def tail(self, features: Tensor, picture: Tensor, pace: Pace) -> Tensor:
        detail = _convolve(self.body[-1], features, pace, lambda y: y.to(picture.dtype))
        return (F.pixel_shuffle(detail, ENLARGE) + F.interpolate(picture, scale_factor=ENLARGE, mode="nearest")).float()

    def entrance(self) -> list[nn.Module]:
        return [self.body[0], self.body[1]]

    def body_operations(self) -> int:
        return sum(_operations(layer) for layer in self.body[:-1])

    def tail_operations(self) -> int:
        return _operations(self.body[-1])


class DenseBlock(nn.Module):
    """Five convolutions, each reading all before it, in place on a buffer whose first 64 channels are the state."""

    def __init__(self) -> None:
        super().__init__()
        for index in range(1, 5):
            self.add_module(f"conv{index}", _conv(CHANNELS + (index - 1) * GROWTH, GROWTH))
        self.conv5 = _conv(_WIDE, CHANNELS)

    def run(self, buffer: Tensor, pace: Pace) -> None:
        *inner, last = self.children()
        edges = range(CHANNELS, _WIDE + 1, GROWTH)
        for conv, (read, written) in zip(inner, pairwise(edges), strict=True):
            for top, bottom, band in _bands(conv, buffer[:, :read], pace):
                buffer[:, read:written, top:bottom] = F.leaky_relu_(band, _SLOPE)
        # conv5 reads the state that it changes, so its bands are applied when all of them are known.
        change = _convolve(last, buffer, pace, _same)
        buffer[:, :CHANNELS].add_(change, alpha=_RESIDUAL)


class ResidualBlock(nn.Module):
    """RRDB: three dense blocks and a residual around them."""

    def __init__(self) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = DenseBlock(), DenseBlock(), DenseBlock()

    def run(self, buffer: Tensor, pace: Pace) -> None:
        state = buffer[:, :CHANNELS]
        before = state.clone()
        for block in (self.rdb1, self.rdb2, self.rdb3):
            block.run(buffer, pace)
        torch.add(before, state, alpha=_RESIDUAL, out=state)


class RRDBNet(Network):
    """RRDBNet with `blocks` residual blocks. For scale 2 a cell is 2x2 pixels, so that the body works at half size."""

    reach = 2
    widest = _WIDE
    body_values = _WIDE + 5 * CHANNELS
    tail_values = 4 * CHANNELS * ENLARGE**2

    def __init__(self, blocks: int, scale: int, halo: int) -> None:
        super().__init__()
        self.halo = halo
        self.cell = ENLARGE // scale
        self.conv_first = _conv(3 * self.cell**2, CHANNELS)
        self.body = nn.ModuleList(ResidualBlock() for _ in range(blocks))
        self.conv_body = _conv(CHANNELS, CHANNELS)
        self.conv_up1 = _conv(CHANNELS, CHANNELS)
        self.conv_up2 = _conv(CHANNELS, CHANNELS)
        self.conv_hr = _conv(CHANNELS, CHANNELS)
        self.conv_last = _conv(CHANNELS, 3)

    def features(self, picture: Tensor, pace: Pace) -> Tensor:
        dtype = _dtype(self.conv_body)
        first = _convolve(self.conv_first, F.pixel_unshuffle(picture, self.cell), pace, lambda y: y.to(dtype))
        shape = (1, _WIDE, *first.shape[2:])
        buffer = torch.empty(shape, dtype=dtype, device=first.device, memory_format=pace.layout)
        buffer[:, :CHANNELS] = first
        for block in self.body:
            cast("ResidualBlock", block).run(buffer, pace)
        return _convolve(self.conv_body, buffer[:, :CHANNELS], pace, _same).add_(first)

    def tail(self, features: Tensor, picture: Tensor, pace: Pace) -> Tensor:
        x = features
        for conv in (self.conv_up1, self.conv_up2):
            x = _convolve(conv, F.interpolate(x, scale_factor=2, mode="nearest"), pace, _leaky)
        x = _convolve(self.conv_hr, x, pace, _leaky)
        return _convolve(self.conv_last, x, pace, Tensor.float)

    def entrance(self) -> list[nn.Module]:
        return [self.conv_first]

    def body_operations(self) -> int:
        layers = [self.conv_first, *self.body.modules(), self.conv_body]
        return sum(_operations(layer) for layer in layers)

    def tail_operations(self) -> int:
        at_twice = 4 * _operations(self.conv_up1)
        return at_twice + 16 * sum(_operations(layer) for layer in (self.conv_up2, self.conv_hr, self.conv_last))


def build(spec: ModelSpec) -> Network:
    """The network of `spec`, its parameters not yet set."""
    with torch.device("meta"):
        context = halo(spec)
        compact = spec.architecture == "compact"
        return Compact(spec.blocks, context) if compact else RRDBNet(spec.blocks, spec.scale, context)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _operations(layer: nn.Module) -> int:
    return 2 * layer.weight.numel() if isinstance(layer, nn.Conv2d) else 0


def _dtype(layer: nn.Module) -> torch.dtype:
    return cast("Tensor", layer.weight).dtype


def _same(y: Tensor) -> Tensor:
    return y


def _leaky(y: Tensor) -> Tensor:
    return F.leaky_relu_(y, _SLOPE)


def _activated(prelu: nn.Module, dtype: torch.dtype, y: Tensor) -> Tensor:
    return cast("Tensor", prelu(y)).to(dtype)


def _bands(conv: nn.Module, source: Tensor, pace: Pace) -> Iterator[tuple[int, int, Tensor]]:
    """The convolution of `source` as (first row, end row, values)."""
    height, width = source.shape[2:]
    per_row = width * max(cast("nn.Conv2d", conv).in_channels, cast("nn.Conv2d", conv).out_channels)
    rows = max(4, int(min(pace.most, per_row * height) // per_row))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first = max(0, top - 1)
        # The rows beside the band stand in for the padding there; what the padding made of them is dropped.
        band = conv(source[:, :, first : bottom + 1])[:, :, top - first : bottom - first]
        pace.tick(_operations(conv) * width * (bottom - top))
        yield top, bottom, band


def _convolve(
    conv: nn.Module, source: Tensor, pace: Pace, finish: Callable[[Tensor], Tensor], spare: Tensor | None = None
) -> Tensor:
    """`finish(conv(source))`, where `finish` works on each value by itself. `spare` may become the result."""
    height, width = source.shape[2:]
    target: Tensor | None = None
    for top, bottom, band in _bands(conv, source, pace):
        values = finish(band)
        if bottom - top == height:
            return values
        if target is None:
            shape = (1, values.shape[1], height, width)
            if spare is None or spare.shape != shape or spare.dtype != values.dtype:
                spare = torch.empty(shape, dtype=values.dtype, device=values.device, memory_format=pace.layout)
            target = spare
        target[:, :, top:bottom] = values
    assert target is not None
    return target
