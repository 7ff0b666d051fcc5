"""Where frames wait for their turn: gives them to the one process that makes them, and outlives its death."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from snapupscale.errors import Cancelled, SettingError
from snapupscale.sidecar.child import Start, Worker, worker_command
from snapupscale.sidecar.frames.wire import Params, Picture, Place, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

COMMAND = worker_command("frame-worker", "snapupscale.sidecar.frames.worker")
IDLE = 300.0
"""Seconds without a frame after which the process is let go; where effects still hold mappings in it, its models."""
GRACE = 0.7
"""Seconds that the process may take to give up a frame. With those that its end takes, it is less than one."""
MAP_SECONDS = 15.0
"""The longest that it may take to open a mapping, its start included."""
LOADING_SECONDS = 120.0
"""The longest that it may take to load a model."""
AFTERGLOW = 0.5
"""Seconds after an interactive frame in which the next one is expected."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0
_LONGEST_WAIT = 5.0
"""Seconds of a pause that an effect is made to wait for."""
_STATUSES = {Cancelled.code: Status.CANCELLED, SettingError.code: Status.BAD_REQUEST}
_OF_COMMANDS = (Cancelled.default_hint, SettingError.default_hint)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a MAP or RENDER ended. message: what went wrong and what to do; cached: the result was known already."""

    status: Status
    message: str = ""
    cached: bool = False


class Client(Protocol):
    """A connection, as the desk sees it. Neither call may wait."""

    number: int
    """Of this connection alone."""

    def answer(self, outcome: Outcome) -> None:
        """Its MAP or RENDER has ended."""

    def lose(self) -> None:
        """Its mapping is gone: it is to be closed."""


@dataclass(kw_only=True, eq=False)
class _Frame:
    id: int
    client: Client
    picture: Picture
    params: Params
    interactive: bool
    gone: bool = False
    """Whether the connection is closed, so that nobody waits for it."""
    deadline: float = math.inf
    """When the process has to have given it up; without a cancel, never."""


@dataclass(kw_only=True, eq=False)
class _Offer:
    """A mapping that is to be opened."""

    id: int
    client: Client
    place: Place
    bytes: int
    deadline: float
    sent: bool = False
    gone: bool = False


class Desk:
    """The frames of all connections, interactive ones first, and the process, started when something is to be done.

    command: starts the process. idle: seconds; see IDLE. The calls are for any thread, and wait for nothing; all that
    follows from them happens on one thread of the desk's own. A frame whose process dies is never tried again here.
    """

    def __init__(self, *, command: Sequence[str] = COMMAND, idle: float = IDLE) -> None:
        self._start = Start(command=command)
        self._idle = idle
        self._ids = count(1)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._worker: Worker | None = None
        self._turn = 0
        """The number of the process, so that a late word of an earlier one isn't taken for its."""
        self._offers: dict[int, _Offer] = {}
        self._mapped: dict[int, Client] = {}
        self._waiting: list[_Frame] = []
        self._running: _Frame | None = None
        self._warm: Params | None = None
        self._warming = False
        self._loading = math.inf
        self._used = time.monotonic()
        self._resting = True
        self._pause, self._not_before = _FIRST_PAUSE, 0.0
        self._urgent, self._urgent_until = False, 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
        self._thread.start()

    @property
    def interactive(self) -> bool:
        """Whether somebody waits for a frame, or did until a moment ago."""
        return self._urgent or time.monotonic() < self._urgent_until

    @property
    def worker_pid(self) -> int | None:
        """The process, if there is one."""
        worker = self._worker
        return worker.pid if worker else None

    def map(self, client: Client, place: Place, size: int) -> None:
        """Open a mapping of `size` bytes for `client` instead of the one that it may have; it gets an answer."""
        offer = _Offer(id=0, client=client, place=place, bytes=size, deadline=time.monotonic() + MAP_SECONDS)
        self._inbox.put(partial(self._on_map, offer))

    def render(self, client: Client, picture: Picture, params: Params, *, interactive: bool) -> None:
        """Make a frame of the picture in the mapping of `client`, which gets an answer."""
        frame = _Frame(id=0, client=client, picture=picture, params=params, interactive=interactive)
        self._inbox.put(partial(self._on_render, frame))

    def cancel(self, client: Client) -> None:
        """Give up the frame of `client`, if it has one; the answer comes within a second."""
        self._inbox.put(partial(self._on_cancel, client))

    def warm(self, params: Params) -> None:
        """Load the model that `params` ask for, soon."""
        self._inbox.put(partial(self._on_warm, params))

    def leave(self, client: Client) -> None:
        """`client` is no more: its frame is given up and its mapping closed."""
        self._inbox.put(partial(self._on_leave, client))

    def close(self) -> None:
        """End the process and the thread."""
        self._closing.set()
        self._inbox.put(lambda: None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                try:
                    event = self._inbox.get(timeout=self._rest())
                except queue.Empty:
                    event = self._nothing
                try:
                    event()
                    self._advance(time.monotonic())
                except Exception:
                    # The service must not go on without the thread that makes its frames.
                    _log.exception("frames")
                    self._drop()
        finally:
            self._drop()

    def _nothing(self) -> None:
        """It is time to look at the clock."""

    def _rest(self) -> float | None:
        """Seconds until something is due by the clock; None when nothing is."""
        due = [offer.deadline for offer in self._offers.values()]
        due.append(self._running.deadline if self._running else math.inf)
        due.append(self._loading)
        if self._worker is None and (self._offers or self._warm):
            due.append(self._not_before)
        if self._worker is not None and not self._resting and self._running is None:
            due.append(self._used + self._idle)
        soonest = min(due)
        return None if soonest == math.inf else max(0.0, soonest - time.monotonic())

    def _advance(self, now: float) -> None:
        """Do all that can be done now."""
        self._end_overdue(now)
        if self._worker is None:
            self._offers = {id: offer for id, offer in self._offers.items() if self._may_wait(offer, now)}
            if (self._offers or self._warm) and now >= self._not_before:
                self._begin()
        if self._worker is not None:
            self._send_next(self._worker)
            if not self._resting and self._running is None and now >= self._used + self._idle:
                self._let_go(self._worker)
        urgent = any(frame.interactive for frame in (*self._waiting, *([self._running] if self._running else ())))
        if self._urgent and not urgent:
            self._urgent_until = time.monotonic() + AFTERGLOW
        self._urgent = urgent

    def _end_overdue(self, now: float) -> None:
        late = any(offer.deadline <= now for offer in self._offers.values())
        if late or now >= self._loading or (self._running and now >= self._running.deadline):
            _log.warning("the frame worker did not answer in time")
            self._drop()

    def _may_wait(self, offer: _Offer, now: float) -> bool:
        left = self._not_before - now
        if left <= _LONGEST_WAIT:
            return True
        message = f"The process that makes frames ended again and again; it is started anew in {math.ceil(left)} s."
        offer.client.answer(Outcome(status=Status.BUSY, message=message))
        return False

    def _begin(self) -> None:
        """Start the process."""
        try:
            turn = self._turn
            self._worker = Worker(self._start, deliver=lambda reply: self._inbox.put(partial(self._heard, turn, reply)))
        except OSError as error:
            _log.error("the frame worker cannot be started: %s", error)
            self._back_off()
            self._refuse(self._offers.values(), f"The process that makes frames cannot be started: {error.strerror}.")
            self._warm = None
            return
        self._wake()

    def _send_next(self, worker: Worker) -> None:
        # One of each kind at a time: a process that has stopped reading must not fill the pipe, which would stop this
        # thread too.
        if self._offers and not any(offer.sent for offer in self._offers.values()):
            offer = next(iter(self._offers.values()))
            offer.sent = True
            worker.send({"map": offer.id, "client": offer.client.number, "bytes": offer.bytes, **vars(offer.place)})
        if self._warm and not self._warming:
            worker.send({"warm": asdict(self._warm)})
            self._warm, self._warming = None, True
        if self._running is None and self._waiting:
            frame = min(self._waiting, key=lambda frame: (not frame.interactive, frame.id))
            self._waiting.remove(frame)
            self._running = frame
            what = {"picture": asdict(frame.picture), "params": asdict(frame.params)}
            worker.send({"render": frame.id, "client": frame.client.number, **what})

    def _let_go(self, worker: Worker) -> None:
        """Nothing was asked for in a long time."""
        if self._mapped or self._offers:
            worker.send({"rest": True})
            self._resting = True
        else:
            self._drop()

    def _wake(self) -> None:
        self._used, self._resting = time.monotonic(), False

    def _on_map(self, offer: _Offer) -> None:
        self._wake()
        offer.id = next(self._ids)
        self._offers[offer.id] = offer

    def _on_render(self, frame: _Frame) -> None:
        # One whose process has just died is about to hear of it.
        if frame.client.number in self._mapped:
            self._wake()
            frame.id = next(self._ids)
            self._waiting.append(frame)

    def _on_warm(self, params: Params) -> None:
        self._wake()
        self._warm = params

    def _on_cancel(self, client: Client) -> None:
        for frame in self._waiting:
            if frame.client is client:
                self._waiting.remove(frame)
                client.answer(Outcome(status=Status.CANCELLED))
                return
        running = self._running
        if running and running.client is client and running.deadline == math.inf and self._worker:
            # What loads may be deaf for longer, and isn't to be ended for that.
            running.deadline = time.monotonic() + GRACE if self._loading == math.inf else self._loading
            self._worker.send({"cancel": running.id})

    def _on_leave(self, client: Client) -> None:
        self._on_cancel(client)
        for offer in [each for each in self._offers.values() if each.client is client]:
            if offer.sent:  # the process still owes a reply, and is to be ended if it never comes
                offer.gone = True
            else:
                del self._offers[offer.id]
        if self._running and self._running.client is client:
            self._running.gone = True
        else:
            self._unmap(client)

    def _unmap(self, client: Client) -> None:
        if self._mapped.pop(client.number, None) and self._worker:
            self._worker.send({"unmap": client.number})

    def _heard(self, turn: int, reply: dict[str, Any] | None) -> None:
        """The process has said something, or, with None, has died."""
        worker = self._worker
        if worker is None or turn != self._turn:
            return
        if reply is None:
            self._back_off()
            _log.warning("the frame worker ended: %s", self._drop())
        elif "mapped" in reply:
            self._heard_of_map(worker, reply)
        elif "frame" in reply:
            self._heard_of_frame(reply)
        elif "warmed" in reply:
            self._warming = False
        elif "loading" in reply:
            self._heard_of_loading(loads=bool(reply["loading"]))

    def _heard_of_loading(self, *, loads: bool) -> None:
        now = time.monotonic()
        self._loading = now + LOADING_SECONDS if loads else math.inf
        running = self._running
        if running and running.deadline < math.inf:
            running.deadline = self._loading if loads else now + GRACE

    def _heard_of_map(self, worker: Worker, reply: dict[str, Any]) -> None:
        self._wake()
        outcome = _outcome(reply)
        offer = self._offers.pop(reply["mapped"])
        if offer.gone:
            worker.send({"unmap": offer.client.number})
            return
        if outcome.status != Status.OK:
            self._mapped.pop(offer.client.number, None)
        else:
            self._mapped[offer.client.number] = offer.client
        offer.client.answer(outcome)

    def _heard_of_frame(self, reply: dict[str, Any]) -> None:
        frame = self._running
        if frame is None or frame.id != reply["frame"]:
            return
        self._wake()
        outcome = _outcome(reply)
        self._running = None
        if "error" not in reply:
            self._pause = _FIRST_PAUSE
        if frame.gone:
            self._unmap(frame.client)
        else:
            frame.client.answer(outcome)

    def _drop(self) -> str:
        """End the process, and close the connections that had a mapping in it; how it ended."""
        worker, self._worker = self._worker, None
        self._turn += 1
        how = worker.stop() if worker else ""
        running, self._running = self._running, None
        if running and not running.gone and running.deadline < math.inf:
            running.client.answer(Outcome(status=Status.CANCELLED))
        for client in self._mapped.values():
            client.lose()
        self._mapped.clear()
        self._waiting.clear()
        now = time.monotonic()
        over = [offer for offer in self._offers.values() if offer.sent or offer.deadline <= now]
        self._refuse(over, "The process that makes frames ended before it had opened the mapping.")
        self._loading, self._warming = math.inf, False
        self._resting = True
        return how

    def _refuse(self, offers: Iterable[_Offer], message: str) -> None:
        for offer in list(offers):
            del self._offers[offer.id]
            offer.client.answer(Outcome(status=Status.FAILED, message=message))

    def _back_off(self) -> None:
        self._not_before = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)


def sentences(message: str, hint: str) -> str:
    """What an effect shows of an error; of the hint nothing, where it is about commands that nobody has given."""
    return f"{message}." if hint in _OF_COMMANDS else f"{message}. {hint}"


def _outcome(reply: dict[str, Any]) -> Outcome:
    error = reply.get("error")
    if error is None:
        return Outcome(status=Status.OK, cached=bool(reply.get("cached")))
    status = _STATUSES.get(error["code"], Status.FAILED)
    return Outcome(status=status, message=sentences(error["message"], error["hint"]))
