from __future__ import annotations

import struct

import numpy as np
import pytest

from snapupscale.errors import WeightsCorrupt
from snapupscale.upscale import ncnn_file
from snapupscale.upscale.layers import Layer

LAYERS = [
    Layer(name="first", inputs=3, outputs=5),
    Layer(name="slope", kind="prelu", outputs=5),
    Layer(name="last", inputs=5, outputs=1, leaky=True),
]
GRAPH = b"""7767517
5 5
Input data 0 1 data
Convolution c0 1 1 data a 0=5 1=3 4=1 5=1 6=135
PReLU p0 1 1 a b 0=5
Convolution c1 1 1 b c 0=1 1=3 4=1 5=1 6=45 9=2 -23310=1,2.000000e-01
Interp r0 1 1 c output 0=1 1=2.000000e+00 2=2.000000e+00
"""
HALF = struct.pack("<I", 0x01306B47)
FLOAT = struct.pack("<I", 0)


def numbers(count: int, kind: str) -> bytes:
    return np.arange(count).astype(kind).tobytes()


def weights() -> bytes:
    first = HALF + numbers(135, "<f2") + b"\0\0" + numbers(5, "<f4")
    return first + numbers(5, "<f4") + FLOAT + numbers(45, "<f4") + numbers(1, "<f4")


def test_every_layer_gets_its_numbers() -> None:
    parameters = ncnn_file.read(GRAPH, weights(), LAYERS)
    assert {name: values.shape for name, values in parameters.items()} == {
        "first.weight": (5, 3, 3, 3),
        "first.bias": (5,),
        "slope.weight": (5,),
        "last.weight": (1, 5, 3, 3),
        "last.bias": (1,),
    }
    assert all(values.dtype == np.float32 for values in parameters.values())
    np.testing.assert_array_equal(parameters["first.weight"].ravel(), np.arange(135))
    np.testing.assert_array_equal(parameters["last.weight"].ravel(), np.arange(45))


@pytest.mark.parametrize("cut", range(0, 500, 17))
def test_a_file_that_is_cut_off(cut: int) -> None:
    with pytest.raises(WeightsCorrupt):
        ncnn_file.read(GRAPH, weights()[:cut], LAYERS)


def test_a_byte_too_many() -> None:
    with pytest.raises(WeightsCorrupt, match=r"1 bytes .* no layer"):
        ncnn_file.read(GRAPH, weights() + b"\0", LAYERS)


def test_a_precision_that_is_unknown() -> None:
    with pytest.raises(WeightsCorrupt, match="0x12345678"):
        ncnn_file.read(GRAPH, struct.pack("<I", 0x12345678) + weights()[4:], LAYERS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"7767517", b"7767518"),
        (b"0=1 1=3 4=1", b"0=2 1=3 4=1"),
        (b"1=3 4=1 5=1 6=45", b"1=5 4=2 5=1 6=45"),
        (b" 9=2 -23310=1,2.000000e-01", b""),
        (b"2.000000e-01", b"1.000000e-01"),
        (b"PReLU", b"ReLU"),
        (b"Interp", b"PReLU"),
        (b"Convolution c1", b"PReLU c1"),
        (b"data a", b"data \xff"),
    ],
)
def test_a_graph_of_another_network(old: bytes, new: bytes) -> None:
    with pytest.raises(WeightsCorrupt):
        ncnn_file.read(GRAPH.replace(old, new), weights(), LAYERS)


def test_an_empty_graph() -> None:
    with pytest.raises(WeightsCorrupt, match="not a text file"):
        ncnn_file.read(b"", weights(), LAYERS)
