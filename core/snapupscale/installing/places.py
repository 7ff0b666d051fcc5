"""The folders of DaVinci Resolve on each system, and those of ours beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MENU = Path("Fusion/Scripts/Utility/SnapUpscale")
"""The scripts of Utility are listed on all pages of the editor, those in a folder in it as a submenu."""
_COMPANY = Path("Blackmagic Design/DaVinci Resolve")
_CONTAINER = Path("Library/Containers/com.blackmagic-design.DaVinciResolveLite")
_LIBRARY = "resolve"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one kind of DaVinci Resolve finds its scripts.

    `editor` is the folder that the editor makes when it is installed or first started, `menu` the one that the menu
    scripts go to, `library` the one for what they load. All are absolute.
    """

    editor: Path
    menu: Path
    library: Path


def places(
    platform: str, environ: Mapping[str, str], *, everybody: bool = False, root: Path = Path("/")
) -> tuple[Place, ...]:
    """The places for the user, or for `everybody`, on `platform` (as `sys.platform`) under the folder `root`.

    On macOS a user has a second one where the editor of the App Store has been started: it reads nothing outside its
    container. Raises SettingError when `environ` doesn't say where the user's folders are.
    """
    if platform == "win32":
        return _windows(environ, everybody=everybody)
    if platform == "darwin":
        return _mac(root if everybody else _folder(environ, "HOME"), everybody=everybody)
    return _linux_all(root) if everybody else _linux(_folder(environ, "HOME"), environ)


def _windows(environ: Mapping[str, str], *, everybody: bool) -> tuple[Place, ...]:
    if everybody:
        data = _folder(environ, "PROGRAMDATA")
        editor, own = data / _COMPANY, data
    else:
        editor, own = _folder(environ, "APPDATA") / _COMPANY / "Support", _folder(environ, "LOCALAPPDATA")
    return (Place(editor=editor, menu=editor / _MENU, library=own / "SnapUpscale" / _LIBRARY),)


def _mac(base: Path, *, everybody: bool) -> tuple[Place, ...]:
    support = base / "Library/Application Support"
    editor, library = support / _COMPANY, support / "SnapUpscale" / _LIBRARY
    found = [Place(editor=editor, menu=editor / _MENU, library=library)]
    if not everybody and (base / _CONTAINER).is_dir():
        inside = base / _CONTAINER / "Data/Library/Application Support"
        found.append(Place(editor=inside, menu=inside / _MENU, library=inside / "SnapUpscale" / _LIBRARY))
    return tuple(found)


def _linux(home: Path, environ: Mapping[str, str]) -> tuple[Place, ...]:
    editor = home / ".local/share/DaVinciResolve"
    chosen = Path(environ.get("XDG_DATA_HOME", ""))
    data = chosen if chosen.is_absolute() else home / ".local/share"
    return (Place(editor=editor, menu=editor / _MENU, library=data / "snapupscale" / _LIBRARY),)


def _linux_all(root: Path) -> tuple[Place, ...]:
    usual, other = root / "opt/resolve", root / "home/resolve"
    editor = other if other.is_dir() and not usual.is_dir() else usual
    return (Place(editor=editor, menu=editor / _MENU, library=root / "usr/local/share/snapupscale" / _LIBRARY),)


def _folder(environ: Mapping[str, str], name: str) -> Path:
    path = Path(environ.get(name, ""))
    if not path.is_absolute():
        raise SettingError(
            f"{name} doesn't say where the folders are that DaVinci Resolve reads",
            hint=f"Set {name} to an absolute path and run it again.",
        )
    return path
