"""The memory that an effect shares with the process that makes its frames: made, sized and named by the effect."""

from __future__ import annotations

import mmap
import os
import stat
import sys
from contextlib import suppress

from snapupscale.errors import SettingError

COOKIE_BYTES = 16
_WINDOWS_NAMES = "Local\\snapupscale-"
_HINT = "The effect makes the mapping; its user alone may read it, and it is as large as it says."


def open_mapping(name: str, cookie: bytes, size: int) -> mmap.mmap:
    """The mapping `name` of `size` bytes, which begins with `cookie`.

    POSIX: `name` is the absolute path of a regular file, no link, of this user, mode 0600. Windows: that of a section.
    Raises SettingError.
    """
    try:
        opened = _open(name, size)
    except (OSError, ValueError) as error:
        raise _refused(f"it cannot be opened: {error}") from error
    if opened[:COOKIE_BYTES] != cookie:
        opened.close()
        raise _refused("its cookie is another one")
    return opened


def close_mapping(opened: mmap.mmap) -> None:
    """Unmap it now, or, if something still refers to its memory, with the last of that."""
    with suppress(BufferError):
        opened.close()


if sys.platform == "win32":

    def _open(name: str, size: int) -> mmap.mmap:
        if not name.startswith(_WINDOWS_NAMES):
            raise _refused("its name is no name of a mapping")
        # A section that isn't there is made by this, and has no cookie.
        return mmap.mmap(-1, size, tagname=name)

else:

    def _open(name: str, size: int) -> mmap.mmap:
        if not os.path.isabs(name):  # noqa: PTH117  a name, of which no other part matters
            raise _refused("its name is no absolute path")
        # A pipe must not be waited for.
        handle = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise _refused("it is no regular file")
            if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) != 0o600:
                raise _refused("it is not the user's alone")
            if status.st_size != size:
                raise _refused(f"it has {status.st_size} bytes, not {size}")
            return mmap.mmap(handle, size)
        finally:
            os.close(handle)


def _refused(reason: str) -> SettingError:
    return SettingError(f"the mapping is refused: {reason}", hint=_HINT)
