"""What a folder of stills holds, and how each was made: read by a run that goes on where another stopped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from snapupscale import files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "stills.json"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One finished still. `key` stands for everything that its pixels depend on; `sha256` is that of the file."""

    shot: int
    frame: int
    timecode: str
    key: str
    sha256: str
    made_with: dict[str, Any]


class Record:
    """The entries of one folder by file name, kept in `stills.json`. Every change is on disk before it returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._entries = self._read()

    def finished(self, name: str, key: str) -> bool:
        """Whether the still `name` is there, whole, and made as `key` says."""
        entry = self._entries.get(name)
        path = self._folder / name
        return entry is not None and entry.key == key and path.is_file() and _sha256(path) == entry.sha256

    def made_otherwise(self, name: str, key: str) -> bool:
        """Whether `name` is that of a still that is there and was made in another way than `key` says."""
        entry = self._entries.get(name)
        return entry is not None and entry.key != key and (self._folder / name).is_file()

    def add(self, name: str, *, shot: int, frame: int, timecode: str, key: str, made_with: Mapping[str, Any]) -> None:
        """Enter the still `name`, which is in place."""
        self._entries[name] = Entry(
            shot=shot,
            frame=frame,
            timecode=timecode,
            key=key,
            sha256=_sha256(self._folder / name),
            made_with=dict(made_with),
        )
        data = {"version": VERSION, "stills": {name: asdict(entry) for name, entry in self._entries.items()}}
        files.write_text(self._path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")

    def others(self, names: set[str]) -> list[str]:
        """Stills of earlier runs that are still there and not among `names`."""
        return sorted(name for name in self._entries if name not in names and (self._folder / name).is_file())

    def _read(self) -> dict[str, Entry]:
        """No entries where there is no record or a damaged one: then the stills are made again."""
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            if data["version"] != VERSION:
                return {}
            return {str(name): Entry(**entry) for name, entry in data["stills"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}


def key_of(parts: Mapping[str, Any]) -> str:
    """32 hexadecimal digits for a mapping of JSON types."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
