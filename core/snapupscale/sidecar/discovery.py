"""How the sidecar is found: one file in a folder that is the user's alone, and the lock that keeps it the only one."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
import warnings
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from platformdirs import user_runtime_path

from snapupscale import protocol
from snapupscale.errors import SidecarRunning, SidecarUnsafe
from snapupscale.files import output_error
from snapupscale.processes import start_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE = "sidecar.json"
_LOCK = "sidecar.lock"
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_MOST_BYTES = 65536


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """What a client needs to talk to the sidecar."""

    protocol: int
    pid: int
    start_time: str
    """See `processes.start_time`."""
    port: int
    """On 127.0.0.1."""
    token: str = field(repr=False)
    version: str


def path() -> Path:
    """Where the discovery file is, or would be."""
    return _folder() / _FILE


def read() -> Discovery | None:
    """The sidecar that runs now; None when there is none.

    A file that is a link, belongs to or can be read by another user, makes no sense, or is of a process that is gone
    counts as none. What a newer version may have added to it is left out.
    """
    data = read_private(_FILE)
    found = _decode(data) if data is not None else None
    return found if found and runs(found) else None


def runs(found: Discovery) -> bool:
    """Whether the process of `found` lives, and not another that was given its number."""
    return start_time(found.pid) == found.start_time


def write(found: Discovery) -> None:
    """Publish `found` in a file that this user alone can read; see `write_private`."""
    write_private(_FILE, protocol.encode(asdict(found)))


def read_private(name: str) -> bytes | None:
    """What a file of the folder holds; None unless it is no link, and this user's alone."""
    try:
        handle = os.open(_folder() / name, os.O_RDONLY | _NO_LINK | _NO_WAIT | _BINARY)
    except OSError:
        return None
    try:
        return os.read(handle, _MOST_BYTES) if _is_private(os.fstat(handle)) else None
    except OSError:
        return None
    finally:
        os.close(handle)


def write_private(name: str, data: bytes) -> None:
    """Put a file that this user alone can read into the folder, whole or not at all. A link that was planted in its
    place is replaced, not followed. Raises SidecarUnsafe or an OutputError."""
    target = _own_folder() / name
    temporary = target.with_name(f".{secrets.token_hex(8)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise output_error(error, target) from error


def remove(found: Discovery) -> None:
    """Remove the file if it is still the one of `found`."""
    with suppress(OSError):
        current = _decode(path().read_bytes())
        if current and secrets.compare_digest(current.token.encode(), found.token.encode()):
            path().unlink()


@contextmanager
def only_one() -> Iterator[None]:
    """Be the only sidecar of this user. Raises SidecarRunning when another is; its death frees the lock."""
    lock = FileLock(_own_folder() / _LOCK, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        other = read()
        where = f", process {other.pid} on port {other.port}" if other else " and is about to start or to stop"
        raise SidecarRunning(f"a sidecar runs already{where}") from error
    except OSError as error:
        raise output_error(error, _folder() / _LOCK) from error
    try:
        yield
    finally:
        lock.release()


def _folder() -> Path:
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it is a folder in /tmp, which is why _own_folder looks at whose it is.
        warnings.simplefilter("ignore")
        return user_runtime_path("snapupscale", appauthor=False)


def _own_folder() -> Path:
    """Make the folder, and see that it is this user's alone. Raises SidecarUnsafe."""
    try:
        folder = _folder()
    except PermissionError as error:
        raise SidecarUnsafe(str(error)) from error
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if sys.platform != "win32":
            _make_private(folder)
    except OSError as error:
        if error.errno in {errno.EEXIST, errno.ELOOP, errno.ENOTDIR}:
            raise SidecarUnsafe(f"{folder} is a link or no folder") from error
        raise output_error(error, folder) from error
    return folder


def _make_private(folder: Path) -> None:
    assert sys.platform != "win32"
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK)
    try:
        if os.fstat(handle).st_uid != os.getuid():
            raise SidecarUnsafe(f"{folder} belongs to another user")
        os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


def _is_private(status: os.stat_result) -> bool:
    if not stat.S_ISREG(status.st_mode):
        return False
    # Windows keeps the folder private by its access list, and its modes say nothing.
    return sys.platform == "win32" or (status.st_uid == os.getuid() and not status.st_mode & 0o077)


def _decode(data: bytes) -> Discovery | None:
    try:
        values = protocol.read_discovery(protocol.decode(data))
    except protocol.Malformed:
        return None
    return Discovery(**{name: values[name] for name in protocol.DISCOVERY})
