"""The routes of timeline sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from snapupscale import protocol
from snapupscale.sidecar.replies import error, reply, sent, valid_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from snapupscale.sidecar.timelines import Timelines


class TimelineEndpoints:
    """The functions behind the routes of timeline sessions."""

    def __init__(self, timelines: Timelines) -> None:
        self._timelines = timelines

    def routes(self) -> list[Route]:
        """The table of routes."""
        return [
            Route(protocol.TIMELINES, self.open, methods=["POST"]),
            Route(protocol.TIMELINES, self.sessions, methods=["GET"]),
            Route(protocol.TIMELINE, self.session, methods=["GET"]),
            Route(protocol.PLAN, self.plan, methods=["GET"]),
            Route(protocol.READBACK, self.read_back, methods=["POST"]),
            Route(protocol.TIMELINE_CANCEL, self.cancel, methods=["POST"]),
        ]

    async def open(self, request: Request) -> Response:
        """Begin a session with a snapshot."""
        return reply(await run_in_threadpool(self._timelines.open, await sent(request)), 201)

    def sessions(self, request: Request) -> Response:
        """The sessions of the timeline `timeline`, or all."""
        return reply({"sessions": self._timelines.sessions(request.query_params.get("timeline"))})

    def session(self, request: Request) -> Response:
        """One session."""
        found = self._timelines.session(_session(request))
        return _missing() if found is None else reply(found)

    def plan(self, request: Request) -> Response:
        """The edits to make, once the jobs have ended."""
        found = self._timelines.plan(_session(request))
        return _missing() if found is None else reply(found)

    async def read_back(self, request: Request) -> Response:
        """Remember what was read back after the edits."""
        found = await run_in_threadpool(self._timelines.read_back, _session(request), await sent(request))
        return _missing() if found is None else reply(found)

    def cancel(self, request: Request) -> Response:
        """End a session whose jobs run."""
        name = _session(request)
        if self._timelines.cancel(name):
            return reply({}, 202)
        if self._timelines.session(name) is None:
            return _missing()
        return error(409, "session-ended", "the session waits for no job", "There is nothing left to cancel.")


def _session(request: Request) -> str:
    return valid_id(request.path_params["id"])


def _missing() -> Response:
    return error(404, "not-found", "there is no such session", "Ask for the list of sessions again.")
