from __future__ import annotations

import numpy as np
import pytest

from snapupscale.upscale import catalog, ncnn_file, ncnn_graph, networks, weights
from snapupscale.upscale.layers import layers

NAMES = ["animevideov3", "x4plus-anime"]


def lines(graph: ncnn_graph.Graph) -> list[list[str]]:
    return [line.split() for line in graph.text.splitlines()[2:]]


def parts(name: str) -> list[ncnn_graph.Graph]:
    spec = catalog.find(name)
    parameters = weights.load(spec).parameters
    body = ncnn_graph.body(spec, parameters, fine=False)
    return [body] if spec.architecture == "compact" else [body, ncnn_graph.tail(spec, parameters)]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_what_is_read(name: str) -> None:
    """Both halves together are a model file, and reading one is what the weights of the catalog go through."""
    spec = catalog.find(name)
    graphs = parts(name)
    text = graphs[0].text + "".join(graph.text.split("\n", 2)[2] for graph in graphs[1:])
    found = ncnn_file.read(text.encode(), b"".join(graph.weights for graph in graphs), layers(spec))
    expected = weights.load(spec).parameters
    assert list(found) == list(expected)
    for key, values in expected.items():
        np.testing.assert_array_equal(found[key], values)


@pytest.mark.parametrize("name", NAMES)
def test_every_blob_has_one_writer_and_at_most_one_reader(name: str) -> None:
    for graph in parts(name):
        written: list[str] = []
        read: list[str] = []
        for _, _, inputs, outputs, *rest in lines(graph):
            blobs = rest[: int(inputs) + int(outputs)]
            assert all(blob in written for blob in blobs[: int(inputs)]), "read before it is written"
            read += blobs[: int(inputs)]
            written += blobs[int(inputs) :]
        assert len(set(written)) == len(written)
        assert len(set(read)) == len(read)
        assert set(written) - set(read) == {ncnn_graph.OUTPUT, *graph.steps}
        assert graph.text.splitlines()[1] == f"{len(lines(graph))} {len(written)}"


@pytest.mark.parametrize("name", NAMES)
def test_operations_are_those_of_the_network(name: str) -> None:
    network = networks.build(catalog.find(name))
    total = sum(sum(graph.operations) for graph in parts(name))
    assert total == network.body_operations() + network.tail_operations()
    body = parts(name)[0]
    assert len(body.operations) == len(body.steps) + 1
    assert max(body.operations) < total / 5


def test_the_trunk_stays_in_float32_when_the_rest_is_halved() -> None:
    """Only narrowed copies of it are read by convolutions, and only widened changes are added to it."""
    spec = catalog.find("x4plus-anime")
    written = {}
    sums = 0
    for kind, _, inputs, outputs, *rest in lines(ncnn_graph.body(spec, weights.load(spec).parameters, fine=True)):
        blobs, options = rest[: int(inputs) + int(outputs)], rest[int(inputs) + int(outputs) :]
        read = {written[blob] for blob in blobs[: int(inputs)]}
        assert len(read) <= 1, f"{kind} reads both precisions"
        precision = read.pop() if read else "half"
        if kind == "Cast":
            assert options == (["0=2", "1=1"] if precision == "half" else ["0=1", "1=2"])
            precision = "float" if precision == "half" else "half"
        elif kind != "Split":
            assert ("31=2" in options) == (precision == "float"), f"{kind} is told the wrong precision"
            sums += kind in ("Eltwise", "BinaryOp") and precision == "float"
        written |= dict.fromkeys(blobs[int(inputs) :], precision)
    assert sums == spec.blocks + 1
    assert written[ncnn_graph.OUTPUT] == "half"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cast_in_full_precision(name: str) -> None:
    for graph in parts(name):
        assert "Cast" not in graph.text
        assert " 31=" not in graph.text


def test_a_picture_in_two_parts_has_weights_for_both() -> None:
    spec = catalog.find("animevideov3")
    parameters = weights.load(spec).parameters
    graph = ncnn_graph.body(spec, parameters, fine=True)
    assert f"6={64 * 6 * 9}" in lines(graph)[1]
    data = np.frombuffer(graph.weights, "<f4", 64 * 6 * 9, 4).reshape(64, 6, 3, 3)
    np.testing.assert_array_equal(data[:, :3], parameters["body.0.weight"])
    np.testing.assert_array_equal(data[:, 3:] * ncnn_graph.FINE, parameters["body.0.weight"])
