"""What a script host offers beside the API: scriptapp, waiting, time and a look at the file system."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resolve_emulator.application import running
from resolve_emulator.remote import RemoteObject, handle
from resolve_emulator.state import Root

if TYPE_CHECKING:
    from resolve_emulator.application import Application


def scriptapp(name: Any = None, *_where: Any) -> RemoteObject | None:
    """The Resolve or Fusion object for a Python script; None where Python finds no application: in the free edition
    from 21.1, and outside the application in any free edition (facts 0 and 2)."""
    app = running()
    runs = app.profile.python and (app.profile.studio or not app.quirks.external)
    return app_object(app, name) if runs or app.quirks.free_python else None


def app_object(app: Application, name: Any) -> RemoteObject | None:
    """The object of that name, whatever the edition: what the host itself puts into a script."""
    return handle(app, Root(name)) if name in {"Resolve", "Fusion"} else None


def wait(seconds: float) -> None:
    """Wait, or move the fake clock on where there is one."""
    app = running()
    if app.on_wait:
        app.on_wait()
    if app.clock is None:
        time.sleep(seconds)
    else:
        app.clock += seconds


def gettime() -> float:
    """Seconds, of the fake clock where there is one."""
    clock = running().clock
    return time.monotonic() if clock is None else clock


def fileexists(path: str) -> bool:
    return Path(path).is_file()


def direxists(path: str) -> bool:
    return Path(path).is_dir()


def getpid() -> int:
    return os.getpid()


def createuuid() -> str:
    return running().new_id()


def getcurrentdir() -> str:
    return str(Path.cwd())


def getappname() -> str:
    return "Resolve"


def getuptime() -> float:
    return gettime()
