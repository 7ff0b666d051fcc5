from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from snapupscale.errors import KernelUnavailable
from snapupscale.upscale import ahead
from snapupscale.upscale.kernels import compiler, gpu, source
from snapupscale.upscale.kernels import driver as drivers

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from snapupscale.upscale.kernels.source import Program

H200 = {75: 9, 76: 0, 97: 232_448, 81: 233_472}
RTX_3090 = {75: 8, 76: 6, 97: 101_376, 81: 102_400}
TURING = {75: 7, 76: 5, 97: 65_536, 81: 65_536}


class Driver:
    """CUDA's driver, as far as it is asked here; `failing` is the function that gives an error."""

    def __init__(self, failing: str = "", attributes: dict[int, int] = TURING) -> None:
        self.failing = failing
        self.attributes = attributes
        self.calls: list[tuple[str, threading.Thread]] = []

    def cuDeviceGetAttribute(self, value: Any, number: int, device: ctypes.c_int) -> int:
        value._obj.value = self.attributes[number]
        return 0

    def __getattr__(self, name: str) -> Callable[..., int]:
        def call(*values: Any) -> int:
            self.calls.append((name, threading.current_thread()))
            return int(name == self.failing)

        return call


def begun(monkeypatch: pytest.MonkeyPatch, driver: Driver, *wanted: str, **more: bool) -> list[str]:
    """The functions that `begin` calls, each on a thread of its own."""
    gpu.gpu.cache_clear()
    monkeypatch.setattr(drivers, "driver", lambda: driver)
    monkeypatch.setenv("CUDA_MODULE_LOADING", "LAZY")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    ahead.begin(*(wanted or ("auto",)), **more)
    for name in ("cuda", "kernels"):
        for thread in threading.enumerate():
            if thread.name == name:
                thread.join(10)
    assert all(thread is not threading.current_thread() for _, thread in driver.calls)
    return [name for name, _ in driver.calls if name != "cuGetErrorName"]


@pytest.mark.parametrize("backend", ["auto", "cuda"])
def test_the_primary_context_is_made_on_a_thread(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert begun(monkeypatch, Driver(), backend) == [
        "cuInit",
        "cuDeviceGet",
        "cuDevicePrimaryCtxRetain",
        "cuCtxSetCurrent",
    ]


@pytest.mark.parametrize("backend", ["cpu", "mps", "ncnn", "lanczos"])
def test_other_backends_leave_the_driver_alone(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert begun(monkeypatch, Driver(), backend) == []


@pytest.mark.parametrize(("failing", "calls"), [("cuInit", 1), ("cuDeviceGet", 2), ("cuDevicePrimaryCtxRetain", 3)])
def test_the_first_error_is_the_end(failing: str, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(begun(monkeypatch, Driver(failing), "cuda")) == calls


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """What is compiled."""
    programs: list[Program] = []
    monkeypatch.setattr(compiler, "all_compiled", programs.extend)
    return programs


@pytest.mark.parametrize(
    ("model", "layers"),
    [("auto", source.RRDB), ("x4plus", source.RRDB), ("x2plus", source.RRDB), ("animevideov3", source.COMPACT)],
)
@pytest.mark.parametrize("attributes", [H200, RTX_3090], ids=["H200", "RTX 3090"])
def test_the_kernels_of_the_model_are_compiled_for_the_card(
    model: str,
    layers: Sequence[source.Layer],
    attributes: dict[int, int],
    compiled: list[Program],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun(monkeypatch, Driver(attributes=attributes), "auto", model)
    capability = attributes[75], attributes[76]
    card = source.Card(capability=capability, block_bytes=attributes[97], processor_bytes=attributes[81])
    family = source.choose(card)
    assert family
    assert compiled == [*family.programs(layers).values(), *source.beside(capability)]


@pytest.mark.parametrize(
    ("driver", "wanted", "more"),
    [
        (Driver(attributes=TURING), ("auto",), {}),
        (Driver(attributes=H200), ("auto", "auto", "fp32"), {}),
        (Driver(attributes=H200), ("auto",), {"reference": True}),
        (Driver(attributes=H200), ("cuda", "no such model"), {}),
        (Driver("cuInit", H200), ("auto",), {}),
    ],
    ids=["an old card", "float32", "as the official program", "an unknown model", "no driver"],
)
def test_nothing_is_compiled_that_nobody_asks_for(
    driver: Driver,
    wanted: tuple[str, ...],
    more: dict[str, bool],
    compiled: list[Program],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun(monkeypatch, driver, *wanted, **more)
    assert compiled == []


@pytest.mark.parametrize("error", [KernelUnavailable("NVRTC is not there"), RuntimeError("at interpreter shutdown")])
def test_a_compiler_that_fails_is_left_to_who_needs_it(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(programs: Sequence[Program]) -> None:
        raise error

    monkeypatch.setattr(compiler, "all_compiled", fail)
    # What a thread raises and nobody sees is an error of the test.
    assert begun(monkeypatch, Driver(attributes=H200))[-1] == "cuCtxSetCurrent"


def test_compiling_needs_no_torch(tmp_path: Path) -> None:
    script = """
import ctypes, sys, threading
from snapupscale.upscale import ahead
from snapupscale.upscale.kernels import compiler
class Driver:
    def __getattr__(self, name):
        return lambda *values: 0
    def cuDeviceGetAttribute(self, value, number, device):
        value._obj.value = {75: 8, 76: 6, 97: 101_376, 81: 102_400}[number]
ctypes.CDLL = lambda name: Driver()
compiler._compile = lambda program: program.text.encode()
ahead.begin("auto")
for name in ("cuda", "kernels"):
    [thread.join() for thread in threading.enumerate() if thread.name == name]
print({"torch", "numpy", "cv2", "av"} & sys.modules.keys())
"""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )

    assert (done.stdout.strip(), done.stderr) == ("set()", "")
    card = source.Card(capability=(8, 6), block_bytes=101_376, processor_bytes=102_400)
    family = source.choose(card)
    assert family
    assert len(list(tmp_path.rglob("*.cubin"))) == len(family.programs(source.RRDB)) + 2


def test_nothing_is_begun_once_torch_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()
    gpu.gpu.cache_clear()
    monkeypatch.setattr(drivers, "driver", lambda: driver)
    monkeypatch.setitem(sys.modules, "torch", object())

    ahead.begin("cuda")

    assert [thread for thread in threading.enumerate() if thread.name == "cuda"] == []
    assert driver.calls == []


def test_no_driver_is_no_matter_and_nothing_heavy_is_loaded() -> None:
    script = """
import sys, threading
from snapupscale.upscale import ahead
ahead._DRIVER = "no-such-library.so.1"
ahead.begin("auto")
[thread.join() for thread in threading.enumerate() if thread.name == "cuda"]
print({"torch", "numpy", "cv2", "av"} & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert (done.stdout.strip(), done.stderr) == ("set()", "")
