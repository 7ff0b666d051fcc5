"""What an action came to, in words."""

from typing import Dict, List, NamedTuple, Set

from snapupscale.protocol import Object
from snapupscale_resolve.executor import Outcome

MENU = "Workspace > Scripts > SnapUpscale > "
NAMES: Dict[str, str] = {
    "mark": "Mark Scene Cuts",
    "show": "Show Shots",
    "stills": "Upscale Shots to Stills",
    "undo": "Undo Last SnapUpscale",
    "remove_markers": "Remove SnapUpscale Markers",
}
"""The entries of the menu, by action."""
_UNDO = "%s takes back what was made." % (MENU + NAMES["undo"])
_CURES = {"mark": _UNDO, "stills": _UNDO}
_MOST = 20


class Summary(NamedTuple):
    """`title` says it in one line; it `needs_eyes` when the timeline is not what the user asked for."""

    title: str
    lines: List[str]
    needs_eyes: bool


def summary(plan: Object, outcome: Outcome) -> Summary:
    """The end of an action."""
    if outcome.trouble:
        return _given_up(plan["action"], outcome)
    failed = [each for each in outcome.results if not each["ok"] and not _replaced(plan, each["id"])]
    bad = [each["message"] for each in failed]
    told = plan["summary"]
    lines: List[str] = []
    if bad:
        lines += ["%d of %d edits were not made:" % (len(bad), len(outcome.results)), *_short(bad)]
        lines.append(_CURES.get(plan["action"], "Choose it again to go on."))
    if told["skipped"]:
        lines.append("Left out: %d" % len(told["skipped"]))
        lines += _short(["%(item)s, track %(track)d, %(at)s: %(reason)s" % each for each in told["skipped"]])
    lines += _short(told["warnings"])
    nothing = plan["action"] in ("mark", "stills") and not told["markers"] + told["stills"]
    title = _title(plan, outcome, {each["id"] for each in failed})
    return Summary(title, lines, bool(bad) or (nothing and bool(lines)))


def _title(plan: Object, outcome: Outcome, failed: "Set[str]") -> str:
    told, action = plan["summary"], plan["action"]
    missing = sum(each["op"] in ("add_marker", "take") for each in plan["operations"] if each["id"] in failed)
    if action == "mark":
        return "%s in %s." % (_count(told["markers"] - missing, "marker"), _count(told["shots"], "shot"))
    if action == "stills":
        return "%s of %s on the timeline." % (_count(told["stills"] - missing, "still"), _count(told["shots"], "shot"))
    done = [each for each in plan["operations"] if each["op"] == "remove_marker" and each["id"] not in failed]
    if action == "remove_markers":
        return "%s removed." % _count(len(done), "marker")
    return "Undone." if len(outcome.results) > 1 else "There was nothing left to undo."


def _given_up(action: str, outcome: Outcome) -> Summary:
    lines = []
    if outcome.stays:
        lines.append("Some of it was made already, and may still be there:")
        lines += _short(outcome.stays)
    if outcome.removed:
        lines.append("Stills of an earlier run were removed; the copy of the timeline still has them, if one was made.")
    if outcome.stays:
        lines.append("Then choose %s, which takes it back." % (MENU + NAMES["undo"]))
    if not lines:
        lines.append("Nothing on the timeline was changed.")
    return Summary("%s: %s." % (NAMES[action], outcome.trouble.rstrip(".")), lines, True)


def _replaced(plan: Object, operation_id: str) -> bool:
    """Whether the operation is a take that has others in its place, which count then."""
    return any(each["id"] == operation_id and each.get("otherwise") for each in plan["operations"])


def _short(lines: List[str]) -> List[str]:
    known = list(dict.fromkeys(lines))
    more = ["and %d more" % (len(known) - _MOST)] if len(known) > _MOST else []
    return ["  " + line for line in known[:_MOST] + more]


def _count(number: int, what: str) -> str:
    return "%d %s%s" % (number, what, "" if number == 1 else "s")
