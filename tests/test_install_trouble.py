"""Installing where something is in the way, where it fails or is killed half way, and where its record is damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from installs import COMMAND, contents, place_of, plugin
from snapupscale import files
from snapupscale.errors import DiskFull, OutputUnwritable
from snapupscale.installing import manifest
from snapupscale.installing.install import install, uninstall
from snapupscale.installing.payload import payload

__all__ = ["plugin"]
"""The fixture."""


def test_a_foreign_file_of_the_same_name_comes_back(tmp_path: Path, plugin: Path) -> None:
    place = place_of(tmp_path)
    place.menu.mkdir(parents=True)
    (place.menu / "Undo.py").write_text("mine")
    (place.menu / "Other.py").write_text("other")
    (place.menu / "Mark Scene Cuts.py").symlink_to(place.menu / "Other.py")
    before = contents(tmp_path / "Users")

    for _ in range(2):
        install(place, payload(place, plugin, COMMAND))
        assert (place.menu / "Undo.py").read_text() != "mine"
        assert (place.menu / "Undo.py.before-snapupscale").read_text() == "mine"
    (plugin / "menu/Undo.py").write_text("newer @LIB@")
    install(place, payload(place, plugin, COMMAND))
    uninstall(place)

    assert contents(tmp_path / "Users") == before
    assert (place.menu / "Mark Scene Cuts.py").is_symlink()


def test_a_foreign_file_comes_back_when_a_new_version_has_none_of_that_name(tmp_path: Path, plugin: Path) -> None:
    place = place_of(tmp_path)
    place.menu.mkdir(parents=True)
    (place.menu / "Undo.py").write_text("mine")
    install(place, payload(place, plugin, COMMAND))
    (plugin / "menu/Undo.py").unlink()

    install(place, payload(place, plugin, COMMAND))

    assert (place.menu / "Undo.py").read_text() == "mine"


def test_a_folder_in_the_way_is_moved_aside_and_comes_back(tmp_path: Path, plugin: Path) -> None:
    place = place_of(tmp_path)
    (place.menu / "Undo.py" / "inner").mkdir(parents=True)
    before = contents(tmp_path / "Users")

    install(place, payload(place, plugin, COMMAND))
    assert (place.menu / "Undo.py").is_file()
    uninstall(place)

    assert contents(tmp_path / "Users") == before


def test_what_the_user_edited_is_kept_by_both(tmp_path: Path, plugin: Path) -> None:
    place = place_of(tmp_path)
    install(place, payload(place, plugin, COMMAND))
    (place.menu / "Undo.py").write_text("edited")

    steps = install(place, payload(place, plugin, COMMAND))

    assert [(step.action, step.path.name) for step in steps if step.action != "keep"] == [
        ("back up", "Undo.py"),
        ("write", "Undo.py"),
    ]
    (place.menu / "Mark Scene Cuts.py").write_text("edited too")
    left = uninstall(place)
    assert left is not None
    assert [step.path.name for step in left if step.action == "leave"] == ["Mark Scene Cuts.py"]
    assert {path.name: path.read_text() for path in place.menu.iterdir()} == {
        "Undo.py": "edited",
        "Mark Scene Cuts.py": "edited too",
    }
    assert uninstall(place) is None


class Killed(BaseException):
    """What no handler catches."""


@pytest.mark.parametrize("update", [False, True])
def test_killed_at_any_moment_it_is_taken_away_whole_or_finished(
    tmp_path: Path, plugin: Path, update: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.write_bytes
    for writes in range(11):
        place = place_of(tmp_path / str(writes))
        place.menu.mkdir(parents=True)
        (place.menu / "Undo.py").write_text("mine")
        before = contents(place.editor)
        if update:
            install(place, payload(place, plugin, ["/older"]))
        done = []

        def write(path: Path, data: bytes, done: list[Path] = done, most: int = writes) -> None:
            if len(done) == most:
                raise Killed
            done.append(path)
            real(path, data)

        monkeypatch.setattr(files, "write_bytes", write)
        with pytest.raises(Killed):
            install(place, {path: data + b"\n" for path, data in payload(place, plugin, COMMAND).items()})
        monkeypatch.setattr(files, "write_bytes", real)
        if writes % 2:
            install(place, payload(place, plugin, COMMAND))
            assert (place.menu / "Undo.py.before-snapupscale").read_text() == "mine"
        uninstall(place)
        assert contents(place.editor) == before
        assert [path for path in place.library.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the administrator may write everywhere")
@pytest.mark.parametrize("everybody", [False, True])
def test_a_folder_that_is_read_only_is_named(tmp_path: Path, plugin: Path, everybody: bool) -> None:
    place = place_of(tmp_path, everybody=everybody)
    place.editor.mkdir(parents=True)
    place.editor.chmod(0o555)
    try:
        with pytest.raises(OutputUnwritable, match=r"Fusion.*[Pp]ermission") as raised:
            install(place, payload(place, plugin, COMMAND), everybody=everybody)
    finally:
        place.editor.chmod(0o755)
    assert "--all" in raised.value.hint
    assert ("sudo" in raised.value.hint) == everybody
    assert not place.library.exists()


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(28, "No space left on device")])
@pytest.mark.parametrize("writes", range(9))
def test_one_that_fails_half_way_leaves_what_was_there(
    tmp_path: Path, plugin: Path, writes: int, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(tmp_path)
    place.menu.mkdir(parents=True)
    (place.menu / "Undo.py").write_text("mine")
    before = contents(tmp_path / "Users")
    left = iter([None] * writes)
    real = Path.replace

    def rename(path: Path, target: Path) -> Path:
        for _ in left:
            return real(path, target)
        raise error

    monkeypatch.setattr(Path, "replace", rename)

    with pytest.raises(DiskFull if error.errno == 28 else OutputUnwritable) as raised:
        install(place, payload(place, plugin, COMMAND))

    assert raised.value.hint
    assert contents(tmp_path / "Users") == before


@pytest.mark.parametrize(
    "text",
    [
        "no record",
        "[]",
        '{"version": 2, "files": {}, "folders": []}',
        '{"version": 1, "files": {"/etc/passwd": {"sha256": "0"}}, "folders": []}',
        '{"version": 1, "files": {"MENU/../../x": {"sha256": "0"}}, "folders": []}',
        '{"version": 1, "files": {"MENU/x": {"sha256": "0", "backup": "../../y"}}, "folders": []}',
        '{"version": 1, "files": {"MENU/x": {}}, "folders": []}',
    ],
)
def test_a_record_that_makes_no_sense_removes_nothing(tmp_path: Path, plugin: Path, text: str) -> None:
    place = place_of(tmp_path)
    install(place, payload(place, plugin, COMMAND))
    (place.library / manifest.NAME).write_text(text.replace("MENU", str(place.menu)))
    before = contents(tmp_path)

    for change in (lambda: uninstall(place), lambda: install(place, payload(place, plugin, COMMAND))):
        with pytest.raises(OutputUnwritable, match="makes no sense"):
            change()

    assert contents(tmp_path) == before
