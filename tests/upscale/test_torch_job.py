from __future__ import annotations

import numpy as np
import pytest
import torch

from snapupscale.upscale import devices
from snapupscale.upscale.tiling import Box
from snapupscale.upscale.torch_job import Job, samples, upload

CPU = torch.device("cpu")


def as_array(values: torch.Tensor, dtype: type, *, grey: bool = False) -> np.ndarray:
    return samples(values, np.dtype(dtype), grey=grey).numpy().view(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("grey", [True, False])
def test_every_value_survives(dtype: type, grey: bool) -> None:
    codes = np.arange(65536).reshape(256, 256) if dtype is np.uint16 else np.arange(256).reshape(16, 16)
    pixels = (codes / 255).astype(np.float32) if dtype is np.float32 else codes.astype(dtype)
    pixels = pixels if grey else np.dstack((pixels, pixels.T, pixels[::-1]))
    result = as_array(upload(pixels, CPU), dtype, grey=grey)
    if dtype is np.float32:
        np.testing.assert_allclose(result, pixels, atol=1e-7)
    else:
        np.testing.assert_array_equal(result, pixels)


def test_integers_are_rounded_half_to_even() -> None:
    values = torch.tensor([0.5, 1.5, 127.5, 254.5, 0, 255]).view(1, 3, 1, 2) / 255
    assert as_array(values, np.uint8).transpose(2, 0, 1).flatten().tolist() == [0, 2, 128, 254, 0, 255]


@pytest.mark.parametrize(("free", "place"), [(1 << 30, "meta"), (0, "cpu")])
def test_the_canvas_is_on_the_device_if_there_is_room(free: int, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "free_memory", lambda _: free)
    job = Job.of_planes(torch.empty((1, 3, 8, 6), device="meta"), 2, 2, lambda _: None)
    assert job.canvas.device.type == place
    assert job.canvas.shape == (1, 3, 16, 12)
    assert job.whole == Box(0, 0, 3, 4)


def test_planes_are_clipped_into_their_canvas() -> None:
    job = Job.of_planes(torch.zeros(1, 3, 2, 2), 1, 2, lambda _: None)
    job.put(Box(0, 0, 4, 4), torch.full((1, 3, 4, 4), 2.0))
    job.put(Box(1, 2, 3, 3), torch.full((1, 3, 1, 2), -1.0))
    assert job.canvas[0, 2].tolist() == [[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
