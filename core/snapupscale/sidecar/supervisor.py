"""The service's side of the worker: gives it jobs, keeps what it reports, and outlives its death."""

from __future__ import annotations

import json
import logging
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from snapupscale.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snapupscale.sidecar.store import Job, Store

# -P: the worker must not import from the folder that the service happens to be in.
COMMAND = (sys.executable, "-P", "-m", "snapupscale.sidecar.worker")
GRACE = 0.5
"""Seconds that a worker may take to give up a job that is cancelled."""
IDLE = 300.0
"""Seconds without a job after which the worker, with its models, is let go."""
_END_GRACE = 0.2
"""Seconds for each of the gentle ways to end a worker."""
_LAST_WORDS = 1.0
_TICK = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0
_REPORT = "This is a fault of SnapUpscale. Report it, with the log of the sidecar."
_log = logging.getLogger(__name__)

T = TypeVar("T")


class Worker:
    """One process, its replies as they come, and its errors in the log. Start it on a thread that lives as long."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Ctrl-C in the terminal of the service is for the service.
            start_new_session=True,
        )
        self._replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: dict[str, Any]) -> None:
        """Send one message; a worker that has died doesn't get it, and its replies will end."""
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.write(json.dumps(message).encode() + b"\n")
                self._process.stdin.flush()

    def reply(self, timeout: float) -> dict[str, Any] | None:
        """The next reply, or None when the worker has died. Raises queue.Empty."""
        return self._replies.get(timeout=timeout)

    def stop(self) -> str:
        """End the process, by force if need be; says how it ended."""
        # It ends by itself when its input does, so this is the gentle way, too.
        for gently in (self._close_input, self._process.terminate):
            with suppress(OSError):
                gently()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_GRACE)
                break
        else:
            self._process.kill()
        code = self._process.wait()
        for reader in self._readers:
            reader.join(_LAST_WORDS)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def _close_input(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            try:
                reply = json.loads(line)
            except ValueError:
                _log.warning("the worker died in the midst of a reply")
                continue
            self._replies.put(reply)
        self._replies.put(None)

    def _read_errors(self) -> None:
        for line in self._process.stderr or ():
            _log.warning("worker: %s", line.decode("utf-8", "replace").rstrip())


class Supervisor:
    """A thread that works off the store's jobs, one at a time, in a process of its own that it starts when needed.

    command: starts a worker. idle: seconds without a job until the worker is let go. quick: take only interactive jobs
    that make no stills, so that they needn't wait for another supervisor's long ones.
    """

    def __init__(
        self, store: Store, *, command: Sequence[str] = COMMAND, idle: float = IDLE, quick: bool = False
    ) -> None:
        self._store = store
        self._quick = quick
        self._command = command
        self._idle = idle
        self._worker: Worker | None = None
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

    def wake(self) -> None:
        """There may be a job."""
        self._news.set()

    def close(self) -> None:
        """Stop the worker and the thread; a job that runs is interrupted."""
        self._closing.set()
        self._news.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._news.clear()
                try:
                    job = self._insist(lambda: self._store.claim(quick=self._quick))
                except Exception:
                    # The service must not go on without the thread that does its work.
                    _log.exception("no job could be taken")
                    self._closing.wait(_LONGEST_PAUSE)
                    continue
                if job:
                    self._work_safely(job)
                elif not self._news.wait(self._idle if self._worker else None):
                    self._let_go()
        finally:
            self._let_go()

    def _work_safely(self, job: Job) -> None:
        """See the job to its end; a fault, or a worker that talks nonsense, costs this job alone."""
        try:
            self._work(job)
        except Exception as error:
            _log.exception("job %s", job.id)
            self._let_go()
            message = f"{type(error).__name__}: {error}"
            self._insist(lambda: self._store.fail(job.id, {"code": "internal", "message": message, "hint": _REPORT}))

    def _work(self, job: Job) -> None:
        """See the job to its end, whatever that is."""
        try:
            worker = self._worker = self._worker or Worker(self._command)
        except OSError as error:
            self._lost(job, f"it cannot be started: {error}")
            return
        worker.send({"id": job.id, "kind": job.kind, "params": job.params})
        deadline = None
        while not self._closing.is_set():
            if deadline is None and self._store.cancelling(job.id):
                worker.send({"cancel": job.id})
                deadline = time.monotonic() + GRACE
            if deadline is not None and time.monotonic() > deadline:
                self._let_go()
                self._insist(lambda: self._store.died(job.id, "stopped by force"))
                return
            try:
                reply = worker.reply(_TICK)
            except queue.Empty:
                continue
            if reply is None:
                self._lost(job, self._let_go())
                return
            if self._keep(job, reply):
                self._pause = _FIRST_PAUSE
                return
        self._insist(lambda: self._store.interrupt(job.id))

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

    def _lost(self, job: Job, how: str) -> None:
        """The worker has died of the job: enter that, and wait before another is started."""
        _log.warning("the worker of job %s (%s) ended: %s", job.id, job.kind, how)
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
