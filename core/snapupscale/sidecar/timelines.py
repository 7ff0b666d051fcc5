"""Timeline sessions: what a menu script found on its timeline, the jobs and the plan that follow, what it read back."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapupscale import protocol
from snapupscale.errors import Cancelled, NotPlanned, OutputError, SettingError, SnapUpscaleError, SourceError
from snapupscale.sidecar.analysis import found_in, reason
from snapupscale.sidecar.messages import fault
from snapupscale.sidecar.session import (
    APPLIED,
    CUTS,
    FAILED,
    PARTIAL,
    PLANNED,
    UNDONE,
    WORKING,
    Session,
    outcome,
    took_back,
)
from snapupscale.sidecar.session_request import FOLDER, of_cuts, of_upscale, read_request
from snapupscale.sidecar.shelf import Shelf
from snapupscale.sidecar.stages import Known, first_fault, held, own_folder, project_folder, unfit, with_faults
from snapupscale.sidecar.staging import Jobs, Staging
from snapupscale.timeline.actions import make_plan
from snapupscale.timeline.memory import Remembered, read_results
from snapupscale.timeline.operations import flat
from snapupscale.timeline.options import Options, read_options
from snapupscale.timeline.plan import plan_to_json, read_plan
from snapupscale.timeline.scope import wanted
from snapupscale.timeline.snapshot import read_snapshot
from snapupscale.timeline.wire import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from snapupscale.timeline.found import Found
    from snapupscale.timeline.memory import Result
    from snapupscale.timeline.pieces import Held, Piece
    from snapupscale.timeline.plan import Plan
    from snapupscale.timeline.scope import Wanted
    from snapupscale.timeline.snapshot import Snapshot

_SNAPSHOT, _CUTS, _PLAN, _READBACK = "snapshot", "cuts", "plan", "readback"
_TAKING_BACK = ("undo", "remove_markers")
_AGAIN = "Choose it from the menu again."
_log = logging.getLogger(__name__)


class Timelines:
    """The sessions of all timelines, kept under `folder`. Methods may be called on any thread, and wait for the disk
    alone. A session goes on where it was when the sidecar ends.

    A session gets on when it is asked for, and with `advance`, which is to be called whenever a job has ended.
    """

    def __init__(self, folder: Path, jobs: Jobs, *, stills: Callable[[], Path] = own_folder) -> None:
        """`stills` gives the folder that holds one for each project, where a session doesn't choose another."""
        self._shelf = Shelf(folder)
        self._jobs = jobs
        self._stills = stills
        self._staging = Staging(self._shelf, jobs)
        self._lock = threading.RLock()

    def open(self, data: object) -> dict[str, Any]:
        """Begin the session that a client asks for with `{"action", "snapshot", "options"}`; gives its public form.

        Raises SettingError for what is no such request and when there is nothing to undo, QueueFull, DiskFull or
        OutputUnwritable. Footage that can't be used is no error: the plan says what was left out, and why.
        """
        action, options, raw = read_request(data)
        snapshot = read_snapshot(raw)
        now = time.time()
        session = Session(
            id=self._shelf.new_id(),
            action=action,
            options=options,
            project=snapshot.project.id,
            timeline={"id": snapshot.timeline.id, "name": snapshot.timeline.name},
            created=now,
            updated=now,
        )
        with self._lock:
            sources = wanted(snapshot, action, self._memory(self._earlier(session)))
        # Not under the lock: a disk of the network that is gone lets the look at a source wait for long.
        session = self._with_jobs(session, sources)
        try:
            with self._lock:
                parts = {_SNAPSHOT: raw}
                if not session.jobs:
                    session, plan = self._planned(session, snapshot)
                    parts[_PLAN] = plan_to_json(plan)
                self._shelf.add(session.id, asdict(session), **parts)
                return self._public(session)
        except SnapUpscaleError:
            self._give_up(session.jobs.values())
            raise

    def session(self, session_id: str) -> dict[str, Any] | None:
        """The session, as far as it is by now, or None."""
        with self._lock:
            session = self._session(session_id)
            return None if session is None else self._public(self._advanced(session))

    def sessions(self, timeline: str | None = None) -> list[dict[str, Any]]:
        """The sessions of a timeline, or of all, the newest first."""
        with self._lock:
            found = [session for name in self._shelf.ids() if (session := self._session(name))]
            chosen = [each for each in found if timeline in {None, each.timeline["id"]}]
            return [self._public(self._advanced_if_possible(each)) for each in chosen]

    def advance(self) -> None:
        """Take all sessions as far as they come by now."""
        for name in self._shelf.ids():
            with self._lock:
                session = self._session(name)
                if session is not None:
                    self._advanced_if_possible(session)

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
            plan: dict[str, Any] | None = None
            with suppress(OutputError):  # it is damaged
                plan = self._shelf.part(session_id, _PLAN)
            if plan is None:
                error = session.error or {"message": "its plan is lost", "hint": _AGAIN}
                raise NotPlanned(f"the session has failed: {error['message']}", hint=error["hint"])
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
            if took_back(plan, known):
                # First, so that a kill between the two doesn't leave what is gone to the next undo.
                for name in session.undoes:
                    if target := self._session(name):
                        self._keep(target, state=UNDONE)
            # What was undone meanwhile isn't there again because its client reports late.
            changes = {} if session.state == UNDONE else outcome(plan, known)
            return self._public(self._keep(session, **changes))

    def cancel(self, session_id: str) -> bool:
        """End a session that is not planned yet, and its jobs; whether there was one."""
        with self._lock:
            session = self._session(session_id)
            if session is None or self._advanced(session).state != WORKING:
                return False
            # First, since with its jobs alone ended it would be planned, without any footage.
            self._keep(session, state=FAILED, error=fault(Cancelled("cancelled")))
            self._give_up(dict.fromkeys([*session.jobs.values(), *self._staging.jobs(session)]))
            return True

    def _with_jobs(self, session: Session, sources: Iterable[Wanted]) -> Session:
        chosen = of_cuts(session.options)
        jobs, absent = {}, {}
        for source in sources:
            try:
                jobs[source.media] = self._jobs.submit({"kind": "cuts", "source": source.path, **chosen})["id"]
            except (SourceError, SettingError) as error:
                # The options are sound, so it is the path that can't be taken.
                absent[source.media] = reason(fault(error))
            except SnapUpscaleError:
                self._give_up(jobs.values())
                raise
        return replace(session, jobs=jobs, absent=absent)

    def _give_up(self, jobs: Iterable[str]) -> None:
        """End the jobs of a session that there will not be."""
        for job in jobs:
            with suppress(SnapUpscaleError):
                self._jobs.cancel(job)

    def _advanced_if_possible(self, session: Session) -> Session:
        try:
            return self._advanced(session)
        except OutputError as error:
            _log.warning("session %s: %s", session.id, error)
            return session

    def _advanced(self, session: Session) -> Session:
        """The session, planned when its jobs have ended."""
        if session.state != WORKING:
            return session
        if session.stage == CUTS and any(job["state"] not in protocol.ENDED for job in self._briefly(session)):
            return session
        try:
            snapshot = self._snapshot(session.id)
            if session.action == "stills":
                staged, ended = self._staged(session, snapshot)
                session = self._keep(staged) if staged != session else session
                if not ended:
                    return session
            planned, plan = self._planned(session, snapshot)
        except SettingError as error:
            return self._keep(session, state=FAILED, error=fault(error))
        if not plan.summary.stills and (why := first_fault(self._staging.work(session))):
            return self._keep(session, state=FAILED, error=why)
        self._shelf.write(session.id, _PLAN, plan_to_json(plan))
        return self._keep(planned)

    def _staged(self, session: Session, snapshot: Snapshot) -> tuple[Session, bool]:
        """The session, whose cuts are found, as far as its stages come by now, and whether they have ended."""
        if session.stage == CUTS:
            # The jobs may be forgotten before the last stage needs what they found.
            found = {media: self._jobs.job(job) or {} for media, job in session.jobs.items()}
            kept = ("state", "result", "error")
            self._shelf.write(
                session.id, _CUTS, {media: {name: job.get(name) for name in kept} for media, job in found.items()}
            )
        return self._staging.advance(session, lambda: self._known(session, snapshot))

    def _known(self, session: Session, snapshot: Snapshot) -> Known:
        base = Path(session.options[FOLDER]) if session.options.get(FOLDER) else self._stills()
        return Known(
            snapshot=snapshot,
            findings=self._findings(session),
            memory=self._memory(self._earlier(session)),
            options=of_upscale(session.options),
            folder=project_folder(base, snapshot),
        )

    def _findings(self, session: Session) -> dict[str, Found | str]:
        """What the jobs found in each medium, or why nothing is known of it."""
        kept = self._shelf.part(session.id, _CUTS) if session.action == "stills" else None
        jobs = {media: self._jobs.job(job) for media, job in session.jobs.items()} if kept is None else kept
        found = {media: found_in(job) if job and job["state"] else reason({}) for media, job in jobs.items()}
        return {**session.absent, **found}

    def _planned(self, session: Session, snapshot: Snapshot) -> tuple[Session, Plan]:
        """The session as it is with its plan, and the plan."""
        options = read_options(session.options)
        earlier = self._earlier(session)
        memory = self._memory(earlier)
        plan_with = partial(
            make_plan,
            session.action,
            snapshot,
            session.id,
            findings=self._findings(session),
            memory=memory,
            stamp=time.strftime("%Y-%m-%d %H.%M.%S", time.localtime(session.created)),
        )
        undoes: tuple[str, ...] = ()
        if session.action == "undo":
            idle = {each.plan.session for each in memory if len(each.plan.operations) == 1}
            plan, undoes = _undo(
                options, earlier, idle, lambda target: plan_with(options=replace(options, session=target))
            )
        elif session.action == "stills":
            work = self._staging.work(session)
            known = self._known(session, snapshot)
            made: dict[Piece, Held | str] = {**unfit(known, work.upscale)}
            made.update(held(known, work.upscale, work.hold))
            plan = plan_with(options=options, held=made)
            plan = with_faults(plan, work)
        else:
            plan = plan_with(options=options)
        if session.action == "remove_markers":
            undoes = tuple(each.id for each in earlier if each.action == "mark")
        return replace(session, state=PLANNED, undoes=undoes), plan

    def _memory(self, earlier: Iterable[Session]) -> list[Remembered]:
        """What these sessions made on the timeline; one whose plan is damaged must not keep the others from work."""
        known = []
        for each in earlier:
            try:
                plan = read_plan(self._shelf.part(each.id, _PLAN))
            except (SettingError, OutputError) as error:
                _log.warning("the plan of session %s is lost: %s", each.id, error)
            else:
                known.append(Remembered(plan=plan, results=self._results(each.id)))
        return known

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

    def _results(self, session_id: str) -> tuple[Result, ...]:
        try:
            kept = self._shelf.part(session_id, _READBACK)
            return () if kept is None else read_results(kept)
        except (SettingError, OutputError) as error:
            _log.warning("what was read back of session %s is lost: %s", session_id, error)
            return ()

    def _snapshot(self, session_id: str) -> Snapshot:
        try:
            return read_snapshot(self._shelf.part(session_id, _SNAPSHOT))
        except OutputError as error:
            raise SettingError(str(error), hint=error.hint) from error

    def _session(self, session_id: str) -> Session | None:
        head = self._shelf.head(session_id)
        try:
            return None if head is None else decode(Session, head)
        except SettingError as error:
            _log.warning("session %s is damaged: %s", session_id, error)
            return None

    def _briefly(self, session: Session) -> list[dict[str, Any]]:
        return [found for job in self._staging.jobs(session) if (found := self._jobs.brief(job))]

    def _keep(self, session: Session, **changes: Any) -> Session:
        changed = replace(session, updated=time.time(), **changes)
        self._shelf.replace(session.id, asdict(changed))
        return changed

    def _public(self, session: Session) -> dict[str, Any]:
        return {
            "id": session.id,
            "action": session.action,
            "state": session.state,
            "timeline": session.timeline,
            "jobs": self._briefly(session),
            "progress": self._staging.progress(session),
            "error": session.error,
            "created": session.created,
            "updated": session.updated,
        }


def _undo(
    options: Options, earlier: Iterable[Session], idle: Collection[str], plan_for: Callable[[str], Plan]
) -> tuple[Plan, tuple[str, ...]]:
    """The plan that takes back the chosen session or the newest, and the ids of the sessions that it ends; `idle` are
    those whose plans edit nothing.

    One whose client never said what it did and that left nothing is passed over, as its edits were never made; so is
    one that found nothing to edit, since who undoes means what was seen to happen.
    """
    plan, ends = None, []
    for each in earlier:
        if options.session not in {"", each.id}:
            continue
        with suppress(SettingError):  # its plan is lost, and no marker tells of it
            plan = plan_for(each.id)
            ends.append(each.id)
            if len(plan.operations) > 1 or (each.state != PLANNED and each.id not in idle):
                break
    return plan or plan_for(options.session), tuple(ends)
