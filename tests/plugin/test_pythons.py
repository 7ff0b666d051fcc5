"""The plugin runs in whatever Python the editor has found, 3.6 or later, with its standard library alone."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import snapupscale_resolve
from sidecar.fakes import ask
from snapupscale import protocol
from snapupscale.sidecar import discovery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = Path(snapupscale_resolve.__file__).parent
MENU = PACKAGE.parent / "menu"
MODULES = [*sorted(PACKAGE.rglob("*.py")), *sorted(MENU.glob("*.py")), Path(protocol.__file__)]
# Modules of Python 3.6 that are in 3.14 too.
LIBRARY = {"http", "json", "os", "pwd", "re", "socket", "stat", "subprocess", "sys", "tempfile", "time", "typing"}
LIBRARY |= {"bisect", "collections", "contextlib", "ctypes", "functools", "html", "itertools", "math", "pathlib"}
LIBRARY |= {"signal", "traceback", "unicodedata", "urllib", "webbrowser"}
EDITOR = {"DaVinciResolveScript", "fusionscript", "typing_extensions"}
"""What the editor brings, and what is imported for the check of types alone."""
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from snapupscale_resolve.client import connect
from snapupscale_resolve.faults import Refused
client = connect()
job = client.submit({"kind": "probe", "source": sys.argv[2]})
done = client.wait([job["id"]])[job["id"]]
assert done["state"] == "done", done
assert client.events(0, job["id"])[-1]["data"] == {"state": "done"}
assert "/open#code=" in client.page_url("/x")
try:
    client.job("nobody")
except Refused as refusal:
    print(done["result"]["frames"], refusal.code, client.health()["pid"])
"""


def pythons() -> list[str]:
    """The oldest and the newest other Python of this machine, as far as there are any."""
    names = [f"python3.{minor}" for minor in range(6, 21) if minor != sys.version_info.minor]
    found = [path for name in names if (path := shutil.which(name)) and _runs(path)]
    pyenv = shutil.which("pyenv")
    if pyenv:
        versions = Path(pyenv).resolve().parents[1] / "versions"
        found += [str(path) for name in names for path in versions.glob(f"*/bin/{name}") if _runs(str(path))]
    ordered = sorted(found, key=lambda path: int(path.rpartition("3.")[2]))
    return list(dict.fromkeys([*ordered[:1], *ordered[-1:]]))


def _runs(path: str) -> bool:
    return subprocess.run([path, "-c", "import ssl, typing"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_syntax_and_imports_are_those_of_python_3_6(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
    for node in ast.walk(tree):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert not node.level
            names = [str(node.module)]
            if node.module == "snapupscale":
                assert {name.name for name in node.names} == {"protocol"}
        for name in names:
            assert name.split(".")[0] in LIBRARY | EDITOR | {"snapupscale", "snapupscale_resolve"}, name
        assert not isinstance(node, ast.Call) or _is_old(node), ast.unparse(node)


def _is_old(call: ast.Call) -> bool:
    """Whether a call has none of the options that 3.7 and 3.8 brought and that are easily used by mistake."""
    return not {"capture_output", "missing_ok", "dirs_exist_ok"} & {str(option.arg) for option in call.keywords}


NEVER = {"Execute", "FinalizeTake", "ReplaceClip", "ReplaceClipPreserveSubClip", "UIManager", "executable", "hasattr"}
"""What harms the editor, can't be taken back, or lies there."""
STUBS = Path(sysconfig.get_path("purelib")) / "fusionscript-stubs" / "fusionscript.pyi"
API = {node.name for node in ast.walk(ast.parse(STUBS.read_text())) if isinstance(node, ast.FunctionDef)}
"""The methods of the editor's objects."""
TOUCHING = {"editor.py", "items.py", "menu.py"}
"""The modules that call the editor; the last only to find it."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_the_editor_is_called_in_few_places_and_never_in_ways_that_harm(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not used & NEVER
    if path.name not in TOUCHING:
        assert not used & API, "a method of the editor"


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """The plugin as the installer lays it out. The sidecar that it starts is ended."""
    folder = tmp_path / "lib"
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "snapupscale").mkdir()
    (folder / "snapupscale" / "__init__.py").touch()
    shutil.copy(protocol.__file__, folder / "snapupscale")
    config = {"command": [sys.executable, "-m", "snapupscale"], "version": "0.1.0"}
    (folder / "snapupscale.json").write_text(json.dumps(config))
    yield folder
    found = discovery.read()
    if found:
        ask(found, "POST", protocol.STOP)


@pytest.mark.parametrize("python", [sys.executable, *pythons()])
def test_a_script_starts_the_sidecar_and_gets_its_answers(
    python: str, installed: Path, clip: Callable[..., Path]
) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environ.update(PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0", LD_LIBRARY_PATH="/nowhere/editor")
    result = subprocess.run(
        [python, "-I", "-c", PROGRAM, str(installed), str(clip("plugin.mp4", frames=30))],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        timeout=60,
    )
    found = discovery.read()
    assert result.stderr == ""
    assert found
    assert result.stdout.split() == ["30", "not-found", str(found.pid)]


MENU_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from snapupscale_resolve.menu import ACTIONS, run
print([run(action, {"bmd": None}) for action in sorted(ACTIONS)])
"""


@pytest.mark.parametrize("python", [sys.executable, *pythons()])
def test_the_menu_says_what_is_missing_in_every_python(python: str, installed: Path, tmp_path: Path) -> None:
    environ = {"TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/nowhere", "HOME": str(tmp_path)}
    result = subprocess.run(
        [python, "-I", "-W", "error", "-c", MENU_PROGRAM, str(installed)],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        timeout=60,
    )
    assert result.stderr == ""
    assert result.stdout.endswith("[False, False, False, False, False]\n")
    assert "SnapUpscale: Show Shots: DaVinci Resolve is not there." in result.stdout
