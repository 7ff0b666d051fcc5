from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from snapupscale.upscale import memory

if TYPE_CHECKING:
    from pathlib import Path

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads files of Linux")


def test_there_is_memory() -> None:
    assert 1 << 26 < memory.available() < 1 << 50


@linux
def test_what_is_free_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  900 kB\nMemFree:  100 kB\nMemAvailable:     300 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUPS", ())
    assert memory.available() == 300 * 1024


@linux
@pytest.mark.parametrize(
    ("limit", "used", "stat", "left"),
    [
        ("1000", "400", None, 600),
        ("1000", "1200", None, 0),
        ("1000", "950", "anon 400\ninactive_file 500\n", 550),
        ("1000", "950", "nonsense", 50),
    ],
)
def test_a_container_can_have_less(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, used: str, stat: str | None, left: int
) -> None:
    (tmp_path / "max").write_text(limit)
    (tmp_path / "current").write_text(used)
    if stat is not None:
        (tmp_path / "memory.stat").write_text(stat)
    monkeypatch.setattr(memory, "_CGROUPS", ((tmp_path, "none", "none"), (tmp_path, "max", "current")))
    assert memory.available() == left


@linux
def test_a_container_without_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "max").write_text("max\n")
    (tmp_path / "current").write_text("400")
    monkeypatch.setattr(memory, "_CGROUPS", ((tmp_path, "max", "current"),))
    assert memory.available() > 1 << 26


@linux
def test_an_unreadable_system_gets_a_modest_guess(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "none")
    monkeypatch.setattr(memory, "_CGROUPS", ())
    assert memory.available() == 4 << 30
