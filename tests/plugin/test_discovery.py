"""The plugin looks where the sidecar publishes, and believes only files that nobody else could have written."""

from __future__ import annotations

import os
import tempfile
import warnings
from typing import TYPE_CHECKING

import platformdirs
import pytest
from platformdirs.macos import MacOS
from platformdirs.windows import Windows

from plugin.servers import publish, published
from snapupscale.sidecar import discovery as sidecar
from snapupscale_resolve import discovery

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")


def chosen() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(platformdirs.user_runtime_path("snapupscale", appauthor=False))


def offered(platform: str) -> list[str]:
    return [os.path.join(each, "snapupscale") for each in discovery.folders(platform, os.environ)]  # noqa: PTH118


@posix
@pytest.mark.parametrize("kind", ["unset", "empty", "relative", "sound", "open", "missing", "link", "file"])
@pytest.mark.parametrize("temporary", [True, False])
def test_the_sidecars_folder_is_among_those_looked_into(
    kind: str, temporary: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "xdg"
    if kind in {"sound", "open", "link"}:
        (folder if kind != "link" else tmp_path / "real").mkdir(mode=0o700)
    if kind == "open":
        folder.chmod(0o755)
    if kind == "link":
        folder.symlink_to(tmp_path / "real")
    if kind == "file":
        folder.touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", {"empty": "", "relative": "run"}.get(kind, str(folder)))
    if kind == "unset":
        monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(tempfile, "tempdir", None)
    if not temporary:
        monkeypatch.delenv("TMPDIR")

    assert chosen() in offered("linux")
    if kind in {"sound", "missing"}:
        assert chosen() == offered("linux")[0]


@posix
def test_what_the_sidecar_publishes_is_found_without_xdg_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for without in (False, True):
        if without:
            monkeypatch.delenv("XDG_RUNTIME_DIR")
        mine = sidecar.Discovery(**published(4711, token=os.urandom(16).hex()))
        sidecar.write(mine)
        try:
            assert mine.token in [found.token for found in discovery.read()]
        finally:
            sidecar.remove(mine)


def test_mac_os_agrees(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (str(tmp_path), None, "relative", ""):
        if name is None:
            monkeypatch.delenv("XDG_RUNTIME_DIR")
        else:
            monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        monkeypatch.setenv("HOME", str(tmp_path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = MacOS("snapupscale", appauthor=False).user_runtime_dir
        assert theirs in offered("darwin"), name
    assert offered("darwin") == [str(tmp_path / "Library/Caches/TemporaryItems/snapupscale")]


def test_windows_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    local = "C:\\Users\\me\\AppData\\Local"
    monkeypatch.setattr("platformdirs.windows.get_win_folder", lambda name: {"CSIDL_LOCAL_APPDATA": local}[name])
    monkeypatch.setenv("LOCALAPPDATA", local)
    assert offered("win32") == [Windows("snapupscale", appauthor=False).user_runtime_dir]
    monkeypatch.setattr(discovery, "_local_folder", lambda: "D:\\Local")
    assert offered("win32")[0].startswith("D:\\Local")
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", "E:\\Local")
    assert [each[0] for each in offered("win32")] == ["E", "D", "C"]


def test_a_newer_file_is_read_as_far_as_it_is_known() -> None:
    publish(published(4711, more=[1]))
    (found,) = discovery.read()
    assert (found.port, found.pid, found.protocol, found.version) == (4711, 4242, 1, "0.1.0")
    assert found.token not in repr(found)
    assert discovery.unreadable() is None


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"[]", b"null", b"\x00", b"[" * 20000),
        *(published(port) for port in (0, -1, 65536)),
        *(published(4711, token=token) for token in ("", "short", "a" * 43 + "\r\nHost: evil", "\u00e4" * 43)),
        *(published(4711, **change) for change in ({"pid": "1"}, {"version": None})),
    ],
)
def test_nonsense_counts_as_none(content: object) -> None:
    publish(content)
    assert discovery.read() == []
    assert discovery.unreadable() is None


def test_a_file_of_a_newer_protocol_is_told_apart_from_nonsense() -> None:
    publish({"protocol": 99, "pipe": "x"})
    assert discovery.read() == []
    assert discovery.unreadable() == 99


@posix
def test_a_file_that_others_could_have_made_is_not_believed(tmp_path: Path) -> None:
    path = publish(published(4711))
    assert len(discovery.read()) == 1
    for each, mode in ((path, 0o644), (path, 0o660), (path.parent, 0o755)):
        before = each.stat().st_mode
        each.chmod(mode)
        assert discovery.read() == []
        each.chmod(before)
    real = path.rename(tmp_path / "real.json")
    path.symlink_to(real)
    assert discovery.read() == []
    path.unlink()
    path.mkdir()
    assert discovery.read() == []


@posix
def test_a_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    path = publish(published(4711))
    path.parent.rename(tmp_path / "real")
    path.parent.symlink_to(tmp_path / "real")
    assert discovery.read() == []


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_is_not_believed() -> None:
    path = publish(published(4711))
    for each in (path, path.parent):
        os.chown(each, 12345, 12345)
        assert discovery.read() == []
        os.chown(each, 0, 0)
    assert len(discovery.read()) == 1
