"""The sidecar's log: a few files that take turns, without any secret."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from platformdirs import user_log_path

from snapupscale.files import output_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_BYTES = 1 << 20
_OLDER_FILES = 2


def path() -> Path:
    """The file that is written to."""
    return user_log_path("snapupscale", appauthor=False) / "sidecar.log"


@contextmanager
def logging_to_file(redact: Callable[[str], str]) -> Iterator[Path]:
    """Write what is logged in this process to the log, after `redact` went over each entry, tracebacks included."""
    target = path()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = RotatingFileHandler(target, maxBytes=_BYTES, backupCount=_OLDER_FILES, encoding="utf-8", delay=False)
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
        handler.close()


class _Redacting(logging.Formatter):
    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The entry, on lines of its own."""
        return self._redact(super().format(record))
