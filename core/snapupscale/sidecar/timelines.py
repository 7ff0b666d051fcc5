"""Timeline sessions: what a menu script found on its timeline, the jobs and the plan that follow, what it read back."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Protocol

from snapupscale import protocol
from snapupscale.errors import Cancelled, NotPlanned, QueueFull, SettingError, SnapUpscaleError
from snapupscale.sidecar.analysis import CUTS_OPTIONS, found_in, reason
from snapupscale.sidecar.messages import fault
from snapupscale.sidecar.shelf import Shelf, new_id
from snapupscale.timeline.actions import make_plan
from snapupscale.timeline.memory import Remembered, read_results
from snapupscale.timeline.operations import Take, flat
from snapupscale.timeline.options import Options, read_options
from snapupscale.timeline.plan import plan_to_json, read_plan
from snapupscale.timeline.scope import wanted
from snapupscale.timeline.snapshot import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from snapupscale.timeline.memory import Result
    from snapupscale.timeline.operations import Operation
    from snapupscale.timeline.plan import Plan
    from snapupscale.timeline.snapshot import Snapshot

WORKING, PLANNED, APPLIED, PARTIAL, FAILED, UNDONE = protocol.SESSION_STATES
ACTIONS = ("mark", "undo", "remove_markers")
"""The actions that this version plans."""
_SNAPSHOT, _PLAN, _READBACK = "snapshot", "plan", "readback"
_TAKING_BACK = ("undo", "remove_markers")
_OPTIONS = (*CUTS_OPTIONS, *(each.name for each in fields(Options)))


class Jobs(Protocol):
    """Who does the work; see Service."""

    def submit(self, data: object, /) -> dict[str, Any]:
        """Take on a job; gives it, with its `id`. Raises errors of the tree."""

    def job(self, job_id: str, /) -> dict[str, Any] | None:
        """A job with its result; None when there is none of that id."""

    def cancel(self, job_id: str, /) -> bool:
        """Ask a job to stop."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """The head of a session, as it is kept."""

    id: str
    action: str
    options: Mapping[str, Any]
    project: str
    timeline: Mapping[str, str]
    """Its `id` and `name`."""
    state: str = WORKING
    jobs: Mapping[str, str] = field(default_factory=dict)
    """The ids of the jobs, under the media that they are for."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Why there is no job for a medium."""
    handed_out: bool = False
    """Whether a client has the plan, and may have applied some of it without saying so."""
    error: Mapping[str, str] | None = None
    created: float
    updated: float


class Timelines:
    """The sessions of all timelines, kept under `folder`. Methods may be called on any thread, and wait for the disk
    alone. A session goes on where it was when the sidecar ends."""

    def __init__(self, folder: Path, jobs: Jobs) -> None:
        self._shelf = Shelf(folder)
        self._jobs = jobs
        self._lock = threading.RLock()

    def open(self, data: object) -> dict[str, Any]:
        """Begin the session that a client asks for with `{"action", "snapshot", "options"}`; gives its public form.

        Raises SettingError for what is no such request and when there is nothing to undo, QueueFull, DiskFull or
        OutputUnwritable. Footage that can't be used is no error: the plan says what was left out, and why.
        """
        action, options, raw = _request(data)
        snapshot = read_snapshot(raw)
        now = time.time()
        session = Session(
            id=new_id(),
            action=action,
            options=options,
            project=snapshot.project.id,
            timeline={"id": snapshot.timeline.id, "name": snapshot.timeline.name},
            created=now,
            updated=now,
        )
        with self._lock:
            session = self._with_jobs(session, snapshot)
            plan = None if session.jobs else self._plan(session, snapshot)
            parts = {_SNAPSHOT: raw} if plan is None else {_SNAPSHOT: raw, _PLAN: plan_to_json(plan)}
            session = session if plan is None else replace(session, state=PLANNED)
            self._shelf.add(session.id, asdict(session), **parts)
            return self._public(session)

    def session(self, session_id: str) -> dict[str, Any] | None:
        """The session, as far as it is by now, or None."""
        with self._lock:
            session = self._session(session_id)
            return None if session is None else self._public(self._advanced(session))

    def sessions(self, timeline: str | None = None) -> list[dict[str, Any]]:
        """The sessions of a timeline, or of all, the newest first."""
        with self._lock:
            found = [session for name in self._shelf.ids() if (session := self._session(name))]
            return [self._public(each) for each in found if timeline in {None, each.timeline["id"]}]

    def plan(self, session_id: str) -> dict[str, Any] | None:
        """The plan of a session, or None where there is no such session. Raises NotPlanned while its jobs run, and when
        it has failed."""
        with self._lock:
            session = self._session(session_id)
            if session is None:
                return None
            session = self._advanced(session)
            if session.state == WORKING:
                raise NotPlanned("the jobs of the session have not ended")
            plan: dict[str, Any] | None = self._shelf.part(session_id, _PLAN)
            if plan is None:
                error = session.error or {}
                raise NotPlanned(f"the session has failed: {error.get('message')}", hint=error.get("hint"))
            if not session.handed_out:
                self._keep(session, handed_out=True)
            return plan

    def read_back(self, session_id: str, data: object) -> dict[str, Any] | None:
        """Remember what a client read back, all at once or a part at a time; the session, or None where there is none.

        Raises SettingError for results of operations that are not in the plan, NotPlanned, DiskFull, OutputUnwritable.
        """
        with self._lock:
            if self.plan(session_id) is None:
                return None
            session = self._session(session_id)
            assert session is not None
            plan = read_plan(self._shelf.part(session_id, _PLAN))
            new = {result.id: result for result in read_results(data)}
            if unknown := new.keys() - {operation.id for operation in flat(plan.operations)}:
                raise SettingError(f"results: {sorted(unknown)[0]!r} is no operation of the plan")
            known = {result.id: result for result in self._results(session_id)} | new
            self._shelf.write(session_id, _READBACK, {"results": [asdict(result) for result in known.values()]})
            session = self._keep(session, **_outcome(plan, known))
            if session.state in {APPLIED, PARTIAL}:
                self._forget_undone(session)
            return self._public(session)

    def cancel(self, session_id: str) -> bool:
        """End a session that is not planned yet, and its jobs; whether there was one."""
        with self._lock:
            session = self._session(session_id)
            if session is None or self._advanced(session).state != WORKING:
                return False
            for job in session.jobs.values():
                self._jobs.cancel(job)
            self._keep(session, state=FAILED, error=fault(Cancelled("cancelled")))
            return True

    def _with_jobs(self, session: Session, snapshot: Snapshot) -> Session:
        chosen = {name: session.options[name] for name in CUTS_OPTIONS if name in session.options}
        jobs, absent = {}, {}
        for source in wanted(snapshot, session.action, self._memory(session)):
            try:
                jobs[source.media] = self._jobs.submit({"kind": "cuts", "source": source.path, **chosen})["id"]
            except (QueueFull, SettingError):
                for job in jobs.values():
                    self._jobs.cancel(job)
                raise
            except SnapUpscaleError as error:
                absent[source.media] = reason(fault(error))
        return replace(session, jobs=jobs, absent=absent)

    def _advanced(self, session: Session) -> Session:
        """The session, planned when its jobs have ended."""
        if session.state != WORKING:
            return session
        jobs = {media: self._jobs.job(job) for media, job in session.jobs.items()}
        if any(job and job["state"] not in protocol.ENDED for job in jobs.values()):
            return session
        try:
            snapshot = read_snapshot(self._shelf.part(session.id, _SNAPSHOT))
            plan = self._plan(session, snapshot, jobs)
        except SettingError as error:
            return self._keep(session, state=FAILED, error=fault(error))
        self._shelf.write(session.id, _PLAN, plan_to_json(plan))
        return self._keep(session, state=PLANNED)

    def _plan(
        self, session: Session, snapshot: Snapshot, jobs: Mapping[str, dict[str, Any] | None] | None = None
    ) -> Plan:
        found = {media: found_in(job) if job else reason({}) for media, job in (jobs or {}).items()}
        options = {name: value for name, value in session.options.items() if name not in CUTS_OPTIONS}
        return make_plan(
            session.action,
            snapshot,
            session.id,
            findings={**session.absent, **found},
            options=read_options(options),
            memory=self._memory(session),
            stamp=time.strftime("%Y-%m-%d %H.%M.%S", time.localtime(session.created)),
        )

    def _memory(self, session: Session) -> list[Remembered]:
        """What earlier sessions made on this timeline, as far as it is not undone, the newest first."""
        return [
            Remembered(plan=read_plan(self._shelf.part(each.id, _PLAN)), results=self._results(each.id))
            for each in self._earlier(session)
        ]

    def _earlier(self, session: Session) -> list[Session]:
        """The sessions before that may have made something on the timeline that is not undone, the newest first."""
        known = (each for name in self._shelf.ids() if name < session.id and (each := self._session(name)))
        return [
            each
            for each in known
            if (each.project, each.timeline["id"]) == (session.project, session.timeline["id"])
            and each.action not in _TAKING_BACK
            and (each.state in {APPLIED, PARTIAL} or (each.state == PLANNED and each.handed_out))
        ]

    def _forget_undone(self, session: Session) -> None:
        """Mark the sessions whose edits this one has taken back."""
        if session.action not in _TAKING_BACK:
            return
        gone = self._earlier(session)
        if session.action == "undo":
            gone = [each for each in gone if session.options.get("session") in {None, "", each.id}][:1]
        else:
            gone = [each for each in gone if each.action == "mark"]
        for each in gone:
            self._keep(each, state=UNDONE)

    def _results(self, session_id: str) -> tuple[Result, ...]:
        kept = self._shelf.part(session_id, _READBACK)
        return () if kept is None else read_results(kept)

    def _session(self, session_id: str) -> Session | None:
        head = self._shelf.head(session_id)
        return None if head is None else Session(**head)

    def _keep(self, session: Session, **changes: Any) -> Session:
        changed = replace(session, updated=time.time(), **changes)
        self._shelf.replace(session.id, asdict(changed))
        return changed

    def _public(self, session: Session) -> dict[str, Any]:
        jobs = (self._jobs.job(job) for job in session.jobs.values())
        hidden = {"stills", "result"}
        return {
            "id": session.id,
            "action": session.action,
            "state": session.state,
            "timeline": session.timeline,
            "jobs": [{name: value for name, value in job.items() if name not in hidden} for job in jobs if job],
            "error": session.error,
            "created": session.created,
            "updated": session.updated,
        }


def _request(data: object) -> tuple[str, dict[str, Any], object]:
    """The action, the options and the snapshot, undecoded, that a client sends."""
    if not isinstance(data, dict):
        raise SettingError("a session is a JSON object", hint='Send {"action", "snapshot", "options"}.')
    action, options = data.get("action"), data.get("options", {})
    if action not in ACTIONS:
        raise SettingError(f"action: {str(action)[:40]!r} is no action", hint=f"Actions: {', '.join(ACTIONS)}.")
    if not isinstance(options, dict):
        raise SettingError("options: is no object")
    if unknown := sorted(str(name) for name in options.keys() - set(_OPTIONS)):
        raise SettingError(f"options: {unknown[0][:40]!r} is no option", hint=f"Options: {', '.join(_OPTIONS)}.")
    read_options({name: value for name, value in options.items() if name not in CUTS_OPTIONS})
    return action, options, data.get("snapshot")


def _outcome(plan: Plan, results: Mapping[str, Result]) -> dict[str, Any]:
    """The state of a session after these results, and its error."""
    done = {operation.id for operation in plan.operations if _is_done(operation, results)}
    if len(done) == len(plan.operations):
        return {"state": APPLIED, "error": None}
    bad = next((each for each in results.values() if not each.ok and each.id not in done), None)
    # The first operation, `require`, looks before anything is touched.
    nothing = bad is not None and bad.id == plan.operations[0].id
    hint = "Nothing was changed; run it again." if nothing else _UNDO
    error = None if bad is None else {"code": "not-applied", "message": bad.message, "hint": hint}
    return {"state": FAILED if nothing else PARTIAL, "error": error}


def _is_done(operation: Operation, results: Mapping[str, Result]) -> bool:
    result = results.get(operation.id)
    if result is not None and result.ok:
        return True
    inner = operation.otherwise if isinstance(operation, Take) else ()
    return bool(inner) and all(_is_done(each, results) for each in inner)


_UNDO = "Undo Last SnapUpscale takes back what was made; then run it again."
