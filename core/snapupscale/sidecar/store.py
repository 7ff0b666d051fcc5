"""The jobs of the sidecar, the stills they finished, and what happened, in one SQLite file that survives kills."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from snapupscale import files
from snapupscale.errors import Cancelled, Poisoned
from snapupscale.sidecar import database
from snapupscale.sidecar.messages import fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

State = Literal["queued", "running", "cancelling", "done", "failed", "interrupted"]

DEATHS = 2
"""How often a job may end its process before it is failed."""
KEPT_JOBS = 1000
LISTED = 200
"""Jobs that `jobs` gives beside those that have not ended."""
KEPT_EVENTS = 10_000

_BRIEF = "id, kind, params, priority, state, created, updated, progress, 'null' AS result, error, attempts"
_NEXT = """
SELECT id FROM jobs LEFT JOIN gave_way ON gave_way.job = jobs.id
WHERE state IN ('queued', 'interrupted') AND (NOT :quick OR (priority = 'interactive' AND kind != 'upscale'))
AND (kind != 'upscale' OR json_extract(params, '$.folder') IS NULL
     OR json_extract(params, '$.folder') NOT IN (
        SELECT json_extract(params, '$.folder') FROM jobs
        WHERE state IN ('running', 'cancelling') AND json_extract(params, '$.folder') IS NOT NULL))
ORDER BY priority = 'batch' AND turn IS NULL, coalesce(turn, number) LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job as it stands. Times are seconds since 1970."""

    id: str
    kind: str
    params: dict[str, Any]
    priority: str
    state: State
    created: float
    updated: float
    progress: dict[str, Any] | None
    result: dict[str, Any] | None
    error: dict[str, str] | None
    attempts: int
    """How often it ended its process."""


class Store:
    """The database at `path`, used by one process and any number of its threads. Every change is one transaction.

    A damaged file is moved aside, and a new one begun. Jobs that were running when the last process ended are
    `interrupted`, and will be claimed again; with no still finished since they began, that counts as a death.

    Methods that change something raise DiskFull or OutputUnwritable, and then have changed nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        files.make_folder(path.parent)
        self._db = database.opened(path)
        try:
            self.recovered = self._recover()
            """The jobs that were running when the last process ended."""
        except BaseException:
            self._db.close()
            raise

    def add(self, kind: str, params: Mapping[str, Any], priority: str) -> Job:
        """Queue a job. The oldest jobs that have ended are forgotten when there are more than KEPT_JOBS."""
        job_id, now = secrets.token_urlsafe(12), time.time()
        with self._changing() as db:
            db.execute(
                "INSERT INTO jobs (id, kind, params, priority, state, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (job_id, kind, json.dumps(params), priority, "queued", now, now),
            )
            db.execute(
                "DELETE FROM jobs WHERE state IN ('done', 'failed') AND number <= "
                "(SELECT number FROM jobs ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (KEPT_JOBS,),
            )
            self._event(db, job_id, "state", {"state": "queued"})
            return self._require(job_id)

    def job(self, job_id: str) -> Job | None:
        """The job, or None."""
        rows = self._rows("SELECT * FROM jobs WHERE id = ?", job_id)
        return _job(rows[0]) if rows else None

    def brief(self, job_id: str) -> Job | None:
        """The job without its result, which may be long, or None."""
        rows = self._rows(f"SELECT {_BRIEF} FROM jobs WHERE id = ?", job_id)  # noqa: S608 - names of columns
        return _job(rows[0]) if rows else None

    def jobs(self) -> list[Job]:
        """The LISTED newest jobs and all that have not ended, the newest first, without results, which may be long."""
        query = (
            f"SELECT {_BRIEF} FROM jobs WHERE state NOT IN ('done', 'failed') "  # noqa: S608 - names of columns
            "OR number > (SELECT MAX(number) FROM jobs) - ? ORDER BY number DESC"
        )
        return [_job(row) for row in self._rows(query, LISTED)]

    def unfinished(self) -> int:
        """How many jobs run or wait."""
        return int(self._rows("SELECT COUNT(*) FROM jobs WHERE state NOT IN ('done', 'failed')")[0][0])

    def cancelling(self, job_id: str) -> bool:
        """Whether the job runs and its end was asked for."""
        return bool(self._rows("SELECT 1 FROM jobs WHERE id = ? AND state = 'cancelling'", job_id))

    def stills(self, job_id: str) -> list[dict[str, Any]]:
        """What is known of the job's finished stills, in order."""
        rows = self._rows("SELECT data FROM results WHERE job = ? ORDER BY still", job_id)
        return [json.loads(row["data"]) for row in rows]

    def events(self, after: int, job_id: str | None, limit: int) -> list[dict[str, Any]]:
        """At most `limit` events with an id above `after`, ascending; of one job's progress only the last is kept."""
        rows = self._rows(
            "SELECT * FROM events WHERE id > ? AND (? IS NULL OR job = ?) ORDER BY id LIMIT ?",
            *(after, job_id, job_id, limit),
        )
        return [{**dict(row), "data": json.loads(row["data"])} for row in rows]

    def claim(self, *, quick: bool = False) -> Job | None:
        """The next job, now running: interactive before batch, then the oldest. None when nothing waits. `quick`: of
        the interactive jobs that make no stills alone. Two that make stills in one folder never run at a time. One
        that gave way is treated like an interactive one that was handed in when it did."""
        with self._changing() as db:
            row = db.execute(_NEXT, {"quick": quick}).fetchone()
            if row is None:
                return None
            self._to(db, row["id"], "running", started=time.time(), progress=None)
            return self._require(row["id"])

    def urgent(self) -> list[Job]:
        """The interactive jobs that make stills and wait, the oldest first."""
        rows = self._rows(
            "SELECT * FROM jobs WHERE state IN ('queued', 'interrupted') AND priority = 'interactive' "
            "AND kind = 'upscale' ORDER BY number"
        )
        return [_job(row) for row in rows]

    def give_way(self, job_id: str) -> None:
        """The job was stopped in good order to make room for those that are urgent now; it goes on after them."""
        with self._changing() as db:
            db.execute(
                "INSERT OR REPLACE INTO gave_way SELECT ?, (SELECT COUNT(*) FROM results WHERE job = ?), "
                "(SELECT MAX(number) + 0.5 FROM jobs)",
                (job_id, job_id),
            )
            self._stop(db, job_id)

    def may_give_way(self, job_id: str) -> bool:
        """Whether the job never gave way, or finished a still since, so that it gets on however many are urgent."""
        return not self._rows(
            "SELECT 1 FROM gave_way WHERE job = ? AND stills >= (SELECT COUNT(*) FROM results WHERE job = ?)",
            *(job_id, job_id),
        )

    def progress(self, job_id: str, data: Mapping[str, Any]) -> None:
        """Keep how far the job is."""
        with self._changing() as db:
            db.execute(
                "UPDATE jobs SET progress = ?, updated = ? WHERE id = ?", (json.dumps(data), time.time(), job_id)
            )
            db.execute("DELETE FROM events WHERE job = ? AND kind = 'progress'", (job_id,))
            self._event(db, job_id, "progress", data)

    def say(self, job_id: str, text: str) -> None:
        """A sentence for the user."""
        with self._changing() as db:
            self._event(db, job_id, "log", {"text": text})

    def still(self, job_id: str, index: int, data: Mapping[str, Any]) -> None:
        """Enter a still, whose file is in place. One that is known already changes nothing."""
        text = json.dumps(data)
        with self._changing() as db:
            known = db.execute("SELECT data FROM results WHERE job = ? AND still = ?", (job_id, index)).fetchone()
            if known is None or known["data"] != text:
                db.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", (job_id, index, text, time.time()))
                self._event(db, job_id, "still", {"index": index, **data})

    def finish(self, job_id: str, result: Mapping[str, Any]) -> None:
        """The job is done. Stills beyond those of its result are of an attempt that began anew."""
        with self._changing() as db:
            if "stills" in result:
                db.execute("DELETE FROM results WHERE job = ? AND still >= ?", (job_id, len(result["stills"])))
            self._to(db, job_id, "done", result=result)

    def fail(self, job_id: str, error: Mapping[str, str]) -> None:
        """The job has failed."""
        with self._changing() as db:
            self._to(db, job_id, "failed", error=error)

    def cancel(self, job_id: str) -> State | None:
        """Ask for the end of a job; its state, or None where there is none. One that waits has failed at once."""
        with self._changing() as db:
            job = self.job(job_id)
            if job is None:
                return None
            if job.state in {"queued", "interrupted"}:
                self._to(db, job_id, "failed", error=_CANCELLED)
            elif job.state == "running":
                self._to(db, job_id, "cancelling")
        return self._require(job_id).state

    def died(self, job_id: str, how: str) -> None:
        """The process died of the job: it waits again, or has failed the second time, or was to be cancelled."""
        with self._changing() as db:
            self._died(db, self._require(job_id), how, "queued")

    def interrupt(self, job_id: str) -> None:
        """The service ends in good order in the middle of the job, which is not to blame."""
        with self._changing() as db:
            self._stop(db, job_id)

    def close(self) -> None:
        """Close the file; the store can't be used any more."""
        with self._lock:
            self._db.close()

    def _stop(self, db: sqlite3.Connection, job_id: str) -> None:
        if self._require(job_id).state == "cancelling":
            self._to(db, job_id, "failed", error=_CANCELLED)
        else:
            self._to(db, job_id, "interrupted")

    def _died(self, db: sqlite3.Connection, job: Job, how: str, then: State) -> None:
        deaths = job.attempts + 1
        db.execute("UPDATE jobs SET attempts = ? WHERE id = ?", (deaths, job.id))
        if job.state == "cancelling":
            self._to(db, job.id, "failed", error=_CANCELLED)
        elif deaths >= DEATHS:
            self._to(db, job.id, "failed", error=fault(Poisoned(f"the job ended its process {deaths} times: {how}")))
        else:
            self._to(db, job.id, then)

    def _recover(self) -> tuple[Job, ...]:
        with self._changing() as db:
            rows = db.execute("SELECT * FROM jobs WHERE state IN ('running', 'cancelling')").fetchall()
            for row in rows:
                news = db.execute(
                    "SELECT 1 FROM results WHERE job = ? AND finished >= ?", (row["id"], row["started"])
                ).fetchone()
                if news and row["state"] == "running":
                    self._to(db, row["id"], "interrupted")
                else:
                    self._died(db, _job(row), "the sidecar ended with it", "interrupted")
            return tuple(map(_job, rows))

    def _to(self, db: sqlite3.Connection, job_id: str, state: State, **columns: object) -> None:
        """Change the state, and with it `columns`: numbers as they are, all else as JSON."""
        values = {
            name: value if isinstance(value, float) else json.dumps(value) for name, value in columns.items()
        }
        changes = "".join(f", {name} = ?" for name in values)
        db.execute(
            f"UPDATE jobs SET state = ?, updated = ?{changes} WHERE id = ?",  # noqa: S608 - names of columns, from here
            (state, time.time(), *values.values(), job_id),
        )
        error = {"error": columns["error"]} if "error" in columns else {}
        self._event(db, job_id, "state", {"state": state, **error})

    @staticmethod
    def _event(db: sqlite3.Connection, job_id: str, kind: str, data: Mapping[str, Any]) -> None:
        last = db.execute(
            "INSERT INTO events (job, kind, data, time) VALUES (?, ?, ?, ?)",
            (job_id, kind, json.dumps(data), time.time()),
        ).lastrowid
        db.execute("DELETE FROM events WHERE id <= ?", ((last or 0) - KEPT_EVENTS,))

    def _require(self, job_id: str) -> Job:
        job = self.job(job_id)
        if job is None:
            raise KeyError(job_id)
        return job

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._lock, self._translating():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with self._lock, self._translating():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._commit()
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _commit(self) -> None:
        self._db.execute("COMMIT")

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise database.output_error(error, self._path) from error


def _job(row: sqlite3.Row) -> Job:
    read = dict(row)
    for name in ("number", "started"):
        read.pop(name, None)
    for name in ("params", "progress", "result", "error"):
        read[name] = json.loads(read[name])
    return Job(**read)


_CANCELLED = fault(Cancelled("cancelled"))
