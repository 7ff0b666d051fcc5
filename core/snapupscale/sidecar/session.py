"""The head of a timeline session, as it is kept, and what becomes of it by what a client read back."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # wire.decode reads the annotations
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from snapupscale import protocol
from snapupscale.timeline.operations import RemoveMedia, RemoveTrack, Take
from snapupscale.timeline.wire import wrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.timeline.memory import Result
    from snapupscale.timeline.operations import Operation
    from snapupscale.timeline.plan import Plan

CUTS = "cuts"
"""The stage that every session begins with."""
WORKING, PLANNED, APPLIED, PARTIAL, FAILED, UNDONE = protocol.SESSION_STATES


def _texts(*needed: str) -> Callable[[object, str], dict[str, str]]:
    """A reader of an object of strings, those under the names `needed` among them."""

    def read(value: object, place: str) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise wrong(place, "is no object of strings")
        if missing := set(needed) - value.keys():
            raise wrong(place, f"lacks {min(missing)}")
        return value

    return read


def _read_options(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(place, "is no object")
    return value


def _read_state(value: object, place: str) -> str:
    if value not in protocol.SESSION_STATES:
        raise wrong(place, "is no state")
    return str(value)


def _read_error(value: object, place: str) -> dict[str, str] | None:
    return None if value is None else _texts(*protocol.ERROR)(value, place)


@dataclass(frozen=True, kw_only=True)
class Session:
    """The head of a session. Read by `wire.decode`, which leaves out what a newer version has added."""

    id: str
    action: str
    options: Mapping[str, Any] = field(metadata={"read": _read_options})
    project: str
    timeline: Mapping[str, str] = field(metadata={"read": _texts("id", "name")})
    """Its `id` and `name`."""
    state: str = field(default=WORKING, metadata={"read": _read_state})
    jobs: Mapping[str, str] = field(default_factory=dict, metadata={"read": _texts()})
    """The ids of the jobs that find cuts, under the media that they are for."""
    stage: str = CUTS
    """The stage that its jobs are in; see `stages`."""
    absent: Mapping[str, str] = field(default_factory=dict, metadata={"read": _texts()})
    """Why there is no job for a medium."""
    undoes: tuple[str, ...] = ()
    """The ids of the sessions whose edits its plan takes back."""
    handed_out: bool = False
    """Whether a client has the plan, and may have applied some of it without saying so."""
    error: Mapping[str, str] | None = field(default=None, metadata={"read": _read_error})
    created: float
    updated: float


def took_back(plan: Plan, results: Mapping[str, Result]) -> bool:
    """Whether these results leave nothing to undo of what the plan takes back; a track or bin may stay."""
    needed = (each for each in plan.operations if not isinstance(each, RemoveTrack | RemoveMedia))
    return all(_is_done(each, results) for each in needed)


def outcome(plan: Plan, results: Mapping[str, Result]) -> dict[str, Any]:
    """The state of a session after these results, and its error."""
    done = {operation.id for operation in plan.operations if _is_done(operation, results)}
    if len(done) == len(plan.operations):
        return {"state": APPLIED, "error": None}
    bad = next((each for each in results.values() if not each.ok and each.id not in done), None)
    # The first operation, `require`, looks before anything is touched.
    nothing = bad is not None and bad.id == plan.operations[0].id
    hint = "Nothing was changed; run it again." if nothing else _UNDO
    error = None if bad is None else {"code": "not-applied", "message": bad.message, "hint": hint}
    return {"state": FAILED if nothing else PARTIAL, "error": error}


def _is_done(operation: Operation, results: Mapping[str, Result]) -> bool:
    result = results.get(operation.id)
    if result is not None and result.ok:
        return True
    inner = operation.otherwise if isinstance(operation, Take) else ()
    return bool(inner) and all(_is_done(each, results) for each in inner)


_UNDO = "Undo Last SnapUpscale takes back what was made; then run it again."
