"""Several threads at once: every frame gets its own result, whatever happens to the others."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ofx_host import abi
from ofx_host.host import Host
from ofx_host.images import Picture
from ofx_host.profiles import NUKE, RESOLVE, Profile
from ofx_host.samples import complement, picture, same
from openfx.fake_sidecar import FakeSidecar

if TYPE_CHECKING:
    from pathlib import Path

    from ofx_host.instances import Instance

THREADS, FRAMES = 4, 100
SIZES = ((36, 64), (9, 16), (90, 160), (23, 46))


def render(instance: Instance, thread: int, number: int) -> str:
    """'restored', 'passed', 'failed' or 'wrong'."""
    pixels = picture("Float", "RGBA", *SIZES[number % len(SIZES)], seed=thread * FRAMES + number)
    target = Picture(pixels.shape, pixels.dtype, padding=16 * (number % 2), flipped=bool(number % 3))
    rendered = instance.render(
        Picture.of(pixels, flipped=bool(number % 2), padding=32), target=target, time=float(number)
    )
    if rendered.status == abi.FAILED:
        return "failed"
    assert rendered.status == abi.OK
    if same(rendered.pixels, complement(pixels)):
        return "restored"
    return "passed" if same(rendered.pixels, pixels) else "wrong"


def storm(instances: list[Instance]) -> Counter[str]:
    """What 4 threads x 100 frames come to; thread i works with instance i, modulo their number."""
    def work(thread: int) -> list[str]:
        return [render(instances[thread % len(instances)], thread, number) for number in range(FRAMES)]

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(outcome for found in pool.map(work, range(THREADS)) for outcome in found)


@pytest.mark.parametrize("profile", [RESOLVE, NUKE], ids=["resolve", "nuke"])
def test_one_instance(bundle: Path, runtime: Path, profile: Profile) -> None:
    with FakeSidecar("good", runtime) as sidecar, Host(bundle, profile) as host, host.instance() as instance:
        assert storm([instance]) == {"restored": THREADS * FRAMES}
        assert sidecar.connections <= 4


def test_instances_of_their_own(bundle: Path, runtime: Path) -> None:
    with (
        FakeSidecar("good", runtime),
        Host(bundle, RESOLVE) as host,
        host.instance() as one,
        host.instance("General") as other,
    ):
        assert storm([one, other]) == {"restored": THREADS * FRAMES}


def test_without_a_sidecar(bundle: Path) -> None:
    with Host(bundle, NUKE) as host, host.instance(onFailure="Pass") as instance:
        assert storm([instance]) == {"passed": THREADS * FRAMES}


def test_with_deaths(bundle: Path, runtime: Path) -> None:
    with (
        FakeSidecar("dies-often", runtime),
        Host(bundle, NUKE) as host,
        host.instance(onFailure="Pass") as one,
        host.instance(onFailure="Fail") as other,
    ):
        outcomes = storm([one, other])
    assert outcomes.keys() <= {"restored", "passed", "failed"}
    assert outcomes["restored"] > 0


def test_with_a_service_that_comes_and_goes(bundle: Path, runtime: Path) -> None:
    ending = threading.Event()

    def serve() -> None:
        while not ending.is_set():
            with FakeSidecar("good", runtime):
                ending.wait(0.15)

    thread = threading.Thread(target=serve)
    with Host(bundle, NUKE) as host, host.instance(onFailure="Pass") as instance:
        thread.start()
        try:
            outcomes = storm([instance])
        finally:
            ending.set()
            thread.join()
    assert outcomes.keys() <= {"restored", "passed"}
    assert outcomes["restored"] > 0


def test_with_aborts_and_instances_that_come_and_go(bundle: Path, runtime: Path) -> None:
    pixels = picture("Byte", "RGBA", 60, 80)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(30):
            with host.instance(onFailure="Fail") as instance:
                soon = time.monotonic() + chance.random() * 0.03
                rendered = instance.render(pixels, abort_at=soon)
                assert rendered.seconds < 1
                assert not same(rendered.pixels, complement(pixels)) or rendered.status == abi.OK

    with FakeSidecar("slow", runtime, delay=0.01), Host(bundle, NUKE) as host, ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))


def test_the_time_limit_counts_while_others_are_served(bundle: Path, runtime: Path) -> None:
    pixels = picture("Byte", "RGBA", 60, 80)
    with (
        FakeSidecar("hang", runtime),
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Pass", timeLimit=1.0) as instance,
        ThreadPoolExecutor(8) as pool,
    ):
        began = time.monotonic()
        found = list(pool.map(instance.render, [pixels] * 8))
        assert all(same(rendered.pixels, pixels) for rendered in found)
        assert time.monotonic() - began < 2.5
