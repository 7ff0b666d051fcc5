"""The file of the store: its tables, how it is opened, and what its errors mean."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from snapupscale import files
from snapupscale.errors import DiskFull, OutputError, OutputUnwritable

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = 1
_SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    params TEXT NOT NULL,
    priority TEXT NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    started REAL,
    progress TEXT NOT NULL DEFAULT 'null',
    result TEXT NOT NULL DEFAULT 'null',
    error TEXT NOT NULL DEFAULT 'null',
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE TABLE results (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    still INTEGER NOT NULL,
    data TEXT NOT NULL,
    finished REAL NOT NULL,
    PRIMARY KEY (job, still)
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    time REAL NOT NULL
);
CREATE INDEX events_by_job ON events (job, kind);
-- Ids of events go on rising where an earlier file was lost, so that no client waits for a small one.
INSERT INTO sqlite_sequence VALUES ('events', 1000 * CAST(strftime('%s', 'now') AS INTEGER));
"""
# Of the jobs that gave way, how many stills they had, and when their turn is. It need not outlive the process.
_PASSING = """
PRAGMA temp_store = MEMORY;
CREATE TEMP TABLE gave_way (job TEXT PRIMARY KEY, stills INTEGER NOT NULL, turn REAL NOT NULL);
"""
_log = logging.getLogger(__name__)


def opened(path: Path) -> sqlite3.Connection:
    """The database at `path`, sound and of this version; a damaged one is moved aside. Raises an OutputError."""
    try:
        return _connected(path)
    except sqlite3.OperationalError as error:
        raise output_error(error, path) from error
    except sqlite3.DatabaseError as error:
        aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
        _log.warning("the list of jobs is damaged (%s): moved to %s, and a new one begun", error, aside.name)
    try:
        for ending in ("-wal", "-shm", ""):
            part = path.with_name(path.name + ending)
            if part.exists():
                part.rename(aside.with_name(aside.name + ending))
    except OSError as error:
        raise files.output_error(error, path) from error
    try:
        return _connected(path)
    except sqlite3.DatabaseError as error:
        raise output_error(error, path) from error


def output_error(error: sqlite3.DatabaseError, path: Path) -> OutputError:
    """What an error of the database means for the user: DiskFull or OutputUnwritable."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return DiskFull(f"no space left for the list of jobs, {path}", hint="Free some space, and try again.")
    hint = "Check the disk and the permissions of the folder, then run `snapupscale sidecar stop` and try again."
    return OutputUnwritable(f"the list of jobs, {path}, cannot be used: {error}", hint=hint)


def _connected(path: Path) -> sqlite3.Connection:
    """Open the file and set up what a new one lacks. Raises sqlite3.DatabaseError."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        db.row_factory = sqlite3.Row
        with closing(db.execute("PRAGMA quick_check")) as check:
            if (found := check.fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(found)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, _VERSION}:
            raise sqlite3.DatabaseError(f"version {version}, not {_VERSION}")
        if version == 0:
            db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        db.executescript(_PASSING)
    except BaseException:
        db.close()
        raise
    return db
