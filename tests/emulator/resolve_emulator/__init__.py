"""An emulator of the scripting API of DaVinci Resolve, built from what is known of live builds (facts: resolve.md).

With the folder above on `sys.path`, scripts find it as `import DaVinciResolveScript`; tests build timelines, compare
runs and count calls with `workbench.Bench`, and run menu scripts with `python_host` and `lua_host`. RESOLVE_PROFILE,
RESOLVE_QUIRKS and RESOLVE_DATABASE choose the build, what is out of order, and where projects are saved.

State is plain data (`state`); each class of the API is a face over it (`*_face`); `remote` makes handles of both that
never raise; `surface` and `versions` say what each build has. Answers that no live build was seen to give, and that the
emulator had to decide, say so in their docstrings or stand in `UNKNOWN`.
"""

from __future__ import annotations

from resolve_emulator.application import Application, quit_application, running, start
from resolve_emulator.host import scriptapp

__all__ = ["UNKNOWN", "Application", "quit_application", "running", "scriptapp", "start"]

UNKNOWN = (
    "Two handles of one thing are not equal, in Python as in Lua: the strictest choice.",
    "A deleted thing's handle gives None for every call, as one of a closed project was recorded to.",
    "A take keeps the duration of its item; the quirk take_resizes is the other possibility.",
    "Deleting the selected take selects the one before; the last one left cannot be deleted.",
    "An item on a locked track takes no takes; its properties can be set.",
    "Where rates differ, GetSourceStartFrame is rounded to the timeline's grid: now and then one frame off, as seen.",
    "A take's endFrame is exclusive, as sent.",
    "AppendToTimeline cuts an endFrame behind the media's end off there.",
    "Ripple deletion moves a track up where it is free in the deleted span.",
    "Replacement media shorter than an item's span is refused (one user's report).",
    "A still without marks gets 5 seconds, rounded to frames.",
    "Missing tracks are made up to the one that AppendToTimeline names: recorded for the first above the topmost.",
    "Of a timeline that isn't the current one, the playhead and what lies under it are refused; edits are done.",
    "DetectSceneCuts works in the free edition too.",
    "An imported timeline becomes the current one; without a name it takes that in the file, a DRT that of the file.",
    "An EDL starts a timeline at its first record timecode, at the rate of the project.",
    "Exports leave out transitions, titles and generators. Their files hold the cut as other programs read it; the"
    " elements of transforms, the columns of tables behind the twelfth and a DRT are the emulator's own.",
    "In an OTIO, ranges count at the rate of the media.",
    "An EDL is written with EXPORT_NONE alone. AAF, ALE, Dolby Vision, HDR10, ImportIntoTimeline and rendering are"
    " refused, though live builds do them.",
)
"""What the emulator decided without a measurement."""
