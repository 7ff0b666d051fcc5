"""On a GPU: the last step of a picture against the same by torch's own operations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from snapupscale.upscale import torch_levels
from snapupscale.upscale.kernels.gpu import gpu
from snapupscale.upscale.kernels.levelling import Levelling
from snapupscale.upscale.kernels.torch_memory import TorchMemory
from snapupscale.upscale.levels import region
from snapupscale.upscale.meter import Meter
from snapupscale.upscale.tiling import Box
from snapupscale.upscale.torch_job import Job, means, part

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
SCALE = 4


def levelling() -> Levelling:
    return Levelling(gpu(0), TorchMemory(torch.device("cuda", 0)))


@pytest.mark.parametrize(("height", "width", "edge"), [(1, 1, 4), (37, 53, 16), (128, 64, 16), (100, 300, 512)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_means_are_those_of_torch(height: int, width: int, edge: int, layout: torch.memory_format) -> None:
    values = torch.rand(1, 3, height, width, device="cuda").contiguous(memory_format=layout)
    torch.testing.assert_close(levelling().means(values, edge), means(values, edge), atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", [1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("core", [Box(0, 0, 60, 45), Box(13, 8, 37, 29)])
def test_the_same_samples_as_by_torch(cell: int, dtype: str, core: Box) -> None:
    torch.manual_seed(4)
    whole = Box(0, 0, 60, 45)
    around = region(core, whole)
    picture = torch.rand(1, 3, 45 * cell, 60 * cell, device="cuda").contiguous(memory_format=torch.channels_last)
    picture = part(picture, around.times(cell))
    output = torch.rand(1, 3, SCALE * around.height, SCALE * around.width, device="cuda") * 1.2 - 0.1
    shift = levelling().fitted(picture, output, around)
    output.clamp_(0, 1)
    plain = torch_levels.fitted(picture, output, around)
    for name in ("slope", "offset", "smooth"):
        torch.testing.assert_close(getattr(shift, name), getattr(plain, name), atol=1e-4, rtol=1e-4)
    for grey in (False, True):
        expected, result = (_job(np.dtype(dtype), grey) for _ in range(2))
        expected.put(core.times(SCALE), torch_levels.taken_off(plain, output, picture, core))
        result.put_by(
            core.times(SCALE),
            lambda target, kind: levelling().write(shift, output, picture, core, target, kind),
        )
        torch.cuda.synchronize()
        difference = np.abs(result.result().astype(np.float64) - expected.result())
        assert difference.max() <= (1 if dtype == "uint8" else 3 if dtype == "uint16" else 2e-5)
        assert (difference > 0).mean() < (0.01 if dtype == "uint8" else 1)


def _job(dtype: np.dtype[np.generic], grey: bool) -> Job:
    kinds = {"uint8": torch.uint8, "uint16": torch.int16, "float32": torch.float32}
    canvas = torch.zeros((45 * SCALE, 60 * SCALE) if grey else (45 * SCALE, 60 * SCALE, 3), dtype=kinds[dtype.name])
    device = torch.device("cuda")
    source = torch.zeros(1, 3, 1, 1, device=device)
    meter = Meter(print, torch.cuda.synchronize, 1)
    return Job(source=source, whole=Box(0, 0, 60, 45), canvas=canvas, dtype=dtype, meter=meter)
