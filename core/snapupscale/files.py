"""Files that are whole or not there: write under a temporary name, sync, rename."""

from __future__ import annotations

import errno
import os
import re
import time
import zlib
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING

from snapupscale.errors import DiskFull, OutputError, OutputUnwritable
from snapupscale.processes import start_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_PREFIX = ".snapupscale-"
_OWNED = re.compile(re.escape(_PREFIX) + "([0-9]+)-([0-9a-f]{8})-")
_LONGEST = 86_400.0
"""Seconds for which a file of a process that can't be looked up is left alone."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def output_error(error: OSError, path: Path) -> OutputError:
    """The error of the tree that `error` stands for, with the path in its message."""
    if error.errno in _FULL:
        return DiskFull(f"no space left while writing {path}")
    return OutputUnwritable(f"cannot write {path}: {error.strerror or error}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on a clean exit it is synced and renamed to `path`, else removed.

    Raises DiskFull or OutputUnwritable instead of OSError. The suffix is kept, since writers choose the format by it.
    """
    temporary: Path | None = None
    try:
        fresh = path.with_name(f"{_PREFIX}{_own(os.getpid())}-{os.urandom(8).hex()}{path.suffix}")
        fresh.touch(exist_ok=False)
        temporary = fresh
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise output_error(error, path) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_parts(path: Path, parts: Iterable[bytes]) -> None:
    """Write `parts`, one after the other as they come, to `path`: all of them or none."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.writelines(parts)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 with the line ends it has, whole or not at all. What UTF-8 can't hold, as in a file name
    that isn't text, becomes a question mark."""
    write_bytes(path, text.encode("utf-8", "replace"))


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote to `folder`."""
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if not _is_being_written(path):
                path.unlink()


def _is_being_written(path: Path) -> bool:
    """Whether the process that began `path` may still be at it."""
    owner = _OWNED.match(path.name)
    if owner is None or _mark(os.getpid()) is None:
        return time.time() - path.stat().st_mtime < _LONGEST
    return _mark(int(owner[1])) == owner[2]


@cache
def _own(process: int) -> str:
    """How files of this process, which has this number, are named."""
    return f"{process}-{_mark(process) or 'unknown'}"


def _mark(process: int) -> str | None:
    """Tells the process with this number from others that had it, or will; None when none lives or none can be seen."""
    began = start_time(process)
    return None if began is None else f"{zlib.crc32(began.encode()):08x}"


def make_folder(path: Path) -> None:
    """Create `path` and its parents. Raises OutputUnwritable or DiskFull."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, path) from error


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Make the rename last too. The file is in place by now, so a folder that can't be synced is no failure."""
    if os.name != "posix":
        return
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
