"""What the sidecar answers: the table of routes, each of which asks the service and turns what it says into JSON."""

from __future__ import annotations

import asyncio
import json
import os
import re
from typing import TYPE_CHECKING, Any, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from snapupscale import __version__
from snapupscale.errors import DiskFull, OutputBusy, QueueFull, SnapUpscaleError
from snapupscale.sidecar.guard import COOKIE, SESSION, SESSION_CODE
from snapupscale.sidecar.messages import PROTOCOL, fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from snapupscale.sidecar.keys import Keys
    from snapupscale.sidecar.lifetime import Lifetime

HEALTH, STOP = "/v1/health", "/v1/stop"
JOBS, JOB, CANCEL = "/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/cancel"
EVENTS, STREAM = "/v1/events", "/v1/events/stream"

_MOST_EVENTS = 500
_LOOK_SECONDS = 0.2
_BEAT_SECONDS = 15.0
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LAST_NUMBER = 2**63 - 1
_STATUSES: tuple[tuple[type[SnapUpscaleError], int], ...] = (
    (OutputBusy, 409),
    (QueueFull, 429),
    (DiskFull, 507),
    (SnapUpscaleError, 422),
)


class Service(Protocol):
    """What owns the jobs. Every call may wait for a disk, so only `busy` is asked on the event loop."""

    def submit(self, data: object, /) -> dict[str, Any]:
        """Take on a job; gives it, with its `id`. Raises errors of the tree."""

    def job(self, job_id: str, /) -> dict[str, Any] | None:
        """A job; None when there is none of that id."""

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs."""

    def cancel(self, job_id: str, /) -> bool:
        """Ask a job to stop; False when there is none, or it has ended."""

    def events(self, after: int, job: str | None, limit: int, /) -> list[dict[str, Any]]:
        """What happened since event `after`, of one job or all, oldest first; each has its number as `id`."""

    def busy(self) -> bool:
        """Whether a job is queued or runs."""

    def close(self) -> None:
        """End the worker, and keep what is done."""


class Endpoints:
    """The functions behind the routes."""

    def __init__(self, service: Service, keys: Keys, lifetime: Lifetime) -> None:
        self._service = service
        self._keys = keys
        self._lifetime = lifetime

    def routes(self) -> list[Route]:
        """The table of routes."""
        return [
            Route(HEALTH, self.health, methods=["GET"]),
            Route(STOP, self.stop, methods=["POST"]),
            Route(SESSION_CODE, self.new_code, methods=["POST"]),
            Route(SESSION, self.open_session, methods=["POST"]),
            Route(JOBS, self.submit, methods=["POST"]),
            Route(JOBS, self.jobs, methods=["GET"]),
            Route(JOB, self.job, methods=["GET"]),
            Route(CANCEL, self.cancel, methods=["POST"]),
            Route(EVENTS, self.events, methods=["GET"]),
            Route(STREAM, self.stream, methods=["GET"]),
        ]

    def health(self, request: Request) -> Response:
        """Which sidecar this is; `uptime` in seconds, `busy` while a job waits or runs."""
        return _reply(
            {
                "version": __version__,
                "protocol": PROTOCOL,
                "pid": os.getpid(),
                "uptime": round(self._lifetime.uptime, 3),
                "busy": self._service.busy(),
            }
        )

    async def stop(self, request: Request) -> Response:
        """End the sidecar; jobs that run are interrupted and go on at the next start."""
        self._lifetime.stop()
        return _reply({}, 202)

    async def new_code(self, request: Request) -> Response:
        """A code that a page trades for a session."""
        return _reply({"code": self._keys.new_code()}, 201)

    async def open_session(self, request: Request) -> Response:
        """Trade a code for a session, kept in a cookie that scripts can't read."""
        data = await _data(request)
        code = data.get("code") if isinstance(data, dict) else None
        session = self._keys.redeem(code) if isinstance(code, str) else None
        if session is None:
            return _error(401, "bad-code", "the code is unknown, used or too old", "Open the page from the menu again.")
        response = _reply({}, 201)
        response.set_cookie(COOKIE, session, httponly=True, samesite="strict", path="/")
        return response

    async def submit(self, request: Request) -> Response:
        """Take on a job."""
        return _reply(await run_in_threadpool(self._service.submit, await _data(request)), 201)

    def jobs(self, request: Request) -> Response:
        """All jobs."""
        return _reply({"jobs": self._service.jobs()})

    def job(self, request: Request) -> Response:
        """One job."""
        found = self._service.job(_id(request.path_params["id"]))
        return _no_job() if found is None else _reply(found)

    def cancel(self, request: Request) -> Response:
        """Ask a job to stop."""
        name = _id(request.path_params["id"])
        if self._service.cancel(name):
            return _reply({}, 202)
        if self._service.job(name) is None:
            return _no_job()
        return _error(409, "job-ended", "the job has ended", "There is nothing left to cancel.")

    def events(self, request: Request) -> Response:
        """What happened since event `after`; at most 500 at a time."""
        after, job = _position(request)
        return _reply({"events": self._service.events(after, job, _MOST_EVENTS)})

    async def stream(self, request: Request) -> Response:
        """What happens, as server-sent events; after a break they go on behind Last-Event-ID."""
        after, job = _position(request)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return StreamingResponse(self._lines(after, job), media_type="text/event-stream")

    async def _lines(self, after: int, job: str | None) -> AsyncIterator[bytes]:
        """https://html.spec.whatwg.org/multipage/server-sent-events.html; comments keep a silent connection alive."""
        yield b": hello\n\n"
        silent = 0.0
        with self._lifetime.listening():
            while not self._lifetime.stopping:
                events = await run_in_threadpool(self._service.events, after, job, _MOST_EVENTS)
                for event in events:
                    after = event["id"]
                    yield b"id: %d\ndata: %s\n\n" % (after, _encode(event))
                if events:
                    silent = 0.0
                    continue
                if silent >= _BEAT_SECONDS:
                    yield b": still here\n\n"
                    silent = 0.0
                await asyncio.sleep(_LOOK_SECONDS)
                silent += _LOOK_SECONDS


def make_app(service: Service, keys: Keys, lifetime: Lifetime) -> Starlette:
    """The app without its guard."""
    app = Starlette(
        routes=Endpoints(service, keys, lifetime).routes(),
        exception_handlers={SnapUpscaleError: _failed, HTTPException: _http_failed, Exception: _broken},
    )
    app.router.redirect_slashes = False
    return app


async def _data(request: Request) -> object:
    """The JSON in the body. Raises HTTPException for what isn't strict JSON in UTF-8."""
    try:
        data = json.loads((await request.body()).decode(), parse_constant=_no_constant)
        # Half a surrogate pair is JSON, but no text that can be stored or sent.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not JSON in UTF-8") from error
    return data


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _id(text: str) -> str:
    """`text` if an id can look like that; HTTPException 404 if not."""
    if not _ID.fullmatch(text):
        raise HTTPException(404, "there is no such job")
    return text


def _position(request: Request) -> tuple[int, str | None]:
    """After which event, and of which job."""
    text = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > _LAST_NUMBER:
        raise HTTPException(400, "`after` and Last-Event-ID are the number of an event")
    job = request.query_params.get("job")
    return int(text), None if job is None else _id(job)


def _encode(data: object) -> bytes:
    return json.dumps(data, allow_nan=False, separators=(",", ":")).encode("ascii")


def _reply(data: object, status: int = 200) -> Response:
    return Response(_encode(data), status, media_type="application/json")


def _error(status: int, code: str, message: str, hint: str) -> Response:
    return _reply({"error": {"code": code, "message": message, "hint": hint}}, status)


def _no_job() -> Response:
    return _error(404, "not-found", "there is no such job", "Ask for the list of jobs again.")


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, SnapUpscaleError)
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    return _reply({"error": fault(error)}, status)


async def _http_failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not-found", 405: "bad-method"}
    response = _error(
        error.status_code, codes.get(error.status_code, "bad-request"), error.detail, "See the table of routes."
    )
    response.headers.update(error.headers or {})
    return response


async def _broken(request: Request, error: Exception) -> Response:
    hint = "This is a fault of SnapUpscale; report it with the sidecar's log."
    return _error(500, "internal", "the sidecar failed to answer", hint)
