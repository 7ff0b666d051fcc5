"""Without a GPU, on a driver that computes in numpy; where there is one, beside torch on it as well."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from snapupscale.errors import DeviceLost, OutOfMemory
from snapupscale.upscale import catalog, direct, layers, weights
from snapupscale.upscale.direct import DirectBackend
from snapupscale.upscale.kernels.gpu import Gpu
from snapupscale.upscale.networks import Pace, build
from snapupscale.upscale.picture import whole_cells
from snapupscale.upscale.torch_backend import TorchBackend
from snapupscale.upscale.torch_job import upload
from upscale.kernels.host_cuda import FAILED, HostCuda, install

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]

CPU = torch.device("cpu")
F32 = np.dtype(np.float32)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> HostCuda:
    return install(monkeypatch, HostCuda())


def backend(model: str = "animevideov3", tile: int | None = None) -> DirectBackend:
    spec = catalog.find(model)
    return DirectBackend(spec, weights.load(spec).parameters, Gpu(0), tile=tile)


def enlarged(made: DirectBackend | TorchBackend, pixels: Pixels) -> Pixels:
    return made.enlarge(pixels, pixels.dtype, lambda _: None)


def by_torch(model: str, pixels: Pixels) -> Pixels:
    spec = catalog.find(model)
    return enlarged(TorchBackend(spec, weights.load(spec).parameters, device=CPU, precision="fp32"), pixels)


def decibels(one: Pixels, other: Pixels) -> float:
    white = {"uint8": 255, "uint16": 65535, "float32": 1}[one.dtype.name]
    error = np.mean(((one.astype(float) - other) / white) ** 2)
    return -10 * float(np.log10(error + 1e-20))


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("grey", [False, True])
def test_pictures_are_those_of_torch(kind: str, grey: bool, crop: NDArray[np.uint8], cuda: HostCuda) -> None:
    part = crop[:14, :19, 0] if grey else crop[:14, :19]
    pixels = part.astype(kind) * np.array({"uint8": 1, "uint16": 257, "float32": 1 / 255}[kind], kind)
    result = enlarged(backend(), pixels)
    assert result.dtype == pixels.dtype
    assert decibels(result, by_torch("animevideov3", pixels)) > (48 if kind == "uint8" else 70)


@pytest.mark.parametrize("model", ["x4plus-anime", "x2plus"])
def test_residual_networks_are_those_of_torch(model: str, crop: NDArray[np.uint8], cuda: HostCuda) -> None:
    spec = replace(catalog.find(model), blocks=1)
    rng = np.random.default_rng(3)
    parameters = {
        name: rng.normal(0, 0.5 / shape[1] ** 0.5 / 3 if shape[1:] else 0.01, shape).astype(np.float32)
        for layer in layers.layers(spec)
        for name, shape in layer.shapes().items()
    }
    pixels = crop[:9, :13].astype(np.float32) / 255
    made = DirectBackend(spec, parameters, Gpu(0), tile=None)
    job = made._job(whole_cells(pixels, 4 // spec.scale), F32, lambda _: None)
    result = made._memory.downloaded(made._run(job, job.whole))
    network = build(spec)
    network.load_state_dict({name: torch.tensor(values) for name, values in parameters.items()}, assign=True)
    picture, pace = upload(whole_cells(pixels, network.cell), CPU), Pace(tick=lambda _: None)
    with torch.inference_mode():
        expected = network.tail(network.features(picture, pace), picture, pace).numpy()
    assert np.linalg.norm(result - expected) < 2e-3 * np.linalg.norm(expected)


def test_tiles_are_the_whole(crop: NDArray[np.uint8], cuda: HostCuda) -> None:
    pixels = crop[:40, :33]
    assert decibels(enlarged(backend(tile=20), pixels), enlarged(backend(), pixels)) > 60


def test_memory_that_runs_out_halves_the_tiles(frame: NDArray[np.uint8], cuda: HostCuda) -> None:
    pixels = frame[:40, :150]
    expected, made = enlarged(backend(), pixels), backend()
    made.tiles.free_memory = lambda: 1 << 40
    cuda.room = cuda.taken() + 6e6
    result = enlarged(made, pixels)
    assert cuda.calls["cuMemAlloc_v2"] > 0
    assert decibels(result, expected) > 60


def test_no_memory_at_all_is_an_error(crop: NDArray[np.uint8], cuda: HostCuda) -> None:
    made = backend()
    cuda.room = cuda.taken() + 1e5
    with pytest.raises(OutOfMemory):
        enlarged(made, crop)
    cuda.room = 1e9
    assert enlarged(made, crop[:8, :8]).shape == (32, 32, 3)


def test_a_lost_gpu_is_told_and_can_be_closed(crop: NDArray[np.uint8], cuda: HostCuda) -> None:
    made = backend()
    cuda.failing = dict.fromkeys(("cuLaunchKernel", "cuMemFree_v2", "cuMemFreeHost", "cuCtxSynchronize"), FAILED)
    with pytest.raises(DeviceLost, match="LAUNCH_FAILED"):
        enlarged(made, crop[:8, :8])
    made.close()


def test_what_looks_wrong_is_made_again_by_torch(
    crop: NDArray[np.uint8], cuda: HostCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, made = crop[:16, :16], backend()
    monkeypatch.setattr(direct.plausibility, "fault", lambda *means: "brightness that moved")
    monkeypatch.setattr("snapupscale.upscale.torch_backend.TorchBackend._confirmed", lambda *_: True)
    seen: list[float] = []
    result = made.enlarge(pixels, pixels.dtype, seen.append)
    np.testing.assert_array_equal(result, by_torch("animevideov3", pixels))
    assert seen == sorted(seen)


def test_all_memory_is_given_back(crop: NDArray[np.uint8], cuda: HostCuda) -> None:
    made = backend()
    result = enlarged(made, crop[:8, :8])
    with pytest.raises(KeyboardInterrupt):
        made.enlarge(crop[:8, :8], np.dtype(np.uint8), _interrupt)
    taken = cuda.taken()
    enlarged(made, crop[:8, :8])
    assert cuda.taken() == taken
    del result
    made.close()
    assert cuda.taken() == 0


def test_progress_never_goes_back(crop: NDArray[np.uint8], cuda: HostCuda) -> None:
    seen: list[float] = []
    backend(tile=20).enlarge(crop[:40, :30], np.dtype(np.uint8), seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 50
    assert seen[-1] == 1


def test_any_thread_can_use_it(crop: NDArray[np.uint8], cuda: HostCuda) -> None:
    made = backend()
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(enlarged, made, crop[:8, :8]).result()
    np.testing.assert_array_equal(result, enlarged(made, crop[:8, :8]))


def test_the_upscaler_takes_it_and_leaves_torch_alone() -> None:
    script = """
import sys
import numpy, pytest
from snapupscale.upscale.engine import Upscaler
from upscale.kernels.host_cuda import HostCuda, install
install(pytest.MonkeyPatch(), HostCuda())
with Upscaler("animevideov3") as upscaler:
    result = upscaler.upscale(numpy.full((5, 4, 4), 200, numpy.uint8))
print(upscaler.backend, upscaler.precision, upscaler.choice, result.shape, "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="tests")
    said = "cuda fp16 animevideov3, as asked. It runs on A GPU of numbers in fp16. (20, 16, 4) False"
    assert (done.stdout.strip(), done.stderr) == (said, "")


@pytest.mark.parametrize(
    "wanted",
    [("cpu", "auto", None), ("auto", "fp32", None), ("cuda", "auto", Fraction(2)), ("mps", "fp16", Fraction(4))],
)
def test_what_kernels_alone_cannot_do_is_left_to_torch(
    wanted: tuple[str, str, Fraction | None], cuda: HostCuda
) -> None:
    name, precision, scale = wanted
    assert direct.load("animevideov3", name, precision, scale=scale, tile=None, denoise=1) is None


@pytest.mark.parametrize("failing", ["cuInit", "cuDeviceGet", "cuModuleLoadData", "cuCtxSetCurrent"])
def test_a_driver_that_fails_is_left_to_torch(failing: str, cuda: HostCuda) -> None:
    cuda.failing[failing] = FAILED
    assert direct.load("animevideov3", "auto", "auto", scale=None, tile=None, denoise=1) is None


def _interrupt(share: float) -> None:
    if share > 0.5:
        raise KeyboardInterrupt


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("model", ["animevideov3", "x4plus-anime"])
def test_on_a_gpu_it_gives_the_same_as_beside_torch(model: str, kind: str) -> None:
    spec = catalog.find(model)
    rng = np.random.default_rng(1)
    smooth = np.kron(rng.random((12, 17, 3)), np.ones((16, 16, 1)))[:190, :271]
    pixels = (smooth * {"uint8": 255, "uint16": 65535, "float32": 1}[kind]).astype(kind)
    beside = TorchBackend(spec, weights.load(spec).parameters, device=torch.device("cuda"), precision="fp16")
    for each in (pixels, pixels[:, :, 0].copy()):
        result, expected = enlarged(backend(model), each), enlarged(beside, each)
        assert np.abs(result.astype(float) - expected).max() <= {"uint8": 1, "uint16": 3, "float32": 2e-5}[kind]
    assert decibels(enlarged(backend(model, tile=100), pixels), enlarged(beside, pixels)) > 60
