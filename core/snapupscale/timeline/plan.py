"""A plan: the edits that one action makes to a timeline, and what they amount to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snapupscale import protocol
from snapupscale.timeline.operations import Operation, numbered, read_operation, to_json
from snapupscale.timeline.wire import decode, encode, list_reader, wrong

_MOST = 200_000


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Something that is left as it is: the item's name, its track, the timecode it stands at, and a sentence why."""

    item: str
    track: int
    at: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a plan amounts to once it is applied: markers and stills that stand then, and shots that were looked at."""

    markers: int = 0
    shots: int = 0
    stills: int = 0
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The edits of one session, in the order in which they are to be made."""

    session: str
    action: str
    operations: tuple[Operation, ...]
    summary: Summary

    def __post_init__(self) -> None:
        if any(not operation.id for operation in self.operations):
            object.__setattr__(self, "operations", numbered(self.operations))


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """A plan as it goes over the wire."""
    return {
        "protocol": protocol.NUMBER,
        "session": plan.session,
        "action": plan.action,
        "operations": [to_json(operation) for operation in plan.operations],
        "summary": encode(plan.summary),
    }


def read_plan(data: object) -> Plan:
    """The plan in `data`; the inverse of `plan_to_json`. Raises SettingError as `wire.decode` does."""
    if not isinstance(data, dict):
        raise wrong("plan", "is no object")
    head = decode(_Head, data, "plan")
    return Plan(
        session=head.session,
        action=head.action,
        operations=list_reader(read_operation, _MOST)(data.get("operations"), "plan.operations"),
        summary=head.summary,
    )


@dataclass(frozen=True, kw_only=True)
class _Head:
    session: str
    action: str
    summary: Summary
