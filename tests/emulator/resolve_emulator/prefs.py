"""Fusion's preferences: nested tables under dotted names, saved as a Lua table in Fusion.prefs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z_]\w*")


def read(table: dict[str, Any], key: str | None) -> Any:
    """The value under a dotted name, None where there is none; the whole table for no name."""
    found: Any = table
    for part in key.split(".") if key else ():
        found = found.get(part) if isinstance(found, dict) else None
    return found


def write(table: dict[str, Any], key: str, value: Any) -> None:
    """Set the value under a dotted name; None takes it away."""
    *path, last = key.split(".")
    for part in path:
        inner = table.get(part)
        if not isinstance(inner, dict):
            inner = table[part] = {}
        table = inner
    if value is None:
        table.pop(last, None)
    else:
        table[last] = value


def save(table: dict[str, Any], path: Path) -> None:
    """Write the file anew and put it in the place of the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(shown({"Locked": False, **table}, 0) + "\n", encoding="utf-8")
    draft.replace(path)


def shown(value: Any, depth: int = 0) -> str:
    """A value as Lua text, nested by tabs; only quotes, backslashes and line ends are escaped."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.17g}"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    pairs = enumerate(value, 1) if isinstance(value, list) else value.items()
    inner = "\t" * (depth + 1)
    lines = [f"{inner}{_key(name)} = {shown(part, depth + 1)},\n" for name, part in pairs]
    return "{\n" + "".join(lines) + "\t" * depth + "}"


def _key(name: Any) -> str:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    return f"[{shown(name, 0)}]"
