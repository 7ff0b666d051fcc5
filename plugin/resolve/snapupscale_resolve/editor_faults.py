"""What keeps the menu scripts from working in the editor, each with the cure.

Fault
└── EditorFault       the editor is not as it must be
    ├── NoEditor      the script runs outside of the editor
    ├── TooOld        the editor lacks what is needed
    ├── NotAnswering  a dialog is open
    ├── NothingOpen   no project or no timeline is open
    ├── NothingChosen no clip is there to work on
    └── Unreadable    something on the timeline can't be read
"""

from snapupscale_resolve.faults import Fault


class EditorFault(Fault):
    code = "editor"


class NoEditor(EditorFault):
    code = "no-editor"
    default_hint = (
        "Choose the script in DaVinci Resolve, under Workspace > Scripts > SnapUpscale. Outside of it, scripts need "
        "DaVinci Resolve Studio with Preferences > System > General > External scripting using: Local."
    )


class TooOld(EditorFault):
    code = "editor-too-old"
    default_hint = "Update DaVinci Resolve: its menu DaVinci Resolve > Check for Updates."


class NotAnswering(EditorFault):
    code = "editor-busy"
    default_hint = "Close every open dialog and message of DaVinci Resolve, then choose the menu again."


class NothingOpen(EditorFault):
    code = "nothing-open"
    default_hint = "Open a timeline on the Edit page, then choose the menu again."


class NothingChosen(EditorFault):
    code = "nothing-chosen"
    default_hint = "Put the playhead on a clip of a video track, then choose the menu again."


class Unreadable(EditorFault):
    code = "editor-unreadable"
    default_hint = "Choose the menu again. If it stays, close the timeline, open it again and try once more."
