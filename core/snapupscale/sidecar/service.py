"""What the sidecar does for its clients: takes jobs, tells of them, and cancels them."""

from __future__ import annotations

import hashlib
import json
import logging
import stat
import threading
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_data_path

from snapupscale import files
from snapupscale.errors import QueueFull, SettingError, SourceMissing, SourceUnreadable
from snapupscale.media.sequences import parse_sequence
from snapupscale.sidecar import messages
from snapupscale.sidecar.child import COMMAND
from snapupscale.sidecar.frames.desk import Desk
from snapupscale.sidecar.leftovers import tidy
from snapupscale.sidecar.pool import Pool
from snapupscale.sidecar.store import Job, Store
from snapupscale.sidecar.supervisor import IDLE
from snapupscale.sidecar.timelines import Timelines

if TYPE_CHECKING:
    from collections.abc import Sequence


LONGEST_QUEUE = 1000
MOST_EVENTS = 1000
"""Events that one call gives at most."""
_PATIENCE = 5.0
"""Seconds that a session may take to get on when the service closes."""
_log = logging.getLogger(__name__)


class Service:
    """The jobs of one user. Everything is kept under `folder`, by default the user's data folder for SnapUpscale.

    command, idle: see Pool. Only one Service may use a folder at a time. Methods may be called on any thread;
    they wait for the disk, but never for a job.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        command: Sequence[str] = COMMAND,
        idle: float = IDLE,
    ) -> None:
        self._folder = folder or user_data_path("snapupscale")
        self._store = Store(self._folder / "sidecar" / "jobs.sqlite")
        for job in self._store.recovered:
            tidy(job)
        self._closing = threading.Event()
        self._ended = threading.Event()
        self._ended.set()  # a session may have been between two stages when the last service ended
        self.frames = Desk(idle=idle)
        self._pool = Pool(
            self._store,
            command=command,
            idle=idle,
            pauses=lambda: self.frames.interactive,
            ended=self._ended.set,
        )
        self.timelines = Timelines(self._folder / "sidecar" / "timelines", self)
        self._sessions = threading.Thread(target=self._advance_sessions, name="sessions", daemon=True)
        self._sessions.start()

    def submit(self, data: object) -> dict[str, Any]:
        """Queue the job that a client's JSON object asks for; the job as `job` gives it.

        Raises SettingError, SourceMissing, SourceUnreadable, QueueFull, DiskFull or OutputUnwritable.
        """
        kind, request = messages.job_request(self._with_source(data))
        require_source(request.source)
        if self._store.unfinished() >= LONGEST_QUEUE:
            raise QueueFull(f"{LONGEST_QUEUE} jobs wait or run")
        params = {name: str(value) if isinstance(value, Fraction) else value for name, value in vars(request).items()}
        if isinstance(request, messages.Upscale | messages.Export):
            params["folder"] = str(self._output(request))
        job = self._store.add(kind, params, request.priority)
        self._pool.wake()
        return _public(job)

    def job(self, id: str) -> dict[str, Any] | None:
        """The job, with its `result` and the `stills` it has finished, or None."""
        job = self._store.job(id)
        if job is None:
            return None
        stills = [{"index": index, **still} for index, still in enumerate(self._store.stills(id))]
        return {**_public(job), "stills": stills, "result": job.result}

    def brief(self, id: str) -> dict[str, Any] | None:
        """The job as lists give it, without stills and result, or None."""
        job = self._store.brief(id)
        return None if job is None else _public(job)

    def jobs(self) -> list[dict[str, Any]]:
        """The newest jobs and all that have not ended, the newest first, without stills and results."""
        return [_public(job) for job in self._store.jobs()]

    def cancel(self, id: str) -> bool:
        """Ask for the end of a job; whether there is such a job that had not ended. One that waited has failed with
        the code 'cancelled' at once, one that runs does within a second or two."""
        before = self._store.job(id)
        if before is None or before.state in {"done", "failed"}:
            return False
        if self._store.cancel(id) == "failed":
            # It waited, maybe to be taken up again after an end by force.
            tidy(before)
        self._ended.set()
        return True

    def events(self, after: int = 0, job: str | None = None, limit: int = MOST_EVENTS) -> list[dict[str, Any]]:
        """What happened after the event `after`, ascending: {id, job, kind, data, time}. The kinds are state, progress,
        still and log; of one job's progress only the last is kept."""
        return self._store.events(max(0, min(after, 2**62)), job, max(0, min(limit, MOST_EVENTS)))

    def still(self, id: str, index: int) -> Path | None:
        """The file of a finished still, or None."""
        job = self._store.job(id)
        stills = self._store.stills(id) if job else []
        if job is None or not 0 <= index < len(stills):
            return None
        return _within(job, stills[index]["name"])

    def timeline(self, id: str, name: str) -> Path | None:
        """A file that the job, which is done, lists as its result: cuts or a timeline; or None."""
        job = self._store.job(id)
        return _within(job, name) if job and name in (job.result or {}).get("timelines", ()) else None

    def report(self, id: str) -> Path | None:
        """The report of a job that is done, or None."""
        job = self._store.job(id)
        name = (job.result or {}).get("report") if job else None
        return _within(job, name) if job and name else None

    def busy(self) -> bool:
        """Whether any job runs or waits."""
        return self._store.unfinished() > 0

    @property
    def worker_pids(self) -> list[int]:
        """The processes of the workers, that of the stills first."""
        return self._pool.worker_pids

    def close(self) -> None:
        """End the workers; what runs is interrupted, and goes on with the next Service."""
        self._closing.set()
        self._ended.set()
        self.frames.close()
        self._sessions.join(_PATIENCE)
        self._pool.close()
        self._store.close()

    def _advance_sessions(self) -> None:
        """Take sessions to their next stage while nobody asks for them."""
        while True:
            self._ended.wait()
            self._ended.clear()
            if self._closing.is_set():
                return
            try:
                self.timelines.advance()
            except Exception:
                # The sessions must not stand still for good because of one.
                _log.exception("no session could be taken further")

    def _with_source(self, data: object) -> object:
        """`data`, with the source and the settings of its `job`, if it is an export that names one: a page knows jobs,
        but no paths. What the export sets itself stays."""
        if not isinstance(data, dict) or data.get("kind") != "export" or "job" not in data:
            return data
        if "source" in data:
            raise SettingError("job: an export has a job or a source, not both")
        job = self._store.job(data["job"]) if isinstance(data["job"], str) else None
        if job is None:
            raise SettingError("job: there is no such job", hint="Ask for the list of jobs again.")
        known = {name: job.params[name] for name in messages.OF_CUTS if name in job.params}
        return {**known, **{name: value for name, value in data.items() if name != "job"}}

    def _output(self, request: messages.Upscale | messages.Export) -> Path:
        """The folder that was asked for, or one that belongs to this source with these settings: asked for again after
        a failure, the job goes on where it stopped."""
        if request.folder is not None:
            folder = Path(request.folder)
            if not folder.is_absolute() or _mode(folder) != stat.S_IFDIR:
                raise SettingError("folder: it is no absolute path of a folder that exists")
            # Under another spelling it would not be seen to be one that a job writes to.
            return folder.resolve()
        chosen = {name: str(value) for name, value in vars(request).items() if name != "priority"}
        mark = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:32]
        folder = self._folder / ("stills" if isinstance(request, messages.Upscale) else "exports") / mark
        files.make_folder(folder)
        return folder


def _within(job: Job, name: str) -> Path:
    """The file `name` in the job's folder. Names come from the worker, which reads hostile footage."""
    return Path(job.params["folder"], Path(name).name)


def _public(job: Job) -> dict[str, Any]:
    """What clients may know: no path of this machine."""
    return {
        "id": job.id,
        "kind": job.kind,
        "priority": job.priority,
        "source": Path(job.params["source"]).name,
        "state": job.state,
        "created": job.created,
        "updated": job.updated,
        "progress": job.progress,
        "attempts": job.attempts,
        "error": job.error,
    }


def require_source(text: str) -> None:
    """Raise unless `text` is the absolute path of a regular file, or a pattern of pictures in a folder that exists."""
    path = Path(text)
    if not path.is_absolute():
        raise SettingError("source: it is no absolute path")
    kind = _mode(path)
    if kind is None and parse_sequence(path):
        if _mode(path.parent) != stat.S_IFDIR:
            raise SourceMissing(f"no folder {path.parent}")
    elif kind is None:
        raise SourceMissing(f"no file {path}")
    elif kind != stat.S_IFREG:
        raise SourceUnreadable(f"{path} is no regular file")


def _mode(path: Path) -> int | None:
    """The kind of file that is at `path`, links followed; None where there is none. Raises SourceUnreadable."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise SourceUnreadable(f"{path} cannot be looked at: {error}") from error
