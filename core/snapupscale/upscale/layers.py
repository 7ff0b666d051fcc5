"""The layers of each network by official name, in the order in which they are computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snapupscale.upscale.catalog import ModelSpec


CHANNELS = 64
GROWTH = 32
ENLARGE = 4
_RRDB_HALO = 96
"""All that a pixel can depend on is 349 cells for 23 blocks; with 96 a tile agrees with the whole to 119 dB."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A 3x3 convolution with bias, or a PReLU with one slope per channel. `leaky`: a LeakyReLU of 0.2 follows."""

    name: str
    kind: Literal["conv", "prelu"] = "conv"
    inputs: int = 64
    outputs: int = 64
    leaky: bool = False

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter by its name in the official weights."""
        if self.kind == "prelu":
            return {f"{self.name}.weight": (self.outputs,)}
        return {f"{self.name}.weight": (self.outputs, self.inputs, 3, 3), f"{self.name}.bias": (self.outputs,)}


def halo(spec: ModelSpec) -> int:
    """Cells of context that a tile of the network of `spec` is given on each side."""
    # Of a compact one, one for each convolution: all that a pixel can depend on, so that tiles are exact.
    return spec.blocks + 2 if spec.architecture == "compact" else _RRDB_HALO


def layers(spec: ModelSpec) -> list[Layer]:
    """The layers of the network of `spec`."""
    return list(_compact(spec.blocks) if spec.architecture == "compact" else _rrdb(spec.blocks, spec.scale))


def _compact(blocks: int) -> Iterator[Layer]:
    for index in range(blocks + 1):
        yield Layer(name=f"body.{2 * index}", inputs=64 if index else 3)
        yield Layer(name=f"body.{2 * index + 1}", kind="prelu")
    yield Layer(name=f"body.{2 * blocks + 2}", outputs=48)


def _rrdb(blocks: int, scale: int) -> Iterator[Layer]:
    yield Layer(name="conv_first", inputs=3 * (4 // scale) ** 2)
    for block in range(blocks):
        for dense in (1, 2, 3):
            prefix = f"body.{block}.rdb{dense}.conv"
            for index in range(1, 5):
                yield Layer(name=f"{prefix}{index}", inputs=32 + 32 * index, outputs=32, leaky=True)
            yield Layer(name=f"{prefix}5", inputs=192)
    yield Layer(name="conv_body")
    for name in ("conv_up1", "conv_up2", "conv_hr"):
        yield Layer(name=name, leaky=True)
    yield Layer(name="conv_last", outputs=3)
