from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from snapupscale.sidecar import discovery
from snapupscale.sidecar.frames import link
from snapupscale.sidecar.frames.link import Link

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
MINE = Link(pid=12, port=4711, token="t" * 43)


def test_it_lies_beside_the_discovery_file_for_its_user_alone() -> None:
    link.write(MINE)
    assert link.path().parent == discovery.path().parent
    assert link.path().read_bytes() == b"snapupscale-frames 1 12 4711 " + b"t" * 43 + b"\n"
    assert link.path().stat().st_mode & 0o777 == 0o600
    assert link.read() == MINE
    assert [path.name for path in link.path().parent.iterdir()] == ["frames.link"]


def test_only_its_own_is_removed() -> None:
    link.write(MINE)
    link.remove(Link(pid=12, port=4711, token="u" * 43))
    assert link.read() == MINE
    link.remove(MINE)
    assert link.read() is None
    link.remove(MINE)


def test_what_others_could_have_made_is_not_believed_and_replaced(tmp_path: Path) -> None:
    link.write(MINE)
    link.path().chmod(0o640)
    assert link.read() is None
    link.path().unlink()
    other = tmp_path / "other"
    other.write_bytes(MINE.line())
    other.chmod(0o600)
    link.path().symlink_to(other)
    assert link.read() is None
    link.write(Link(pid=13, port=1, token="v" * 16))
    assert other.read_bytes() == MINE.line()
    assert link.read() == Link(pid=13, port=1, token="v" * 16)
    link.path().unlink()
    os.mkfifo(link.path(), 0o600)
    assert link.read() is None


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"\n", MINE.line()[:-1], MINE.line() * 2, b" " + MINE.line(), MINE.line().replace(b" 1 ", b" -1 ")),
        *(MINE.line().replace(b"t" * 43, token) for token in (b"t" * 15, b"t" * 257, b"t t", b"\xff" * 16)),
    ],
)
def test_nonsense_counts_as_none(line: bytes) -> None:
    link.write(MINE)
    link.path().write_bytes(line)
    assert link.read() is None


def test_the_token_is_not_shown() -> None:
    assert "ttt" not in repr(MINE)
