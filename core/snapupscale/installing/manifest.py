"""The record of an installation: what was written where, and what was there before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from snapupscale import files
from snapupscale.errors import OutputUnwritable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snapupscale.installing.places import Place

NAME = "installed.json"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file that was written: the hash of its content; the name that a file of somebody else's was given which stood
    in its place; and, while it is being replaced, the hash of what it was. The last two may be empty."""

    sha256: str
    backup: str = ""
    earlier: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Files by path, and the folders that were made for them, outer ones first."""

    files: Mapping[str, Entry] = field(default_factory=dict)
    folders: tuple[str, ...] = ()


def sha256(content: bytes) -> str:
    """The hash of a file's content, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def read(place: Place) -> Manifest | None:
    """What was installed at `place`; None where nothing was. Raises OutputUnwritable for a record that can't be read,
    or that names what is not in the folders of `place`."""
    path = place.library / NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        found = Manifest(
            files={str(name): Entry(**entry) for name, entry in data["files"].items()},
            folders=tuple(str(name) for name in data["folders"]),
        )
        if data["version"] != VERSION or not all(_belongs(name, entry, place) for name, entry in found.files.items()):
            raise ValueError(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputUnwritable(
            f"the record of what is installed makes no sense: {path}",
            hint=f"Remove {path}, {place.menu} and {place.library}, then install again.",
        ) from error
    return found


def write(place: Place, manifest: Manifest) -> None:
    """Keep `manifest`. Raises OutputUnwritable or DiskFull."""
    data = {
        "version": VERSION,
        "files": {name: asdict(entry) for name, entry in manifest.files.items()},
        "folders": manifest.folders,
    }
    files.write_text(place.library / NAME, json.dumps(data, indent=1) + "\n")


def _belongs(name: str, entry: Entry, place: Place) -> bool:
    """Whether an entry is of a file in our folders: nothing else is ever removed."""
    path = type(place.menu)(name)
    inside = any(path.is_relative_to(folder) for folder in (place.menu, place.library)) and ".." not in path.parts
    return inside and isinstance(entry.sha256, str) and type(path)(entry.backup).name == entry.backup
