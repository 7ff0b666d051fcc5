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
from snapupscale import cli, files, protocol
from snapupscale.errors import DiskFull, OutputUnwritable, SettingError
from snapupscale.installing import manifest
from snapupscale.installing.install import install, uninstall
from snapupscale.installing.payload import payload, program, scripts
from snapupscale.installing.places import Place, places

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = ["/opt/snapupscale/snapupscale"]
PLACES = [(platform, everybody) for platform in ("win32", "darwin", "linux") for everybody in (False, True)]


def environ(root: Path) -> dict[str, str]:
    """The folders of a user whose name has a space and letters of several scripts, under a fake root."""
    home = root / "Users" / "Zoë Ω 映画"
    return {
        "HOME": str(home),
        "APPDATA": str(home / "AppData" / "Roaming"),
        "LOCALAPPDATA": str(home / "AppData" / "Local"),
        "PROGRAMDATA": str(root / "ProgramData"),
    }


def place_of(root: Path, platform: str = "linux", *, everybody: bool = False) -> Place:
    return places(platform, environ(root), everybody=everybody, root=root)[0]


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """Menu scripts in both languages, what they load, and what is not for installing."""
    folder = tmp_path / "plugin"
    for name, text in {
        "menu/Mark Scene Cuts.py": 'LIB = "@LIB@"\nprint(LIB)\n',
        "menu/Undo.py": "LIB = @LIB@\n",
        "lua/menu/Mark Scene Cuts.lua": "local lib = '@LIB@'\nreturn lib\n",
        "lua/editor.lua": "-- '@LIB@' stays in what is no menu script\n",
        "package/__init__.py": "",
        "package/deep/module.py": "VALUE = 1\n",
        "package/__pycache__/module.py": "stale",
        ".hidden.py": "hidden",
        "README.md": "not for the editor",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def contents(root: Path) -> dict[str, bytes]:
    """Every file under `root`; folders have an empty content and a slash."""
    return {
        f"{path.relative_to(root)}{'/' if path.is_dir() else ''}": b"" if path.is_dir() else path.read_bytes()
        for path in sorted(root.rglob("*"))
    }


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
