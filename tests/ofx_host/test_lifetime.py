"""Loading, unloading and living together: nothing grows, nothing stays."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ofx_host import abi, bundles
from ofx_host.host import Host, binary
from ofx_host.profiles import NUKE, RESOLVE
from ofx_host.samples import complement, noise, picture, same
from ofx_host.traces import count, mapped, mappings, resident
from openfx.fake_sidecar import RENDER, FakeSidecar
from waiting import until

if TYPE_CHECKING:
    import pytest


def once(bundle: Path) -> None:
    with Host(bundle, RESOLVE) as host, host.instance(onFailure="Pass") as instance:
        instance.render(noise("Float", "RGBA"))
        instance.purge()


def test_load_and_unload_100_times(bundle: Path) -> None:
    once(bundle)
    open_files, threads, memory = count("fd"), count("task"), []
    for number in range(151):
        once(bundle)
        if number % 50 == 0:
            memory.append(resident())
    assert count("fd") == open_files
    assert count("task") == threads
    # The host is Python, which grows now and then; what the effect kept would show in each of the spans.
    assert min(after - before for before, after in pairwise(memory)) < 200 << 10


def test_with_a_sidecar_too(bundle: Path, runtime: Path) -> None:
    pixels = picture("Float", "RGBA", 90, 160)
    with FakeSidecar("good", runtime):
        numbers = []
        for _ in range(20):
            with Host(bundle, RESOLVE) as host, host.instance() as instance:
                assert same(instance.render(pixels).pixels, complement(pixels))
            # The stand-in lives in this process too, and takes a moment to see that the connection ended.
            until(lambda: mapped() == 0)
            numbers.append(count("fd"))
    assert numbers[-1] <= numbers[4] + 1


def test_a_host_that_is_killed_leaves_nothing(bundle: Path, runtime: Path) -> None:
    with FakeSidecar("hang", runtime) as sidecar:
        with subprocess.Popen([sys.executable, "-c", HOST, str(bundle)], env=ENVIRONMENT | os.environ) as process:
            until(lambda: sidecar.count(RENDER))
            process.kill()
        assert mappings(process.pid) == []


HOST = """
import sys
from pathlib import Path
from ofx_host.host import Host
from ofx_host.profiles import RESOLVE
from ofx_host.samples import picture
with Host(Path(sys.argv[1]), RESOLVE) as host, host.instance() as instance:
    instance.render(picture("Float", "RGBA"))
"""
ENVIRONMENT = {"PYTHONPATH": str(bundles.ROOT / "tests")}


def test_the_library_goes_with_the_last_unload(bundle: Path) -> None:
    once(bundle)
    assert str(binary(bundle)) not in Path("/proc/self/maps").read_text()


def test_load_and_unload_again_without_closing(bundle: Path) -> None:
    with Host(bundle, NUKE) as host:
        for _ in range(3):
            assert host.act("OfxActionUnload") in {abi.OK, abi.REPLY_DEFAULT}
            assert host.act("OfxActionLoad") in {abi.OK, abi.REPLY_DEFAULT}
            host.describe()
            with host.instance(onFailure="Pass") as instance:
                assert same(instance.render(noise("Byte", "RGBA")).pixels, noise("Byte", "RGBA"))


def test_many_instances_at_once(bundle: Path) -> None:
    with Host(bundle, NUKE) as host:
        made = [host.instance(strength=index / 20, onFailure="Pass") for index in range(20)]
        instances = [each.__enter__() for each in made]
        for index in (7, 0, 19, 3):
            rendered = instances[index].render(noise("Byte", "RGBA"))
            assert rendered.identity == (index == 0)
        for each in made[::-1]:
            each.__exit__(None, None, None)


def test_a_call_for_an_instance_that_was_never_made_is_refused(bundle: Path) -> None:
    with Host(bundle, NUKE) as host:
        status = host.act("OfxImageEffectActionRender", None, {"OfxPropTime": 0.0})
        assert status not in {abi.OK, abi.REPLY_DEFAULT}
        # Looking up what NULL stands for is no fault of the effect here.
        host.violations[:] = [each for each in host.violations if "NULL" not in each]


def test_an_environment_without_any_folder(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_RUNTIME_DIR", "TMPDIR", "HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "PATH"):
        monkeypatch.delenv(name, raising=False)
    once(bundle)


def signals() -> list[str]:
    """What the system says of caught, ignored and blocked signals."""
    return [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Sig")]


def test_no_signal_handler_is_installed(bundle: Path) -> None:
    before = signals()
    once(bundle)
    assert signals() == before
