"""Many pictures on several GPUs: a process for each, results in order, and no picture lost with a process or a GPU."""

from __future__ import annotations

import logging
import queue
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from snapupscale.errors import Cancelled, DeviceLost, OutOfMemory, SnapUpscaleError, UpscaleError
from snapupscale.upscale.fleet_process import Process, Task
from snapupscale.upscale.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[Any]
    Message = dict[str, Any]

# -P: a process must not import from the folder that it happens to be in.
COMMAND = (sys.executable, "-P", "-m", "snapupscale.upscale.fleet_worker")

MOST_BEGUN = 3
"""Pictures that one process has: one that is computed, and two that wait for it."""
MOST_TAKEN = 4
"""Pictures a GPU that are taken from the source and not yet given as results."""
_DEATHS = 2
_HINT = "Look at what they printed; --backend cpu leaves out the driver of the GPU."
_PATIENCE = 0.1
"""Seconds between two reports of progress at most."""
_AWAY = 5.0
"""After so many seconds between two looks, this process was stopped, or its results were used."""
_log = logging.getLogger(__name__)


def alone(
    upscale: Callable[..., Pixels], images: Iterable[Pixels], report: Callable[[float], None]
) -> Generator[Pixels, None, None]:
    """The results of `images` in order, computed by this process."""
    for index, image in enumerate(images):
        try:
            result = upscale(image, progress=lambda share, index=index: report(index + share))
        except Cancelled:
            raise
        except SnapUpscaleError as error:
            raise numbered(index, error) from error
        yield result
        del result


def numbered(index: int, error: Exception) -> Exception:
    """The same error, saying of which picture."""
    text = f"picture {index}: {error}"
    return type(error)(text, hint=error.hint) if isinstance(error, SnapUpscaleError) else RuntimeError(text)


class Fleet:
    """A process for each of `gpus`, for one pass over pictures.

    gpus: for each, the variables that show it alone. settings: of Upscaler, as JSON. enlarged: the height and width of
    the result for those of a picture. command: starts a process (see fleet_worker).
    """

    seconds: list[tuple[int, float]]
    """For each result the number of its GPU, and how long it was computed."""

    def __init__(
        self,
        gpus: Sequence[Mapping[str, str]],
        settings: Mapping[str, Any],
        enlarged: Callable[[int, int], tuple[int, ...]],
        *,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._gpus = gpus
        self._settings = settings
        self._enlarged = enlarged
        self._command = command
        self._inbox: queue.SimpleQueue[tuple[Process, Message | None]] = queue.SimpleQueue()
        self._processes: list[Process] = []
        self._tasks: deque[Task] = deque()
        self._again: deque[Task] = deque()
        self._exhausted = False
        self._failure: Exception | None = None
        self._looked = time.monotonic()
        self.seconds = []

    def upscaled(
        self, images: Iterable[Pixels], report: Callable[[float], None] = lambda _: None
    ) -> Generator[Pixels, None, None]:
        """The results of `images`, in order. The first error of a picture, or of `images`, is raised in its place.

        `report` is called often with the number of pictures that are done, and may raise. However it ends, all
        processes end.
        """
        source = enumerate(images)
        try:
            for gpu in self._gpus:
                self._start(gpu)
            while True:
                while self._receive(0):
                    pass
                self._give_up_hung()
                self._feed(source)
                report(len(self.seconds))
                if self._tasks and self._tasks[0].ended:
                    yield self._first()
                elif self._exhausted and not self._tasks:
                    return
                elif not self._processes and not self._tasks:
                    raise self._reason()
                else:
                    self._receive(_PATIENCE)
        finally:
            self._end()

    def _start(self, gpu: Mapping[str, str]) -> None:
        self._processes.append(Process(self._command, gpu, self._settings, self._inbox))

    def _feed(self, source: Iterator[tuple[int, Pixels]]) -> None:
        """Give the processes what they can take, first what another one has left undone."""
        while process := self._least_busy():
            task = self._again.popleft() if self._again else self._taken(source)
            if task is None:
                return
            try:
                process.begin(task)
            except OSError as error:
                hint = "Close other programs, or free some space for temporary files."
                failure = OutOfMemory(f"no memory to share with other processes: {error}", hint=hint)
                self._fail(task, numbered(task.index, failure))

    def _least_busy(self) -> Process | None:
        """The process with the fewest pictures, unless all have enough."""
        free = [process for process in self._processes if process.ready and len(process.tasks) < MOST_BEGUN]
        return min(free, key=lambda process: len(process.tasks), default=None)

    def _taken(self, source: Iterator[tuple[int, Pixels]]) -> Task | None:
        """The next picture; None where there is none, or enough are on their way."""
        if self._exhausted or len(self._tasks) >= MOST_TAKEN * len(self._gpus):
            return None
        task = Task()
        try:
            task.index, image = next(source)
        except StopIteration:
            self._exhausted = True
            return None
        except Exception as error:
            self._tasks.append(task)
            self._fail(task, error)
            return None
        self._tasks.append(task)
        try:
            Picture.of(image)
        except Exception as error:
            self._fail(task, numbered(task.index, error))
            return None
        task.picture = image.astype(image.dtype.newbyteorder("="), copy=False)
        task.shape = (*self._enlarged(*image.shape[:2]), *image.shape[2:])
        return task

    def _first(self) -> Pixels:
        """The first result, or the error in its place."""
        task = self._tasks.popleft()
        if task.error:
            raise task.error
        assert task.result is not None
        return task.result

    def _receive(self, seconds: float) -> bool:
        """Take in a reply, for which it waits so long; whether there was one."""
        try:
            process, message = self._inbox.get(timeout=seconds)
        except queue.Empty:
            return False
        if process in self._processes:
            self._take_in(process, message)
        return True

    def _take_in(self, process: Process, message: Message | None) -> None:
        match message:
            case None:
                self._died(process)
            case {"ready": _}:
                process.ready = True
            case {"begun": index}:
                process.at = index
            case {"done": index, "seconds": seconds}:
                process.finish(index, seconds)
                self.seconds.append((self._gpus.index(process.gpu), seconds))
            case {"failed": _, "error": {"code": DeviceLost.code} as error} | {"unable": error}:
                self._failure = _raised(error)
                _log.warning("a GPU is done without, %s: %s", process.gpu, self._failure)
                self._retire(process)
            case {"failed": index, "error": error}:
                self._fail(process.drop(index), numbered(index, _raised(error)))

    def _give_up_hung(self) -> None:
        """End the processes that have been silent for too long."""
        now = time.monotonic()
        away, self._looked = now - self._looked > _AWAY, now
        for process in list(self._processes):
            if away:
                # They may have been stopped as well.
                process.excuse()
            elif seconds := process.overdue():
                self._failure = DeviceLost(f"a GPU gave no answer for {seconds:.0f} seconds")
                self._died(process, f"was silent for {seconds:.0f} seconds")

    def _died(self, process: Process, how: str = "has ended") -> None:
        """A process has ended without a word, or must be. Its GPU gets another one, unless it never gave a result."""
        task = None if process.at is None else process.tasks.get(process.at)
        if task:
            task.deaths += 1
            if task.deaths == _DEATHS:
                hint = "Look at this picture; --backend cpu leaves out the driver of the GPU."
                failure = UpscaleError("two processes ended, or had to be, while they computed it", hint=hint)
                self._fail(process.drop(task.index), numbered(task.index, failure))
        _log.warning("a process for a GPU %s, %s", how, process.gpu)
        self._retire(process, replaced=process.proven)

    def _retire(self, process: Process, *, replaced: bool = False) -> None:
        """Do without a process, which may be replaced: what it has left is for others."""
        self._processes.remove(process)
        ended = process.end()
        self._again = deque(sorted([*self._again, *process.tasks.values()], key=lambda task: task.index))
        if replaced and ended:
            self._start(process.gpu)
        if not self._processes:
            for task in self._again:
                self._fail(task, self._reason())
            self._again.clear()

    def _fail(self, task: Task, error: Exception) -> None:
        """`error` takes the place of a result, and nothing comes after it."""
        task.error = error
        self._exhausted = True

    def _reason(self) -> Exception:
        """Why there is no process left."""
        return self._failure or UpscaleError("the processes of all GPUs have ended", hint=_HINT)

    def _end(self) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.end()
        self._processes.clear()


def _raised(error: Message) -> Exception:
    """The error that another process described."""
    classes = {each.code: each for each in _below(SnapUpscaleError)}
    if error["code"] in classes:
        return classes[error["code"]](error["message"], hint=error["hint"])
    return RuntimeError(error["message"])


def _below(parent: type[SnapUpscaleError]) -> Iterator[type[SnapUpscaleError]]:
    yield parent
    for child in parent.__subclasses__():
        yield from _below(child)
