"""Where DaVinci Resolve keeps the preferences that a sandboxed menu script can write, and where it is answered."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT = "Profiles/Default/Fusion.prefs"
_MOST_PROFILES = 16
_ROOTS = {
    "win32": (("APPDATA", "Blackmagic Design/DaVinci Resolve/Support/Fusion"),),
    "darwin": (
        ("HOME", "Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion"),
        (
            "HOME",
            "Library/Containers/com.blackmagic-design.DaVinciResolveLite/Data/Library/Application Support/Fusion",
        ),
    ),
    "linux": (("HOME", ".local/share/DaVinciResolve/Fusion"),),
}
"""Resolve's folder for Fusion: a variable and what follows it. The scripts' mailbox.lua holds the same, as seen from
inside of the App Store's sandbox, where HOME is the container."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One Resolve of this user."""

    prefs: Path
    """The file that scripts write through the editor."""
    inbox: Path
    """The folder that scripts read answers from."""


def places(platform: str, environ: Mapping[str, str]) -> tuple[Place, ...]:
    """Every Resolve that has a folder, one a profile. One that has not kept preferences yet does so for a script."""
    found = []
    for variable, rest in _ROOTS.get(platform, _ROOTS["linux"]):
        if environ.get(variable):
            root = Path(environ[variable], rest)
            others = sorted({*root.glob("Profiles/*/Fusion.prefs")} - {root / _DEFAULT})[:_MOST_PROFILES]
            prefs = (root / _DEFAULT, *others) if os.path.isdir(root) else ()  # noqa: PTH112  it never raises
            found += [Place(prefs=path, inbox=root / "SnapUpscale") for path in prefs]
    return tuple(found)
