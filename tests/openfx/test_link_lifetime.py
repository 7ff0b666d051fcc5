"""What the link leaves behind, which is nothing; and the sidecar that it starts, which is no child of the host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openfx.conftest import mappings
from openfx.fake_sidecar import MAP, FakeSidecar
from openfx.link_library import DONE, FAILED, HERE, Link, inverted, picture
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = Path("/dev/shm")


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def apart(runtime: Path) -> Iterator[None]:
    """A stand-in that is a process of its own, so that all descriptors of this one are the link's or stay."""
    command = [sys.executable, HERE / "fake_sidecar.py", "good", runtime]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield
        process.kill()


def _own() -> tuple[int, int, int]:
    """Descriptors, threads and mapped regions of shared memory."""
    threads, maps = len(list(Path("/proc/self/task").iterdir())), Path("/proc/self/maps").read_text()
    return _descriptors(), threads, maps.count("/snapupscale-")


@pytest.mark.usefixtures("apart")
def test_a_hundred_loads_leave_nothing(link: Link) -> None:
    source = picture("uint8")
    link.close()
    before = _own()

    for _ in range(100):
        link.open()
        assert link.render(source).outcome == DONE
        assert _own() == (before[0] + 1, before[1], before[2] + 1)
        link.close()
        assert _own() == before


def test_after_unloading_nothing_is_rendered(link: Link, runtime: Path) -> None:
    with FakeSidecar("good", runtime):
        link.close()
        result = link.render(picture())
        assert (result.outcome, result.why) == (FAILED, "The effect was unloaded")
        link.open()
        assert link.render(picture()).outcome == DONE


def test_loading_opens_nothing(library: Path, runtime: Path) -> None:
    before = _descriptors()
    found = Link(library)

    with FakeSidecar("good", runtime) as sidecar:
        found.open()
        assert sidecar.connections == 0
    assert _descriptors() == before
    found.close()


def test_the_name_of_the_memory_lives_as_long_as_the_handshake(link: Link, runtime: Path) -> None:
    seen: list[list[Path]] = []

    with FakeSidecar("slow", runtime, at=MAP, delay=0.1) as sidecar:
        thread = threading.Thread(target=link.render, args=(picture(),))
        thread.start()
        until(lambda: sidecar.count(MAP) == 1)
        seen.append(mappings(os.getpid()))
        thread.join()
        seen.append(mappings(os.getpid()))

    assert [len(paths) for paths in seen] == [1, 0]


@pytest.mark.parametrize("behaviour", ["hang", "truncated-header", "garbage", "failed"])
def test_no_name_is_left_after_a_failure(link: Link, runtime: Path, behaviour: str) -> None:
    with FakeSidecar(behaviour, runtime, at=MAP):
        assert link.render(picture(), seconds=0.2).outcome == FAILED
        if behaviour != "hang":
            assert not mappings(os.getpid())


def test_what_dead_processes_left_is_swept(library: Path, runtime: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead, ago = child.pid, time.time() - 120
    kept = [f"snapupscale-{os.getpid()}-{'0' * 16}", f"snapupscale-{dead}-notes", f"snapupscale-x-{'0' * 16}"]
    fresh, old = f"snapupscale-{dead}-{'1' * 16}", f"snapupscale-{dead}-{'2' * 16}"
    for name in (*kept, fresh, old):
        (runtime / name).touch()
        if name != fresh:
            os.utime(runtime / name, (ago, ago))
    found = Link(library)

    found.open()
    found.close()

    assert {path.name for path in runtime.glob("snapupscale-*")} == {*kept, fresh}


def test_folders_for_memory_are_tried_in_turn(link: Link, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSidecar("good", runtime) as sidecar:
        assert link.render(picture()).outcome == DONE
        link.library.probe_mappings_in(str(runtime).encode())
        assert link.render(picture(width=500)).outcome == DONE

    assert sidecar.names[0].startswith(f"{SHARED}/snapupscale-{os.getpid()}-")
    assert sidecar.names[1].startswith(f"{runtime}/snapupscale-{os.getpid()}-")


def test_an_unusual_umask_keeps_the_mode(link: Link, runtime: Path) -> None:
    before = os.umask(0o277)
    try:
        with FakeSidecar("good", runtime) as sidecar:
            os.umask(0o277)
            link.render(picture())
    finally:
        os.umask(before)

    assert len(sidecar.names) == 1


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory with room for a megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("a file system can't be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_file_system_is_a_failure_and_no_signal(link: Link, runtime: Path, small: Path) -> None:
    link.library.probe_mappings_in(str(small).encode())

    with FakeSidecar("good", runtime) as sidecar:
        full = link.render(picture(width=1920, height=1080))
        assert not list(small.iterdir())
        source = picture("uint8")
        fits = link.render(source)

    assert full.outcome == FAILED
    assert full.why == "There is no room for a picture of 31 MB in shared memory: free some, or make it larger"
    assert (fits.target == inverted(source)).all()
    # It isn't the connection that failed.
    assert sidecar.connections == 1


STARTED = """
import json, os, signal, sys
about = {
    "argv": sys.argv[1:], "cwd": os.getcwd(), "environment": dict(os.environ), "pid": os.getpid(),
    "parent": os.getppid(), "session": os.getsid(0), "group": os.getpgrp(),
    "descriptors": sorted(int(each) for each in os.listdir("/proc/self/fd"))[:-1],
    "input": os.readlink("/proc/self/fd/0"),
    "ignored": [each for each in (2, 3, 15, 17, 20) if signal.getsignal(each) == signal.SIG_IGN],
    "blocked": [int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
}
path = sys.argv[1]
with open(path + ".part", "w") as file:
    json.dump(about, file)
os.rename(path + ".part", path)
"""


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """The installer's file, which names a program that notes how it was started; where it notes that."""
    program = tmp_path / "started program.py"
    program.write_text(STARTED)
    notes = tmp_path / "notes.json"
    lines = [sys.executable, "-I", str(program), str(notes), 'a "b" $HOME `c`']
    (tmp_path / "sidecar.command").write_text("".join(f"{line}\n" for line in lines))
    return notes


def test_the_sidecar_is_started_apart_from_the_host(
    link: Link, started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONHOME", "LD_LIBRARY_PATH", "QT_PLUGIN_PATH", "RESOLVE_SCRIPT_API"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/opt/lib")
    link.open(started.parent)
    inherited, _ = os.pipe()
    os.set_inheritable(inherited, True)

    link.warm()
    about = json.loads(until(lambda: started.exists() and started.read_text()))

    assert about["argv"] == [str(started), 'a "b" $HOME `c`']
    assert about["cwd"] == os.environ["TMPDIR"]
    assert about["descriptors"] == [0, 1, 2]
    assert about["input"] == "/dev/null"
    for name in ("PYTHONHOME", "QT_PLUGIN_PATH", "RESOLVE_SCRIPT_API", "LD_LIBRARY_PATH_ORIG"):
        assert name not in about["environment"]
    assert about["environment"]["LD_LIBRARY_PATH"] == "/opt/lib"
    assert about["environment"]["HOME"] == os.environ["HOME"]
    assert about["parent"] != os.getpid()
    assert about["session"] not in {os.getsid(0), about["pid"]}
    assert about["ignored"] == about["blocked"] == []
    os.close(inherited)


def test_no_child_is_left(link: Link, started: Path) -> None:
    link.open(started.parent)

    link.warm()
    until(started.exists)

    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_frame_starts_nothing(link: Link, started: Path) -> None:
    link.open(started.parent)

    assert link.render(picture()).outcome == FAILED

    time.sleep(0.2)
    assert not started.exists()


def _starts(link: Link, notes: Path) -> bool:
    notes.unlink(missing_ok=True)
    link.warm()
    end = time.monotonic() + 0.4
    while time.monotonic() < end and not notes.exists():
        time.sleep(0.01)
    return notes.exists()


def test_starting_is_tried_every_thirty_seconds_and_five_times(link: Link, started: Path) -> None:
    link.open(started.parent)

    assert _starts(link, started)
    link.advance(29)
    assert not _starts(link, started)
    for _ in range(4):
        link.advance(30)
        assert _starts(link, started)
    link.advance(1000)
    assert not _starts(link, started)
    assert link.reconnect() == (False, "The sidecar of SnapUpscale wasn't running and is being started")


def test_a_sidecar_that_was_reached_may_be_started_five_times_more(link: Link, started: Path, runtime: Path) -> None:
    link.open(started.parent)
    for _ in range(5):
        assert _starts(link, started)
        link.advance(30)

    with FakeSidecar("good", runtime):
        link.warm()

    assert _starts(link, started)


def test_frames_wait_for_a_sidecar_that_is_starting(link: Link, started: Path, runtime: Path) -> None:
    link.open(started.parent)
    source = picture()
    link.warm()
    results = []
    thread = threading.Thread(target=lambda: results.append(link.render(source)))
    thread.start()
    time.sleep(0.2)
    assert thread.is_alive()

    with FakeSidecar("good", runtime):
        thread.join()

    assert results[0].outcome == DONE


def test_the_wait_for_a_start_is_bounded_and_can_be_given_up(link: Link, started: Path) -> None:
    link.open(started.parent)
    link.warm()

    start = time.monotonic()
    late = link.render(picture(), seconds=0.1)
    asked = iter([False, False, True])
    link.render(picture(), aborted=lambda: next(asked, True))
    assert time.monotonic() - start < 0.25
    link.advance(20)
    gone = link.render(picture())

    assert (late.outcome, late.why) == (FAILED, "The sidecar of SnapUpscale is still starting")
    assert (gone.outcome, gone.why) == (FAILED, "The sidecar of SnapUpscale isn't running")


@pytest.mark.parametrize("command", ["", "snapupscale\n", "\n/bin/true\n", "/x\n" * 17, "/bin/true\n" + "x" * 5000])
def test_a_command_that_makes_no_sense_starts_nothing(link: Link, tmp_path: Path, command: str) -> None:
    (tmp_path / "sidecar.command").write_text(command)
    link.open(tmp_path)

    assert link.reconnect() == (False, "The sidecar of SnapUpscale isn't running")


def test_a_program_that_is_gone_is_told(link: Link, tmp_path: Path) -> None:
    (tmp_path / "sidecar.command").write_text(f"{tmp_path}/gone\r\nsidecar\r\nserve\r\n")
    link.open(tmp_path)

    assert link.reconnect() == (
        False,
        "The sidecar of SnapUpscale can't be started (error 2): install SnapUpscale again",
    )
    # Nothing comes up, so that no frame waits for it.
    start = time.monotonic()
    link.render(picture())
    assert time.monotonic() - start < 0.1
