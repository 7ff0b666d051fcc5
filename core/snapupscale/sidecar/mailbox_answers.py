"""What the letters of the mailbox ask for: the table of requests, each a call of the service that HTTP offers too."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from snapupscale import protocol
from snapupscale.errors import SettingError, SnapUpscaleError
from snapupscale.sidecar.mailbox_letters import NUMBER
from snapupscale.sidecar.messages import fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from snapupscale.sidecar.mailbox_letters import Letter
    from snapupscale.sidecar.timelines import Timelines

Object = dict[str, Any]
_LONGEST_LINE, _MOST_LINES = 2000, 200
_log = logging.getLogger(__name__)


class Service(Protocol):
    """Who answers; see Service of `service`."""

    def submit(self, data: object, /) -> dict[str, Any]:
        """Take on a job."""

    def job(self, job_id: str, /) -> dict[str, Any] | None:
        """A job, or None."""

    def report(self, job_id: str, /) -> Path | None:
        """The report of a job that is done, or None."""

    @property
    def timelines(self) -> Timelines:
        """The sessions of timelines."""


class Screen(Protocol):
    """What the user sees; see Screen of `mailbox_screen`."""

    def page(self, path: str, /) -> None:
        """Open a page of the sidecar in the user's browser."""

    def notice(self, title: str, lines: Sequence[str], /) -> None:
        """Open a page with a message."""


def answer(letter: Letter, service: Service, screen: Screen) -> Object | None:
    """What `letter` asks for, or `{"error": {...}}`; None while it is to wait for a job."""
    try:
        refusal = _mismatch(letter)
        if refusal is not None:
            return refusal
        if letter.ask not in ANSWERS:
            return _error("bad-request", f"{letter.ask[:40]!r} is no request", f"Requests: {', '.join(ANSWERS)}.")
        if letter.ask in _WITH_ID and not protocol.ID.match(letter.id):
            return _MISSING
        return ANSWERS[letter.ask](letter, service, screen)
    except SnapUpscaleError as error:
        return {"error": fault(error)}
    except Exception:
        # A letter must be answered whatever it sets off, or the script waits for nothing.
        _log.exception("can't answer a letter")
        return INTERNAL


def _open(letter: Letter, service: Service, screen: Screen) -> Object:
    return service.timelines.open(letter.body)


def _session(letter: Letter, service: Service, screen: Screen) -> Object:
    return service.timelines.session(letter.id) or _MISSING


def _plan(letter: Letter, service: Service, screen: Screen) -> Object | None:
    session = service.timelines.session(letter.id)
    if session is not None and session["state"] == "working":
        return None
    return service.timelines.plan(letter.id) or _MISSING


def _read_back(letter: Letter, service: Service, screen: Screen) -> Object:
    return service.timelines.read_back(letter.id, letter.body) or _MISSING


def _cancel(letter: Letter, service: Service, screen: Screen) -> Object:
    if service.timelines.cancel(letter.id):
        return {}
    if service.timelines.session(letter.id) is None:
        return _MISSING
    return _error("session-ended", "the session waits for no job", "There is nothing left to cancel.")


def _submit(letter: Letter, service: Service, screen: Screen) -> Object:
    return service.submit(letter.body)


def _job(letter: Letter, service: Service, screen: Screen) -> Object | None:
    job = service.job(letter.id)
    if job is not None and job["state"] not in protocol.ENDED:
        return None
    return job or _MISSING


def _show(letter: Letter, service: Service, screen: Screen) -> Object:
    """A sandboxed script can open no browser."""
    if service.report(letter.id) is None:
        return _MISSING
    screen.page(protocol.REPORT.replace("{id}", letter.id))
    return {}


def _tell(letter: Letter, service: Service, screen: Screen) -> Object:
    """A sandboxed script can say nothing that is seen."""
    body = letter.body if isinstance(letter.body, dict) else {}
    title, lines = body.get("title"), body.get("lines")
    if not isinstance(title, str) or not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise SettingError('a message is {"title": TEXT, "lines": [TEXT, ...]}')
    screen.notice(title[:_LONGEST_LINE], [line[:_LONGEST_LINE] for line in lines[:_MOST_LINES]])
    return {}


def _error(code: str, message: str, hint: str) -> Object:
    return {"error": {"code": code, "message": message, "hint": hint}}


def _mismatch(letter: Letter) -> Object | None:
    trouble = protocol.mismatch(letter.protocol)
    if trouble is None and letter.mailbox != NUMBER:
        trouble = protocol.mismatch(0 if letter.mailbox < NUMBER else protocol.NUMBER + 1)
    return None if trouble is None else _error(*trouble)


INTERNAL = _error(
    "internal", "the sidecar failed to answer", "This is a fault of SnapUpscale; report it with the sidecar's log."
)
_MISSING = _error("not-found", "there is nothing of that id", "Choose the menu again.")
ANSWERS: Mapping[str, Callable[[Letter, Service, Screen], Object | None]] = {
    "open": _open,
    "session": _session,
    "plan": _plan,
    "readback": _read_back,
    "cancel": _cancel,
    "submit": _submit,
    "job": _job,
    "show": _show,
    "tell": _tell,
}
"""The requests there are. `plan` and `job` are answered once the jobs have ended."""
_WITH_ID = ANSWERS.keys() - {"open", "submit", "tell"}
