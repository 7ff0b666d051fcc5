"""Timeline.Export: which formats are written, and how."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resolve_emulator import archive, constants, exchange_edl, exchange_fcpxml, exchange_otio, exchange_table
from resolve_emulator import exchange_xmeml as xmeml
from resolve_emulator.exchange import Cut, read_timeline
from resolve_emulator.face import need, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolve_emulator.application import Application
    from resolve_emulator.state import Timeline

DRT_MEMBER = "timeline.json"
BUNDLE_MEMBER = "Info.fcpxml"
_PLAIN: dict[str, Callable[[Cut], str]] = {
    "EXPORT_EDL": exchange_edl.write,
    "EXPORT_FCP_7_XML": xmeml.write,
    "EXPORT_FCPXML_1_8": lambda cut: exchange_fcpxml.write(cut, "1.8"),
    "EXPORT_FCPXML_1_9": lambda cut: exchange_fcpxml.write(cut, "1.9"),
    "EXPORT_FCPXML_1_10": lambda cut: exchange_fcpxml.write(cut, "1.10"),
    "EXPORT_OTIO": exchange_otio.write,
    "EXPORT_TEXT_CSV": lambda cut: exchange_table.write(cut, ","),
    "EXPORT_TEXT_TAB": lambda cut: exchange_table.write(cut, "\t"),
}
"""Writers by the names of the constants. AAF, ALE, Dolby Vision and HDR10 are refused."""


def export(app: Application, timeline: Timeline, path: Any, kind: Any, subtype: Any) -> None:
    """Write the file, or for FCPXML 1.10 the folder with `Info.fcpxml` in it, as recorded on 19.1.3. Refuses an EDL
    without a subtype, and the subtypes of an EDL other than EXPORT_NONE."""
    known = constants.of("Resolve", app.profile.version)
    formats = [name for name in (*_PLAIN, "EXPORT_DRT") if known.get(name) == kind and not isinstance(kind, bool)]
    target = Path(text(path))
    need(formats and target.is_absolute() and target.parent.is_dir())
    name = formats[0]
    need(name != "EXPORT_EDL" or subtype == known["EXPORT_NONE"])
    if name == "EXPORT_DRT":
        _write_drt(app, timeline, target)
        return
    size = [int(app.project.settings[f"timelineResolution{side}"]) for side in ("Width", "Height")]
    content = _PLAIN[name](read_timeline(timeline, (size[0], size[1])))
    if name == "EXPORT_FCPXML_1_10":
        target.mkdir(exist_ok=True)
        target /= BUNDLE_MEMBER
    target.write_bytes(content.encode())


def _write_drt(app: Application, timeline: Timeline, target: Path) -> None:
    """Resolve's own form is an archive too, of a content that is not known here; this one keeps everything."""
    shown = {item.clip.id: item.clip for item in timeline.items() if item.clip}
    shown |= {take.clip.id: take.clip for item in timeline.items() for take in item.takes}
    saved = archive.encoded_timeline(timeline, [clip for clip in shown.values() if clip.timeline is not timeline])
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr(zipfile.ZipInfo(DRT_MEMBER), json.dumps(saved, sort_keys=True))
