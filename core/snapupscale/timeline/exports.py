"""The forms an edit list can be written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snapupscale.errors import SettingError
from snapupscale.timeline.chapters import to_ffmetadata, to_matroska_chapters
from snapupscale.timeline.csv_table import to_csv
from snapupscale.timeline.edl import to_edl
from snapupscale.timeline.fcpxml import to_fcpxml
from snapupscale.timeline.pyscenedetect import to_scene_list

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
"""What a run leaves beside its stills; each key is also the suffix of the file."""
ON_REQUEST: dict[str, Callable[[EditList], str]] = {
    "pyscenedetect-csv": to_scene_list,
    "chapters": to_matroska_chapters,
    "ffmetadata": to_ffmetadata,
}
"""What is written only when it is asked for by name."""


def export(edit: EditList, format: str) -> str:
    """`edit` as text in one of `FORMATS` or `ON_REQUEST`, to be written as UTF-8 with its line ends as they are.

    Raises SettingError for an unknown format, and from the EDL for a rate that it has no timecode for.
    """
    known = FORMATS | ON_REQUEST
    if format not in known:
        raise SettingError(f"{format!r} is no export format", hint=f"Use one of {', '.join(known)}.")
    return known[format](edit)
