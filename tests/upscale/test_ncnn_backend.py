from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from snapupscale.errors import BackendUnavailable, Cancelled, ImplausibleResult, OutOfMemory
from snapupscale.upscale import catalog, cpu, devices, loading, vulkan, weights
from snapupscale.upscale.engine import Upscaler
from snapupscale.upscale.vulkan import DEVICE_VARIABLE, VulkanDevice

pytest.importorskip("ncnn")

import torch

from snapupscale.upscale.ncnn_backend import NcnnBackend
from snapupscale.upscale.torch_backend import TorchBackend

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

U8, F32 = np.dtype(np.uint8), np.dtype(np.float32)
RADEON = VulkanDevice(number=1, name="Radeon", kind="discrete", memory=8 << 30)


def software() -> VulkanDevice:
    """Mesa's software Vulkan, or whatever else there is."""
    found = vulkan.devices()
    if not found:
        pytest.skip("there is no Vulkan driver; Debian has one in mesa-vulkan-drivers")
    return next((device for device in found if device.kind == "software"), found[0])


def backend(name: str = "animevideov3", *, precision: str = "fp32", vulkan: bool = False, **more: Any) -> NcnnBackend:
    spec = catalog.find(name)
    device = software() if vulkan else None
    return NcnnBackend(spec, weights.load(spec).parameters, device=device, precision=precision, **more)


def enlarge(engine: TorchBackend, pixels: NDArray[Any], dtype: np.dtype[Any] = U8) -> NDArray[Any]:
    return engine.enlarge(pixels, dtype, lambda _: None)


def decibels(one: NDArray[Any], other: NDArray[Any]) -> float:
    return -10 * float(np.log10(np.mean((one.astype(float) - other) ** 2)))


@pytest.fixture(scope="module")
def whole(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What torch makes of `crop`."""
    spec = catalog.find("animevideov3")
    engine = TorchBackend(spec, weights.load(spec).parameters, device=torch.device("cpu"), precision="fp32")
    return enlarge(engine, crop, F32)


@pytest.mark.parametrize("tile", [None, 40, 33])
def test_in_tiles_it_is_what_torch_makes(
    tile: int | None, crop: NDArray[np.uint8], whole: NDArray[np.float32]
) -> None:
    result = enlarge(backend(tile=tile), crop, F32)
    assert decibels(result, whole) >= 110
    assert np.abs(result - whole).max() < 1e-4


@pytest.mark.parametrize(("precision", "least"), [("fp32", 110), ("fp16", 70)])
def test_vulkan_makes_what_torch_makes(
    precision: str, least: float, crop: NDArray[np.uint8], whole: NDArray[np.float32]
) -> None:
    # Each corner of the picture is a tile of its own, whose pixels depend on those around it.
    result = enlarge(backend(vulkan=True, precision=precision, tile=32), crop, F32)
    assert decibels(result, whole) >= least
    steps = np.abs(np.rint(result * 255) - np.rint(whole * 255))
    assert (steps <= 1).mean() >= 0.99


def test_integers_are_rounded_half_to_even(crop: NDArray[np.uint8], whole: NDArray[np.float32]) -> None:
    for dtype, levels in ((np.uint8, 255), (np.uint16, 65535)):
        result = enlarge(backend(), crop, np.dtype(dtype))
        assert result.dtype == dtype
        assert np.abs(result - np.rint(whole * levels)).max() <= 1


def test_a_wrong_tile_is_computed_again_and_then_refused(
    crop: NDArray[np.uint8], whole: NDArray[np.float32]
) -> None:
    engine = backend(precision="fp16")
    engine._network.features = lambda *_: torch.full((1, 48, 64, 64), torch.nan)  # type: ignore[method-assign]
    assert decibels(enlarge(engine, crop, F32), whole) >= 110
    assert engine._exact is not None
    engine._exact.features = engine._network.features  # type: ignore[method-assign]
    with pytest.raises(ImplausibleResult, match="on the cpu device"):
        enlarge(engine, crop)


def test_running_out_of_memory_makes_tiles_smaller(frame: NDArray[np.uint8]) -> None:
    picture = np.ascontiguousarray(frame[40:140, 500:640])
    engine = backend()
    expected = enlarge(engine, picture, F32)
    features, areas = engine._network.features, []

    def run(planes: torch.Tensor, pace: Any) -> torch.Tensor:
        areas.append(planes.shape[2] * planes.shape[3])
        if areas[-1] > 13_000:
            raise MemoryError("ncnn finds no memory")
        return features(planes, pace)

    engine._network.features = run  # type: ignore[method-assign]
    assert decibels(enlarge(engine, picture, F32), expected) >= 110
    assert areas[0] == 14_000
    assert max(areas[1:]) <= 13_000


def test_when_nothing_fits_the_error_says_so(crop: NDArray[np.uint8]) -> None:
    def fail(*_: object) -> torch.Tensor:
        raise MemoryError("ncnn finds no memory")

    engine = backend()
    engine._network.features = fail  # type: ignore[method-assign]
    with pytest.raises(OutOfMemory, match="on the cpu device"):
        enlarge(engine, crop)


def test_tiles_are_planned_by_the_memory_of_the_device(
    monkeypatch: pytest.MonkeyPatch, frame: NDArray[np.uint8]
) -> None:
    picture = np.ascontiguousarray(frame[:230, :240])
    engine = backend()
    assert len(engine.tiles.plan(_box(picture))) == 1
    engine._vulkan = replace(RADEON, memory=60 << 20)
    assert len(engine.tiles.plan(_box(picture))) > 1
    engine._vulkan = RADEON
    assert len(engine.tiles.plan(_box(picture))) == 1
    monkeypatch.setattr(devices, "free_memory", lambda _: 60 << 20)
    assert len(engine.tiles.plan(_box(picture))) > 1


def test_no_tensor_is_larger_than_drivers_allow() -> None:
    for precision, size in (("fp32", 4), ("fp16", 2)):
        engine = backend(precision=precision)
        engine.tiles.free_memory = lambda: 1 << 40
        tiles = engine.tiles.plan(_box(np.empty((4320, 7680))))
        area = max(tile.grown(engine.tiles.context, _box(np.empty((4320, 7680)))).area for tile in tiles)
        assert len(tiles) > 1
        assert area * engine._network.widest * size <= 1 << 30


def test_progress_is_even_and_can_cancel(crop: NDArray[np.uint8], whole: NDArray[np.float32]) -> None:
    engine, seen = backend(tile=32), []
    engine.enlarge(crop, U8, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)
    assert max(np.diff([0, *seen])) < 0.15

    def cancel(share: float) -> None:
        if share > 0.4:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        engine.enlarge(crop, U8, cancel)
    assert decibels(enlarge(engine, crop, F32), whole) >= 110


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> str:
    """A device of this machine that is asked for by its name."""
    name = software().name
    monkeypatch.setenv(DEVICE_VARIABLE, name)
    return name


def test_the_upscaler_takes_a_device_by_name(named: str, crop: NDArray[np.uint8]) -> None:
    with Upscaler("animevideov3", backend="ncnn", precision="fp32", scale=2) as made:
        assert (made.backend, made.precision) == ("ncnn", "fp32")
        assert named in made.choice
        result = made.upscale(crop[:24, :20])
    with Upscaler("animevideov3", backend="cpu", scale=2) as other:
        expected = other.upscale(crop[:24, :20])
    assert np.abs(result.astype(int) - expected).max() <= 1


def test_nothing_is_chattered_and_the_process_ends_well(named: str) -> None:
    """ncnn describes devices on stderr, and drivers have been known to fall when a process ends."""
    program = (
        "import numpy as np; from snapupscale import Upscaler\n"
        "made = Upscaler('animevideov3', backend='ncnn')\n"
        "print(made.upscale(np.full((4, 4, 3), 90, np.uint8)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "(16, 16, 3)", "")


LOSING = """
import numpy as np
from snapupscale import Upscaler
from snapupscale.errors import SnapUpscaleError
picture = np.load("picture.npy")
with Upscaler("animevideov3", backend="ncnn") as made:
    for number in range(3):
        try:
            np.save(f"{number}.npy", made.upscale(picture))
            print("done")
        except SnapUpscaleError as error:
            print(error.code, error.hint)
try:
    Upscaler("animevideov3", backend="ncnn")
except SnapUpscaleError as error:
    print(error.code, error.hint)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a driver in between, by gcc on Linux")
@pytest.mark.parametrize("call", ["vkQueueSubmit", pytest.param("vkWaitForFences", marks=pytest.mark.slow)])
def test_a_device_that_is_lost_stays_lost_and_gives_no_pixel(
    call: str, named: str, crop: NDArray[np.uint8], tmp_path: Path
) -> None:
    library = tmp_path / "losing.so"
    flags = ["-shared", "-fPIC", "-Wall", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", library, Path(__file__).with_name("losing_driver.c"), "-ldl"], check=True)
    picture = np.ascontiguousarray(crop[:12, :16])
    np.save(tmp_path / "picture.npy", picture)
    # Loading takes 2 calls, and a picture 18: it fails in the midst of the second one.
    lost = {"NCNN_VULKAN_DRIVER": str(library), "LOST_CALL": call, "LOST_AT": "30"}
    command = [sys.executable, "-c", LOSING]
    done = subprocess.run(
        command, env={**os.environ, **lost}, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    first, *others = done.stdout.splitlines()
    assert first == "done"
    assert len(others) == 3
    assert all(line.startswith("device-lost ") and "--backend cpu" in line for line in others)
    assert [path.name for path in tmp_path.glob("?.npy")] == ["0.npy"]
    with Upscaler("animevideov3", backend="cpu") as other:
        expected = other.upscale(picture).astype(int)
    assert np.abs(np.load(tmp_path / "0.npy") - expected).max() <= 1


class Made:
    """Stands for the network, so that devices can be chosen that are not there."""

    def __init__(self, *_: Any, **settings: Any) -> None:
        self.settings = settings


@pytest.mark.parametrize(
    ("kind", "model", "precision"),
    [("discrete", "x4plus", "fp32"), ("integrated", "animevideov3", "fp32"), ("software", "animevideov3", "fp32")],
)
def test_what_suits_a_device(
    kind: Any, model: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = replace(RADEON, kind=kind)
    monkeypatch.setattr(vulkan, "choose", lambda: device)
    monkeypatch.setattr("snapupscale.upscale.ncnn_backend.NcnnBackend", Made)
    loaded = loading.load("auto", "ncnn", "auto")
    assert (loaded.model, loaded.precision, loaded.backend) == (model, precision, "ncnn")
    assert loaded.network.settings["device"] == device  # type: ignore[attr-defined]
    assert "Radeon" in loaded.choice


def choosing(answer: Callable[[], VulkanDevice], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(vulkan, "choose", answer)
    monkeypatch.setattr("snapupscale.upscale.ncnn_backend.NcnnBackend", Made)
    return loading.load("animevideov3", "auto", "auto").backend


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="these come first")
def test_auto_takes_ncnn_for_a_real_gpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> VulkanDevice:
        raise BackendUnavailable("Vulkan finds no GPU")

    assert choosing(lambda: RADEON, monkeypatch) == "ncnn"
    assert choosing(lambda: replace(RADEON, kind="software"), monkeypatch) == "cpu"
    assert choosing(fail, monkeypatch) == "cpu"
    monkeypatch.setattr(vulkan, "installed", lambda: False)
    assert choosing(lambda: RADEON, monkeypatch) == "cpu"


@pytest.mark.parametrize(("model", "by"), [("animevideov3", "ncnn"), ("x4plus-anime", "torch")])
def test_the_cpu_takes_what_was_faster(model: str, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.delenv(DEVICE_VARIABLE, raising=False)
    loaded = loading.load(model, "cpu", "auto")
    assert (loaded.backend, loaded.precision, loaded.network.device.type) == ("cpu", "fp32", "cpu")
    assert isinstance(loaded.network, NcnnBackend) == (by == "ncnn")
    assert (", by ncnn, in fp32." in loaded.choice) == (by == "ncnn")
    loaded.network.close()


def test_by_ncnn_the_cpu_gives_what_torch_does(
    crop: NDArray[np.uint8], whole: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    loaded = loading.load("animevideov3", "cpu", "auto")
    assert decibels(enlarge(loaded.network, crop, F32), whole) >= 110


@pytest.mark.parametrize(
    ("precision", "faithful", "machine", "there"),
    [
        ("fp16", False, "x86_64", True),
        ("fp32", True, "x86_64", True),
        ("fp32", False, "arm64", True),
        ("fp32", False, "x86_64", False),
    ],
    ids=["fp16", "as the official program", "unmeasured", "not installed"],
)
def test_elsewhere_it_is_torch(
    precision: str, faithful: bool, machine: str, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = catalog.find("animevideov3")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert cpu.library(spec) == "ncnn"
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(vulkan, "installed", lambda: there)
    assert cpu.library(spec, precision, faithful=faithful) == "torch"


def test_a_damaged_package_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setitem(sys.modules, "snapupscale.upscale.ncnn_backend", None)
    loaded = loading.load("animevideov3", "cpu", "auto")
    assert type(loaded.network) is TorchBackend
    assert "ncnn" not in loaded.choice


def test_without_the_package_the_hint_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    vulkan.devices.cache_clear()
    monkeypatch.setattr(vulkan, "find_spec", lambda _: None)
    with pytest.raises(BackendUnavailable) as caught:
        Upscaler("animevideov3", backend="ncnn")
    assert "snapupscale[vulkan]" in caught.value.hint


def _box(pixels: NDArray[Any]) -> Any:
    from snapupscale.upscale.tiling import Box

    return Box(0, 0, pixels.shape[1], pixels.shape[0])
