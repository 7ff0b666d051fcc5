"""Fleets whose processes die, hang or lose their GPU, and pictures that are errors."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from snapupscale.errors import (
    BackendUnavailable,
    DeviceLost,
    ImplausibleResult,
    OutOfMemory,
    SettingError,
    UpscaleError,
)
from snapupscale.upscale import fleet_process, shared_memory
from upscale import stand_in_gpu as deeds
from upscale.fleets import check, picture, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from snapupscale.upscale.fleet import Fleet

__all__ = ["start"]
"""The fixture."""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in ends itself by a signal")


def test_a_process_that_dies_costs_no_picture(start: Callable[..., Fleet], tmp_path: Path) -> None:
    pictures = [picture(number, tens=5) for number in range(16)]
    results = start().upscaled(pictures)
    given = [next(results) for _ in range(4)]
    for mark in tmp_path.glob("begun-5-*"):
        os.kill(int(mark.read_text()), signal.SIGKILL)
        break
    else:
        raise AssertionError("picture 5 had not been begun")
    check(given + list(results), pictures)


def test_the_gpu_of_a_process_that_died_gets_another(start: Callable[..., Fleet]) -> None:
    pictures = [picture(number, tens=2, deed=deeds.DIE_ONCE if number % 6 == 5 else 0) for number in range(18)]
    assert check(list(start(1).upscaled(pictures)), pictures) == {0}


def test_a_picture_that_ends_two_processes_is_an_error_in_its_place(start: Callable[..., Fleet]) -> None:
    pictures = [picture(number, tens=3, deed=deeds.DIE if number == 7 else 0) for number in range(20)]
    given: list[NDArray[Any]] = []
    with pytest.raises(UpscaleError, match="picture 7: two processes ended") as caught:
        given.extend(start().upscaled(pictures))
    check(given, pictures[:7])
    assert "--backend cpu" in caught.value.hint


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of silence is a hang, but for the start, which takes longer on a busy machine."""
    monkeypatch.setattr(fleet_process, "LEAST_SECONDS", 1.0)
    monkeypatch.setattr(fleet_process, "SLOWER", 0.0)
    monkeypatch.setattr(fleet_process, "FIRST_SECONDS", 1.5)


@pytest.mark.usefixtures("impatient")
def test_a_process_that_hangs_costs_no_picture(start: Callable[..., Fleet], caplog: pytest.LogCaptureFixture) -> None:
    pictures = [picture(number, tens=2, deed=deeds.HANG_ONCE if number == 5 else 0) for number in range(10)]
    assert check(list(start(1).upscaled(pictures)), pictures) == {0}
    assert [record.message for record in caplog.records if "was silent for 1 seconds, {'GPU': '0'" in record.message]


@pytest.mark.usefixtures("impatient")
def test_a_gpu_that_hangs_with_its_first_picture_is_done_without(start: Callable[..., Fleet], tmp_path: Path) -> None:
    pictures = [picture(number, tens=1, deed=deeds.HANG_ON_0) for number in range(12)]
    assert check(list(start().upscaled(pictures)), pictures) == {1}
    assert len(list(tmp_path.glob("begun-*-0"))) == 1


@pytest.mark.usefixtures("impatient")
def test_a_picture_that_hangs_two_processes_is_an_error_in_its_place(start: Callable[..., Fleet]) -> None:
    pictures = [picture(number, tens=3, deed=deeds.HANG if number == 7 else 0) for number in range(20)]
    given: list[NDArray[Any]] = []
    with pytest.raises(UpscaleError, match="picture 7: two processes ended, or had to be"):
        given.extend(start().upscaled(pictures))
    check(given, pictures[:7])


def test_gpus_that_never_start_are_lost(start: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_process, "START_SECONDS", 0.5)
    with pytest.raises(DeviceLost, match="a GPU gave no answer for 1 seconds") as caught:
        next(start(ASLEEP="1").upscaled([picture(0)]))
    assert "--backend cpu" in caught.value.hint


@pytest.mark.usefixtures("impatient")
def test_what_takes_long_and_goes_on_is_no_hang(
    start: Callable[..., Fleet], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = [picture(0), picture(1, tens=250, deed=deeds.WORK)]
    check(list(start(1).upscaled(pictures)), pictures)
    assert caplog.records == []


@pytest.mark.usefixtures("impatient")
def test_silence_that_nobody_listened_to_is_no_hang(
    start: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("snapupscale.upscale.fleet._AWAY", 0.5)
    pictures = [picture(0), picture(1, tens=180)]
    results = start(1).upscaled(pictures)
    given = [next(results)]
    time.sleep(1.3)
    check([*given, *results], pictures)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("ready", "proven", "pixels", "seconds"),
    [
        pytest.param(False, False, 0, 300, id="start"),
        pytest.param(True, False, 1e6, 420, id="first picture"),
        pytest.param(True, True, 1e6, 60, id="a small one"),
        pytest.param(True, True, 1e8, 400, id="a large one"),
        pytest.param(True, True, 0, 0, id="idle"),
    ],
)
def test_patience_follows_the_work(ready: bool, proven: bool, pixels: float, seconds: float) -> None:
    made = fleet_process.Process((sys.executable, "-c", "input()"), {}, {}, queue.SimpleQueue())
    try:
        made.ready, made.proven, made._slowest = ready, proven, 2e-7
        for index, share in enumerate((1, 0.5) if pixels else ()):
            view = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (int(pixels * share), 1, 3), (0, 0, 0))
            made.tasks[index] = fleet_process.Task(index=index, picture=view)
        assert made.overdue() == 0
        made._heard -= (seconds or 1e6) - 5
        assert made.overdue() == 0
        made._heard -= 10
        assert made.overdue() == pytest.approx(seconds + 5 if seconds else 0, abs=2)
        made.excuse()
        assert made.overdue() == 0
    finally:
        assert made.end()


@pytest.mark.parametrize(
    ("deed", "kind", "text"),
    [(deeds.REFUSE, ImplausibleResult, "picture 6: it is odd"), (deeds.FAIL, RuntimeError, "picture 6: KeyError")],
)
def test_a_picture_that_is_refused_is_an_error_in_its_place(
    deed: int, kind: type[Exception], text: str, start: Callable[..., Fleet]
) -> None:
    pictures = [picture(number, tens=0 if number == 6 else 3, deed=deed if number == 6 else 0) for number in range(20)]
    results = start().upscaled(pictures)
    check([next(results) for _ in range(6)], pictures[:6])
    with pytest.raises(kind, match=text):
        next(results)


def test_what_is_no_picture_is_an_error_in_its_place(start: Callable[..., Fleet]) -> None:
    results = start().upscaled([picture(0, tens=5), picture(1), np.zeros((4, 4, 2), np.uint8), picture(3)])
    check([next(results), next(results)], [picture(0, tens=5), picture(1)])
    with pytest.raises(SettingError, match=r"picture 2: a picture of shape \(4, 4, 2\)"):
        next(results)


def test_what_the_source_raises_comes_after_what_it_gave(start: Callable[..., Fleet]) -> None:
    def source() -> Iterator[NDArray[np.uint8]]:
        yield from (picture(number, tens=5) for number in range(3))
        raise OSError("the disk is gone")

    results = start().upscaled(source())
    check([next(results) for _ in range(3)], [picture(number, tens=5) for number in range(3)])
    with pytest.raises(OSError, match="the disk is gone"):
        next(results)


def test_a_lost_gpu_leaves_its_pictures_to_the_others(start: Callable[..., Fleet], tmp_path: Path) -> None:
    pictures = [picture(number, tens=1, deed=deeds.LOSE_ON_0 if number > 3 else 0) for number in range(16)]
    results = list(start().upscaled(pictures))
    check(results, pictures)
    assert {int(result[-1, -1, 0]) for result in results[4:]} == {1}
    assert len(list(tmp_path.glob("begun-*-0"))) <= 5


def test_without_any_gpu_left_it_is_lost(start: Callable[..., Fleet]) -> None:
    pictures = [picture(number, deed=deeds.LOSE if number == 9 else 0) for number in range(20)]
    results = start().upscaled(pictures)
    check([next(results) for _ in range(9)], pictures[:9])
    with pytest.raises(DeviceLost, match="unspecified launch failure") as caught:
        next(results)
    assert caught.value.code == "device-lost"


def test_gpus_that_cannot_be_used_at_all(start: Callable[..., Fleet]) -> None:
    with pytest.raises(BackendUnavailable, match="no such GPU"):
        next(start(ABSENT="1").upscaled([picture(0)]))
    with pytest.raises(UpscaleError, match="processes of all GPUs have ended"):
        next(start(STILLBORN="1").upscaled([picture(0)]))


def test_without_memory_to_share(start: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shared_memory, "_created", full)
    with pytest.raises(OutOfMemory, match="picture 0: no memory to share"):
        next(start().upscaled([picture(0)]))


ORPHAN = """
import os, sys
sys.path[:0] = [{folder!r}]
from upscale import fleets as cases
from snapupscale.upscale import shared_memory
from snapupscale.upscale.fleet import Fleet
from pathlib import Path
shared_memory._IN_MEMORY = Path({marks!r}, "rooms")
fleet = Fleet(cases.masks(2, Path({marks!r})), {{}}, cases.enlarged, command=cases.COMMAND)
results = fleet.upscaled(cases.picture(number, tens=1 if number < 4 else 250) for number in range(200))
[next(results) for _ in range(4)]
while not all(list(Path({marks!r}).glob(f"begun-*-{{gpu}}")) for gpu in range(2)):
    pass
{end}
list(results)
"""


@pytest.mark.parametrize(
    ("end", "code"),
    [("os.kill(os.getpid(), 9)", signal.SIGKILL), ("os.killpg(0, 2)", signal.SIGINT)],
    ids=["killed", "interrupted with all that it started"],
)
def test_nothing_is_left_of_a_program_that_ends_in_the_midst(end: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "rooms").mkdir()
    program = ORPHAN.format(folder=str(Path(__file__).parents[1]), marks=str(tmp_path), end=end)
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=False, start_new_session=True, capture_output=True, text=True)
    assert ended.returncode == -code
    assert ended.stderr.count("Traceback") == (code == signal.SIGINT)
    pids = {int(mark.read_text()) for mark in tmp_path.glob("begun-*")}
    until = time.monotonic() + 2
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)
    assert not list((tmp_path / "rooms").iterdir())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # What has ended stays until somebody asks for it, which in a container may be never.
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
