from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from snapupscale.upscale import ahead

if TYPE_CHECKING:
    from collections.abc import Callable


class Driver:
    """CUDA's driver, as far as it is asked here; `failing` is the function that gives an error."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.calls: list[tuple[str, threading.Thread]] = []

    def __getattr__(self, name: str) -> Callable[..., int]:
        def call(*values: Any) -> int:
            self.calls.append((name, threading.current_thread()))
            return int(name == self.failing)

        return call


def begun(monkeypatch: pytest.MonkeyPatch, driver: Driver, backend: str = "auto") -> list[str]:
    """The functions that `begin` calls, each on a thread of its own."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: driver)
    monkeypatch.setenv("CUDA_MODULE_LOADING", "LAZY")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    ahead.begin(backend)
    for thread in threading.enumerate():
        if thread.name == "cuda":
            thread.join(10)
    assert all(thread is not threading.current_thread() for _, thread in driver.calls)
    return [name for name, _ in driver.calls]


@pytest.mark.parametrize("backend", ["auto", "cuda"])
def test_the_primary_context_is_made_on_a_thread(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert begun(monkeypatch, Driver(), backend) == ["cuInit", "cuDeviceGet", "cuDevicePrimaryCtxRetain"]


@pytest.mark.parametrize("backend", ["cpu", "mps", "ncnn", "lanczos"])
def test_other_backends_leave_the_driver_alone(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert begun(monkeypatch, Driver(), backend) == []


@pytest.mark.parametrize(("failing", "calls"), [("cuInit", 1), ("cuDeviceGet", 2), ("cuDevicePrimaryCtxRetain", 3)])
def test_the_first_error_is_the_end(failing: str, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(begun(monkeypatch, Driver(failing), "cuda")) == calls


def test_nothing_is_begun_once_torch_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: driver)
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
