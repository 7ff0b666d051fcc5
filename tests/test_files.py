from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from snapupscale import files
from snapupscale.errors import Cancelled, DiskFull, OutputUnwritable
from snapupscale.files import (
    make_folder,
    output_error,
    remove_leftovers,
    replacing,
    write_bytes,
    write_parts,
    write_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals, modes and limits of POSIX")


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def run(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def write_half(path: Path, fault: BaseException) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise fault


def test_bytes_are_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"

    write_bytes(path, b"old and longer")
    write_bytes(path, b"new")

    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a.bin"]


def test_text_is_utf8_with_its_own_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "é\r\n東京\n")

    assert (tmp_path / "a.csv").read_bytes() == "é\r\n東京\n".encode()


def test_the_temporary_file_is_beside_the_target_with_its_suffix(tmp_path: Path) -> None:
    with replacing(tmp_path / "still.png") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"
        assert temporary.name.startswith(".")
        temporary.write_bytes(b"x")
        assert not (tmp_path / "still.png").exists()

    assert names(tmp_path) == ["still.png"]


@pytest.mark.parametrize("fault", [ValueError("x"), KeyboardInterrupt(), MemoryError()])
def test_a_fault_leaves_the_old_file_and_no_part(tmp_path: Path, fault: BaseException) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")

    with pytest.raises(type(fault)):
        write_half(path, fault)

    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("step", ["write", "sync", "rename"])
def test_a_full_disk_at_any_step(tmp_path: Path, number: int, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")

    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    target = {"write": (Path, "write_bytes"), "sync": (os, "fsync"), "rename": (Path, "replace")}[step]
    monkeypatch.setattr(*target, full)
    with pytest.raises(DiskFull, match=r"a\.bin") as caught:
        write_bytes(path, b"new")
    monkeypatch.undo()

    assert caught.value.hint
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


@POSIX
def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path: Path) -> None:
    said = run(f"""
import resource
from pathlib import Path
from snapupscale.errors import DiskFull
from snapupscale.files import write_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_bytes(Path({str(tmp_path)!r}) / "small", bytes(1000))
try:
    write_bytes(Path({str(tmp_path)!r}) / "large", bytes(1001))
except DiskFull:
    print("full")
""")

    assert said.split() == ["full"]
    assert names(tmp_path) == ["small"]


@pytest.mark.parametrize("name", ["missing/a.bin", "file/a.bin", "n" * 300, "folder"])
def test_what_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()

    with pytest.raises(OutputUnwritable, match=name[:20]):
        write_bytes(tmp_path / name, b"x")
    assert names(tmp_path) == ["file", "folder"]
    assert names(tmp_path / "folder") == []


def test_a_refused_permission_is_unwritable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "touch", refused)

    with pytest.raises(OutputUnwritable, match="Permission denied"):
        write_bytes(tmp_path / "a.bin", b"x")


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_unwritable(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputUnwritable):
            write_bytes(tmp_path / "a.bin", b"x")
    finally:
        tmp_path.chmod(0o700)


@POSIX
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_mode_is_that_of_a_new_file(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "a.bin", b"x")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)

    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == mode


@POSIX
def test_a_killed_writer_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    script = f"""
import sys, time
from pathlib import Path
from snapupscale.files import replacing
with replacing(Path({str(path)!r})) as temporary:
    temporary.write_bytes(b"half of the new")
    print("writing", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        writer.send_signal(signal.SIGKILL)
        assert writer.wait() == -signal.SIGKILL

    assert path.read_bytes() == b"old"
    assert [name for name in names(tmp_path) if not name.startswith(".snapupscale-")] == ["a.bin"]


def test_readers_never_see_a_part_while_writers_compete(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    contents = {bytes([value]) * 50_000 for value in range(4)}
    write_bytes(path, next(iter(contents)))
    faults: list[Exception] = []

    def rewrite(content: bytes) -> None:
        try:
            for _ in range(15):
                write_bytes(path, content)
        except Exception as error:
            faults.append(error)

    writers = [threading.Thread(target=rewrite, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        seen.add(path.read_bytes())
    for writer in writers:
        writer.join()

    assert not faults
    assert seen <= contents
    assert names(tmp_path) == ["a.bin"]


def test_folders_are_made_with_their_parents(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OutputUnwritable, match="file"):
        make_folder(tmp_path / "file" / "folder")


def test_errors_without_a_text_are_named_too() -> None:
    assert "cannot write a.bin" in str(output_error(OSError("odd"), Path("a.bin")))
    assert isinstance(output_error(OSError(errno.ENOSPC, "x"), Path("a.bin")), DiskFull)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process, in the midst of writing still.png."""
    script = f"""
from pathlib import Path
from snapupscale.files import replacing
with replacing(Path({str(tmp_path / "still.png")!r})):
    print(flush=True)
    input()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def test_what_is_being_written_stays(tmp_path: Path, writer: subprocess.Popen[bytes]) -> None:
    with replacing(tmp_path / "own.png"):
        before = names(tmp_path)
        remove_leftovers(tmp_path)
        assert names(tmp_path) == before
        assert len(before) == 2


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path, writer: subprocess.Popen[bytes]) -> None:
    for name in (".snapupscale.lock", "other.png"):
        (tmp_path / name).touch()
    writer.kill()
    # Nobody has asked yet how it ended, so its number is taken; a container may have nobody who ever does.
    os.waitid(os.P_PID, writer.pid, os.WEXITED | os.WNOWAIT) if sys.platform != "win32" else writer.wait()
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [".snapupscale.lock", "other.png"]


def test_another_process_with_the_number_of_the_writer_saves_nothing(tmp_path: Path) -> None:
    (tmp_path / f".snapupscale-{os.getpid()}-00000000-ab.png").touch()
    remove_leftovers(tmp_path)
    assert names(tmp_path) == []


def test_where_processes_cannot_be_looked_up_leftovers_stay_for_a_day(
    tmp_path: Path, writer: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "start_time", lambda _: None)
    (tmp_path / f".snapupscale-{os.getpid()}-unknown-ab.png").touch()
    before = names(tmp_path)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == before
    assert len(before) == 2
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    remove_leftovers(tmp_path)
    assert names(tmp_path) == []


def test_parts_are_one_file_or_none(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_parts(path, (b"%d," % number for number in range(3)))

    def failing() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        write_parts(path, failing())
    assert path.read_bytes() == b"0,1,2,"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
