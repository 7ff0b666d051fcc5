"""What the sidecar and its clients say to each other, version 1: names, JSON, and checks of what the other side says.

Clients inside the editor use this file as it is, so it keeps to the syntax and the standard library of Python 3.6 and
imports nothing of SnapUpscale.
"""

import json
import re
from typing import Any, Dict, List, Optional, Set, Tuple

NUMBER = 1
"""Raised whenever an older side could misunderstand the newer one."""
OLDEST = 1
"""The oldest number that is still understood."""
HEADER = "X-SnapUpscale-Protocol"
"""Of a request: the number of the client. Without it a request counts as of `NUMBER`."""
PREFIX = "snapupscale:"
"""How the custom data of every marker begins that SnapUpscale made."""
ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
"""Of a job or a session, from its first character on."""
MOST_BYTES = 16 << 20
"""Of a reply that a client reads, or a message that `decode` takes unless told otherwise."""

HEALTH, STOP = "/v1/health", "/v1/stop"
SESSION, SESSION_CODE, OPEN = "/v1/session", "/v1/session/code", "/open"
JOBS, JOB, CANCEL = "/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/cancel"
STILL, REPORT, FILE = "/v1/jobs/{id}/stills/{index}", "/v1/jobs/{id}/report", "/v1/jobs/{id}/files/{name}"
EVENTS, STREAM = "/v1/events", "/v1/events/stream"
TIMELINES, TIMELINE, PLAN = "/v1/timelines", "/v1/timelines/{id}", "/v1/timelines/{id}/plan"
READBACK, TIMELINE_CANCEL = "/v1/timelines/{id}/readback", "/v1/timelines/{id}/cancel"

KINDS = ("probe", "analyse", "cuts", "pick", "upscale", "export", "hold")
PRIORITIES = ("interactive", "batch")
STATES = ("queued", "running", "cancelling", "done", "failed", "interrupted")
ENDED = ("done", "failed")
EVENT_KINDS = ("state", "progress", "still", "log")
ACTIONS = ("mark", "stills", "undo", "remove_markers")
SCOPES = ("playhead", "selection", "timeline")
SESSION_STATES = ("working", "planned", "applied", "partial", "failed", "undone")

CLIENT, SIDECAR = "client", "sidecar"
TOO_OLD, TOO_NEW, NO_NUMBER = "protocol-too-old", "protocol-too-new", "protocol-unknown"
"""Codes of a refusal for the number of the client, seen from the sidecar."""

Trouble = Tuple[str, str, str]
"""The code, the message and the hint of an error."""
Object = Dict[str, Any]


class Malformed(ValueError):
    """A message that breaks the protocol; says where."""


class Text(object):
    """A string out of a few, in a shape."""

    def __init__(self, *values: str) -> None:
        self.values = values


class Usual(object):
    """A shape whose value has a usual one, and is left out then."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


NUM = (int, float)
ERROR = {"code": str, "message": str, "hint": str}
_MAYBE_ERROR = (None, ERROR)
DISCOVERY = {"protocol": int, "pid": int, "start_time": str, "port": int, "token": str, "version": str}
HEALTH_REPLY = {"version": str, "protocol": int, "pid": int, "uptime": NUM, "busy": bool}
PROGRESS = {"stage": str, "done": NUM, "total": (None, int, float)}
JOB_REPLY = {
    "id": str,
    "kind": str,
    "priority": str,
    "source": str,
    "state": Text(*STATES),
    "created": NUM,
    "updated": NUM,
    "progress": (None, PROGRESS),
    "attempts": int,
    "error": _MAYBE_ERROR,
}
STILL_REPLY = {"index": int, "name": str, "shot": int, "frame": int, "size": [int]}
WHOLE_JOB = dict(JOB_REPLY, stills=[STILL_REPLY], result=(None, {}))
EVENT = {"id": int, "job": str, "kind": str, "data": {}, "time": NUM}
SESSION_REPLY = {
    "id": str,
    "action": Text(*ACTIONS),
    "state": Text(*SESSION_STATES),
    "timeline": {"id": str, "name": str},
    "jobs": [JOB_REPLY],
    "progress": {"stage": str, "done": int, "total": int},
    "error": _MAYBE_ERROR,
    "created": NUM,
    "updated": NUM,
}
_SKIPPED = {"item": str, "track": int, "at": str, "reason": str}
PLAN_REPLY = {
    "protocol": int,
    "session": str,
    "action": Text(*ACTIONS),
    "operations": [{"id": str, "op": str}],
    "summary": {"markers": int, "shots": int, "stills": int, "skipped": [_SKIPPED], "warnings": [str]},
}
MARKER = {"frame": int, "color": str, "name": str, "note": str, "duration": int, "custom": str}
OPERATIONS = {
    "require": {"project": str, "timeline": str, "items": [{"id": str, "start": int, "end": int}]},
    "checkpoint": {"name": str},
    "add_marker": MARKER,
    "remove_marker": {"custom": str},
    "bin": {"name": str},
    "import_media": {"path": str, "frames": int, "ref": str},
    "describe": {"media": str, "note": str, "colour_space": str},
    "take": {"item": str, "media": str, "start": int, "end": int, "otherwise": [{"id": str, "op": str}]},
    "track": {"name": str, "ref": str},
    "place": {"media": str, "track": str, "record": int, "start": int, "end": int, "frames": int, "ref": str},
    "copy_properties": {"from": str, "to": str, "names": [str], "set": {}},
    "copy_grade": {"from": str, "to": str},
    "clip_colour": {"to": str, "colour": str},
    "remove_items": {"items": [str]},
    "remove_take": {"item": str, "media": str},
    "remove_track": {"name": str},
    "remove_media": {"paths": [str], "bin": str},
}  # type: Dict[str, Object]
"""The closed set of what a plan may ask of the editor, each with what it takes beside its `id` and `op`."""
FOUND = {
    "checkpoint": {"timeline": str},
    "add_marker": MARKER,
    "remove_marker": {"left": int},
    "bin": {"id": str},
    "import_media": {"media": str, "path": str, "frames": int},
    "describe": {"note": str, "colour_space": str},
    "take": {"item": str, "start": int, "end": int, "takes": int, "take": int, "path": str},
    "track": {"index": int, "name": str, "made": bool},
    "place": {"item": str, "track": int, "start": int, "end": int, "left_offset": (None, int, float)},
}  # type: Dict[str, Object]
"""What is read back after an operation that succeeded; of the others nothing in particular."""
RESULT = {"id": str, "ok": bool, "found": {}, "message": str}
_MAYBE_INT, _MAYBE_NUM = (None, int), (None, int, float)
ITEM = {
    "id": str,
    "name": str,
    "track": int,
    "start": int,
    "end": int,
    "type": Usual(str),
    "media": Usual(str),
    "left_offset": Usual(_MAYBE_NUM),
    "right_offset": Usual(_MAYBE_NUM),
    "source_start": Usual(_MAYBE_INT),
    "source_end": Usual(_MAYBE_INT),
    "source_start_time": Usual(_MAYBE_NUM),
    "source_end_time": Usual(_MAYBE_NUM),
    "speed": Usual(_MAYBE_NUM),
    "fusion_comps": Usual(int),
    "enabled": Usual(bool),
    "takes": Usual(int),
    "take": Usual(int),
    "in_scope": Usual(bool),
}
_MEDIA = dict.fromkeys(("id", "path", "type", "rate", "frames"), str)  # type: Object
_USUAL_TEXTS = ("start_timecode", "resolution", "online", "drop", "field", "colour_space", "par", "alpha")
_MEDIA.update(dict.fromkeys(_USUAL_TEXTS, Usual(str)))
SNAPSHOT = {
    "protocol": int,
    "host": {"product": str, "version": str},
    "project": {"id": str, "name": str},
    "timeline": {
        "id": str,
        "name": str,
        "rate": str,
        "start_frame": int,
        "end_frame": int,
        "start_timecode": str,
        "width": int,
        "height": int,
        "playhead": str,
    },
    "tracks": [{"index": int, "name": str, "locked": bool, "enabled": bool}],
    "scope": Text(*SCOPES),
    "items": [ITEM],
    "media": [_MEDIA],
    "markers": [MARKER],
}


def encode(data: object) -> bytes:
    """JSON in ASCII. Raises ValueError for numbers that are not finite."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).encode("ascii")


def decode(data: bytes, most: int = MOST_BYTES) -> Object:
    """The JSON object in `data`, at most `most` bytes of UTF-8. Raises Malformed, also for a name that comes twice,
    half characters, and numbers that are not finite or have more than 20 digits."""
    if len(data) > most:
        raise Malformed("it has more than %d bytes" % most)
    try:
        found = json.loads(
            data.decode("utf-8"),
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
            object_pairs_hook=_once,
        )
        # Half a surrogate pair is JSON, but no text that can be stored or sent.
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Malformed("it is no strict JSON in UTF-8: %s" % str(error)[:200]) from error
    return _object("", found)


def mismatch(theirs: int, whose: str = CLIENT) -> Optional[Trouble]:
    """What is wrong with the other side's number `theirs`; None when it is understood here.

    `whose`: CLIENT when the sidecar judges a client, SIDECAR the other way round.
    """
    if OLDEST <= theirs <= NUMBER:
        return None
    older = whose if theirs < OLDEST else (SIDECAR if whose == CLIENT else CLIENT)
    numbers = "protocol %d, understood here: %d to %d" % (theirs, OLDEST, NUMBER)
    if older == CLIENT:
        hint = "Install the menu scripts again, from the SnapUpscale on this computer, and choose the menu again."
        return TOO_OLD, "the menu scripts are older than the sidecar (%s)" % numbers, hint
    hint = "Update SnapUpscale, run `snapupscale sidecar stop`, then choose the menu again."
    return TOO_NEW, "the sidecar is older than the menu scripts (%s)" % numbers, hint


def check_number(text: str) -> Optional[Trouble]:
    """What is wrong with the value of `HEADER`; None when it is understood."""
    if not re.match(r"[0-9]{1,9}\Z", text):
        return NO_NUMBER, "%s is no number" % HEADER, "Send %s: %d, or leave it out." % (HEADER, NUMBER)
    return mismatch(int(text))


def read_discovery(data: object) -> Object:
    """The content of the discovery file; see `DISCOVERY`. Raises Malformed, as all readers do, which names the first
    thing that is missing or wrong. All readers let pass names that they don't know, which a newer side may send."""
    return _read("", DISCOVERY, data)


def read_health(data: object) -> Object:
    """The reply of HEALTH."""
    return _read("", HEALTH_REPLY, data)


def read_error(data: object) -> Object:
    """The `code`, `message` and `hint` of a reply that says no."""
    return _object("error", _read("", {"error": ERROR}, data)["error"])


def read_job(data: object) -> Object:
    """A job as lists and new jobs give it."""
    return _read("", JOB_REPLY, data)


def read_whole_job(data: object) -> Object:
    """A job with its `stills` and `result`."""
    return _read("", WHOLE_JOB, data)


def read_jobs(data: object) -> List[Object]:
    """The reply that lists jobs."""
    return _list("jobs", JOB_REPLY, data)


def read_event(data: object) -> Object:
    """One event. Its kind may be a new one, which is then to be skipped."""
    return _read("", EVENT, data)


def read_events(data: object) -> List[Object]:
    """The reply that lists events."""
    return _list("events", EVENT, data)


def read_code(data: object) -> str:
    """The one-time code of a reply of SESSION_CODE."""
    return str(_read("", {"code": str}, data)["code"])


def read_session(data: object) -> Object:
    """A session of a timeline."""
    return _read("", SESSION_REPLY, data)


def read_sessions(data: object) -> List[Object]:
    """The reply that lists sessions."""
    return _list("sessions", SESSION_REPLY, data)


def read_plan(data: object) -> Object:
    """A plan. Operations that are unknown, in disorder, or called alike are refused: nothing must be half done."""
    plan = _read("", PLAN_REPLY, data)
    _read_operations("operations", plan["operations"], set())
    return plan


def read_readback(data: object) -> List[Object]:
    """The request of READBACK: what was read back after each operation."""
    return _list("results", RESULT, data)


def read_found(op: str, data: object) -> Object:
    """The `found` of an operation `op` that succeeded."""
    return _read("found", FOUND.get(op, {}), data)


def read_snapshot(data: object) -> Object:
    """The facts of a timeline. Their shape alone is checked."""
    return _read("", SNAPSHOT, data)


def _read_operations(place: str, operations: List[Object], ids: Set[str]) -> None:
    for index, operation in enumerate(operations):
        where = "%s[%d]" % (place, index)
        shape = OPERATIONS.get(operation["op"])
        if shape is None:
            raise Malformed("%s.op: %s is no operation" % (where, ascii(operation["op"])[:60]))
        _check(where, shape, operation)
        if operation["id"] in ids:
            raise Malformed("%s.id: it comes twice" % where)
        ids.add(operation["id"])
        _read_operations(where + ".otherwise", operation["otherwise"] if "otherwise" in shape else [], ids)


def _read(place: str, shape: Object, data: object) -> Object:
    _check(place, shape, data)
    return _object(place, data)


def _list(name: str, shape: Object, data: object) -> List[Object]:
    return list(_read("", {name: [shape]}, data)[name])


def _check(place: str, shape: Any, value: object) -> None:
    """Raise Malformed unless `value` has the shape: a type, None, a Text, a tuple of such, a list of one that stands
    for all entries, or an object of those that must be there, and of Usual ones that need not."""
    if isinstance(shape, dict):
        found = _object(place, value)
        for name in shape:
            where = "%s.%s" % (place, name) if place else name
            usual = isinstance(shape[name], Usual)
            if name in found:
                _check(where, shape[name].shape if usual else shape[name], found[name])
            elif not usual:
                raise Malformed("%s: it is missing" % where)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise Malformed("%s: it is no list" % place)
        for index, each in enumerate(value):
            _check("%s[%d]" % (place, index), shape[0], each)
    elif not _fits(shape, value):
        if isinstance(shape, tuple) and isinstance(shape[-1], dict):
            _check(place, shape[-1], value)
        else:
            raise Malformed("%s: %s is not allowed" % (place, ascii(value)[:60]))


def _fits(shape: Any, value: object) -> bool:
    if isinstance(shape, tuple):
        return any(not isinstance(each, dict) and _fits(each, value) for each in shape)
    if isinstance(shape, Text):
        return value in shape.values
    if shape is None:
        return value is None
    # Lua, and some readers of JSON, write whole numbers as 24.0.
    return type(value) is shape or (shape is int and type(value) is float and value.is_integer())


def _object(place: str, value: object) -> Object:
    if not isinstance(value, dict):
        raise Malformed("%s: it is no object" % place if place else "it is no JSON object")
    return value


def _once(pairs: List[Tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError("%s is not JSON" % name)


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError("a number is out of range")
    return number


def _short(text: str) -> int:
    if len(text) > 20:
        raise ValueError("a number has too many digits")
    return int(text)
