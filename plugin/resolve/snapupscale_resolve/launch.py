"""Starts the sidecar as a program of its own, which outlives the script and inherits nothing of the editor's Python."""

import os
import re
import subprocess
import sys
import tempfile
from typing import Dict, List, Mapping, NamedTuple, Optional

from snapupscale import protocol
from snapupscale_resolve.faults import CrashedAtStart, NotInstalled

CONFIG = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "snapupscale.json")
"""Written by the installer: {"command": [PROGRAM, ...], "version": TEXT}."""
_SERVE = ["sidecar", "serve"]
_LINES = 8
_TAIL_BYTES = 8192
_DETACHED = 0x00000008 | 0x00000200 | 0x08000000
"""DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP and CREATE_NO_WINDOW."""
_OLD = (3, 7)
"""Before it, Python on Windows refuses to close handles where it redirects output; none of its own are inherited."""
_OTHERS = ("PYTHON", "DYLD_", "_MEIPASS", "_PYI_", "FUSION_", "RESOLVE_", "QT_")
"""How the names of variables begin that are meant for the editor, its Python or its libraries."""
_OTHERS_WHOLE = ("LD_LIBRARY_PATH", "LD_PRELOAD", "__PYVENV_LAUNCHER__")
_KEPT = "_ORIG"
"""How the name ends under which a bundle made by PyInstaller keeps what it has replaced."""
_PLACES = {
    "win32": (r"{LOCALAPPDATA}\Programs\SnapUpscale", r"{PROGRAMFILES}\SnapUpscale"),
    "darwin": (
        "/Applications/SnapUpscale.app/Contents/MacOS",
        "{HOME}/Applications/SnapUpscale.app/Contents/MacOS",
        "{HOME}/.local/bin",
        "/opt/homebrew/bin",
        "/usr/local/bin",
    ),
    "linux": ("{HOME}/.local/bin", "/usr/local/bin", "/usr/bin", "/opt/snapupscale"),
}
"""Where SnapUpscale is installed as a rule; an editor started from a menu has a short PATH."""


class Ending(NamedTuple):
    """How a sidecar ended that was started here."""

    code: int
    """The exit code; that of a signal is negative."""
    said: str
    """The last lines of its errors, without secrets."""

    @property
    def another_runs(self) -> bool:
        """Whether it ended because there is one already."""
        return "code: sidecar-running" in self.said.splitlines()


class Started(object):
    """A sidecar that was just started."""

    def __init__(self, command: List[str], environ: Mapping[str, str]) -> None:
        """Raises CrashedAtStart when the system refuses."""
        # Nobody else can read it, and it is gone with the last process that has it open.
        self._ending = None  # type: Optional[Ending]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the process may write
        options = {"creationflags": _DETACHED} if sys.platform == "win32" else {"start_new_session": True}
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                close_fds=sys.platform != "win32" or sys.version_info >= _OLD,
                cwd=tempfile.gettempdir(),
                env=dict(environ),
                **options
            )
        except (OSError, ValueError) as error:
            self._errors.close()
            raise CrashedAtStart("%s cannot be started: %s" % (command[0], error)) from error

    def ended(self) -> Optional[Ending]:
        """How it ended; None while it runs."""
        code = self.process.poll()
        if self._ending is None and code is not None:
            self._ending = Ending(code, self._last_lines())
            self.let_go()
        return self._ending

    def let_go(self) -> None:
        """Leave the process to itself."""
        self._errors.close()

    def _last_lines(self) -> str:
        if self._errors.closed:
            return ""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _TAIL_BYTES))
        text = self._errors.read().decode("utf-8", "replace")
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        return _without_secrets("\n".join(lines[-_LINES:]))


def start() -> Started:
    """Start the sidecar that is installed. Raises NotInstalled or CrashedAtStart."""
    return Started(command(sys.platform, os.environ, CONFIG) + _SERVE, environment(os.environ))


def command(platform: str, environ: Mapping[str, str], config: str) -> List[str]:
    """The program to run: what the installer wrote down, else what is on the PATH, else in the usual places.

    Never the Python that runs this, which may be the editor itself. Raises NotInstalled.
    """
    chosen = _configured(config)
    if chosen and os.path.isfile(chosen[0]):
        return chosen
    name = "snapupscale.exe" if platform == "win32" else "snapupscale"
    for folder in _folders(platform, environ):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return [path]
    if chosen:
        raise NotInstalled("SnapUpscale is not where it was installed: %s is gone" % chosen[0])
    raise NotInstalled("SnapUpscale is not installed on this computer, or not for this user")


def environment(environ: Mapping[str, str]) -> Dict[str, str]:
    """`environ` without what is meant for the editor, its Python and its libraries; what a bundle had replaced is put
    back."""
    kept = {name: value for name, value in environ.items() if not _is_foreign(name.upper())}
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        original = environ.get(name + _KEPT)
        kept.pop(name + _KEPT, None)
        if original:
            kept[name] = original
    return kept


def _is_foreign(name: str) -> bool:
    return name.startswith(_OTHERS) or name in _OTHERS_WHOLE


def _configured(path: str) -> List[str]:
    """The command in the installer's file; empty without one. Raises NotInstalled for one that makes no sense."""
    try:
        with open(path, "rb") as file:
            found = protocol.decode(file.read()).get("command")
    except FileNotFoundError:
        return []
    except (OSError, protocol.Malformed) as error:
        raise NotInstalled("%s cannot be read: %s" % (path, error), hint=_AGAIN) from error
    words = found if isinstance(found, list) else []
    if not words or not all(isinstance(word, str) for word in words) or not os.path.isabs(words[0]):
        raise NotInstalled("%s names no program" % path, hint=_AGAIN)
    return words


def _folders(platform: str, environ: Mapping[str, str]) -> List[str]:
    # A relative folder would mean the current one, where anybody's programs may lie.
    found = [folder for folder in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(folder)]
    for place in _PLACES.get(platform, _PLACES["linux"]):
        try:
            found.append(place.format(**environ))
        except KeyError:
            continue  # the system has no such place
    return found


def _without_secrets(text: str) -> str:
    return re.sub(r"[A-Za-z0-9_-]{40,}", "[secret]", text)


_AGAIN = "Install SnapUpscale again, then choose Workspace > Scripts > SnapUpscale."
