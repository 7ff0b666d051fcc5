"""The effect built with sanitizers, in a host without Python: threads, frames, deaths of the sidecar and aborts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ofx_host import bundles
from ofx_host.host import binary
from openfx.fake_sidecar import FakeSidecar

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="sanitizers of gcc on Linux"),
]
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
BUILDS = ("address,undefined", "thread")


@pytest.fixture(scope="session", params=BUILDS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, int]]:
    """Run the small host with an instrumented effect: `run(threads, frames, width, height, policy, abort)`."""
    library = binary(bundles.effect(request.param))
    program = bundles.mini_host(tmp_path_factory.mktemp("host") / "mini_host", request.param)

    def start(*numbers: int) -> dict[str, int]:
        command = [str(program), str(library), *map(str, numbers)]
        done = subprocess.run(
            command, env={**os.environ, **OPTIONS}, capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        assert "Sanitizer" not in done.stderr
        return {word: int(count) for word, count in re.findall(r"(\w+) (\d+)", done.stdout)}

    return start


def test_without_a_sidecar(run: Callable[..., dict[str, int]]) -> None:
    assert run(4, 50, 64, 48, 1) == {"passed": 200, "changed": 0, "failed": 0, "wrong": 0}


def test_marks_and_failures(run: Callable[..., dict[str, int]]) -> None:
    assert run(2, 20, 64, 48, 3)["changed"] == 40
    assert run(2, 20, 64, 48, 2)["failed"] == 40


def test_served(run: Callable[..., dict[str, int]], runtime: Path) -> None:
    with FakeSidecar("good", runtime):
        assert run(4, 100, 160, 120, 1) == {"passed": 0, "changed": 400, "failed": 0, "wrong": 0}


def test_deaths_and_aborts(run: Callable[..., dict[str, int]], runtime: Path) -> None:
    with FakeSidecar("dies-often", runtime):
        found = run(4, 60, 160, 120, 1, 7)
    assert found["changed"] > 0
    assert found["passed"] + found["changed"] == 240


@pytest.mark.parametrize(
    "behaviour", ["garbage", "random", "huge-tail", "truncated-tail", "wrong-size", "refuses-token"]
)
def test_lies(run: Callable[..., dict[str, int]], runtime: Path, behaviour: str) -> None:
    with FakeSidecar(behaviour, runtime):
        assert run(4, 25, 64, 48, 1) == {"passed": 100, "changed": 0, "failed": 0, "wrong": 0}


@pytest.mark.parametrize("fault", [False, True])
def test_the_sanitizer_is_awake(tmp_path: Path, fault: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An effect that writes before its picture is caught by the same means."""
    library = binary(bundles.inverter(tmp_path, "-fsanitize=address", "-g"))
    program = bundles.mini_host(tmp_path / "mini_host", "address")
    monkeypatch.setenv("INVERTER_FAULT", "before" if fault else "")
    done = subprocess.run(
        [str(program), str(library), "1", "2", "16", "16"], capture_output=True, text=True, check=False
    )
    assert ("heap-buffer-overflow" in done.stderr) == fault
    assert (done.returncode == 0) == (not fault)


@pytest.mark.timeout(600)
def test_the_python_host_with_address_sanitizer() -> None:
    """The cases of this folder once more, with the memory of Python's pictures watched."""
    library = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    environment = {
        **os.environ,
        **OPTIONS,
        "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0",
        "LD_PRELOAD": library.stdout.strip(),
        "SNAPUPSCALE_OFX_BUNDLE": str(bundles.effect(BUILDS[0])),
        "PYTHONMALLOC": "malloc",
    }
    names = ("test_describe", "test_pass_through", "test_policies", "test_served")
    files = [str(Path(__file__).with_name(f"{name}.py")) for name in names]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        env=environment, cwd=bundles.ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
