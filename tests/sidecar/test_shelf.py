from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sidecar.leftovers import half_a_file
from snapupscale.errors import DiskFull, OutputError
from snapupscale.sidecar import shelf
from snapupscale.sidecar.shelf import Shelf

if TYPE_CHECKING:
    from pathlib import Path


def test_ids_sort_by_the_time_they_were_made(tmp_path: Path) -> None:
    ids = [Shelf(tmp_path).new_id() for _ in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 50


def test_sessions_are_listed_newest_first(tmp_path: Path) -> None:
    kept = Shelf(tmp_path / "new" / "shelf")
    for name in ("b", "a", "c"):
        kept.add(name, {"name": name}, plan=[name])

    assert kept.ids() == ["c", "b", "a"]
    assert kept.head("b") == {"name": "b"}
    assert kept.part("b", "plan") == ["b"]
    assert kept.part("b", "other") is None
    assert kept.head("d") is None


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "KEPT", 3)
    kept = Shelf(tmp_path)
    for number in range(5):
        kept.add(f"s{number}", {}, plan=number)

    assert kept.ids() == ["s4", "s3", "s2"]
    assert {path.name for path in tmp_path.iterdir()} == {"s4", "s3", "s2"}


def test_a_part_that_cannot_be_read_is_an_error_and_a_head_is_left_out(tmp_path: Path) -> None:
    kept = Shelf(tmp_path)
    kept.add("a", {"fine": True}, plan=1)
    (tmp_path / "a" / "plan.json").write_text("[")
    with pytest.raises(OutputError, match=r"plan\.json"):
        kept.part("a", "plan")
    (tmp_path / "a" / "session.json").write_bytes(b"\xff")
    assert kept.head("a") is None


def test_a_session_that_could_not_be_kept_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Shelf(tmp_path)
    (tmp_path / "a").write_text("a file where the folder should be")

    with pytest.raises(OutputError):
        kept.add("a", {})

    assert kept.ids() == []
    assert (tmp_path / "a").is_file()


def test_ids_go_on_rising_when_the_clock_is_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Shelf(tmp_path)
    first = kept.new_id()
    kept.add(first, {})
    monkeypatch.setattr(shelf.time, "time_ns", lambda: 1)

    second = kept.new_id()

    assert second > first
    assert len(second) == len(first)


def test_what_a_full_disk_cut_short_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Shelf(tmp_path)

    def full(*arguments: object) -> None:
        raise DiskFull("full")

    monkeypatch.setattr(kept, "replace", full)
    with pytest.raises(DiskFull):
        kept.add("a", {}, snapshot="long")

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path) -> None:
    Shelf(tmp_path).add("a", {})
    left = half_a_file(tmp_path / "a")

    assert Shelf(tmp_path).head("a") == {}
    assert not left.exists()
