"""The shots as an edit decision list in the CMX 3600 form."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from snapupscale.errors import SettingError
from snapupscale.timecode import format_rate, nominal
from snapupscale.timeline.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snapupscale.scenes.shots import Shot, Transition
    from snapupscale.timeline.editlist import EditList, Still

_TITLE_LENGTH = 70
_REEL_LENGTH = 8
# In the reel column these stand for black and for colour bars, not for a reel.
_RESERVED_REELS = frozenset({"BL", "BLACK", "BARS"})


def to_edl(edit: EditList) -> str:
    """One cut event for each shot; an out point is the next in point, on the source and on the record side.

    Record timecodes are those of the source, so the list also splits the source as a pre-conformed clip. Cuts and
    transitions are locators at their first frame: a dissolve is no edit, since the source already holds it. Numbers
    go on with four digits after event 999, where CMX 3600 ends; current readers take them. Raises SettingError when
    the timecode of the rate needs three digits for frames, which the form has no room for.
    """
    if nominal(edit.rate) > 100:
        raise SettingError(
            f"an EDL has no room for timecode at {format_rate(edit.rate)} frames per second",
            hint="Use otio or fcpxml for rates above 100.",
        )
    if str(edit.timecode(edit.frames)) <= str(edit.start):
        raise SettingError("an EDL cannot hold footage that runs across midnight", hint="Use otio or fcpxml.")
    lines = [
        f"TITLE: {printable(edit.name)[:_TITLE_LENGTH]}",
        f"FCM: {'DROP FRAME' if edit.start.drop else 'NON-DROP FRAME'}",
        "",
    ]
    stills, transitions = edit.still_by_shot(), edit.transitions_by_shot()
    for shot in edit.shots:
        lines += _event(edit, shot)
        lines += _locators(edit, shot, transitions.get(shot.number, []))
        lines += _still_comment(edit, stills.get(shot.number))
        lines.append("")
    return "\n".join(lines)


def reel_name(edit: EditList) -> str:
    """At most eight of A to Z and 0 to 9, as the form allows; AX, for an unnamed source, when nothing is left."""
    stem = edit.source.stem if edit.sequence is None else edit.sequence.prefix
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode("ascii").upper()
    reel = re.sub(r"[^A-Z0-9]", "", plain)[:_REEL_LENGTH] or "AX"
    return f"{reel}1" if reel in _RESERVED_REELS else reel


def _event(edit: EditList, shot: Shot) -> Iterator[str]:
    span = f"{edit.timecode(shot.start)} {edit.timecode(shot.end)}"
    yield f"{shot.number:03}".ljust(5) + f"{reel_name(edit):8} V     C        {span} {span}"
    yield f"* FROM CLIP NAME:  {printable(edit.media.name)}"
    yield f"* FROM FILE: {printable(str(edit.media))}"
    if shot.number == 1:
        yield f"* FRAME RATE: {format_rate(edit.rate)}"


def _locators(edit: EditList, shot: Shot, transitions: list[Transition]) -> Iterator[str]:
    if shot.number > 1:
        yield f"* LOC: {edit.timecode(shot.start)} RED     CUT TO SHOT {shot.number}"
    for transition in transitions:
        text = f"{printable(transition.kind).upper()} {transition.end - transition.start} FRAMES"
        yield f"* LOC: {edit.timecode(transition.start)} MAGENTA {text}"


def _still_comment(edit: EditList, still: Still | None) -> Iterator[str]:
    if still is not None:
        yield f"* STILL {edit.timecode(still.frame)}: {printable(str(still.path))}"
