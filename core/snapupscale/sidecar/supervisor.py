"""The service's side of a worker: gives it jobs, keeps what it reports, and outlives its death."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from snapupscale.errors import Cancelled, OutputError
from snapupscale.sidecar.child import Start, Worker
from snapupscale.sidecar.leftovers import tidy

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.sidecar.store import Job, Store


GRACE = 0.5
"""Seconds that a worker may take to give up a job that is cancelled."""
PATIENCE = 3.0
"""Seconds that a worker may take to give up a job that gives way: its model is worth waiting for."""
IDLE = 300.0
"""Seconds without a job after which the worker, with its models, is let go."""
_TICK = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0
_REPORT = "This is a fault of SnapUpscale. Report it, with the log of the sidecar."
_log = logging.getLogger(__name__)

T = TypeVar("T")


class Supervisor:
    """A thread that works off the store's jobs, one at a time, in a process of its own that it starts when needed.

    start: how its worker is started. idle: seconds without a job until the worker is let go. quick: take only
    interactive jobs that make no stills, so that they needn't wait for another supervisor's long ones.
    head_start: seconds that others, whose workers are warm, have to take a job before this one starts a worker for it.
    gives_way: whether a job that runs here has to make room for another, asked again and again; the job then waits.
    pauses: whether a batch job that runs here is to rest for now, asked again and again.
    ended: called whenever a job has ended here, or waits again.
    """

    def __init__(
        self,
        store: Store,
        *,
        start: Start | None = None,
        idle: float = IDLE,
        quick: bool = False,
        head_start: float = 0.0,
        gives_way: Callable[[Job], bool] = lambda job: False,
        pauses: Callable[[], bool] = lambda: False,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._quick = quick
        self._start = start or Start()
        self._idle = idle
        self._head_start = head_start
        self._gives_way = gives_way
        self._pauses = pauses
        self._ended = ended
        self._worker: Worker | None = None
        self._job: Job | None = None
        self._yielding = False
        self._pause = _FIRST_PAUSE
        self._news = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    @property
    def worker_pid(self) -> int | None:
        """The process of the worker, if there is one."""
        worker = self._worker
        return worker.pid if worker else None

    @property
    def job(self) -> Job | None:
        """The job that runs here, as it was when it was claimed."""
        return self._job

    @property
    def yielding(self) -> bool:
        """Whether that job is about to give way to another."""
        return self._yielding

    def wake(self) -> None:
        """There may be a job."""
        self._news.set()

    def end(self) -> None:
        """Begin to close, without waiting."""
        self._closing.set()
        self._news.set()

    def close(self) -> None:
        """Stop the worker and the thread; a job that runs is interrupted."""
        self.end()
        self._thread.join()

    def _run(self) -> None:
        rest = time.monotonic() + self._idle
        try:
            while not self._closing.is_set():
                self._news.clear()
                try:
                    job = self._claim()
                except Exception:
                    # The service must not go on without the thread that does its work.
                    _log.exception("no job could be taken")
                    self._closing.wait(_LONGEST_PAUSE)
                    continue
                if job:
                    self._work_safely(job)
                    rest = time.monotonic() + self._idle
                elif not self._news.wait(max(0.0, rest - time.monotonic()) if self._worker else None):
                    self._let_go()
        finally:
            self._let_go()

    def _claim(self) -> Job | None:
        if self._head_start and not self._worker:
            self._closing.wait(self._head_start)
        return self._insist(lambda: self._store.claim(quick=self._quick))

    def _work_safely(self, job: Job) -> None:
        """See the job to its end; a fault, or a worker that talks nonsense, costs this job alone."""
        self._job, self._yielding = job, False
        try:
            self._work(job)
        except Exception as error:
            _log.exception("job %s", job.id)
            self._let_go()
            message = f"{type(error).__name__}: {error}"
            self._insist(lambda: self._store.fail(job.id, {"code": "internal", "message": message, "hint": _REPORT}))
        finally:
            self._job = None
            self._ended()

    def _work(self, job: Job) -> None:
        """See the job to its end, whatever that is."""
        to_blame = self._worker is None
        try:
            worker = self._worker = self._worker or Worker(self._start)
        except OSError as error:
            self._lost(job, f"it cannot be started: {error}")
            return
        worker.send({"id": job.id, "kind": job.kind, "params": job.params})
        cancelling, deadline, paused = False, math.inf, False
        while not self._closing.is_set():
            if not cancelling and self._store.cancelling(job.id):
                worker.send({"cancel": job.id})
                cancelling, deadline = True, time.monotonic() + GRACE
            elif not cancelling and not self._yielding and self._gives_way(job):
                self._yielding = True
                worker.send({"cancel": job.id})
                deadline = time.monotonic() + PATIENCE
            if paused != (rests := job.priority == "batch" and self._pauses()):
                paused = rests
                worker.send({"pause": paused})
            if time.monotonic() > deadline:
                self._let_go()
                tidy(job)
                self._given_up(job)
                return
            try:
                reply = worker.reply(_TICK)
            except queue.Empty:
                continue
            if reply is None and not to_blame:
                # It died before it took the job, while it was idle.
                _log.warning("the worker ended while it was idle: %s", self._let_go())
                self._yielding = False
                self._work(job)
                return
            if reply is None:
                self._lost(job, self._let_go())
                return
            to_blame = to_blame or reply.get("id") == job.id
            if self._keep(job, reply):
                self._pause = _FIRST_PAUSE
                return
        self._insist(lambda: self._store.interrupt(job.id))
        self._let_go()
        tidy(job)

    def _keep(self, job: Job, reply: dict[str, Any]) -> bool:
        """Keep what the worker says; whether it was the last word."""
        if reply.get("id") != job.id:
            return False
        if "still" in reply:
            still = reply["still"]
            index = still.pop("index")
            self._insist(lambda: self._store.still(job.id, index, still))
        elif "done" in reply:
            self._insist(lambda: self._store.finish(job.id, reply["done"]))
            return True
        elif "error" in reply:
            if self._yielding and reply["error"]["code"] == Cancelled.code:
                self._given_up(job)
            else:
                self._insist(lambda: self._store.fail(job.id, reply["error"]))
            return True
        else:
            # News that nobody will miss when the disk is full.
            with suppress(OutputError):
                if "progress" in reply:
                    self._store.progress(job.id, reply["progress"])
                elif "say" in reply:
                    self._store.say(job.id, reply["say"])
        return False

    def _given_up(self, job: Job) -> None:
        """The worker has left the job, or was ended by force, because it was told to."""
        if self._yielding:
            self._insist(lambda: self._store.give_way(job.id))
        else:
            self._insist(lambda: self._store.died(job.id, "stopped by force"))

    def _lost(self, job: Job, how: str) -> None:
        """The worker has died of the job: enter that, and wait before another is started."""
        _log.warning("the worker of job %s (%s) ended: %s", job.id, job.kind, how)
        tidy(job)
        self._insist(lambda: self._store.died(job.id, how))
        self._closing.wait(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _let_go(self) -> str:
        """End the worker, if there is one; how it ended."""
        how = self._worker.stop() if self._worker else ""
        self._worker = None
        return how

    def _insist(self, change: Callable[[], T]) -> T | None:
        """Do what must not be lost, as soon as the disk allows it; None when the service ends before."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return change()
            except OutputError as error:
                _log.error("%s", error)
            if self._closing.wait(pause):
                return None
            pause = min(2 * pause, _LONGEST_PAUSE)
