from __future__ import annotations

import ast
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import snapupscale
from installs import COMMAND, contents, environ, place_of, plugin
from snapupscale import cli, protocol
from snapupscale.errors import SettingError
from snapupscale.installing.install import install, uninstall
from snapupscale.installing.payload import payload, program, scripts
from snapupscale.installing.places import Place, places

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["plugin"]
"""The fixture."""
PLACES = [(platform, everybody) for platform in ("win32", "darwin", "linux") for everybody in (False, True)]


@pytest.mark.parametrize(
    ("platform", "everybody", "menu"),
    [
        ("win32", False, "Users/Zoë Ω 映画/AppData/Roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion/Scripts"),
        ("win32", True, "ProgramData/Blackmagic Design/DaVinci Resolve/Fusion/Scripts"),
        (
            "darwin",
            False,
            "Users/Zoë Ω 映画/Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion/Scripts",
        ),
        ("darwin", True, "Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion/Scripts"),
        ("linux", False, "Users/Zoë Ω 映画/.local/share/DaVinciResolve/Fusion/Scripts"),
        ("linux", True, "opt/resolve/Fusion/Scripts"),
    ],
)
def test_scripts_go_where_the_editor_looks(tmp_path: Path, platform: str, everybody: bool, menu: str) -> None:
    (place,) = places(platform, environ(tmp_path), everybody=everybody, root=tmp_path)

    assert place.menu == tmp_path / menu / "Utility" / "SnapUpscale"
    assert place.menu.is_relative_to(place.editor)
    assert place.library.is_relative_to(tmp_path)


def test_the_editor_of_the_app_store_gets_its_own_copy_inside_its_container(tmp_path: Path) -> None:
    container = Path(environ(tmp_path)["HOME"]) / "Library/Containers/com.blackmagic-design.DaVinciResolveLite"
    container.mkdir(parents=True)

    usual, inside = places("darwin", environ(tmp_path))

    assert inside.menu == container / "Data/Library/Application Support/Fusion/Scripts/Utility/SnapUpscale"
    assert inside.library.is_relative_to(container / "Data")
    assert not usual.library.is_relative_to(container)
    assert len(places("darwin", environ(tmp_path), everybody=True, root=tmp_path)) == 1


def test_an_editor_in_the_other_folder_of_linux_is_found(tmp_path: Path) -> None:
    (tmp_path / "home/resolve").mkdir(parents=True)
    assert place_of(tmp_path, everybody=True).editor == tmp_path / "home/resolve"

    (tmp_path / "opt/resolve").mkdir(parents=True)
    assert place_of(tmp_path, everybody=True).editor == tmp_path / "opt/resolve"


@pytest.mark.parametrize("given", [{}, {"HOME": ""}, {"HOME": "here"}])
def test_a_user_without_folders_is_told(given: Mapping[str, str]) -> None:
    with pytest.raises(SettingError, match="HOME"):
        places("linux", given)


@pytest.mark.parametrize(("platform", "everybody"), PLACES)
def test_every_system_gets_all_files_and_loses_them_again(
    tmp_path: Path, plugin: Path, platform: str, everybody: bool
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    place = place_of(root, platform, everybody=everybody)

    install(place, payload(place, plugin, COMMAND), everybody=everybody)

    assert {str(path.relative_to(place.menu)) for path in place.menu.rglob("*")} == {
        "Mark Scene Cuts.py",
        "Mark Scene Cuts.lua",
        "Undo.py",
    }
    assert {str(path.relative_to(place.library)) for path in place.library.rglob("*") if path.is_file()} == {
        *("lua/editor.lua", "package/__init__.py", "package/deep/module.py"),
        *("snapupscale/__init__.py", "snapupscale/protocol.py", "snapupscale.json", "installed.json"),
    }
    assert (place.library / "snapupscale/protocol.py").read_bytes() == Path(protocol.__file__).read_bytes()
    assert json.loads((place.library / "snapupscale.json").read_text()) == {
        "command": COMMAND,
        "version": snapupscale.__version__,
    }

    uninstall(place, everybody=everybody)

    assert contents(root) == {}


@pytest.mark.parametrize("name", ["plain", "Zoë's \"Ω\" 映画", "back\\slash\nline", "emoji 🎬 @LIB@"])
def test_the_place_of_the_library_is_written_into_menu_scripts(tmp_path: Path, plugin: Path, name: str) -> None:
    lupa = pytest.importorskip("lupa.luajit21")
    place = Place(editor=tmp_path, menu=tmp_path / "menu", library=Path("/data") / name)

    found = payload(place, plugin, COMMAND)

    for script in ("Mark Scene Cuts.py", "Undo.py"):
        code = ast.parse(found[place.menu / script].decode("ascii"))
        assert isinstance(code.body[0], ast.Assign)
        assert ast.literal_eval(code.body[0].value) == str(place.library)
    lua = lupa.LuaRuntime(encoding=None)
    assert lua.execute(found[place.menu / "Mark Scene Cuts.lua"]) == str(place.library).encode()
    assert found[place.library / "lua/editor.lua"] == (plugin / "lua/editor.lua").read_bytes()


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names that are no text are a Linux thing")
def test_a_folder_whose_name_is_no_text_is_written_byte_for_byte(tmp_path: Path, plugin: Path) -> None:
    lupa = pytest.importorskip("lupa.luajit21")
    root = tmp_path / os.fsdecode(b"latin \xe9")
    place = place_of(root)

    install(place, payload(place, plugin, COMMAND))

    lua = lupa.LuaRuntime(encoding=None).execute((place.menu / "Mark Scene Cuts.lua").read_bytes())
    assert lua == os.fsencode(place.library)
    done = subprocess.run([sys.executable, place.menu / "Mark Scene Cuts.py"], capture_output=True, check=False)
    assert done.returncode == 0 or b"surrogates" in done.stderr
    uninstall(place)
    assert not place.menu.exists()


def test_the_scripts_of_this_copy_find_what_they_load(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    install(place, payload(place, scripts(), program()))

    menu = [path for path in place.menu.rglob("*") if path.is_file()]
    assert {path.suffix for path in menu} == {".py", ".lua"}
    assert all(b"@LIB@" not in path.read_bytes() for path in menu)

    code = "import sys; sys.path.insert(0, sys.argv[1]); from snapupscale_resolve import launch; print(launch.CONFIG); \
print(launch.command(sys.platform, {}, launch.CONFIG))"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code, str(place.library)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"},
        cwd=tmp_path,
        check=True,
    )

    config, command = done.stdout.splitlines()
    assert config == str(place.library / "snapupscale.json")
    assert ast.literal_eval(command) == program()
    uninstall(place)
    assert not place.library.exists()  # also what Python compiled there


def test_the_program_is_this_one() -> None:
    done = subprocess.run([*program(), "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == f"snapupscale {snapupscale.__version__}\n"
    assert Path(program()[0]).is_absolute()


def test_installing_twice_changes_nothing(tmp_path: Path, plugin: Path) -> None:
    place = place_of(tmp_path)
    content = payload(place, plugin, COMMAND)
    install(place, content)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    steps = install(place, content)

    assert {step.action for step in steps} == {"keep"}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_new_version_replaces_the_old_and_removes_what_it_no_longer_has(tmp_path: Path, plugin: Path) -> None:
    place = place_of(tmp_path / "root")
    install(place, payload(place, plugin, COMMAND))
    (plugin / "menu/Undo.py").unlink()
    (plugin / "menu/New.py").write_text("LIB = @LIB@\n")
    (plugin / "package/deep/module.py").write_text("VALUE = 2\n")

    steps = install(place, payload(place, plugin, COMMAND))

    assert sorted((step.action, step.path.name) for step in steps if step.action != "keep") == [
        ("remove", "Undo.py"),
        ("write", "New.py"),
        ("write", "module.py"),
    ]
    assert (place.library / "package/deep/module.py").read_text() == "VALUE = 2\n"
    uninstall(place)
    assert not (tmp_path / "root").exists()


def test_a_dry_run_says_the_same_and_touches_nothing(tmp_path: Path, plugin: Path) -> None:
    place = place_of(tmp_path)
    place.menu.mkdir(parents=True)
    (place.menu / "Undo.py").write_text("mine")
    before = contents(tmp_path)

    shown = install(place, payload(place, plugin, COMMAND), dry_run=True)
    assert contents(tmp_path) == before
    assert install(place, payload(place, plugin, COMMAND)) == shown

    before = contents(tmp_path)
    shown_removal = uninstall(place, dry_run=True)
    assert contents(tmp_path) == before
    assert uninstall(place) == shown_removal


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX thing")
def test_for_all_users_everybody_can_read_it(tmp_path: Path, plugin: Path) -> None:
    place = place_of(tmp_path, everybody=True)
    place.editor.mkdir(parents=True)
    old = os.umask(0o077)
    try:
        install(place, payload(place, plugin, COMMAND), everybody=True)
    finally:
        os.umask(old)

    for folder in (place.menu.parent, place.library):
        for path in [folder, *folder.rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644)


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    assert cli.main(["install", "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert list(tmp_path.iterdir()) == []
    assert cli.main(["install"]) == 0
    made = capsys.readouterr()
    assert made.out == shown.out
    assert "choose Workspace > Scripts > SnapUpscale" in made.err
    assert "has no folder" in made.err
    assert (tmp_path / "data/snapupscale/resolve/snapupscale.json").is_file()
    assert cli.main(["uninstall"]) == 0
    assert capsys.readouterr().out.count("remove") == made.out.count("write")
    assert list(tmp_path.rglob("*")) == []
    assert cli.main(["uninstall", "--user"]) == 0
    assert "nothing is installed for this user" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["install", "--user", "--all"])
