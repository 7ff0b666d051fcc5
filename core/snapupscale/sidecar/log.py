"""The sidecar's log: a few files that take turns, without any secret."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from platformdirs import user_log_path

from snapupscale.files import output_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import TextIOWrapper
    from pathlib import Path

_BYTES = 1 << 20
_OLDER_FILES = 2
_TAIL_BYTES = 32 << 10


def path() -> Path:
    """The file that is written to."""
    return user_log_path("snapupscale", appauthor=False) / "sidecar.log"


def size() -> int:
    """Bytes that the files take; 0 when there are none."""
    total = 0
    for file in _all_files():
        with suppress(OSError):
            total += file.stat().st_size
    return total


def last_lines(count: int) -> list[str]:
    """At most so many of the last lines, the newest last, with bytes that are no text replaced."""
    lines: list[str] = []
    for file in _all_files():
        with suppress(OSError), file.open("rb") as data:
            begin = max(0, data.seek(0, os.SEEK_END) - _TAIL_BYTES)
            data.seek(begin)
            whole = data.read(_TAIL_BYTES).decode("utf-8", "replace").splitlines()
            lines = [*whole[1 if begin else 0 :], *lines]
        if len(lines) >= count:
            break
    return lines[-count:]


@contextmanager
def logging_to_file(redact: Callable[[str], str]) -> Iterator[Path]:
    """Write what is logged in this process to the log, after `redact` went over each entry, tracebacks included."""
    target = path()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _Files(target, maxBytes=_BYTES, backupCount=_OLDER_FILES, encoding="utf-8", delay=False)
    except OSError as error:
        raise output_error(error, target) from error
    handler.setFormatter(_Redacting(redact))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield target
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        with suppress(OSError):
            handler.close()


def _all_files() -> list[Path]:
    """The newest first."""
    newest = path()
    return [newest, *(newest.with_name(f"{newest.name}.{number + 1}") for number in range(_OLDER_FILES))]


class _Files(RotatingFileHandler):
    """Files that this user alone can read. An entry that the disk doesn't take is lost, and nothing else is: what
    logging would print of it could fill the pipe of a starter that doesn't read, and the sidecar would wait for ever.
    """

    def doRollover(self) -> None:
        """Begin a new file; go on with the old one where it can't be moved, as on Windows while it is looked at."""
        try:
            super().doRollover()
        except OSError:
            self.stream = None  # the next entry opens it again

    def handleError(self, record: logging.LogRecord) -> None:
        """An entry could not be written."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8")


class _Redacting(logging.Formatter):
    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The entry, on lines of its own."""
        return self._redact(super().format(record))
