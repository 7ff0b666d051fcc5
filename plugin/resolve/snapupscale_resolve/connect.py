"""Finds the sidecar of this user, or starts it and waits until it answers."""

import time
from typing import Callable, List, Optional, Tuple

from snapupscale import protocol
from snapupscale_resolve import discovery
from snapupscale_resolve.discovery import Found
from snapupscale_resolve.faults import BadReply, CrashedAtStart, Fault, NotReady, WrongVersion
from snapupscale_resolve.launch import Ending, Started
from snapupscale_resolve.wire import Wire

READY_SECONDS = 20.0
_HEALTH_SECONDS = 3.0
_LOOK_SECONDS = 0.05
_PAUSE = 0.25
_LONGEST_PAUSE = 4.0


def reach(start: Callable[[], Started], seconds: float = READY_SECONDS) -> Wire:
    """The way to the sidecar that runs, or else to the one that `start` starts, within about `seconds`.

    Raises what `start` raises, WrongVersion, CrashedAtStart, and after `seconds` Blocked, NotReady or BadReply.
    """
    end = time.monotonic() + seconds
    wire, trouble = _answering(discovery.read(), end)
    if wire:
        return wire
    attempt = _Attempt(start)
    try:
        while time.monotonic() < end:
            attempt.go_on()
            wire, trouble = _answering(discovery.read(), end)
            if wire:
                return wire
            attempt.require_life()
            time.sleep(_LOOK_SECONDS)
    finally:
        attempt.let_go()
    raise _too_late(attempt, trouble, seconds)


class _Attempt(object):
    """Starts a sidecar, and again while one that is about to end holds its place."""

    def __init__(self, start: Callable[[], Started]) -> None:
        self._start = start
        self._started = None  # type: Optional[Started]
        self._next, self._pause = 0.0, _PAUSE
        self._ending = None  # type: Optional[Ending]
        self.another_runs = False
        self.before = discovery.read()

    def go_on(self) -> None:
        """Start one, if none that was started here may still get ready."""
        if self._started is None and time.monotonic() >= self._next:
            self._started = self._start()
        self._ending = self._started.ended() if self._started else None
        if self._ending and self._ending.another_runs:
            self.another_runs = True
            self._started, self._ending = None, None
            self._next = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def require_life(self) -> None:
        """Raise CrashedAtStart when the one that was started has ended."""
        if self._ending and self._ending.code:
            raise _crash(self._ending)

    def let_go(self) -> None:
        """Leave what was started to itself."""
        if self._started:
            self._started.let_go()

    def is_news(self, found: Found) -> bool:
        """Whether `found` runs: it was published since, or keeps another from starting."""
        return self.another_runs or found not in self.before


def _answering(found: List[Found], end: float) -> Tuple[Optional[Wire], Optional[Fault]]:
    """The way to the first that answers; else what was wrong with the last. Raises WrongVersion."""
    trouble = None  # type: Optional[Fault]
    for each in found:
        try:
            return _checked(Wire(each), max(0.1, min(_HEALTH_SECONDS, end - time.monotonic()))), None
        except WrongVersion:
            raise
        except Fault as fault:
            trouble = fault
    return None, trouble


def _checked(wire: Wire, seconds: float) -> Wire:
    """`wire`, once what answers there has proved to be the sidecar that was found."""
    reply = wire.ask("GET", protocol.HEALTH, seconds=seconds)
    try:
        health = protocol.read_health(reply)
    except protocol.Malformed as error:
        raise BadReply("what answers on port %d is no sidecar: %s" % (wire.found.port, error)) from error
    if health["pid"] != wire.found.pid:
        raise BadReply("process %d answers in place of the sidecar" % health["pid"])
    # A newer sidecar has judged the number of the request; one that is too old may not know how to.
    if health["protocol"] < protocol.OLDEST:
        raise WrongVersion(*_mismatch(health["protocol"]))
    return wire


def _mismatch(theirs: int) -> protocol.Trouble:
    trouble = protocol.mismatch(theirs, protocol.SIDECAR)
    assert trouble, "only for a number that is not understood"
    return trouble


def _crash(ending: Ending) -> Fault:
    how = "exit code %d" % ending.code if 0 <= ending.code < 256 else "exit code 0x%08X" % (ending.code & 0xFFFFFFFF)
    if -64 < ending.code < 0:
        how = "signal %d" % -ending.code
    hints = [line[6:] for line in ending.said.splitlines() if line.startswith("hint: ")]
    said = "\n" + ending.said if ending.said else ""
    return CrashedAtStart("SnapUpscale ended at its start with %s%s" % (how, said), hints[-1] if hints else None)


def _too_late(attempt: _Attempt, trouble: Optional[Fault], seconds: float) -> Fault:
    newer = discovery.unreadable()
    if newer is not None:
        return WrongVersion(*_mismatch(newer))
    if trouble and any(attempt.is_news(found) for found in discovery.read()):
        return trouble
    return NotReady("SnapUpscale was started and is not ready after %d seconds" % seconds)
