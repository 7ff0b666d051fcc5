"""Where timeline sessions are kept: a folder each, with whole JSON files, of which the newest sessions stay."""

from __future__ import annotations

import json
import logging
import re
import secrets
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from snapupscale import files
from snapupscale.errors import OutputError, OutputUnwritable

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 200
"""Sessions that are kept."""
_HEAD = "session.json"
_NUMBER = re.compile(r"[0-9a-f]{16}")
_AGAIN = "It is damaged; choose the action from the menu again, which begins anew."
_log = logging.getLogger(__name__)


class Shelf:
    """Sessions by id. A session is there once its head is, which is written last; methods that write raise DiskFull or
    OutputUnwritable, and then have changed nothing that can be seen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.is_dir() and not (path / _HEAD).exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                files.remove_leftovers(path)

    def new_id(self) -> str:
        """An id that sorts behind those of all sessions, also when the clock was set back."""
        newest = next(iter(self.ids()), "").partition("-")[0]
        last = int(newest, 16) if _NUMBER.fullmatch(newest) else 0
        return f"{max(time.time_ns(), last + 1):016x}-{secrets.token_hex(6)}"

    def add(self, session: str, head: dict[str, Any], **parts: object) -> None:
        """Keep a new session, and forget the oldest beyond KEPT."""
        folder = self._folder / session
        try:
            files.make_folder(folder)
            for name, data in parts.items():
                self.write(session, name, data)
            self.replace(session, head)
        except OutputError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        for old in self.ids()[KEPT:]:
            # Without its head it is no session, even if the rest can't be removed.
            with suppress(OSError):
                (self._folder / old / _HEAD).unlink(missing_ok=True)
            shutil.rmtree(self._folder / old, ignore_errors=True)

    def ids(self) -> list[str]:
        """All sessions, the newest first."""
        return sorted((path.parent.name for path in self._folder.glob(f"*/{_HEAD}")), reverse=True)

    def head(self, session: str) -> dict[str, Any] | None:
        """What was last kept as the head of the session, or None where there is no such session."""
        try:
            found = self._read(self._folder / session / _HEAD)
        except OutputUnwritable as error:
            # One damaged file must not hide the other sessions.
            _log.warning("%s", error)
            return None
        return found if isinstance(found, dict) else None

    def replace(self, session: str, head: dict[str, Any]) -> None:
        """Keep another head."""
        self._write(self._folder / session / _HEAD, head)

    def part(self, session: str, name: str) -> Any:
        """A part of the session, or None where there is none."""
        return self._read(self._folder / session / f"{name}.json")

    def write(self, session: str, name: str, data: object) -> None:
        """Keep a part of the session."""
        self._write(self._folder / session / f"{name}.json", data)

    @staticmethod
    def _write(path: Path, data: object) -> None:
        files.write_text(path, json.dumps(data, allow_nan=False))

    @staticmethod
    def _read(path: Path) -> Any:
        try:
            return json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise OutputUnwritable(f"{path} cannot be read: {error}", hint=_AGAIN) from error
