"""What the menu scripts ask of the sidecar."""

import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, TypeVar
from urllib.parse import quote, urlencode

from snapupscale import protocol
from snapupscale.protocol import Object
from snapupscale_resolve import launch
from snapupscale_resolve.connect import READY_SECONDS, reach
from snapupscale_resolve.faults import BadReply, Blocked, ConnectionLost, TokenRefused
from snapupscale_resolve.launch import Started
from snapupscale_resolve.wire import HOST, Wire

T = TypeVar("T")
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0
_STOP_LOOK = 0.1


def connect(start: Callable[[], Started] = launch.start, seconds: float = READY_SECONDS) -> "Client":
    """A client of the sidecar that runs; where none does, `start` starts one, which has `seconds` to get ready.

    Raises a Fault, as every method of the client does; see `connect.reach` for which.
    """
    return Client(reach(start, seconds), start, seconds)


class Client(object):
    """The sidecar, for one script. When it was restarted, or has died, it is found or started again by itself."""

    def __init__(self, wire: Wire, start: Callable[[], Started], seconds: float = READY_SECONDS) -> None:
        self._wire = wire
        self._start = start
        self._seconds = seconds

    def health(self) -> Object:
        """Which sidecar this is; see `protocol.HEALTH_REPLY`."""
        return self._get(protocol.HEALTH, protocol.read_health)

    def submit(self, job: Mapping[str, Any]) -> Object:
        """Queue a job, {"kind": KIND, "source": PATH, ...}; the job with its `id`."""
        return self._post(protocol.JOBS, protocol.read_job, job)

    def job(self, job_id: str) -> Object:
        """A job as it stands, with its `stills` and `result`."""
        return self._get(_path(protocol.JOB, job_id), protocol.read_whole_job)

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop. Raises Refused with code job-ended when it has ended."""
        self._post(_path(protocol.CANCEL, job_id), _anything)

    def events(self, after: int = 0, job_id: Optional[str] = None) -> List[Object]:
        """What happened since event `after`, of one job or all, oldest first; at most 500."""
        query = {"after": str(after)}
        if job_id is not None:
            query["job"] = job_id
        return self._get(protocol.EVENTS + "?" + urlencode(query), protocol.read_events)

    def wait(
        self,
        job_ids: Sequence[str],
        on_progress: Callable[[Object], None] = lambda job: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Dict[str, Object]:
        """Wait until the jobs have ended, done or failed; each as it stands then, by its id.

        `on_progress` is called with a job whenever something about it has changed. Once `should_stop` says so, the
        jobs are given as they stand; they go on.
        """
        jobs = {}  # type: Dict[str, Object]
        pause = _FIRST_PAUSE
        while True:
            news = False
            for job_id in job_ids:
                known = jobs.get(job_id)
                if known is None or known["state"] not in protocol.ENDED:
                    jobs[job_id] = self.job(job_id)
                    if jobs[job_id] != known:
                        news = True
                        on_progress(jobs[job_id])
            if all(job["state"] in protocol.ENDED for job in jobs.values()):
                return jobs
            pause = _FIRST_PAUSE if news else min(1.5 * pause, _LONGEST_PAUSE)
            if _sleep(pause, should_stop):
                return jobs

    def open_session(self, action: str, snapshot: Object, options: Optional[Object] = None) -> Object:
        """Begin an action of `protocol.ACTIONS` on the timeline of `snapshot`; the session."""
        data = {"action": action, "snapshot": snapshot, "options": options or {}}
        return self._post(protocol.TIMELINES, protocol.read_session, data)

    def session(self, session_id: str) -> Object:
        """A session as it stands."""
        return self._get(_path(protocol.TIMELINE, session_id), protocol.read_session)

    def sessions(self, timeline: Optional[str] = None) -> List[Object]:
        """All sessions, or those of one timeline, the newest first."""
        query = "" if timeline is None else "?" + urlencode({"timeline": timeline})
        return self._get(protocol.TIMELINES + query, protocol.read_sessions)

    def plan(self, session_id: str) -> Object:
        """The plan of a session. Raises Refused with code not-planned while its jobs run."""
        return self._get(_path(protocol.PLAN, session_id), protocol.read_plan)

    def read_back(self, session_id: str, results: Sequence[Object]) -> Object:
        """Tell what came of the plan's operations, [{"id", "ok", "found", "message"}]; the session."""
        # Said twice it is the same, and not said at all what was made is lost to the sidecar.
        data = {"results": list(results)}
        return self._ask("POST", _path(protocol.READBACK, session_id), protocol.read_session, data, harmless=True)

    def cancel_session(self, session_id: str) -> None:
        """Give a session up, and its jobs."""
        self._post(_path(protocol.TIMELINE_CANCEL, session_id), _anything)

    def page_url(self, path: str) -> str:
        """An address that opens the page at `path` in the browser, once, within a minute."""
        code = self._post(protocol.SESSION_CODE, protocol.read_code)
        # A fragment stays in the browser: it is in no request and no log.
        fragment = urlencode({"code": code, "to": path}, quote_via=quote, safe="/")
        return "http://%s:%d%s#%s" % (HOST, self._wire.found.port, protocol.OPEN, fragment)

    def _get(self, path: str, read: Callable[[object], T]) -> T:
        return self._ask("GET", path, read, None, harmless=True)

    def _post(self, path: str, read: Callable[[object], T], data: Optional[Mapping[str, Any]] = None) -> T:
        return self._ask("POST", path, read, dict(data or {}))

    def _ask(
        self, method: str, path: str, read: Callable[[object], T], data: Optional[Object], harmless: bool = False
    ) -> T:
        reply = self._insist(method, path, data, harmless)
        try:
            return read(reply)
        except protocol.Malformed as error:
            raise BadReply("the answer to %s %s makes no sense: %s" % (method, path.split("?", 1)[0], error)) from error

    def _insist(self, method: str, path: str, data: Optional[Object], harmless: bool) -> Object:
        """The answer; asked for once more where the request was not taken, or can do no harm twice."""
        try:
            return self._wire.ask(method, path, data)
        except (Blocked, TokenRefused):
            pass  # nothing was done
        except ConnectionLost:
            if not harmless:
                raise
        self._wire = reach(self._start, self._seconds)
        return self._wire.ask(method, path, data)


def _path(route: str, name: str) -> str:
    if not protocol.ID.match(name):
        raise ValueError("%r is no id" % name)
    return route.replace("{id}", name)


def _anything(reply: object) -> None:
    """Nothing of the reply is needed."""


def _sleep(seconds: float, should_stop: Callable[[], bool]) -> bool:
    """Wait so long, or until asked to stop; whether that was so."""
    end = time.monotonic() + seconds
    while not should_stop():
        left = end - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, _STOP_LOOK))
    return True
