from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from snapupscale.stills.record import NAME, Record, key_of

if TYPE_CHECKING:
    from pathlib import Path

STILL: dict[str, Any] = {"shot": 1, "frame": 7, "timecode": "00:00:00:07", "key": "k", "made_with": {"model": "m"}}


def test_a_finished_still_is_known_to_the_next_run(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"pixels")
    Record(tmp_path).add("a.png", **STILL)
    record = Record(tmp_path)
    assert record.finished("a.png", "k")
    assert not record.finished("a.png", "other settings")
    assert not record.finished("b.png", "k")
    assert record.made_otherwise("a.png", "other settings")
    assert not record.made_otherwise("a.png", "k")


@pytest.mark.parametrize("content", [b"", b"pixel", b"pixels!"])
def test_a_file_that_is_not_what_was_written_is_not_finished(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(b"pixels")
    Record(tmp_path).add("a.png", **STILL)
    (tmp_path / "a.png").write_bytes(content)
    assert not Record(tmp_path).finished("a.png", "k")


def test_a_file_that_went_away_is_not_finished(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"pixels")
    Record(tmp_path).add("a.png", **STILL)
    (tmp_path / "a.png").unlink()
    assert not Record(tmp_path).finished("a.png", "k")
    assert not Record(tmp_path).made_otherwise("a.png", "other")
    assert Record(tmp_path).others(set()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"version": 99}', '{"version": 1, "stills": {"a": 1}}'])
def test_a_damaged_record_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    assert not Record(tmp_path).finished("a.png", "k")


def test_stills_of_other_runs_are_listed(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"pixels")
        Record(tmp_path).add(name, **STILL)
    assert Record(tmp_path).others({"a.png"}) == ["b.png"]


def test_keys_depend_on_every_part() -> None:
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})
