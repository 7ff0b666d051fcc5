"""What is installed: the menu scripts with the place of their library written in, what they load, how to start."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import snapupscale
from snapupscale import __version__, protocol
from snapupscale.errors import OutputUnwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from snapupscale.installing.places import Place

CONFIG = "snapupscale.json"
"""Read by the menu scripts: `{"command": [PROGRAM, ...], "version": TEXT}`."""
_PLACEHOLDER = re.compile(r"""(["']?)@LIB@\1""")
_MENU = "menu"
_INIT = b'"""What the menu scripts share with the program."""\n'
_PACKAGE = Path(snapupscale.__file__).parent


def scripts() -> Path:
    """The folder of the menu scripts: in the installed package, else in the checkout. Raises OutputUnwritable."""
    for folder in (_PACKAGE / "plugin" / "resolve", _PACKAGE.parents[1] / "plugin" / "resolve"):
        if folder.is_dir():
            return folder
    raise OutputUnwritable("this copy of SnapUpscale comes without menu scripts", hint="Install SnapUpscale again.")


def program() -> list[str]:
    """The command that starts this SnapUpscale, its first word an absolute path."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    python = Path(sys.executable)
    script = python.with_name("snapupscale.exe" if sys.platform == "win32" else "snapupscale")
    return [str(script)] if script.is_file() else [str(python), "-m", "snapupscale"]


def payload(place: Place, source: Path, command: Sequence[str]) -> Mapping[Path, bytes]:
    """The content of each file to be installed at `place`, out of the folder `source`.

    Every .py and .lua file is taken, whatever its name: those in a folder `menu` are menu scripts, in which `@LIB@`,
    with or without quotes, becomes the library's path as a literal; the others keep their places in the library. Menu
    scripts come last, so that none is listed before what it loads is there.
    """
    library: dict[Path, bytes] = {}
    menu: dict[Path, bytes] = {}
    for path in sorted(source.rglob("*")):
        inner = path.relative_to(source)
        literal = _LITERALS.get(path.suffix)
        if literal is None or not path.is_file() or any(part.startswith((".", "__pycache__")) for part in inner.parts):
            continue
        content = path.read_bytes()
        if _MENU in inner.parts[:-1]:
            name = Path(*inner.parts[inner.parts.index(_MENU) + 1 :])
            menu[place.menu / name] = _filled(content, literal(str(place.library)))
        else:
            library[place.library / inner] = content
    library[place.library / "snapupscale" / "__init__.py"] = _INIT
    library[place.library / "snapupscale" / "protocol.py"] = Path(protocol.__file__).read_bytes()
    config = {"command": list(command), "version": __version__}
    library[place.library / CONFIG] = (json.dumps(config, indent=1) + "\n").encode()
    return {**library, **menu}


def _filled(content: bytes, literal: str) -> bytes:
    return _PLACEHOLDER.sub(lambda match: literal, content.decode("utf-8")).encode("utf-8")


def _lua(text: str) -> str:
    """`text` as a Lua string in ASCII: its bytes in UTF-8, others than plain ones as decimal escapes."""
    data = text.encode("utf-8", "surrogateescape")
    plain = {*range(0x20, 0x7F)} - {ord('"'), ord("\\")}
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03}" for byte in data) + '"'


_LITERALS: Mapping[str, Callable[[str], str]] = {".py": ascii, ".lua": _lua}
"""How each language writes a string."""
