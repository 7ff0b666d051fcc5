from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from snapupscale.errors import BackendUnavailable
from snapupscale.upscale import vulkan
from snapupscale.upscale.vulkan import DEVICE_VARIABLE, VulkanDevice

if TYPE_CHECKING:
    from collections.abc import Iterator


def device(name: str, kind: str, number: int = 0) -> VulkanDevice:
    return VulkanDevice(number=number, name=name, kind=kind, memory=1 << 30)  # type: ignore[arg-type]


SOFTWARE = device("llvmpipe (LLVM 15)", "software", 0)
INTEGRATED = device("Iris Xe", "integrated", 1)
DISCRETE = device("Radeon RX 7600", "discrete", 2)


@pytest.fixture(autouse=True)
def unnamed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(DEVICE_VARIABLE, raising=False)
    vulkan.devices.cache_clear()
    yield
    vulkan.devices.cache_clear()


def printing(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Let another program answer for the one that lists devices."""
    run = subprocess.run
    answer = [sys.executable, "-c", program]
    monkeypatch.setattr(subprocess, "run", lambda _command, **settings: run(answer, **settings))


def test_discrete_comes_before_integrated_and_software_last(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = json.dumps([asdict(each) for each in (SOFTWARE, INTEGRATED, DISCRETE)])
    printing(monkeypatch, f"print('a driver chatters'); print({listed!r})")
    assert vulkan.devices() == (DISCRETE, INTEGRATED, SOFTWARE)
    assert vulkan.choose() == DISCRETE


@pytest.mark.parametrize("among", [(), (SOFTWARE,)])
def test_software_is_no_gpu(among: tuple[VulkanDevice, ...]) -> None:
    with pytest.raises(BackendUnavailable, match="no GPU") as caught:
        vulkan.choose(among)
    assert "driver" in caught.value.hint


def test_a_device_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEVICE_VARIABLE, "LLVMpipe")
    assert vulkan.choose((DISCRETE, SOFTWARE)) == SOFTWARE
    monkeypatch.setenv(DEVICE_VARIABLE, "GeForce")
    with pytest.raises(BackendUnavailable, match="GeForce") as caught:
        vulkan.choose((DISCRETE, SOFTWARE))
    assert "Radeon RX 7600" in caught.value.hint


FAILURES = {
    "crash": "import os; os.abort()",
    "failure": "import sys; sys.exit(3)",
    "silence": "pass",
    "no list": "print('[no list')",
    "other fields": "print('[{}]')",
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_driver_that_fails_is_an_error_with_a_hint(monkeypatch: pytest.MonkeyPatch, failure: str) -> None:
    printing(monkeypatch, FAILURES[failure])
    with pytest.raises(BackendUnavailable, match="cannot be listed") as caught:
        vulkan.devices()
    assert "driver" in caught.value.hint


def test_a_driver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vulkan, "_PATIENCE_S", 0.5)
    printing(monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(BackendUnavailable, match="no answer"):
        vulkan.devices()


def test_without_ncnn_the_hint_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vulkan, "find_spec", lambda _: None)
    with pytest.raises(BackendUnavailable) as caught:
        vulkan.devices()
    assert "snapupscale[vulkan]" in caught.value.hint


def test_without_a_driver_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ncnn")
    monkeypatch.setenv("VK_ICD_FILENAMES", os.devnull)
    monkeypatch.setenv("VK_DRIVER_FILES", os.devnull)
    assert vulkan.devices() == ()


def test_the_devices_of_this_machine() -> None:
    pytest.importorskip("ncnn")
    for each in vulkan.devices():
        assert each.name
        assert each.memory > 64 << 20


def test_nothing_reaches_stderr_while_it_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with vulkan.quiet():
        os.write(2, b"unheard")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_quiet_without_a_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_number: int) -> Any:
        raise OSError("bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    with vulkan.quiet():
        pass
