"""Which kernels there are for which layers, and their source, put together for those that a network needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Literal

from snapupscale.errors import KernelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

Epilogue = Literal["LEAKY", "RESIDUAL", "PRELU", "ENLARGED", "PIXELS"]
"""What becomes of the sums; see common.h."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A convolution. outputs: of all blocks, for ENLARGED those of the four phases together. side: of the kernel."""

    inputs: int
    outputs: int
    epilogue: Epilogue
    side: int = 3


@dataclass(frozen=True, kw_only=True)
class Wgmma:
    """An instance of the convolution in hopper.cu, where the parameters are explained."""

    layer: Layer
    outputs: int
    groups: int
    stages: int
    turns: bool = False
    plane = 64
    """Channels of the matrices that weights are packed in."""

    @property
    def width(self) -> int:
        """Of a strip, pixels."""
        return 64 * self.groups

    @property
    def threads(self) -> int:
        """Of a block."""
        return 128 * self.groups + (128 if self.outputs == 64 else 32)

    @property
    def shared_bytes(self) -> int:
        """Of a block: weights, stages, barriers."""
        stage = -(-(self.width + 2) * 128 // 1024) * 1024
        return _weight_bytes(self) + self.stages * stage + 16 * self.stages + 16

    def values(self) -> tuple[object, ...]:
        """The parameters of the template."""
        layer = self.layer
        return (layer.inputs, self.outputs, self.groups, self.stages, layer.epilogue, int(self.turns), layer.side)


@dataclass(frozen=True, kw_only=True)
class Mma:
    """An instance of the convolution in ampere.cu, where the parameters are explained."""

    layer: Layer
    outputs: int
    warps: int
    stages: int
    plane = 32
    """Channels of the matrices that weights are packed in."""

    @property
    def width(self) -> int:
        """Of a strip, pixels."""
        return 32 * self.warps

    @property
    def threads(self) -> int:
        """Of a block."""
        return 32 * self.warps

    @property
    def shared_bytes(self) -> int:
        """Of a block: weights and stages."""
        return _weight_bytes(self) + self.stages * (-(-(self.width + 2) * 64 // 128) * 128)

    def values(self) -> tuple[object, ...]:
        """The parameters of the template."""
        layer = self.layer
        return (layer.inputs, self.outputs, self.warps, self.stages, layer.epilogue, layer.side)


Instance = Wgmma | Mma

FIRST = Layer(inputs=32, outputs=64, epilogue="RESIDUAL")
FIRST_PRELU = Layer(inputs=32, outputs=64, epilogue="PRELU")
PRELU = Layer(inputs=64, outputs=64, epilogue="PRELU")
PLAIN = Layer(inputs=64, outputs=64, epilogue="RESIDUAL")
DENSE = (
    *(Layer(inputs=inputs, outputs=32, epilogue="LEAKY") for inputs in (64, 96, 128, 160)),
    Layer(inputs=192, outputs=64, epilogue="RESIDUAL"),
)
ENLARGED = Layer(inputs=64, outputs=256, epilogue="ENLARGED", side=2)
LEAKY = Layer(inputs=64, outputs=64, epilogue="LEAKY")
PIXELS = Layer(inputs=64, outputs=8, epilogue="PIXELS")
COMPACT = (FIRST_PRELU, PRELU, PLAIN)
RRDB = (FIRST, PLAIN, *DENSE, ENLARGED, LEAKY, PIXELS)
"""The layers of each network; together they are compiled."""

_WGMMA = {
    each.layer: each
    for each in (
        Wgmma(layer=FIRST, outputs=64, groups=2, stages=6),
        Wgmma(layer=FIRST_PRELU, outputs=64, groups=2, stages=6),
        Wgmma(layer=PRELU, outputs=64, groups=2, stages=6, turns=True),
        Wgmma(layer=PLAIN, outputs=64, groups=2, stages=6),
        Wgmma(layer=DENSE[0], outputs=32, groups=3, stages=4),
        Wgmma(layer=DENSE[1], outputs=32, groups=3, stages=4),
        Wgmma(layer=DENSE[2], outputs=32, groups=2, stages=6),
        Wgmma(layer=DENSE[3], outputs=32, groups=2, stages=6),
        Wgmma(layer=DENSE[4], outputs=32, groups=3, stages=4),
        Wgmma(layer=ENLARGED, outputs=64, groups=3, stages=5, turns=True),
        Wgmma(layer=LEAKY, outputs=64, groups=2, stages=6, turns=True),
        Wgmma(layer=PIXELS, outputs=8, groups=3, stages=6, turns=True),
    )
}
"""The fastest of those measured on an H200."""

_MMA_SHAPES = (
    (32, 4, 3, 2),
    (32, 4, 2, 2),
    (32, 8, 4, 1),
    (32, 8, 3, 1),
    (32, 4, 3, 1),
    (16, 8, 3, 1),
    (16, 4, 3, 1),
    (16, 4, 2, 1),
)
"""Output channels of a block, warps, stages, and how many such blocks a processor must have room for: the fastest
first, as measured on an H200; a card takes the first that it has the memory for."""
_SPARE_BYTES = 1024
"""Of a block's shared memory, which the system keeps for itself."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """CUDA C++, and what it is compiled for, such as 'sm_90a'."""

    text: str
    architecture: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """What the choice of kernels depends on: the capability in CUDA's terms, and the shared memory in bytes."""

    capability: tuple[int, int]
    block_bytes: int
    processor_bytes: int


@dataclass(frozen=True, kw_only=True)
class Family:
    """Kernels for a kind of card. `name` is that of the file of source."""

    name: Literal["hopper", "ampere"]
    architecture: str
    block_bytes: int
    """The most shared memory that a block can have."""
    processor_bytes: int
    """What all blocks of a processor have together."""

    def instance(self, layer: Layer) -> Instance:
        """The kernel for `layer`. Raises KernelUnavailable."""
        if self.name == "hopper":
            return _WGMMA[layer]
        for outputs, warps, stages, blocks in _MMA_SHAPES:
            instance = Mma(layer=layer, outputs=min(outputs, layer.outputs), warps=warps, stages=stages)
            together = blocks * (instance.shared_bytes + _SPARE_BYTES)
            if instance.shared_bytes <= self.block_bytes and together <= self.processor_bytes:
                return instance
        raise KernelUnavailable(f"{self.block_bytes} bytes of shared memory are too few for the kernels")

    def programs(self, layers: Iterable[Layer]) -> dict[str, Program]:
        """For each kernel that `layers` need, by name, a program of its own: they are compiled side by side.

        Raises KernelUnavailable.
        """
        text = read(f"{self.name}.cu").replace('#include "wgmma.h"\n', _products())
        # Two layers can differ in nothing that the kernel is made for.
        instances = {name(each): each for each in map(self.instance, layers)}
        return {
            kernel: Program(text=f"{text}KERNEL({kernel}, {_listed(each)})\n", architecture=self.architecture)
            for kernel, each in instances.items()
        }


def choose(card: Card, *, generic: bool = False) -> Family | None:
    """The family for a card, or None. generic: also where there are better ones, those that run on most cards."""
    major, minor = card.capability
    if major < 8:
        return None
    hopper = major == 9 and not generic
    return Family(
        name="hopper" if hopper else "ampere",
        architecture="sm_90a" if hopper else f"sm_{major}{minor}",
        block_bytes=card.block_bytes,
        processor_bytes=card.processor_bytes,
    )


def beside(capability: tuple[int, int]) -> tuple[Program, Program]:
    """What goes between pictures and the kernels of a network: pixels.cu and levels.cu."""
    architecture = "sm_{}{}".format(*capability)
    pixels, levels = read("pixels.cu"), read("levels.cu")
    return Program(text=pixels, architecture=architecture), Program(text=levels, architecture=architecture)


def name(instance: Instance) -> str:
    """Of the kernel."""
    return f"convolve_{'_'.join(str(value) for value in instance.values())}".lower()


def read(file: str) -> str:
    """A source file of this package, with the headers of this package in it."""
    text = (resources.files(__package__) / file).read_text(encoding="utf-8")
    return re.sub(r'#include "((?:common|halves)\.h)"\n', lambda found: read(found[1]), text)


def _weight_bytes(instance: Instance) -> int:
    return instance.layer.side**2 * instance.outputs * instance.layer.inputs * 2


def _listed(instance: Instance) -> str:
    return ", ".join(str(value) for value in instance.values())


def _products() -> str:
    """`Product<N>::add`: the sums of a warpgroup, one register after the other, as wgmma has to be told of them."""
    widths = sorted({each.layer.side * each.outputs for each in _WGMMA.values()})
    return "template <int N>\nstruct Product;\n" + "".join(map(_product, widths))


def _product(width: int) -> str:
    count = width // 2
    registers = ", ".join(f"%{index}" for index in range(count))
    operands = ", ".join(f'"+f"(sums[{index}])' for index in range(count))
    return f"""template <>
struct Product<{width}> {{
    static __device__ __forceinline__ void add(float (&sums)[{count}], u64 pixels, u64 factors) {{
        asm volatile("{{\\n.reg .pred p;\\nsetp.ne.b32 p, 1, 0;\\n"
                     "wgmma.mma_async.sync.aligned.m64n{width}k16.f32.f16.f16 {{{registers}}}, "
                     "%{count}, %{count + 1}, p, 1, 1, 0, 0;\\n}}\\n"
                     : {operands}
                     : "l"(pixels), "l"(factors));
    }}
}};
"""
