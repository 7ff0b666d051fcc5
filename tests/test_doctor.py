from __future__ import annotations

import sys
from pathlib import Path

import pytest

from snapupscale.doctor import examine, kernels
from snapupscale.errors import BackendUnavailable, KernelUnavailable
from snapupscale.upscale import catalog, vulkan, weights
from snapupscale.upscale.kernels import compiler
from snapupscale.upscale.kernels.source import Card
from snapupscale.upscale.vulkan import VulkanDevice


def found() -> dict[str, tuple[bool, bool]]:
    return {check.name: (check.ok, check.needed) for check in examine()}


def test_this_machine_can_do_the_main_job() -> None:
    checks = found()
    assert {"python", "torch", "memory", "codecs", "cuda", "mps", "vulkan", "x4plus", "animevideov3"} <= set(checks)
    assert {"cache disk", "data disk", "current disk"} <= set(checks)
    assert all(ok for ok, needed in checks.values() if needed)
    assert checks["x2plus"] == (False, False)


def test_damaged_weights_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = catalog.find("animevideov3")
    for file in spec.files:
        (tmp_path / file.name).write_bytes(b"not the weights")
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    assert found()["animevideov3"] == (False, True)


def test_a_missing_torch_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert found()["torch"] == (False, True)


def test_no_path_of_the_user_is_named() -> None:
    text = " ".join(f"{check.found} {check.hint}" for check in examine())
    assert str(Path.home()) not in text
    assert str(Path.cwd()) not in text


def test_devices_of_vulkan_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = (
        VulkanDevice(number=1, name="Radeon", kind="discrete", memory=8 << 30),
        VulkanDevice(number=0, name="llvmpipe", kind="software", memory=1 << 30),
    )
    monkeypatch.setattr(vulkan, "devices", lambda: devices)
    lines = [check for check in examine() if check.name == "vulkan"]
    assert [check.ok for check in lines] == [True, False]
    assert lines[0].found == "Radeon (discrete), 8.0 GiB"


def test_a_missing_vulkan_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise BackendUnavailable("the package ncnn is not installed", hint="pip")

    monkeypatch.setattr(vulkan, "devices", fail)
    assert found()["vulkan"] == (False, False)


@pytest.mark.parametrize(
    ("capability", "found"),
    [((9, 0), "hopper, for sm_90a"), ((8, 9), "ampere, for sm_89"), ((7, 5), "none for CUDA 7.5; torch computes")],
)
def test_the_kernels_for_a_card_are_told(
    capability: tuple[int, int], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "nvrtc", lambda: None)
    check = kernels(Card(capability=capability, block_bytes=101_376, processor_bytes=102_400))
    assert (check.found, check.ok) == (found, capability >= (8, 0))


def test_a_missing_compiler_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise KernelUnavailable("NVRTC is not there")

    monkeypatch.setattr(compiler, "nvrtc", missing)
    check = kernels(Card(capability=(8, 0), block_bytes=166_912, processor_bytes=167_936))
    assert (check.found, check.ok) == ("none: NVRTC is not there; torch computes", False)
