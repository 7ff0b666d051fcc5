"""Weights in the format of ncnn, read into the official names.

The graph (.param) lists the layers; the weights (.bin) follow one another in that order, without names. Source: ncnn's
wiki page "param and model file structure".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from snapupscale.errors import WeightsCorrupt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snapupscale.upscale.layers import Layer

_MAGIC = "7767517"
_HALF = 0x01306B47
_FLOAT = (0, 0x0002C056)
_LEAKY = {"9": "2", "-23310": "1,2.000000e-01"}
_KINDS = {"Convolution": "conv", "PReLU": "prelu"}


def read(graph: bytes, weights: bytes, layers: Sequence[Layer]) -> dict[str, NDArray[np.float32]]:
    """The parameters of `layers` by official name, float32. Raises WeightsCorrupt unless all three agree."""
    found = _layers(graph)
    if len(found) != len(layers):
        raise WeightsCorrupt(f"the graph has {len(found)} layers with weights, not {len(layers)}")
    reader = _Reader(weights)
    parameters: dict[str, NDArray[np.float32]] = {}
    for layer, (kind, options) in zip(layers, found, strict=True):
        _compare(layer, kind, options)
        for name, shape in layer.shapes().items():
            tagged = layer.kind == "conv" and name.endswith(".weight")
            parameters[name] = reader.take(shape, tagged=tagged)
    reader.finish()
    return parameters


def _layers(graph: bytes) -> list[tuple[str, dict[str, str]]]:
    """The kind and the options of every layer that has weights."""
    try:
        magic, _, *lines = graph.decode("ascii").splitlines()
    except ValueError:
        raise WeightsCorrupt("the graph is not a text file of ncnn") from None
    if magic.strip() != _MAGIC:
        raise WeightsCorrupt("the graph is not a text file of ncnn")
    found = []
    for words in map(str.split, lines):
        if words and words[0] in _KINDS:
            options = dict(word.split("=", 1) for word in words[4:] if "=" in word)
            found.append((_KINDS[words[0]], options))
    return found


def _compare(layer: Layer, kind: str, options: dict[str, str]) -> None:
    if layer.kind == "prelu":
        expected = {"0": str(layer.outputs)}
    else:
        values = layer.outputs * layer.inputs * 9
        expected = {"0": str(layer.outputs), "1": "3", "4": "1", "5": "1", "6": str(values)}
        expected |= _LEAKY if layer.leaky else {}
    if kind != layer.kind or options != expected:
        raise WeightsCorrupt(f"the layer {layer.name} is {kind} {options} in the graph, not {layer.kind} {expected}")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, shape: tuple[int, ...], *, tagged: bool) -> NDArray[np.float32]:
        """The next values as float32. Tagged ones start with their precision; half ones are padded to four bytes."""
        count = int(np.prod(shape))
        tag = int(self._bytes(4).view("<u4")[0]) if tagged else 0
        if tag == _HALF:
            values = self._bytes(2 * count + 2 * (count % 2)).view("<f2")[:count]
        elif tag in _FLOAT:
            values = self._bytes(4 * count).view("<f4")
        else:
            raise WeightsCorrupt(f"unknown precision {tag:#010x} in the weights")
        return values.astype(np.float32).reshape(shape)

    def finish(self) -> None:
        left = len(self._data) - self._at
        if left:
            raise WeightsCorrupt(f"{left} bytes of the weights belong to no layer")

    def _bytes(self, count: int) -> NDArray[np.uint8]:
        if self._at + count > len(self._data):
            raise WeightsCorrupt("the weights end too early")
        self._at += count
        return np.frombuffer(self._data, np.uint8, count, self._at - count)
