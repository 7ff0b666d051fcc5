from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from snapupscale.errors import BackendUnavailable, Cancelled, DeviceLost
from snapupscale.upscale import catalog, networks, vulkan, weights
from snapupscale.upscale.networks import Pace
from snapupscale.upscale.vulkan import VulkanDevice

pytest.importorskip("ncnn")

from snapupscale.upscale import ncnn_network as ncnn_network_module
from snapupscale.upscale.ncnn_network import NcnnNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from snapupscale.upscale.networks import Network

PACE = Pace(tick=lambda _: None)


def software() -> VulkanDevice:
    """Mesa's software Vulkan, or whatever else there is."""
    found = vulkan.devices()
    if not found:
        pytest.skip("there is no Vulkan driver; Debian has one in mesa-vulkan-drivers")
    return next((device for device in found if device.kind == "software"), found[0])


PLACES: dict[str, Callable[[], VulkanDevice | None]] = {"cpu": lambda: None, "vulkan": software}


def ncnn_network(name: str = "animevideov3", place: str = "cpu", *, half: bool = False) -> NcnnNetwork:
    spec = catalog.find(name)
    return NcnnNetwork(spec, weights.load(spec).parameters, PLACES[place](), half=half)


def torch_network(name: str = "animevideov3") -> Network:
    spec = catalog.find(name)
    network = networks.build(spec)
    parameters = weights.load(spec).parameters
    network.load_state_dict({key: torch.tensor(values) for key, values in parameters.items()}, assign=True)
    return network


def result(network: Network, picture: torch.Tensor, pace: Pace = PACE) -> NDArray[np.float32]:
    with torch.inference_mode():
        return np.asarray(network.tail(network.features(picture, pace), picture, pace).numpy())


def planes(pixels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]


def decibels(one: NDArray[Any], other: NDArray[Any]) -> float:
    return -10 * float(np.log10(np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("half", "least"), [(False, 110), (True, 70)])
def test_the_compact_network_is_that_of_torch(place: str, half: bool, least: float, crop: NDArray[np.uint8]) -> None:
    # Neither width nor height nor their product is a multiple of four.
    picture = planes(crop[:31, :37])
    actual = result(ncnn_network(place=place, half=half), picture)
    expected = result(torch_network(), picture)
    assert actual.shape == expected.shape
    assert decibels(actual, expected) >= least


@pytest.mark.parametrize("place", ["cpu", pytest.param("vulkan", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("half", "least"), [(False, 110), (True, 60)])
def test_the_residual_network_is_that_of_torch(place: str, half: bool, least: float, crop: NDArray[np.uint8]) -> None:
    picture = planes(crop[:31, :29])
    actual = result(ncnn_network("x4plus-anime", place, half=half), picture)
    expected = result(torch_network("x4plus-anime"), picture)
    assert decibels(actual, expected) >= least


@pytest.mark.slow
def test_half_precision_keeps_the_trunk_of_the_deep_network(crop: NDArray[np.uint8]) -> None:
    """It is more than 69 dB, and 66 where the sums of the 23 blocks are rounded too."""
    picture = planes(crop[:31, :29])
    actual = result(ncnn_network("x4plus", "vulkan", half=True), picture)
    assert decibels(actual, result(torch_network("x4plus"), picture)) >= 68


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "half", "least"), [("cpu", False, 110), ("vulkan", False, 110), ("vulkan", True, 60)]
)
def test_scale_two_starts_with_cells(
    place: str, half: bool, least: float, make_model: Callable[..., Any], crop: NDArray[np.uint8]
) -> None:
    make_model("made", architecture="rrdb", blocks=1, scale=2)
    picture = planes(crop[:22, :26])
    actual = result(ncnn_network("made", place, half=half), picture)
    assert decibels(actual, result(torch_network("made"), picture)) >= least


def test_half_precision_sees_sixteen_bits(crop: NDArray[np.uint8]) -> None:
    """What half precision loses of the pixels themselves goes through the network apart."""
    network = ncnn_network(place="vulkan", half=True)
    picture = planes(crop[:16, :16])
    finer = (picture + 1e-4).clamp(0, 1)
    change = result(network, finer) - result(network, picture)
    expected = result(torch_network(), finer) - result(torch_network(), picture)
    assert change.mean() == pytest.approx(expected.mean(), rel=0.3)


def test_the_same_sizes_as_torch() -> None:
    for name in ("animevideov3", "x4plus-anime"):
        ours, theirs = ncnn_network(name), torch_network(name)
        assert (ours.cell, ours.halo) == (theirs.cell, theirs.halo)
        total = theirs.body_operations() + theirs.tail_operations()
        assert ours.body_operations() + ours.tail_operations() == total


def test_every_step_is_told(crop: NDArray[np.uint8]) -> None:
    network = ncnn_network()
    done: list[float] = []
    result(network, planes(crop[:16, :16]), Pace(tick=done.append))
    assert sum(done) == network.body_operations() * 256
    assert len([operations for operations in done if operations]) == 18


class Slow:
    """Stands for an extractor whose every step takes a while."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.steps = seconds, 0

    def input(self, _blob: str, _values: Any) -> None:
        pass

    def extract(self, _blob: str) -> tuple[int, Any]:
        self.steps += 1
        time.sleep(self.seconds)
        return -100, None


class Loaded:
    def __init__(self, extractor: Any) -> None:
        self.create_extractor = lambda: extractor


def test_a_long_step_can_be_left(crop: NDArray[np.uint8]) -> None:
    """Cancelling takes effect within a second; the step itself ends later, and nothing runs beside it until then."""
    network = ncnn_network()
    net, network._body._net = network._body._net, Loaded(Slow(1.5))

    def cancel(_operations: float) -> None:
        raise Cancelled("enough")

    start = time.perf_counter()
    with pytest.raises(Cancelled):
        result(network, planes(crop[:8, :8]), Pace(tick=cancel))
    assert time.perf_counter() - start < 0.7
    network._body._net = net
    expected = result(torch_network(), planes(crop[:8, :8]))
    assert decibels(result(network, planes(crop[:8, :8])), expected) > 110
    assert time.perf_counter() - start > 1.4


@pytest.mark.parametrize(("code", "error"), [(-100, MemoryError), (-1, BackendUnavailable)])
def test_what_ncnn_reports_is_an_error(code: int, error: type[Exception], crop: NDArray[np.uint8]) -> None:
    network, failing = ncnn_network(), Slow(0)
    failing.extract = lambda _blob: (code, None)  # type: ignore[method-assign]
    network._body._net = Loaded(failing)
    with pytest.raises(error, match="ncnn"):
        result(network, planes(crop[:8, :8]))


def test_a_gpu_that_fails_once_is_lost_for_good(crop: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ncnn_network_module, "_lost", set())
    network, failing = ncnn_network(), Slow(0)
    failing.extract = lambda _blob: (-1, None)  # type: ignore[method-assign]
    working, network._body._net = network._body._net, Loaded(failing)
    network._body._device = VulkanDevice(number=99, name="Radeon", kind="discrete", memory=1 << 30)
    with pytest.raises(DeviceLost, match="the GPU Radeon has failed: ncnn gives the code -1"):
        result(network, planes(crop[:8, :8]))
    network._body._net = working
    with pytest.raises(DeviceLost, match="failed before"):
        result(network, planes(crop[:8, :8]))


def test_a_device_that_is_gone() -> None:
    gone = VulkanDevice(number=99, name="Radeon", kind="discrete", memory=1 << 30)
    spec = catalog.find("animevideov3")
    with pytest.raises(BackendUnavailable, match="Radeon is gone"):
        NcnnNetwork(spec, weights.load(spec).parameters, gone)


def test_a_model_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = catalog.find("animevideov3")
    parameters = weights.load(spec).parameters
    monkeypatch.setattr("snapupscale.upscale.ncnn_graph._MAGIC", "7767518")
    with pytest.raises(BackendUnavailable, match="cannot load"):
        NcnnNetwork(spec, parameters, None)
