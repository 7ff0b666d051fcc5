"""The supervisors of one service: one for each GPU, and one for what is quick; who makes room for whom."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snapupscale.sidecar.child import COMMAND, Start
from snapupscale.sidecar.containment import MEMORY_SHARE
from snapupscale.sidecar.supervisor import IDLE, Supervisor
from snapupscale.upscale import gpus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from snapupscale.sidecar.store import Job, Store

_HEAD_START = 0.05
_QUICK_MEMORY = 0.35
"""What the quick worker may take of the memory; the one that makes stills takes more by itself."""


class Pool:
    """The supervisors that work off `store`: at once one that is quick, and as soon as the GPUs are known, one for
    each of them that does everything, or a single one where there is none.

    command: starts a worker. idle: seconds without a job until a worker is let go. find_gpus: what each worker has to
    find in its environment; called on a thread of its own. pauses: whether batch jobs are to rest for now, asked again
    and again. ended: called whenever a job has ended, or waits again.
    """

    def __init__(
        self,
        store: Store,
        *,
        command: Sequence[str] = COMMAND,
        idle: float = IDLE,
        find_gpus: Callable[[], Sequence[Mapping[str, str]]] = gpus.find,
        pauses: Callable[[], bool] = lambda: False,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._ended = ended
        self._command = command
        self._idle = idle
        self._find_gpus = find_gpus
        self._pauses = pauses
        self._lock = threading.Lock()
        self._closed = False
        self._stills: tuple[Supervisor, ...] = ()
        # It never loads a model, so it needs no GPU.
        environment = {"CUDA_VISIBLE_DEVICES": "", MEMORY_SHARE: str(_QUICK_MEMORY)}
        self._quick = Supervisor(
            store, start=Start(command=command, environment=environment), idle=idle, quick=True, ended=self._job_ended
        )
        threading.Thread(target=self._start_stills, name="pool", daemon=True).start()

    @property
    def worker_pids(self) -> list[int]:
        """The processes of the workers that there are, those of the stills first."""
        return [pid for each in (*self._stills, self._quick) if (pid := each.worker_pid) is not None]

    def wake(self) -> None:
        """There may be a job, or one may have ended that others waited for."""
        for each in (*self._stills, self._quick):
            each.wake()

    def close(self) -> None:
        """Stop all workers, at the same time; jobs that run are interrupted."""
        with self._lock:
            self._closed = True
        everyone = (*self._stills, self._quick)
        for each in everyone:
            each.end()
        for each in everyone:
            each.close()

    def _job_ended(self) -> None:
        self.wake()
        self._ended()

    def _start_stills(self) -> None:
        found = self._find_gpus()
        with self._lock:
            if self._closed:
                return
            self._stills = tuple(
                Supervisor(
                    self._store,
                    start=Start(command=self._command, environment=environment, modest=not found),
                    idle=self._idle,
                    head_start=_HEAD_START if len(found) > 1 else 0.0,
                    gives_way=self._gives_way,
                    pauses=self._pauses,
                    ended=self._job_ended,
                )
                for environment in found or ({},)
            )
        # A job may have come while they were made.
        self.wake()

    def _gives_way(self, job: Job) -> bool:
        waiting = self._store.urgent()
        if not waiting:
            return False
        supervisors = self._stills
        busy = [(each, running) for each in supervisors if (running := each.job) is not None]
        states = [
            Running(
                id=running.id,
                created=running.created,
                folder=folder_of(running),
                may=running.priority == "batch" and self._store.may_give_way(running.id),
                yielding=each.yielding,
            )
            for each, running in busy
        ]
        idle = len(supervisors) - len(busy)
        return job.id in to_give_way([folder_of(each) for each in waiting], states, idle)


@dataclass(frozen=True, kw_only=True)
class Running:
    """What there is to know of a job that runs, to tell whether it gives way."""

    id: str
    created: float
    folder: str | None
    may: bool
    """Whether it may: an interactive one never does, and a batch one not before it got on since the last time."""
    yielding: bool = False
    """Whether it is doing so already."""


def to_give_way(waiting: Sequence[str | None], running: Sequence[Running], idle: int) -> set[str]:
    """The ids of the jobs in `running` that have to make room for the interactive ones that wait.

    waiting: their folders, in their order. idle: how many workers have nothing to do, and will take what waits. One
    that wants the folder of a running job needs the end of that very job; for any other, the newest gives way.
    """
    chosen = {each.id for each in running if each.yielding}
    free = idle + len(chosen)
    holders = {each.folder: each for each in running if each.folder is not None}
    taken: set[str | None] = set()
    for folder in waiting:
        if folder in taken:
            continue
        holder = holders.get(folder) if folder is not None else None
        if holder and not (holder.may or holder.yielding):
            continue
        if folder is not None:
            taken.add(folder)
        able = [each for each in running if each.may and each.id not in chosen]
        if holder and holder.id not in chosen:
            chosen.add(holder.id)
        elif free > 0:
            free -= 1
        elif able:
            chosen.add(max(able, key=lambda each: each.created).id)
    return chosen


def folder_of(job: Job) -> str | None:
    """The folder that the job writes to, if it makes stills."""
    folder: str | None = job.params.get("folder")
    return folder
