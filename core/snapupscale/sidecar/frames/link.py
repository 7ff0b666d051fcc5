"""How effects find the sidecar: one line in a file beside that of the menu scripts, which C reads without JSON."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from snapupscale.sidecar import discovery

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = 1
_FILE = "frames.link"
_LINE = re.compile(rb"snapupscale-frames ([0-9]{1,9}) ([0-9]{1,9}) ([0-9]{1,5}) ([A-Za-z0-9_-]{16,256})\n")


@dataclass(frozen=True, kw_only=True)
class Link:
    """What an effect needs to connect."""

    pid: int
    port: int
    """On 127.0.0.1."""
    token: str = field(repr=False)
    number: int = NUMBER

    def line(self) -> bytes:
        """What the file holds."""
        return f"snapupscale-frames {self.number} {self.pid} {self.port} {self.token}\n".encode("ascii")


def path() -> Path:
    """Where the file is, or would be."""
    return discovery.path().with_name(_FILE)


def read() -> Link | None:
    """What the file says; None when there is none, or none that can be trusted or understood."""
    found = _LINE.fullmatch(discovery.read_private(_FILE) or b"")
    if found is None:
        return None
    number, pid, port = (int(text) for text in found.groups()[:3])
    return Link(number=number, pid=pid, port=port, token=found[4].decode())


def write(link: Link) -> None:
    """Publish `link`, whole or not at all. Raises SidecarUnsafe or an OutputError."""
    discovery.write_private(_FILE, link.line())


def remove(link: Link) -> None:
    """Remove the file if it is still the one of `link`."""
    with suppress(OSError):
        if discovery.read_private(_FILE) == link.line():
            path().unlink()
