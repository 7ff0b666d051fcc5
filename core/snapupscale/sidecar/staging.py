"""Takes sessions that make stills from stage to stage: hands in the jobs of each, and notes how they ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from snapupscale import files, protocol
from snapupscale.errors import OutputUnwritable, QueueFull
from snapupscale.sidecar.session import CUTS
from snapupscale.sidecar.stages import HOLD, UPSCALE, Work, advanced, hold_tasks, read_work, upscale_tasks
from snapupscale.timeline.wire import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from snapupscale.sidecar.session import Session
    from snapupscale.sidecar.shelf import Shelf
    from snapupscale.sidecar.stages import Known

AT_ONCE = 100
"""Jobs of one session that wait or run at a time, so that those of others find room."""
_WORK = "work"


class Jobs(Protocol):
    """Who does the work; see Service."""

    def submit(self, data: object, /) -> dict[str, Any]:
        """Take on a job; gives it, with its `id`. Raises errors of the tree."""

    def job(self, job_id: str, /) -> dict[str, Any] | None:
        """A job with its result; None when there is none of that id."""

    def brief(self, job_id: str, /) -> dict[str, Any] | None:
        """A job without its result and stills, which may be long; None when there is none of that id."""

    def cancel(self, job_id: str, /) -> bool:
        """Ask a job to stop."""


class Staging:
    """The stages of sessions; how far each is stands on the shelf, so that it goes on there after a restart. A job that
    was handed in when the process was killed may be handed in again: it finds its stills made."""

    def __init__(self, shelf: Shelf, jobs: Jobs) -> None:
        self._shelf = shelf
        self._jobs = jobs

    def work(self, session: Session) -> Work:
        """How far the session is. Raises SettingError or OutputUnwritable for a damaged file."""
        return read_work(self._shelf.part(session.id, _WORK))

    def advance(self, session: Session, known: Callable[[], Known]) -> tuple[Session, bool]:
        """The session, whose cuts are found, as far as it comes by now, and whether its stages have ended.

        Raises SettingError, OutputUnwritable or DiskFull.
        """
        before = self.work(session)
        work, stage = before, session.stage
        if stage == CUTS:
            work, stage = Work(upscale=upscale_tasks(known())), UPSCALE
        while True:
            tasks = advanced(work.tasks(stage), self._submitter(work.tasks(stage)), self._end_of)
            work = work.with_tasks(stage, tasks)
            if stage == HOLD or not all(task.ended for task in tasks):
                break
            work, stage = work.with_tasks(HOLD, hold_tasks(known(), work.upscale)), HOLD
        if work != before or stage != session.stage:
            self._shelf.write(session.id, _WORK, encode(work))
        return replace(session, stage=stage), all(task.ended for task in tasks)

    def jobs(self, session: Session) -> tuple[str, ...]:
        """The ids of the jobs of the stage that the session is in."""
        if session.stage == CUTS:
            return tuple(session.jobs.values())
        return tuple(task.job for task in self.work(session).tasks(session.stage) if task.job)

    def progress(self, session: Session) -> dict[str, Any]:
        """The stage, and how many of its tasks have ended: `{"stage", "done", "total"}`."""
        if session.stage == CUTS:
            jobs = [self._jobs.brief(name) for name in session.jobs.values()]
            ended = [job is None or job["state"] in protocol.ENDED for job in jobs]
        else:
            ended = [task.ended for task in self.work(session).tasks(session.stage)]
        return {"stage": session.stage, "done": sum(ended), "total": len(ended)}

    def _submitter(self, tasks: tuple[Any, ...]) -> Callable[[Mapping[str, Any]], str | None]:
        room = AT_ONCE - sum(1 for task in tasks if task.job and not task.ended)

        def submit(request: Mapping[str, Any]) -> str | None:
            nonlocal room
            if room < 1:
                return None
            room -= 1
            if request["kind"] == "upscale":
                _make_folder(Path(request["folder"]))
            try:
                return str(self._jobs.submit(dict(request))["id"])
            except QueueFull:
                room = 0
                return None

        return submit

    def _end_of(self, job_id: str) -> Mapping[str, Any] | None:
        """The job when it has ended or was forgotten; None while it goes on."""
        job = self._jobs.brief(job_id)
        if job is not None and job["state"] not in protocol.ENDED:
            return None
        return (self._jobs.job(job_id) if job else None) or {"state": "failed", "error": None, "result": None}


def _make_folder(path: Path) -> None:
    try:
        files.make_folder(path)
    except OutputUnwritable as error:
        raise OutputUnwritable(str(error), hint=f"Make sure that {path} can be written, then run it again.") from error
