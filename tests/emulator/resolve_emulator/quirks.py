"""Ways in which a live editor misbehaves, that a test may switch on."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Quirks:
    """What is out of order; all are off by default. `fail` holds the numbers of the calls that fail, from 1."""

    fairlight: bool = False
    """The application starts on the Fairlight page."""
    locked: bool = False
    """The tracks that a timeline starts with are locked."""
    modal: bool = False
    """A dialog is open: every call gives False, None or []."""
    append_drops: bool = False
    """AppendToTimeline places nothing and gives items without an id."""
    append_vanishes: bool = False
    """What AppendToTimeline placed is gone once the project is saved."""
    none_lists: bool = False
    """Calls that give a list fail with None, not with []."""
    still_ignores_end: bool = False
    """A still gets the standard duration even where its marks say otherwise."""
    end_inclusive: bool = False
    """AppendToTimeline takes endFrame as the last frame, so that items are one frame longer."""
    first_delete_fails: bool = False
    """The first Timeline.DeleteClips gives False and does nothing."""
    take_false: bool = False
    """AddTake gives False, adds no take, and yet makes the item a take selector."""
    take_resizes: bool = False
    """Selecting a take of another length changes the duration of the item."""
    drop_frame: bool = False
    """New projects run at 29.97 with drop frame."""
    free_python: bool = False
    """Python scripts run in every profile, to compare them with Lua ones."""
    external: bool = False
    """The script runs outside the application, which takes the Studio edition."""
    fail: frozenset[int] = frozenset()


def read_quirks(text: str) -> Quirks:
    """Read `fairlight,fail=12,fail=13`. Raises KeyError with the valid names."""
    names = {field.name for field in fields(Quirks)} - {"fail"}
    given = [part.strip() for part in text.split(",") if part.strip()]
    flags = [part for part in given if not part.startswith("fail=")]
    for flag in flags:
        if flag not in names:
            raise KeyError(f"no quirk {flag!r}; there are {', '.join(sorted(names))} and fail=N")
    numbers = frozenset(int(part[5:]) for part in given if part.startswith("fail="))
    return Quirks(fail=numbers, **dict.fromkeys(flags, True))
