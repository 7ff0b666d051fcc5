"""The Python host of the Scripts menu: runs a script file with the globals that the menu gives it (facts 2)."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING, Any

import DaVinciResolveScript as bmd
from resolve_emulator.application import running
from resolve_emulator.host import app_object

if TYPE_CHECKING:
    from pathlib import Path

    from resolve_emulator.application import Application


def menu_globals(app: Application | None = None) -> dict[str, Any]:
    """What a script of the menu finds beside Python's own names; nothing where Python scripts don't run."""
    here = app or running()
    if not (here.profile.python or here.quirks.free_python):
        return {}
    fusion = app_object(here, "Fusion")
    return {"resolve": app_object(here, "Resolve"), "fusion": fusion, "fu": fusion, "app": fusion, "bmd": bmd}


def run(path: Path) -> dict[str, Any]:
    """Run a script as the menu does; its globals at the end. Where Python scripts don't run, there is no entry in the
    menu for it: LookupError."""
    given = menu_globals()
    if not given:
        raise LookupError(f"{path.name} is not in the Scripts menu of this edition")
    return runpy.run_path(str(path), init_globals=given, run_name="__main__")
