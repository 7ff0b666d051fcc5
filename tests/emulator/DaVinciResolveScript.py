"""The module that scripts import: the door to the emulated application."""

from resolve_emulator.host import (
    createuuid,
    direxists,
    fileexists,
    getappname,
    getcurrentdir,
    getpid,
    gettime,
    getuptime,
    scriptapp,
    wait,
)

__all__ = [
    "createuuid",
    "direxists",
    "fileexists",
    "getappname",
    "getcurrentdir",
    "getpid",
    "gettime",
    "getuptime",
    "scriptapp",
    "wait",
]
