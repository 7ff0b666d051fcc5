"""Reads a list of shots that was made elsewhere: the formats that are taken, and the checks that hold for all."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from snapupscale.errors import ListUnreadable
from snapupscale.timeline.reading_edl import read_edl
from snapupscale.timeline.reading_table import read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from snapupscale.timeline.listing import Listing

LARGEST = 64 * 2**20
"""Bytes of the largest file that is taken."""
MOST = 100_000
"""The most events that are taken."""
_HINT = "Save it as plain text in UTF-8: an EDL (CMX 3600), an OTIO file, or a CSV table of shots."
_EDL = re.compile(r"^[ \t]*(?:TITLE:|FCM:|[0-9]{3,6}[ \t]+\S+[ \t]+\S+[ \t]+[CDWK])", re.MULTILINE)


def _read_otio(text: str) -> Listing:
    from snapupscale.timeline.reading_otio import read_otio  # noqa: PLC0415  opentimelineio is slow to load

    return read_otio(text)


READERS: Mapping[str, Callable[[str], Listing]] = {"edl": read_edl, "otio": _read_otio, "csv": read_table}
"""Each key is also the suffix of the file; other suffixes are told by what the file holds."""


def read_list(path: Path) -> Listing:
    """The events of the list in the file `path`, one or more. Nothing that the file names is opened. Raises
    ListUnreadable."""
    text = _text(path)
    listing = READERS[_kind(path, text)](text)
    if not listing.events:
        raise ListUnreadable(f"{path.name} holds no picture event")
    if len(listing.events) > MOST:
        raise ListUnreadable(f"{path.name} holds {len(listing.events)} events; {MOST} are the most")
    return listing


def _text(path: Path) -> str:
    """The file as text with LF line ends. What isn't UTF-8 can only be in names, and becomes U+FFFD."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ListUnreadable(f"{path} is not a regular file")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ListUnreadable(f"{path} cannot be read: {reason}", hint="Check the path and its permissions.") from error
    if len(data) > LARGEST:
        raise ListUnreadable(f"{path.name} is larger than {LARGEST // 2**20} MiB, and no list of shots", hint=_HINT)
    if b"\0" in data:
        raise ListUnreadable(f"{path.name} is no plain text", hint=_HINT)
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ListUnreadable(f"{path.name} is empty", hint=_HINT)
    return text


def _kind(path: Path, text: str) -> str:
    suffix = path.suffix[1:].lower()
    if suffix in READERS:
        return suffix
    if text.lstrip().startswith("{"):
        return "otio"
    if _EDL.search(text):
        return "edl"
    if any("frame" in line.lower() for line in text.split("\n", 3)[:3]):
        return "csv"
    raise ListUnreadable(f"{path.name} is no list of shots in a form that is known", hint=f"Use {', '.join(READERS)}.")
