from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from snapupscale import processes, protocol
from snapupscale.errors import SidecarRunning, SidecarUnsafe
from snapupscale.sidecar import discovery
from snapupscale.sidecar.discovery import Discovery

if TYPE_CHECKING:
    from pathlib import Path

STRANGER = 12345
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")


def mine() -> Discovery:
    started = processes.start_time(os.getpid())
    assert started
    return Discovery(protocol=1, pid=os.getpid(), start_time=started, port=4711, token="secret", version="0.1.0")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_read() -> None:
    assert discovery.read() is None
    discovery.write(mine())
    assert discovery.read() == mine()
    assert json.loads(discovery.path().read_text()).keys() == {
        "protocol",
        "pid",
        "start_time",
        "port",
        "token",
        "version",
    }


def test_nobody_else_can_read_it_even_with_umask_0(runtime: Path) -> None:
    before = os.umask(0)
    try:
        discovery.write(mine())
        with discovery.only_one():
            assert mode(discovery.path().with_name("sidecar.lock")) == 0o600
    finally:
        os.umask(before)
    assert mode(discovery.path()) == 0o600
    assert mode(discovery.path().parent) == 0o700


def test_an_open_folder_is_closed_to_others() -> None:
    discovery.path().parent.mkdir(mode=0o755)
    discovery.path().parent.chmod(0o777)
    discovery.write(mine())
    assert mode(discovery.path().parent) == 0o700


def test_a_missing_folder_above_is_made_private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "made"))
    before = os.umask(0)
    try:
        discovery.write(mine())
    finally:
        os.umask(before)
    assert mode(discovery.path().parent) == 0o700


def test_a_planted_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    discovery.write(mine())
    discovery.path().unlink()
    discovery.path().symlink_to(victim)

    discovery.write(mine())

    assert victim.read_text() == "precious"
    assert not discovery.path().is_symlink()
    assert discovery.read() == mine()


def test_a_link_is_not_read(tmp_path: Path) -> None:
    discovery.write(mine())
    real = discovery.path().rename(tmp_path / "real.json")
    discovery.path().symlink_to(real)
    assert discovery.read() is None


def test_a_folder_in_place_of_the_file_counts_as_none() -> None:
    discovery.write(mine())
    discovery.path().unlink()
    discovery.path().mkdir(mode=0o700)
    assert discovery.read() is None


def test_a_folder_that_is_a_link_is_refused(runtime: Path, tmp_path: Path) -> None:
    (runtime / "snapupscale").symlink_to(tmp_path)
    with pytest.raises(SidecarUnsafe, match="link"):
        discovery.write(mine())
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(runtime: Path) -> None:
    (runtime / "snapupscale").write_text("")
    with pytest.raises(SidecarUnsafe, match="no folder"), discovery.only_one():
        pass


@as_root
def test_a_folder_of_another_user_is_refused(runtime: Path) -> None:
    (runtime / "snapupscale").mkdir()
    os.chown(runtime / "snapupscale", STRANGER, STRANGER)
    with pytest.raises(SidecarUnsafe, match="another user"):
        discovery.write(mine())
    assert list((runtime / "snapupscale").iterdir()) == []


@as_root
def test_a_file_of_another_user_is_not_believed_and_replaced() -> None:
    discovery.write(mine())
    os.chown(discovery.path(), STRANGER, STRANGER)
    assert discovery.read() is None
    discovery.write(mine())
    assert discovery.read() == mine()
    assert discovery.path().stat().st_uid == os.getuid()


def test_a_file_that_others_could_read_is_not_believed() -> None:
    discovery.write(mine())
    discovery.path().chmod(0o644)
    assert discovery.read() is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "null", "\x00", "[" * 20000, '{"pid": 1}'),
        *(json.dumps({**vars(mine()), **change}) for change in ({"port": "4711"}, {"pid": True}, {"token": None})),
    ],
)
def test_nonsense_counts_as_no_sidecar(text: str) -> None:
    discovery.write(mine())
    discovery.path().write_text(text)
    assert discovery.read() is None


def test_what_a_newer_version_added_is_left_out() -> None:
    discovery.write(mine())
    discovery.path().write_bytes(protocol.encode({**vars(mine()), "socket": "/x", "protocol": 99}))
    assert discovery.read() == replace(mine(), protocol=99)
    discovery.remove(mine())
    assert not discovery.path().exists()


def test_a_runtime_folder_that_nobody_can_trust_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError("runtime directory is owned by uid 12345")

    monkeypatch.setattr(discovery, "user_runtime_path", refuse)
    assert discovery.read() is None
    with pytest.raises(SidecarUnsafe, match="uid 12345"), discovery.only_one():
        pass


def test_the_dead_and_those_with_a_number_used_again_count_as_none() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = processes.start_time(child.pid)
        assert started
        theirs = replace(mine(), pid=child.pid, start_time=started)
        discovery.write(theirs)
        assert discovery.read() == theirs
        discovery.write(replace(theirs, start_time=f"{started}0"))
        assert discovery.read() is None
        discovery.write(theirs)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert discovery.read() is None, "it has ended, though its parent hasn't asked how"
    assert discovery.read() is None


def test_only_its_own_file_is_removed() -> None:
    discovery.write(mine())
    discovery.remove(replace(mine(), token="older"))
    assert discovery.read() == mine()
    discovery.remove(mine())
    assert not discovery.path().exists()
    discovery.remove(mine())


def test_nothing_else_is_left_in_the_folder() -> None:
    discovery.write(mine())
    discovery.write(mine())
    assert [path.name for path in discovery.path().parent.iterdir()] == ["sidecar.json"]


def test_the_second_is_told_of_the_first() -> None:
    with discovery.only_one():
        discovery.write(mine())
        with pytest.raises(SidecarRunning, match=f"process {os.getpid()} on port 4711"), discovery.only_one():
            pass
    with discovery.only_one():
        pass


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(mine())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no ps")
def test_ps_tells_processes_apart_as_proc_does() -> None:
    own = processes._from_ps(os.getpid())
    assert own
    assert own == processes._from_ps(os.getpid())
    assert processes._from_ps(2**22 + 1) is None
    assert processes.start_time(0) is None
