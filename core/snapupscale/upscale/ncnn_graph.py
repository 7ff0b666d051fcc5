"""The networks as ncnn takes them: the graph as text and the parameters as bytes, made from the official names."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.upscale.layers import layers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snapupscale.upscale.catalog import ModelSpec
    from snapupscale.upscale.layers import Layer

    Parameters = dict[str, NDArray[np.float32]]

INPUT = "data"
OUTPUT = "output"

FINE = 64
"""What remainders are multiplied by, so that they are no subnormal numbers in half precision."""

_MAGIC = "7767517"
_LEAKY = "9=2 -23310=1,2.000000e-01"
_TWICE = "0=1 1=2.000000e+00 2=2.000000e+00"
_CORNER = "0=0 1=0 2=0 3=1 4=1 5=1"
_SUM = "0=0"
_RESIDUAL = "0=1 -23301=2,2.000000e-01,1.000000e+00"
"""A fifth of the first input, and the second."""

_FLOAT = "31=2"
"""The layer reads and gives float32, whatever the others do."""

_DIRECT = "31=64"
"""The layer is computed without Winograd's transform, which loses more in half precision than all else together."""

_WIDEN, _NARROW = "0=2 1=1", "0=1 1=2"


@dataclass(frozen=True, kw_only=True)
class Graph:
    """`text` and `weights` for ncnn, from the blob INPUT to the blob OUTPUT.

    `steps`: blobs of one value each, on the way to OUTPUT; all of them are to be asked for, one after another, as ncnn
    then computes no more than leads there. `operations`: those of each step and of the rest, per position of INPUT.
    """

    text: str
    weights: bytes
    steps: tuple[str, ...]
    operations: tuple[int, ...]


def body(spec: ModelSpec, parameters: Parameters, *, fine: bool) -> Graph:
    """The picture, C x H x W, to what `tail` takes, or for a compact network to the detail before its pixel shuffle.

    fine: for half precision. The picture comes in two parts, rounded, and after its channels the remainders times FINE;
    what an RRDB network adds its blocks to stays in float32, and what is added is made without Winograd: most of what
    half precision loses is lost there. Only for Vulkan: on a CPU ncnn would not take it back.
    """
    ours, writer = layers(spec), _Writer(parameters, fine=fine)
    if spec.architecture == "compact":
        writer.compact(ours)
    else:
        writer.residual(ours[: -len(_TAIL)], spec.blocks)
    return writer.graph()


def tail(spec: ModelSpec, parameters: Parameters) -> Graph:
    """Features to RGB at four times their size, for an RRDB network."""
    writer = _Writer(parameters)
    up1, up2, hr, last = layers(spec)[-len(_TAIL) :]
    x = INPUT
    for layer in (up1, up2):
        x = writer.add("Interp", [x], _TWICE)
        writer.positions *= 4
        x = writer.convolution(layer, x)
    writer.convolution(last, writer.convolution(hr, x), OUTPUT)
    return writer.graph()


_TAIL = ("conv_up1", "conv_up2", "conv_hr", "conv_last")


@dataclass
class _Line:
    kind: str
    inputs: list[str]
    outputs: list[str]
    options: str


@dataclass
class _Writer:
    """Lines and parameters in the order of computation. A blob that several lines read is split afterwards."""

    parameters: Parameters
    fine: bool = False
    lines: list[_Line] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    operations: list[int] = field(default_factory=lambda: [0])
    positions: int = 1
    """How many there are now for one of INPUT."""

    def compact(self, ours: list[Layer]) -> None:
        x = INPUT
        for conv, prelu in zip(ours[:-1:2], ours[1:-1:2], strict=True):
            x = self.convolution(conv, x, parts=self.fine and x == INPUT)
            self.data.append(self._bytes(f"{prelu.name}.weight"))
            x = self.step(self.add("PReLU", [x], f"0={prelu.outputs}"))
        self.convolution(ours[-1], x, OUTPUT)

    def residual(self, ours: list[Layer], blocks: int) -> None:
        first, *inner, last = ours
        start = trunk = self._first(first)
        for block in range(blocks):
            x = self._narrow(trunk)
            for dense in range(3):
                at = 15 * block + 5 * dense
                x = self.step(self._dense(inner[at : at + 5], x))
            trunk = self._sum("Eltwise", [x, trunk], _RESIDUAL)
        change = self.convolution(last, self._narrow(trunk))
        if self.fine:
            # Made a second time, which takes less than keeping it all the while in float32.
            self._narrow(self._sum("BinaryOp", [change, self._first(first)], _SUM), OUTPUT)
        else:
            self._sum("BinaryOp", [change, start], _SUM, OUTPUT)

    def _first(self, layer: Layer) -> str:
        return self.convolution(layer, self._widen(INPUT), parts=self.fine, more=_FLOAT if self.fine else "")

    def _sum(self, kind: str, inputs: list[str], options: str, output: str = "") -> str:
        """Of a change and the trunk, which is float32 where this is `fine`."""
        if not self.fine:
            return self.add(kind, inputs, options, output)
        change, trunk = inputs
        return self.add(kind, [self._widen(change), trunk], f"{options} {_FLOAT}", output)

    def _widen(self, blob: str) -> str:
        return self.add("Cast", [blob], _WIDEN) if self.fine else blob

    def _narrow(self, blob: str, output: str = "") -> str:
        return self.add("Cast", [blob], _NARROW, output) if self.fine else blob

    def _dense(self, convolutions: list[Layer], x: str) -> str:
        grown = [x]
        for layer in convolutions[:-1]:
            grown.append(self.convolution(layer, self._joined(grown)))
        change = self.convolution(convolutions[-1], self._joined(grown), more=_DIRECT if self.fine else "")
        return self.add("Eltwise", [change, x], _RESIDUAL)

    def _joined(self, blobs: list[str]) -> str:
        return blobs[0] if len(blobs) == 1 else self.add("Concat", blobs)

    def convolution(self, layer: Layer, source: str, output: str = "", *, parts: bool = False, more: str = "") -> str:
        weights = self.parameters[f"{layer.name}.weight"]
        if parts:
            weights = np.concatenate((weights, weights / FINE), 1)
        self.data += [struct.pack("<I", 0), np.ascontiguousarray(weights, "<f4").tobytes()]
        self.data.append(self._bytes(f"{layer.name}.bias"))
        options = f"0={layer.outputs} 1=3 4=1 5=1 6={math.prod(weights.shape)} {_LEAKY if layer.leaky else ''} {more}"
        self.operations[-1] += 2 * math.prod(weights.shape) * self.positions
        return self.add("Convolution", [source], " ".join(options.split()), output)

    def step(self, blob: str) -> str:
        """End a step here: one value of `blob` can be asked for."""
        self.steps.append(self.add("Crop", [blob], _CORNER))
        self.operations.append(0)
        return blob

    def add(self, kind: str, inputs: list[str], options: str = "", output: str = "") -> str:
        name = output or f"b{len(self.lines)}"
        self.lines.append(_Line(kind, list(inputs), [name], options))
        return name

    def graph(self) -> Graph:
        lines = list(self._split())
        blobs = sum(len(line.outputs) for line in lines)
        words = [
            f"{line.kind} l{number} {len(line.inputs)} {len(line.outputs)} "
            f"{' '.join(line.inputs + line.outputs)} {line.options}".rstrip()
            for number, line in enumerate(lines)
        ]
        text = "\n".join([_MAGIC, f"{len(lines)} {blobs}", *words, ""])
        return Graph(
            text=text, weights=b"".join(self.data), steps=tuple(self.steps), operations=tuple(self.operations)
        )

    def _split(self) -> list[_Line]:
        """The lines, with a copy of a blob for each of its readers: ncnn gives a blob to one alone."""
        readers: dict[str, int] = {}
        for line in self.lines:
            for blob in line.inputs:
                readers[blob] = readers.get(blob, 0) + 1
        copies = {blob: [f"{blob}_{index}" for index in range(count)] for blob, count in readers.items() if count > 1}
        left = {blob: list(names) for blob, names in copies.items()}
        result = []
        for line in [_Line("Input", [], [INPUT], ""), *self.lines]:
            inputs = [left[blob].pop(0) if blob in left else blob for blob in line.inputs]
            result.append(_Line(line.kind, inputs, line.outputs, line.options))
            result += [_Line("Split", [blob], copies[blob], "") for blob in line.outputs if blob in copies]
        return result

    def _bytes(self, name: str) -> bytes:
        return np.ascontiguousarray(self.parameters[name], "<f4").tobytes()
