"""Waits for the sidecar's work, tells how far it is, and ends it when the script is ended."""

import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Tuple

from snapupscale import protocol
from snapupscale.protocol import Object
from snapupscale_resolve.faults import Fault

if TYPE_CHECKING:
    from snapupscale_resolve.client import Client
    from snapupscale_resolve.voice import Voice

_PAUSES = (0.1, 0.2, 0.4, 0.7, 1.0)
_LINE_SECONDS = 3.0
_ENDING = ("SIGTERM", "SIGHUP", "SIGBREAK")


class Progress(object):
    """Says how far jobs are, now and then."""

    def __init__(self, voice: "Voice") -> None:
        self._voice = voice
        self._said = ""
        self._next = 0.0

    def tell(self, jobs: List[Object], stage: object = None) -> None:
        """Say it, if it is news and some time has passed. `stage`: how many tasks of how many have ended, where the
        sidecar tells it."""
        running = [job for job in jobs if job["progress"] and job["state"] == "running"]
        ended = sum(1 for job in jobs if job["state"] in protocol.ENDED)
        line = _of_stage(stage) or ("%d of %d" % (ended, len(jobs)) if len(jobs) > 1 else "")
        for job in running[:1]:
            line = ("%s %s: %s" % (line, job["source"], _so_far(job["progress"]))).strip()
        line = line.rstrip(",")
        if line and line != self._said and time.monotonic() >= self._next:
            self._voice.say(line)
            self._said = line
            self._next = time.monotonic() + _LINE_SECONDS


def wait_for_session(client: "Client", session: Object, voice: "Voice") -> Object:
    """Wait until the session is planned or has failed. When the script is ended, so are the session and its jobs."""
    progress = Progress(voice)
    pauses = list(_PAUSES)
    try:
        while session["state"] == "working":
            time.sleep(pauses[0])
            pauses = pauses[1:] or pauses
            session = client.session(session["id"])
            progress.tell(session["jobs"], session.get("progress"))
    except KeyboardInterrupt:
        _quietly(client.cancel_session, session["id"])
        raise
    return session


def wait_for_job(client: "Client", job: Object, voice: "Voice") -> Object:
    """Wait until a job has ended. When the script is ended, so is the job."""
    progress = Progress(voice)
    try:
        return client.wait([job["id"]], lambda found: progress.tell([found]))[job["id"]]
    except KeyboardInterrupt:
        _quietly(client.cancel, job["id"])
        raise


@contextmanager
def ended_like_a_key() -> Iterator[None]:
    """Within, signals that end the script raise KeyboardInterrupt, as Control-C does."""
    before: List[Tuple[int, Any]] = []
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None:
            try:
                before.append((number, signal.signal(number, _raise)))
            except ValueError:
                break  # not the main thread, which alone gets signals
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _raise(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _quietly(cancel: Callable[[str], None], name: str) -> None:
    with suppress(Fault):  # it has ended, or the sidecar has
        cancel(name)


def _of_stage(stage: object) -> str:
    if not isinstance(stage, dict) or not isinstance(stage.get("total"), int) or stage["total"] < 2:
        return ""
    return "%s %s of %d," % (stage.get("stage"), stage.get("done"), stage["total"])


def _so_far(progress: Object) -> str:
    total = progress["total"]
    return "%s %d%%" % (progress["stage"], 100 * progress["done"] / total) if total else str(progress["stage"])
