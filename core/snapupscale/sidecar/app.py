"""What the sidecar answers: the table of routes, each of which asks the service and turns what it says into JSON."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from snapupscale import __version__
from snapupscale.errors import NotPlanned, OutputBusy, OutputError, QueueFull, SnapUpscaleError
from snapupscale.protocol import CANCEL, EVENTS, HEALTH, JOB, JOBS, SESSION, SESSION_CODE, STOP, STREAM
from snapupscale.sidecar.feed import Feed
from snapupscale.sidecar.guard import COOKIE
from snapupscale.sidecar.messages import PROTOCOL, fault
from snapupscale.sidecar.pages import Pages
from snapupscale.sidecar.replies import encode, error, no_job, reply, sent, valid_id
from snapupscale.sidecar.timeline_routes import TimelineEndpoints

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

    from snapupscale.sidecar.frames.desk import Desk
    from snapupscale.sidecar.keys import Keys
    from snapupscale.sidecar.lifetime import Lifetime
    from snapupscale.sidecar.timelines import Timelines

_MOST_EVENTS = 500
_BEAT_SECONDS = 15.0
_LAST_NUMBER = 2**63 - 1
_STATUSES: tuple[tuple[type[SnapUpscaleError], int], ...] = (
    (OutputBusy, 409),
    (NotPlanned, 409),
    (QueueFull, 429),
    (OutputError, 507),
    (SnapUpscaleError, 422),
)


class Service(Protocol):
    """What owns the jobs. Every call may wait for a disk, so none is made on the event loop."""

    def submit(self, data: object, /) -> dict[str, Any]:
        """Take on a job; gives it, with its `id`. Raises errors of the tree."""

    def job(self, job_id: str, /) -> dict[str, Any] | None:
        """A job; None when there is none of that id."""

    def jobs(self) -> list[dict[str, Any]]:
        """The newest jobs, and all that have not ended."""

    def cancel(self, job_id: str, /) -> bool:
        """Ask a job to stop; False when there is none, or it has ended."""

    def events(self, after: int, job: str | None, limit: int, /) -> list[dict[str, Any]]:
        """What happened since event `after`, of one job or all, oldest first; each has its number as `id`."""

    def still(self, job_id: str, index: int, /) -> Path | None:
        """The file of a finished still, by its place among those of the job."""

    def timeline(self, job_id: str, name: str, /) -> Path | None:
        """A file that the job lists as its result: cuts or a timeline."""

    def report(self, job_id: str, /) -> Path | None:
        """The report of a job that is done."""

    @property
    def timelines(self) -> Timelines:
        """The sessions of timelines."""

    @property
    def frames(self) -> Desk:
        """Where effects hand in their frames."""

    def busy(self) -> bool:
        """Whether a job is queued or runs."""

    def close(self) -> None:
        """End the workers, and keep what is done."""


class Endpoints:
    """The functions behind the routes."""

    def __init__(self, service: Service, keys: Keys, lifetime: Lifetime) -> None:
        self._service = service
        self._keys = keys
        self._lifetime = lifetime
        self._feed = Feed(self._latest, lifetime)

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
        return reply(
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
        return reply({}, 202)

    async def new_code(self, request: Request) -> Response:
        """A code that a page trades for a session."""
        return reply({"code": self._keys.new_code()}, 201)

    async def open_session(self, request: Request) -> Response:
        """Trade a code for a session, kept in a cookie that scripts can't read."""
        data = await sent(request)
        code = data.get("code") if isinstance(data, dict) else None
        session = self._keys.redeem(code) if isinstance(code, str) else None
        if session is None:
            return error(401, "bad-code", "the code is unknown, used or too old", "Open the page from the menu again.")
        response = reply({}, 201)
        response.set_cookie(COOKIE, session, httponly=True, samesite="strict", path="/")
        return response

    async def submit(self, request: Request) -> Response:
        """Take on a job."""
        return reply(await run_in_threadpool(self._service.submit, await sent(request)), 201)

    def jobs(self, request: Request) -> Response:
        """The newest jobs, and all that have not ended."""
        return reply({"jobs": self._service.jobs()})

    def job(self, request: Request) -> Response:
        """One job."""
        found = self._service.job(valid_id(request.path_params["id"]))
        return no_job() if found is None else reply(found)

    def cancel(self, request: Request) -> Response:
        """Ask a job to stop."""
        name = valid_id(request.path_params["id"])
        if self._service.cancel(name):
            return reply({}, 202)
        if self._service.job(name) is None:
            return no_job()
        return error(409, "job-ended", "the job has ended", "There is nothing left to cancel.")

    def events(self, request: Request) -> Response:
        """What happened since event `after`; at most 500 at a time."""
        after, job = _position(request)
        return reply({"events": self._service.events(after, job, _MOST_EVENTS)})

    async def stream(self, request: Request) -> Response:
        """What happens, as server-sent events; after a break they go on behind Last-Event-ID."""
        after, job = _position(request)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return StreamingResponse(self._lines(after, job), media_type="text/event-stream")

    async def _lines(self, after: int, job: str | None) -> AsyncIterator[bytes]:
        """https://html.spec.whatwg.org/multipage/server-sent-events.html; comments keep a silent connection alive."""
        yield b": hello\n\n"
        spoke = time.monotonic()
        with self._feed.listening():
            while not self._lifetime.stopping:
                news = self._feed.news
                events = await run_in_threadpool(self._service.events, after, job, _MOST_EVENTS)
                for event in events:
                    after = event["id"]
                    yield b"id: %d\ndata: %s\n\n" % (after, encode(event))
                if not events:
                    await self._feed.wait(news, spoke + _BEAT_SECONDS - time.monotonic())
                    if time.monotonic() < spoke + _BEAT_SECONDS:
                        continue
                    yield b": still here\n\n"
                spoke = time.monotonic()

    def _latest(self, after: int) -> int:
        events = self._service.events(after, None, _MOST_EVENTS)
        return int(events[-1]["id"]) if events else after


def make_app(service: Service, keys: Keys, lifetime: Lifetime) -> Starlette:
    """The app without its guard."""
    groups = (Endpoints(service, keys, lifetime), Pages(service), TimelineEndpoints(service.timelines))
    app = Starlette(
        routes=[route for group in groups for route in group.routes()],
        exception_handlers={SnapUpscaleError: _failed, HTTPException: _http_failed, Exception: _broken},
    )
    app.router.redirect_slashes = False
    return app


def _position(request: Request) -> tuple[int, str | None]:
    """After which event, and of which job."""
    text = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > _LAST_NUMBER:
        raise HTTPException(400, "`after` and Last-Event-ID are the number of an event")
    job = request.query_params.get("job")
    return int(text), None if job is None else valid_id(job)


async def _failed(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, SnapUpscaleError)
    status = next(status for kind, status in _STATUSES if isinstance(failure, kind))
    return reply({"error": fault(failure)}, status)


async def _http_failed(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)
    codes = {404: "not-found", 405: "bad-method"}
    code = codes.get(failure.status_code, "bad-request")
    response = error(failure.status_code, code, failure.detail, "See the table of routes.")
    response.headers.update(failure.headers or {})
    return response


async def _broken(request: Request, failure: Exception) -> Response:
    hint = "This is a fault of SnapUpscale; report it with the sidecar's log."
    return error(500, "internal", "the sidecar failed to answer", hint)
