"""The list of jobs where its file is damaged, its folder or disk takes nothing, or its process is killed."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sidecar.stores import add, kinds, path, state, store
from snapupscale.errors import DiskFull, OutputUnwritable
from snapupscale.sidecar import database
from snapupscale.sidecar.store import Store

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["path", "store"]
"""The fixtures."""


@pytest.mark.parametrize("damage", ["noise", "head", "middle", "empty-wal", "version"])
def test_a_damaged_file_is_moved_aside(
    store: Store, path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(300):
        add(store)
    store.close()
    data = path.read_bytes()
    if damage == "version":
        db = sqlite3.connect(path)
        db.execute("PRAGMA user_version = 99")
        db.close()
    else:
        noise = b"\xa5\x5a" * 2048
        damaged = {
            "noise": noise * 4,
            "head": noise + data[4096:],
            "middle": data[:8192] + noise * 2 + data[16384:],
            "empty-wal": data[: len(data) // 2],
        }
        path.write_bytes(damaged[damage])
    with caplog.at_level(logging.WARNING):
        again = Store(path)
    assert "moved to jobs.sqlite.damaged-" in caplog.text
    assert again.jobs() == []
    assert add(again)
    again.close()
    assert len(list(path.parent.glob("jobs.sqlite.damaged-*"))) == 1


def test_an_empty_file_is_a_new_one(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    store = Store(path)
    assert add(store)
    store.close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "sidecar").touch()
    with pytest.raises(OutputUnwritable):
        Store(tmp_path / "sidecar" / "jobs.sqlite")


def fill(store: Store) -> None:
    """Let the database grow no more."""
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")


def add_stills(store: Store, job_id: str) -> None:
    for number in range(10_000):
        store.still(job_id, number, {"name": "a" * 100})


def free(store: Store) -> None:
    store._db.execute("PRAGMA max_page_count = 1000000")


def test_a_full_disk_loses_nothing(store: Store) -> None:
    job_id = add(store)
    store.claim()
    fill(store)
    with pytest.raises(DiskFull, match="no space left"):
        add_stills(store, job_id)
    with pytest.raises(DiskFull):
        store.finish(job_id, {"text": "a" * 10_000})
    kept = store.stills(job_id)
    assert kept
    assert state(store, job_id) == ("running", None)
    free(store)
    store.finish(job_id, {})
    assert state(store, job_id) == ("done", None)
    assert store.stills(job_id) == kept


PROGRAM = """
import os, signal, sys
from pathlib import Path
from snapupscale.sidecar.store import Store

path, when, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
commit, count = Store._commit, 0

def die(self):
    global count
    count += 1
    if count == number and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self)
    if count == number and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)

store = Store(path)
Store._commit = die
job = store.add("probe", {"source": "/a"}, "batch")
store.claim()
store.still(job.id, 0, {"name": "a.png"})
store.finish(job.id, {})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_killed_at_a_commit(path: Path, when: str, number: int) -> None:
    command = [sys.executable, "-c", PROGRAM, str(path), when, str(number)]
    result = subprocess.run(command, check=False, env={**os.environ})
    assert result.returncode == -signal.SIGKILL
    store = Store(path)
    committed = number if when == "after" else number - 1
    jobs = store.jobs()
    expected = [None, "queued", "interrupted", "interrupted", "done"][committed]
    assert [job.state for job in jobs] == ([expected] if expected else [])
    if jobs:
        assert len(store.stills(jobs[0].id)) == (1 if committed >= 3 else 0)
        assert "state" in kinds(store, jobs[0].id)
    store.close()


def test_a_list_that_cannot_be_used_names_a_cure_for_who_has_no_command_line(tmp_path: Path) -> None:
    for code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        error = sqlite3.OperationalError("trouble")
        error.sqlite_errorcode = code
        assert "-o" not in database.output_error(error, tmp_path).hint
