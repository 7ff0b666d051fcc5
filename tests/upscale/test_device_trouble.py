"""A device that fails in the midst of a picture, and memory that others take and give back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from snapupscale.errors import DeviceLost
from snapupscale.upscale import catalog, devices, weights
from snapupscale.upscale.engine import Upscaler
from snapupscale.upscale.live import Layout, Live, Look
from snapupscale.upscale.torch_backend import TorchBackend

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LOST = [
    torch.AcceleratorError("CUDA error: unspecified launch failure\nSearch for `cudaErrorLaunchFailure' in the manual"),
    RuntimeError("CUDA error in cuLaunchKernel: CUDA_ERROR_ECC_UNCORRECTABLE"),
]


def failing(backend: TorchBackend, error: Exception, call: int) -> list[int]:
    """Have the network of `backend` fail at its `call`, from 1, and fill the list with the areas it was called for."""
    network, areas = backend._network, list[int]()
    features = network.features

    def run(picture: torch.Tensor, pace: Any) -> torch.Tensor:
        areas.append(picture.shape[2] * picture.shape[3])
        if len(areas) == call:
            raise error
        return features(picture, pace)

    network.features = run  # type: ignore[method-assign]
    return areas


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("call", [1, 3])
def test_a_lost_gpu_is_an_error_and_no_smaller_tile(error: Exception, call: int, crop: NDArray[np.uint8]) -> None:
    with Upscaler("animevideov3", backend="cpu", tile=30) as upscaler:
        assert upscaler._network
        areas = failing(upscaler._network, error, call)
        with pytest.raises(DeviceLost, match="the GPU has failed: CUDA error") as caught:
            upscaler.upscale(crop)
    assert "\n" not in str(caught.value)
    assert "--backend cpu" in caught.value.hint
    assert len(areas) == call


def test_a_lost_gpu_in_the_midst_of_a_frame_of_an_effect(crop: NDArray[np.uint8]) -> None:
    layout = Layout(width=64, height=64, depth="byte", components=3, premultiplied=False, top_down=True)
    look = Look(mode="restore", factor=2, zoom=1, centre_x=0.5, centre_y=0.5, strength=1)
    with Live("animevideov3", backend="cpu") as live:
        failing(live._network, LOST[0], 1)
        with pytest.raises(DeviceLost):
            live.render(live.upload(torch.from_numpy(crop.reshape(-1).copy())), layout, look)


def test_a_lost_gpu_can_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def release(device: torch.device) -> None:
        raise LOST[0]

    upscaler = Upscaler("animevideov3", backend="cpu")
    monkeypatch.setattr(devices, "release", release)
    upscaler.close()


@pytest.fixture
def make_backend() -> Callable[[str], TorchBackend]:
    def make(name: str) -> TorchBackend:
        spec = catalog.find(name)
        parameters = weights.load(spec).parameters
        return TorchBackend(spec, parameters, device=torch.device("cpu"), precision="fp32")

    return make


@pytest.mark.parametrize("name", ["animevideov3", "x4plus-anime"])
def test_each_picture_is_planned_anew(
    name: str,
    make_backend: Callable[[str], TorchBackend],
    monkeypatch: pytest.MonkeyPatch,
    frame: NDArray[np.uint8],
) -> None:
    compact = name == "animevideov3"
    picture = np.ascontiguousarray(frame[:230, :240] if compact else frame[:150, :60])
    backend = make_backend(name)
    areas = failing(backend, LOST[0], 0)
    tails: list[int] = []
    tail = backend._network.tail
    monkeypatch.setattr(backend._network, "tail", lambda values, *rest: (tails.append(1), tail(values, *rest))[1])
    counts = []
    for free in (4 << 30, 50 << 20, 4 << 30):
        monkeypatch.setattr(devices, "free_memory", lambda _, free=free: free)
        areas.clear()
        tails.clear()
        backend.enlarge(picture, picture.dtype, lambda _: None)
        counts.append((len(areas), len(tails)))
    assert counts[0] == counts[2], "what others had taken was not used again"
    assert counts[1] > counts[0]


def test_memory_that_others_take_in_the_midst_halves_tiles_and_not_the_result(
    make_backend: Callable[[str], TorchBackend], frame: NDArray[np.uint8]
) -> None:
    picture = np.ascontiguousarray(frame[40:240, 500:740])
    backend = make_backend("animevideov3")
    expected = backend.enlarge(picture, picture.dtype, lambda _: None)
    areas = failing(backend, torch.OutOfMemoryError("CUDA out of memory"), 1)
    np.testing.assert_array_equal(backend.enlarge(picture, picture.dtype, lambda _: None), expected)
    assert areas[0] > max(areas[1:])
