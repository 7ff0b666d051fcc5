"""A sidecar that errs, lies, hangs or dies: the frame is as the policy says, in time, and the host lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ofx_host import abi
from ofx_host.bundles import ROOT
from ofx_host.host import Host
from ofx_host.profiles import NUKE, PROFILES, RESOLVE, Profile
from ofx_host.samples import complement, picture, same
from openfx import fake_sidecar
from openfx.fake_sidecar import CANCEL, FAULTS, HELLO, MAP, RENDER, FakeSidecar
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ofx_host.instances import Instance, Rendered

hosts = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
PIXELS = picture("Float", "RGBA", 30, 40)
RESULT = complement(PIXELS)
PATIENCE = 0.8
"""Seconds of a busy machine beyond a limit; less than the limits themselves."""
ABORTED = 0.8
"""Seconds after which an aborted render has ended, also on a busy machine; what it waits for takes longer."""

SERVED = {"good", "identity", "slow-drip", "late", "slow"}
LASTING = {"hang", "half-header"}
"""What only the time limit ends."""

OF_FRAMES = {"dies", "wrong-size", "wrong-format", "wrong-bytes"}


def passed(rendered: Rendered) -> bool:
    assert rendered.status in {abi.OK, abi.REPLY_DEFAULT}
    return same(rendered.pixels, PIXELS)


def restored(rendered: Rendered) -> bool:
    assert rendered.status in {abi.OK, abi.REPLY_DEFAULT}
    return same(rendered.pixels, RESULT)


@contextmanager
def program(behaviour: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A stand-in that is a process."""
    command = [sys.executable, fake_sidecar.__file__, behaviour, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")


def later(seconds: float, pid: int, number: signal.Signals) -> threading.Timer:
    timer = threading.Timer(seconds, os.kill, (pid, number))
    timer.start()
    return timer


ANSWERS = [
    (behaviour, at)
    for behaviour in sorted(FAULTS.keys() - SERVED - LASTING - {"dies-often"})
    for at in (HELLO, MAP, RENDER)
    if at == RENDER or behaviour not in OF_FRAMES
]


@pytest.mark.parametrize(("behaviour", "at"), ANSWERS)
def test_a_bad_answer(bundle: Path, runtime: Path, behaviour: str, at: int) -> None:
    with (
        FakeSidecar(behaviour, runtime, at=at),
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Pass", timeLimit=5.0) as instance,
    ):
        rendered = instance.render(PIXELS)
        assert passed(rendered)
        assert rendered.seconds < 3


@hosts
@pytest.mark.parametrize("behaviour", ["garbage", "dies", "failed"])
def test_policies(bundle: Path, runtime: Path, profile: Profile, behaviour: str) -> None:
    with FakeSidecar(behaviour, runtime), Host(bundle, profile) as host:
        with host.instance(onFailure="Fail") as instance:
            assert instance.render(PIXELS).status == abi.FAILED
        with host.instance(onFailure="Mark") as instance:
            rendered = instance.render(PIXELS)
            assert not passed(rendered)
            assert not restored(rendered)
        with host.instance() as instance:
            assert instance.render(PIXELS).status == (abi.FAILED if profile.final else abi.OK)


@pytest.mark.parametrize("behaviour", sorted(LASTING))
def test_the_time_limit(bundle: Path, runtime: Path, behaviour: str) -> None:
    with (
        FakeSidecar(behaviour, runtime),
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Pass", timeLimit=1.0) as instance,
    ):
        rendered = instance.render(PIXELS)
        assert passed(rendered)
        assert 0.8 < rendered.seconds < 1 + PATIENCE
        again = instance.render(PIXELS)
        assert passed(again)
        assert again.seconds < PATIENCE, "the link remembers"


@pytest.mark.parametrize("behaviour", ["hang", "half-header", "slow", "late"])
def test_abort(bundle: Path, runtime: Path, behaviour: str) -> None:
    with (
        FakeSidecar(behaviour, runtime, delay=1.0) as sidecar,
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Fail") as instance,
    ):
        rendered = instance.render(PIXELS, abort_at=time.monotonic() + 0.2)
        assert rendered.seconds < ABORTED
        gaps = [after - before for before, after in pairwise(rendered.polls)]
        assert len(gaps) >= 5
        assert sorted(gaps)[len(gaps) // 2] <= 0.03
        until(lambda: sidecar.count(CANCEL), 5)
        sidecar.behaviour = "good"
        if behaviour in {"slow", "late"}:
            # A frame that was given up is no failure: the next one is served, and not with the answer to that one.
            assert restored(instance.render(PIXELS))


def test_abort_that_comes_before(bundle: Path, runtime: Path) -> None:
    with FakeSidecar("slow", runtime, delay=3), Host(bundle, NUKE) as host, host.instance() as instance:
        assert instance.render(PIXELS, abort_at=0.0).seconds < ABORTED


def test_a_late_answer_belongs_to_no_later_frame(bundle: Path, runtime: Path) -> None:
    with (
        FakeSidecar("late", runtime, delay=1.4) as sidecar,
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Pass", timeLimit=1.0) as instance,
    ):
        assert passed(instance.render(PIXELS))
        sidecar.behaviour = "good"
        instance.change("reconnect")
        for seed in range(30):
            pixels = picture("Float", "RGBA", 30, 40, seed=seed)
            assert same(instance.render(pixels).pixels, complement(pixels))
            time.sleep(0.02)


def test_a_wrong_token(bundle: Path, runtime: Path) -> None:
    with (
        FakeSidecar("good", runtime, published_token="x" * 43),
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Pass") as instance,
    ):
        assert passed(instance.render(PIXELS))


@pytest.mark.parametrize(
    "line",
    [
        "snapupscale-frames 2 {pid} {port} {token}\n", "snapupscale-frames 1 {pid} {port} short\n", "", "\0" * 100,
        "snapupscale-frames 1 {pid} 99999 {token}\n", "snapupscale-frames 1 {pid} -1 {token}\n", "x" * 100_000,
        "snapupscale-frames 1 {pid} {port}\n", "snapupscale-frames 1 {pid} 1 {token}\n", "{{\"port\": {port}}}\n",
        "snapupscale-frames 1 {pid} {port} {token}\nsnapupscale-frames 1 {pid} {port} {token}\n",
    ],
)  # fmt: skip
def test_a_link_file_that_makes_no_sense(bundle: Path, runtime: Path, line: str) -> None:
    with FakeSidecar("good", runtime) as sidecar, Host(bundle, RESOLVE) as host:
        sidecar.publish(line.format(pid=os.getpid(), port=sidecar.port, token=sidecar.token))
        with host.instance(onFailure="Pass") as instance:
            assert passed(instance.render(PIXELS))
        assert sidecar.count(RENDER) == 0


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_link_file_that_others_can_read(bundle: Path, runtime: Path, mode: int) -> None:
    with FakeSidecar("good", runtime) as sidecar, Host(bundle, RESOLVE) as host:
        sidecar.path.chmod(mode)
        with host.instance(onFailure="Pass") as instance:
            assert passed(instance.render(PIXELS))
        assert sidecar.connections == 0


def test_a_link_file_that_is_a_link(bundle: Path, runtime: Path) -> None:
    with FakeSidecar("good", runtime) as sidecar, Host(bundle, RESOLVE) as host:
        other = sidecar.path.rename(sidecar.path.with_name("elsewhere"))
        sidecar.path.symlink_to(other)
        with host.instance(onFailure="Pass") as instance:
            assert passed(instance.render(PIXELS))
        assert sidecar.connections == 0


def frames(instance: Instance, count: int) -> list[str]:
    found = []
    for moment in range(count):
        rendered = instance.render(PIXELS, time=float(moment))
        found.append("restored" if restored(rendered) else "passed" if passed(rendered) else "wrong")
    return found


@hosts
def test_killed_between_frames(bundle: Path, runtime: Path, profile: Profile) -> None:
    with Host(bundle, profile) as host, host.instance(onFailure="Pass") as instance:
        with program("good", runtime) as process:
            assert frames(instance, 3) == ["restored"] * 3
            process.kill()
            process.wait()
            began = time.monotonic()
            assert frames(instance, 3) == ["passed"] * 3
            assert time.monotonic() - began < 1 + PATIENCE
        with program("good", runtime):
            # Another link file than the one that failed ends the back-off.
            assert frames(instance, 3) == ["restored"] * 3


def test_killed_in_the_midst_of_a_frame(bundle: Path, runtime: Path) -> None:
    with (
        program("hang", runtime) as process,
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Pass", timeLimit=20.0) as instance,
    ):
        timer = later(0.3, process.pid, signal.SIGKILL)
        rendered = instance.render(PIXELS)
        timer.join()
        assert passed(rendered)
        assert 0.25 < rendered.seconds < 1.5


def test_a_lost_connection_is_tried_once_more(bundle: Path, runtime: Path) -> None:
    with (
        FakeSidecar("dies-often", runtime) as sidecar,
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Fail") as instance,
    ):
        assert restored(instance.render(PIXELS))
        assert sidecar.count(RENDER) == 2


def test_stopped(bundle: Path, runtime: Path) -> None:
    with (
        program("good", runtime) as process,
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Pass", timeLimit=1.0) as instance,
    ):
        assert restored(instance.render(PIXELS))
        stop(process.pid)
        try:
            rendered = instance.render(PIXELS)
            assert passed(rendered)
            assert rendered.seconds < 1 + PATIENCE
            assert instance.render(PIXELS).seconds < PATIENCE
        finally:
            os.kill(process.pid, signal.SIGCONT)
        instance.change("reconnect")
        assert frames(instance, 3) == ["restored"] * 3


def test_stopped_and_aborted(bundle: Path, runtime: Path) -> None:
    with (
        program("good", runtime) as process,
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Pass") as instance,
    ):
        assert restored(instance.render(PIXELS))
        stop(process.pid)
        try:
            rendered = instance.render(PIXELS, abort_at=time.monotonic() + 0.2)
        finally:
            os.kill(process.pid, signal.SIGCONT)
        assert passed(rendered)
        assert rendered.seconds < ABORTED


def test_stopped_before_the_first_frame(bundle: Path, runtime: Path) -> None:
    with program("good", runtime) as process, Host(bundle, RESOLVE) as host:
        stop(process.pid)
        try:
            began = time.monotonic()
            with host.instance(onFailure="Pass", timeLimit=5.0) as instance:
                assert passed(instance.render(PIXELS))
            assert time.monotonic() - began < 3 + PATIENCE
        finally:
            os.kill(process.pid, signal.SIGCONT)


def test_reconnect_ends_the_back_off(bundle: Path, runtime: Path) -> None:
    with (
        FakeSidecar("garbage", runtime) as sidecar,
        Host(bundle, RESOLVE) as host,
        host.instance(onFailure="Pass") as instance,
    ):
        assert passed(instance.render(PIXELS))
        sidecar.behaviour = "good"
        assert passed(instance.render(PIXELS))
        instance.change("reconnect")
        assert restored(instance.render(PIXELS))


@pytest.mark.parametrize("behaviour", ["failed", "busy", "bad-request"])
def test_a_frame_that_fails_is_no_reason_to_give_up(bundle: Path, runtime: Path, behaviour: str) -> None:
    with FakeSidecar(behaviour, runtime) as sidecar, Host(bundle, RESOLVE) as host:
        with host.instance(onFailure="Pass") as instance:
            assert passed(instance.render(PIXELS))
            sidecar.behaviour = "good"
            assert restored(instance.render(PIXELS))
        # The model may be announced on another one.
        assert sidecar.connections <= 2


def test_the_reason_is_told_with_what_to_do(bundle: Path, runtime: Path) -> None:
    with FakeSidecar("failed", runtime), Host(bundle, RESOLVE) as host, host.instance() as instance:
        instance.render(PIXELS)
        (told,) = [text for action, _, text in host.messages if action == "OfxImageEffectActionRender"]
        assert "The model is missing" in told
        assert "Run snapupscale models" in told


def test_reconnect_is_bounded(bundle: Path, runtime: Path) -> None:
    with FakeSidecar("hang", runtime, at=HELLO), Host(bundle, RESOLVE) as host, host.instance() as instance:
        began = time.monotonic()
        instance.change("reconnect")
        assert time.monotonic() - began < 2 + PATIENCE
        assert [kind for _, kind, _ in host.messages] == ["OfxMessageError"]


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root, to mount a small file system")
@pytest.mark.parametrize("size", ["8k", "1m"])
def test_memory_that_is_full(bundle: Path, size: str, tmp_path: Path) -> None:
    # Not /tmp itself: these files may lie there.
    mounts = " && ".join(f"mount -t tmpfs -o size={size} tmpfs {folder}" for folder in ("/dev/shm", tmp_path))
    command = f"{mounts} && exec {sys.executable} - {bundle}"
    folders = {"TMPDIR": str(tmp_path), "XDG_RUNTIME_DIR": "/dev/shm"}
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), **folders}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command], input=FULL, env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"this machine lets nobody mount: {done.stderr}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == "passed"
    assert "full" in done.stdout or "room" in done.stdout or "space" in done.stdout


FULL = """
import sys
from pathlib import Path
import numpy as np
from ofx_host.host import Host
from ofx_host.profiles import RESOLVE
from openfx.fake_sidecar import FakeSidecar
with FakeSidecar("good", Path("/dev/shm")), Host(Path(sys.argv[1]), RESOLVE) as host:
    with host.instance(onFailure="Pass") as instance:
        pixels = np.ones((720, 1280, 4), np.float32)
        result = instance.render(pixels).pixels
        print("passed" if (result == pixels).all() else "restored" if (result[..., 0] == 0).all() else "wrong")
    print(host.messages)
assert not list(Path("/dev/shm").glob("snapupscale-*"))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of POSIX")
def test_files_that_may_not_grow(bundle: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    command = ["sh", "-c", f"ulimit -f 1024 && exec {sys.executable} - {bundle}"]
    done = subprocess.run(
        command, input=LIMITED, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "passed\n"), done.stderr


# Python lets the signal of such a limit pass; other hosts die of it.
LIMITED = """
import os, signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
""" + FULL.replace('"/dev/shm"', 'os.environ["XDG_RUNTIME_DIR"]').replace("    print(host.messages)\n", "")
