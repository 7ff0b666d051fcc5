"""The effect starts the sidecar that the installer names: when an instance is made, and it leaves no child."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ofx_host import abi
from ofx_host.host import Host
from ofx_host.profiles import MINIMAL, PROFILES, RESOLVE, Profile
from ofx_host.samples import complement, picture, same
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of POSIX")
PIXELS = picture("Byte", "RGBA")
# It tells of itself, serves for a while, and doesn't outlive a test that fails.
PROGRAM = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
folder = Path({folder!r})
(folder / "started").open("a").write(str(os.getpid()) + "\\n")
(folder / "environment").write_text("\\n".join(sorted(os.environ)))
(folder / "descriptors").write_text(" ".join(os.listdir("/proc/self/fd")))
time.sleep({delay})
from openfx.fake_sidecar import FakeSidecar
with FakeSidecar("good", folder):
    time.sleep(20)
"""


@pytest.fixture
def installed(bundle: Path, tmp_path: Path, runtime: Path) -> Iterator[Callable[..., Path]]:
    """Make a bundle that starts a stand-in for the sidecar: `installed(delay=0.5)`."""

    def make(delay: float = 0.0, command: list[str] | None = None) -> Path:
        copy = tmp_path / bundle.name
        shutil.copytree(bundle, copy)
        tests = str(Path(__file__).parents[1])
        program = PROGRAM.format(tests=tests, folder=str(runtime), delay=delay)
        (tmp_path / "program.py").write_text(program)
        words = command or [sys.executable, str(tmp_path / "program.py")]
        (copy / "Contents" / "Resources" / "sidecar.command").write_text("".join(f"{word}\n" for word in words))
        return copy

    yield make
    for pid in started(runtime):
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, signal.SIGKILL)


def started(runtime: Path) -> list[int]:
    """The processes that were started."""
    told = runtime / "started"
    return [int(line) for line in told.read_text().split()] if told.exists() else []


def children() -> str:
    return " ".join(path.read_text() for path in Path("/proc/self/task").glob("*/children"))


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_the_first_frame_waits_for_it(installed: Callable[..., Path], runtime: Path, profile: Profile) -> None:
    before = children()
    with Host(installed(delay=0.3), profile) as host, host.instance(onFailure="Fail") as instance:
        rendered = instance.render(PIXELS)
        assert rendered.status == abi.OK
        assert same(rendered.pixels, complement(PIXELS))
    assert len(started(runtime)) == 1
    assert children() == before


def test_it_is_a_process_of_its_own(
    installed: Callable[..., Path], runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD"):
        monkeypatch.setenv(name, "/nonexistent" if name != "PYTHONHOME" else "")
    monkeypatch.delenv("PYTHONHOME")
    with (runtime / "open").open("w") as file, Host(installed(), RESOLVE) as host, host.instance():
        os.set_inheritable(file.fileno(), True)
        (pid,) = until(lambda: started(runtime))
        until((runtime / "descriptors").exists)
        time.sleep(0.1)
        environment = (runtime / "environment").read_text().split("\n")
        assert not {"PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD"} & set(environment)
        # The three, and the one with which it looks.
        assert len((runtime / "descriptors").read_text().split()) <= 4
        assert os.getsid(pid) != os.getsid(0)
        assert os.getpgid(pid) != os.getpgid(0)
    assert Path(f"/proc/{pid}").exists(), "it outlives the host"


def test_it_is_started_once(installed: Callable[..., Path], runtime: Path) -> None:
    with Host(installed(delay=0.5), RESOLVE) as host:
        for _ in range(5):
            with host.instance(onFailure="Pass", timeLimit=3.0) as instance:
                instance.change("reconnect")
                instance.render(PIXELS)
    assert len(started(runtime)) == 1


def test_one_that_never_serves_costs_no_more_than_the_limit(installed: Callable[..., Path]) -> None:
    bundle = installed(command=["/bin/true"])
    with Host(bundle, RESOLVE) as host, host.instance(onFailure="Pass", timeLimit=1.0) as instance:
        rendered = instance.render(PIXELS)
        assert same(rendered.pixels, PIXELS)
        assert rendered.seconds < 1.8


def test_the_wait_for_it_can_be_aborted(installed: Callable[..., Path]) -> None:
    bundle = installed(command=["/bin/true"])
    with Host(bundle, RESOLVE) as host, host.instance(onFailure="Pass") as instance:
        assert instance.render(PIXELS, abort_at=time.monotonic() + 0.2).seconds < 0.8


@pytest.mark.parametrize("words", [["relative/path"], ["/nonexistent/program"], [""], ["x" * 100_000], ["/etc"]])
def test_a_command_that_makes_no_sense(installed: Callable[..., Path], words: list[str]) -> None:
    with Host(installed(command=words), RESOLVE) as host, host.instance(onFailure="Pass", timeLimit=1.0) as instance:
        assert same(instance.render(PIXELS).pixels, PIXELS)


def test_nothing_is_started_where_nothing_is_named(bundle: Path, runtime: Path) -> None:
    with Host(bundle, MINIMAL) as host, host.instance(onFailure="Pass") as instance:
        began = time.monotonic()
        assert same(instance.render(PIXELS).pixels, PIXELS)
        instance.change("reconnect")
        assert time.monotonic() - began < 1
    assert started(runtime) == []
