"""The forms an edit list can be written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snapupscale.errors import SettingError
from snapupscale.timeline.csv_table import to_csv
from snapupscale.timeline.edl import to_edl
from snapupscale.timeline.fcpxml import to_fcpxml

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.timeline.editlist import EditList


def _to_otio(edit: EditList) -> str:
    from snapupscale.timeline.otio import to_otio  # noqa: PLC0415  opentimelineio is slow to load

    return to_otio(edit)


FORMATS: dict[str, Callable[[EditList], str]] = {
    "csv": to_csv,
    "edl": to_edl,
    "otio": _to_otio,
    "fcpxml": to_fcpxml,
}
"""Each key is also the suffix of the file."""


def export(edit: EditList, format: str) -> str:
    """`edit` as text in one of `FORMATS`, to be written as UTF-8 with its line ends as they are.

    Raises SettingError for an unknown format, and from the EDL for a rate that it has no timecode for.
    """
    if format not in FORMATS:
        raise SettingError(f"{format!r} is no export format", hint=f"Use one of {', '.join(FORMATS)}.")
    return FORMATS[format](edit)
