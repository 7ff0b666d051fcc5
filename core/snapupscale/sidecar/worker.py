"""The process that decodes and upscales for the sidecar: JSON lines in, JSON lines out. It may die at any moment.

A request is `{"id", "kind", "params"}`, `{"cancel": ID}`, or `{"pause": true or false}` for the job that runs; a reply
has the `id` and one of `progress`, `say`, `still`, `done` and `error`. The process ends when its input does.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapupscale import files
from snapupscale.errors import Cancelled, OutOfMemory, SnapUpscaleError
from snapupscale.job import Settings, find, load_upscaler, run, timeline_file
from snapupscale.media.facts import facts
from snapupscale.media.source import probe
from snapupscale.progress import Meter
from snapupscale.scenes.methods import find_cuts, needs
from snapupscale.scenes.results import as_json
from snapupscale.scenes.signal import analyse
from snapupscale.sidecar.contained import contain, end_if_broken, private_output
from snapupscale.sidecar.messages import KINDS, Cuts, Export, Hold, Pick, Probe, Upscale, decode, fault
from snapupscale.stills.hold import hold, movie_name, read_movie
from snapupscale.timecode import Timecode, exact_rate, format_rate
from snapupscale.timeline.conform import frame_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    from snapupscale.media.source import Source
    from snapupscale.scenes.methods import Detection
    from snapupscale.scenes.signal import Signal
    from snapupscale.sidecar.contained import Send
    from snapupscale.timeline.editlist import Still
    from snapupscale.upscale.engine import Upscaler

_SPACING = 0.25
"""Seconds between two reports of progress."""
_PAUSE_SECONDS = 0.05
"""Between two looks, while paused, at whether the job is cancelled."""


class Warm:
    """The upscaler of the last job, lent again to a job that asks for the same."""

    def __init__(self) -> None:
        self._asked: tuple[object, ...] = ()
        self._upscaler: Upscaler | None = None

    @contextmanager
    def lend(self, settings: Settings) -> Iterator[Upscaler]:
        """An upscaler for `settings`, which stays loaded unless the work with it fails."""
        asked = (settings.model, settings.backend, settings.scale, settings.precision)
        if self._upscaler is None or self._asked != asked:
            self.drop()
            self._upscaler, self._asked = load_upscaler(settings), asked
        try:
            yield self._upscaler
        except Cancelled:
            raise
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Let go of the model and its memory."""
        if self._upscaler is not None:
            self._upscaler.close()
            self._upscaler = None


class Task:
    """One job while it is worked on: sends what happens, and raises Cancelled in the midst when asked to."""

    def __init__(
        self, job_id: str, send: Send, cancelled: set[str], warm: Warm, paused: threading.Event | None = None
    ) -> None:
        self.id = job_id
        self.warm = warm
        self._send = send
        self._cancelled = cancelled
        self._paused = paused or threading.Event()
        self._meter: tuple[str, Meter] | None = None
        self._sent = 0.0
        self._stills = 0

    def send(self, **reply: object) -> None:
        """Send a reply of this job."""
        self._send({"id": self.id, **reply})

    def say(self, sentence: str) -> None:
        """Send a sentence for the user."""
        self.send(say=sentence)

    def still(self, still: Still) -> None:
        """Send that a still is in place."""
        data = {"name": still.path.name, "shot": still.shot, "frame": still.frame, "size": still.size}
        self.send(still={"index": self._stills, **data})
        self._stills += 1

    def progress(self, stage: str, done: float, total: float | None) -> None:
        """Send how far it is, when a stage starts, ends, and now and then; rest while told to. Raises Cancelled."""
        while self._paused.is_set() and self.id not in self._cancelled:
            time.sleep(_PAUSE_SECONDS)
        if self.id in self._cancelled:
            raise Cancelled("cancelled")
        if stage == "upscale" and not done:
            self._stills = 0  # a run that finds its source changed begins anew
        now = time.monotonic()
        fresh = self._meter is None or self._meter[0] != stage
        if not fresh and done != total and now - self._sent < _SPACING:
            return
        if self._meter is None or fresh:
            self._meter = (stage, Meter(done))
        meter = self._meter[1]
        self._sent = now
        remaining = meter.remaining(done, total)
        self.send(
            progress={"stage": stage, "done": done, "total": total, "rate": meter.rate(done), "remaining": remaining}
        )


def main() -> None:
    """Serve the requests on standard input until it ends."""
    contain()
    send = private_output()
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    cancelled: set[str] = set()
    paused = threading.Event()
    threading.Thread(target=_listen, args=(requests, cancelled, paused), daemon=True).start()
    warm = Warm()
    while True:
        request = requests.get()
        task = Task(request["id"], send, cancelled, warm, paused)
        reply = serve(task, request["kind"], request["params"])
        send({"id": task.id, **reply})
        if "error" in reply:
            end_if_broken(reply["error"]["code"])
        cancelled.discard(task.id)


def serve(task: Task, kind: str, params: object) -> dict[str, Any]:
    """Do one job; its last reply."""
    try:
        task.progress("start", 0, None)
        return {"done": _WORK[kind](decode(KINDS[kind], params), task)}
    except SnapUpscaleError as error:
        return {"error": fault(error)}
    except MemoryError as error:
        return {"error": fault(OutOfMemory(f"no memory left: {error}"))}
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
        return {"error": {"code": "internal", "message": f"{type(error).__name__}: {error}", "hint": _REPORT}}


def _probe(request: Probe, task: Task) -> dict[str, Any]:
    known = facts(_source(request))
    del known["source"]
    return known


def _analyse(request: Probe, task: Task) -> dict[str, Any]:
    signal = analyse(_source(request), progress=partial(task.progress, "analyse"))
    return {"frames": len(signal), "rate": format_rate(signal.rate), "warnings": signal.warnings}


def _cuts(request: Cuts, task: Task) -> dict[str, Any]:
    source, signal, found = _found(request, task)
    result: dict[str, Any] = json.loads(as_json(source, signal, found))
    del result["source"]
    numbers = frame_numbers(signal)
    for transition in result["transitions"]:
        last = numbers[transition["end"] - 1]
        transition["numbers"] = {"start": int(numbers[transition["start"]]), "end": int(last) + 1}
    return {
        **result,
        "numbers": [int(numbers[frame]) for frame in found.boundaries],
        "certainty": found.certainty,
        "length": int(numbers[-1]) + 1,
        "variable": not signal.constant_rate,
    }


def _export(request: Export, task: Task) -> dict[str, Any]:
    source, signal, found = _found(request, task)
    name, text = timeline_file(source, signal, found, request.format)
    files.write_text(_folder(request) / name, text)
    return {"timelines": [name], "cuts": len(found.boundaries), "warnings": signal.warnings}


def _pick(request: Pick, task: Task) -> dict[str, Any]:
    settings, _ = _settings_of_part(request, task)
    findings = find(_source(request), settings, task.progress)
    return {"picks": [asdict(pick) for pick in findings.picks]}


def _upscale(request: Upscale, task: Task) -> dict[str, Any]:
    settings, numbers = _settings_of_part(request, task)
    made: dict[str, dict[str, Any]] = {}

    def finished(still: Still) -> None:
        number = still.frame if numbers is None else int(numbers[still.frame])
        made[still.path.name] = {"name": still.path.name, "shot": still.shot, "number": number}
        task.still(still)

    outcome = run(
        request.source,
        _folder(request),
        settings,
        progress=task.progress,
        say=task.say,
        finished=finished,
        upscaler_for=task.warm.lend,
    )
    return {
        "stills": [path.name for path in outcome.stills],
        "made": [made[path.name] for path in outcome.stills],
        "timelines": [path.name for path in outcome.timelines],
        "report": outcome.report.name,
        "kept": outcome.kept,
    }


def _hold(request: Hold, task: Task) -> dict[str, Any]:
    still, rate = Path(request.source), exact_rate(request.rate)
    movie = still.with_name(movie_name(still.stem, request.frames, rate))
    if not _is_held(still, movie, request.frames, rate):
        start_rate = exact_rate(request.start_rate or rate)
        hold(
            still,
            movie,
            frames=request.frames,
            rate=rate,
            start=Timecode.parse(request.start, start_rate) if request.start else None,
            progress=partial(task.progress, "hold"),
        )
    return {"movie": movie.name, "frames": request.frames}


_WORK: Mapping[str, Callable[[Any, Task], dict[str, Any]]] = {
    "probe": _probe,
    "analyse": _analyse,
    "cuts": _cuts,
    "export": _export,
    "pick": _pick,
    "upscale": _upscale,
    "hold": _hold,
}
_REPORT = "This is a fault of SnapUpscale. Report it, with the log of the sidecar."


def _found(request: Cuts, task: Task) -> tuple[Source, Signal, Detection]:
    source = _source(request)
    signal = analyse(source, **needs(request.method), progress=partial(task.progress, "analyse"))
    found = find_cuts(signal, method=request.method, threshold=request.threshold, min_shot=request.min_shot)
    return source, signal, found


def _folder(request: Upscale | Export) -> Path:
    if request.folder is None:
        raise ValueError("the service gives every job that writes a folder")
    return Path(request.folder)


def _source(request: Probe) -> Source:
    return probe(request.source, rate=None if request.rate is None else exact_rate(request.rate))


def _settings(request: Pick) -> Settings:
    """The settings that the request gives; for the others, their defaults."""
    names = Settings.__dataclass_fields__
    values = {name: value for name, value in vars(request).items() if name in names}
    if request.rate is not None:
        values["rate"] = exact_rate(request.rate)
    return Settings(**values)


def _settings_of_part(request: Pick, task: Task) -> tuple[Settings, NDArray[np.int64] | None]:
    """The settings with their part in frames as decoded; and each frame's number, where the part was given in times."""
    settings = _settings(request)
    if request.counted == "frames":
        return settings, None
    numbers = frame_numbers(analyse(_source(request), progress=partial(task.progress, "analyse")))
    if settings.first is None or settings.end is None:
        return settings, numbers
    first, end = (int(at) for at in numbers.searchsorted([settings.first, settings.end]))
    first = min(first, len(numbers) - 1)
    return replace(settings, first=first, end=max(first + 1, end)), numbers


def _is_held(still: Path, movie: Path, frames: int, rate: Fraction) -> bool:
    """Whether an earlier job has made the movie of the still as it is now."""
    known = read_movie(movie)
    made = known is not None and (known.frames, known.rate) == (frames, rate)
    return made and movie.stat().st_mtime_ns >= still.stat().st_mtime_ns


def _listen(requests: queue.SimpleQueue[dict[str, Any]], cancelled: set[str], paused: threading.Event) -> None:
    """Read the input; end the process when it ends, whatever it is doing: every file is whole or not there."""
    for line in sys.stdin:
        message = json.loads(line)
        if "cancel" in message:
            cancelled.add(message["cancel"])
        elif "pause" in message:
            (paused.set if message["pause"] else paused.clear)()
        else:
            paused.clear()
            requests.put(message)
    os._exit(0)


if __name__ == "__main__":
    main()
