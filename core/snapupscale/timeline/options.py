"""What the editor can choose for an action on a timeline."""

from __future__ import annotations

from dataclasses import dataclass

from snapupscale.errors import SettingError
from snapupscale.timeline.wire import decode

MARKER_COLOURS = (
    *("Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia"),
    *("Rose", "Lavender", "Sky", "Mint", "Lemon", "Sand", "Cocoa", "Cream"),
)
"""The colours of markers in DaVinci Resolve."""
CLIP_COLOURS = (
    *("Orange", "Apricot", "Yellow", "Lime", "Olive", "Green", "Teal", "Navy"),
    *("Blue", "Purple", "Violet", "Pink", "Tan", "Beige", "Brown", "Chocolate"),
)
"""The colours of clips in DaVinci Resolve."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """`color` is that of markers, `clip_colour` that of placed stills; `checkpoint`: duplicate the timeline before
    stills are placed; `session`: the one to undo, else the newest. Raises SettingError for a colour that is none."""

    color: str = "Sky"
    clip_colour: str = "Teal"
    checkpoint: bool = True
    session: str = ""

    def __post_init__(self) -> None:
        for name, value, colours in (
            ("color", self.color, MARKER_COLOURS),
            ("clip_colour", self.clip_colour, CLIP_COLOURS),
        ):
            if value not in colours:
                raise SettingError(f"{name}: {value[:40]!r} is no colour", hint=f"Colours: {', '.join(colours)}.")


def read_options(data: object) -> Options:
    """The options in a JSON object; other keys are left out. Raises SettingError as `wire.decode` does."""
    return decode(Options, data, "options")
