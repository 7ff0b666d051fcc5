"""Where the sidecar publishes how to reach it, and what is written there."""

import os
import re
import stat
import sys
import tempfile
from typing import Callable, List, Mapping, NamedTuple, Optional

from snapupscale import protocol

NAME = "sidecar.json"
_MOST_BYTES = 65536
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,256}\Z")
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)


class Found(NamedTuple):
    """A sidecar that was published. It may be gone."""

    protocol: int
    pid: int
    port: int
    token: str
    version: str

    def __repr__(self) -> str:
        return "Found(pid=%d, port=%d)" % (self.pid, self.port)


def read() -> List[Found]:
    """What is published now, the likeliest first.

    A file that is a link, belongs to or can be read by another user, or makes no sense is left out.
    """
    return [found for found in (_read(path) for path in paths()) if found]


def unreadable() -> Optional[int]:
    """The number of a newer protocol whose discovery file this one can't make sense of; None where there is none."""
    for path in paths():
        data = _private_content(path)
        try:
            number = protocol.decode(data)["protocol"] if data else 0
        except (protocol.Malformed, KeyError):
            continue
        if type(number) is int and number > protocol.NUMBER and _read(path) is None:
            return number
    return None


def paths() -> List[str]:
    """Where the file may be."""
    return [os.path.join(folder, "snapupscale", NAME) for folder in folders(sys.platform, os.environ)]


def folders(platform: str, environ: Mapping[str, str]) -> List[str]:
    """The folders for runtime files that the sidecar may have chosen, the likeliest first.

    The sidecar takes the first that is sound; which ones are is left to the checks of the file, since the sidecar may
    have been started with another environment.
    """
    if platform == "win32":
        local = [environ.get("WIN_PD_OVERRIDE_LOCAL_APPDATA", "").strip(), _local_folder(), environ.get("LOCALAPPDATA")]
        return _distinct([os.path.join(each, "Temp") for each in local if each])
    chosen = environ.get("XDG_RUNTIME_DIR", "")
    first = [chosen] if os.path.isabs(chosen) else []
    if platform == "darwin":
        return _distinct([*first, _in_home("Library/Caches/TemporaryItems", environ)])
    user = _user()
    return _distinct([*first, "/run/user/%d" % user, os.path.join(tempfile.gettempdir(), "runtime-%d" % user)])


def _in_home(path: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    if not os.path.isabs(home) and sys.platform != "win32":
        import pwd

        home = pwd.getpwuid(os.getuid()).pw_dir
    return os.path.join(home, path)


def _distinct(paths: List[str]) -> List[str]:
    return [path for index, path in enumerate(paths) if path not in paths[:index]]


def _read(path: str) -> Optional[Found]:
    data = _private_content(path)
    try:
        values = protocol.read_discovery(protocol.decode(data)) if data else None
    except protocol.Malformed:
        return None
    if values is None or not 0 < values["port"] < 65536 or not _TOKEN.match(values["token"]):
        return None
    return Found(**{name: values[name] for name in Found._fields})


def _private_content(path: str) -> Optional[bytes]:
    """What is in the file, if it and its folder are this user's alone."""
    try:
        if not _is_private(os.lstat(os.path.dirname(path)), stat.S_ISDIR):
            return None
        handle = os.open(path, os.O_RDONLY | _NO_LINK | _BINARY)
    except (OSError, ValueError):
        return None
    try:
        return os.read(handle, _MOST_BYTES) if _is_private(os.fstat(handle), stat.S_ISREG) else None
    finally:
        os.close(handle)


def _is_private(status: os.stat_result, kind: Callable[[int], bool]) -> bool:
    if not kind(status.st_mode):
        return False
    # Windows keeps the folder private by its access list, and its modes say nothing.
    return sys.platform == "win32" or (status.st_uid == _user() and not status.st_mode & 0o077)


if sys.platform == "win32":

    def _local_folder() -> str:
        """As the shell has it, which is right even where a user or a program changed the environment."""
        import ctypes

        local_appdata, dont_verify = 0x1C, 0x4000
        path = ctypes.create_unicode_buffer(1024)
        failed = ctypes.windll.shell32.SHGetFolderPathW(None, local_appdata | dont_verify, None, 0, path)
        return "" if failed else path.value

    def _user() -> int:
        return 0

else:

    def _local_folder() -> str:
        return ""

    def _user() -> int:
        return os.geteuid()
