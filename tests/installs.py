"""Menu scripts to install, the folders of a user to install them into, and what is there then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from snapupscale.installing.places import Place, places

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = ["/opt/snapupscale/snapupscale"]


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
