"""Applies a plan to the timeline: each operation is read back, told to the sidecar, and on failure taken back."""

from itertools import groupby
from typing import TYPE_CHECKING, Callable, Dict, Iterator, List, NamedTuple

from snapupscale.protocol import Object
from snapupscale_resolve import dressing, marking, placing, removing
from snapupscale_resolve import items as api
from snapupscale_resolve.editor import EDIT
from snapupscale_resolve.editor_faults import EditorFault
from snapupscale_resolve.kept import Kept
from snapupscale_resolve.run import BUSY, Failed, Run, Spoiled

if TYPE_CHECKING:
    from snapupscale_resolve.editor import Editor

Report = Callable[[List[Object]], None]
BATCH = 100
"""Markers that are made between two looks at them."""
_MOST_UNTOLD = 25
_ENDED = "the script was ended"
_CHANGED = "the timeline was changed since: %s. Choose the menu again; what was found in the footage is kept"


class Outcome(NamedTuple):
    """What became of a plan."""

    results: List[Object]
    """What was read back, for every operation that was tried."""
    trouble: str
    """Why it was given up; empty when every operation was tried."""
    stays: List[str]
    """What was made and could not be taken back after it was given up."""
    removed: bool
    """Whether something of an earlier run was removed for good before it was given up."""


class _Stop(Exception):
    """The rest of the plan makes no sense."""


def require(run: Run, operation: Object) -> Object:
    """Look whether the project, the timeline and the items are as they were."""
    run.editor.refresh()
    if run.editor.project_id() != operation["project"]:
        raise Failed(_CHANGED % "another project is open")
    if run.editor.timeline_id() != operation["timeline"]:
        raise Failed(_CHANGED % "another timeline is open")
    for item in operation["items"]:
        standing = run.standing(item["id"])
        if standing is None:
            raise Failed(_CHANGED % "a clip at frame %d is gone" % item["start"])
        if api.span(standing.item) != (item["start"], item["end"]):
            raise Failed(_CHANGED % ("%s was moved or trimmed" % api.name_of(standing.item)))
    return {}


ONE: Dict[str, Callable[[Run, Object], Object]] = {
    "require": require,
    "checkpoint": placing.checkpoint,
    "bin": placing.use_bin,
    "import_media": placing.import_media,
    "describe": dressing.describe,
    "take": placing.take,
    "track": placing.own_track,
    "place": placing.place,
    "copy_properties": dressing.copy_properties,
    "copy_grade": dressing.copy_grade,
    "clip_colour": dressing.clip_colour,
    "remove_items": removing.remove_items,
    "remove_take": removing.remove_take,
    "remove_track": removing.remove_track,
    "remove_media": removing.remove_media,
}
"""The operations that are done one by one: each gives what it found, or raises Failed."""
MANY: Dict[str, Callable[[Run, List[Object]], Dict[str, object]]] = {
    "add_marker": marking.add_markers,
    "remove_marker": marking.remove_markers,
}
"""The operations that are done many at a time: by their ids what was found, or Failed."""
_ON_ANY_PAGE = {"require", "add_marker", "remove_marker"}
_FOR_GOOD = {"remove_items", "remove_take", "remove_track", "remove_media"}
_NEEDED = {"require", "checkpoint", "bin", "import_media", "track", "place"}
"""The operations that others build on."""
_TOLD_AT_ONCE = {"checkpoint", "track"}
"""What could not be known for ours later, if the script were killed."""


def apply(editor: "Editor", plan: Object, report: Report) -> Outcome:
    """Apply a plan that was checked by `protocol.read_plan`.

    `report` is called with results, a part at a time. Where an operation fails that others need, what was made is
    taken back. The page, the playhead and the current bin are as before at the end.
    """
    run = Run(editor)
    told = _Results(report)
    operations = plan["operations"]
    needed = _NEEDED | ({"remove_items"} if plan["action"] == "stills" else set())
    try:
        with Kept(editor, () if _ON_ANY_PAGE.issuperset(each["op"] for each in operations) else (EDIT,)):
            try:
                for group in _groups(operations):
                    _perform(run, told, group, needed)
                _confirm(run, told)
            except _Stop as stop:
                return _given_up(run, plan, told, str(stop))
            except KeyboardInterrupt:
                return _given_up(run, plan, told, _ENDED)
    except EditorFault as fault:
        return _given_up(run, plan, told, str(fault))
    told.tell()
    return Outcome(told.all(), "", [], False)


def _groups(operations: List[Object]) -> Iterator[List[Object]]:
    """The operations in order, markers in batches, all others alone."""
    for op, same in groupby(operations, key=lambda operation: str(operation["op"])):
        group = list(same)
        size = BATCH if op in MANY else 1
        for start in range(0, len(group), size):
            yield group[start : start + size]


def _perform(run: Run, told: "_Results", group: List[Object], needed: "set[str]") -> None:
    """Do a group of operations. Raises _Stop."""
    op = group[0]["op"]
    found = MANY[op](run, group) if op in MANY else {group[0]["id"]: _one(run, group[0])}
    for operation in group:
        result = found[operation["id"]]
        told.add(operation, result)
        if isinstance(result, Failed):
            if isinstance(result, Spoiled) or op in needed:
                raise _Stop(str(result))
            if not run.editor.answers():
                raise _Stop(BUSY)
            for inner in operation.get("otherwise", []):
                _perform(run, told, [inner], needed)
    if op in _TOLD_AT_ONCE:
        told.tell()


def _one(run: Run, operation: Object) -> object:
    """What was found, or Failed."""
    try:
        return ONE[operation["op"]](run, operation)
    except Failed as failed:
        return failed
    except EditorFault as fault:
        return Failed(str(fault))


def _confirm(run: Run, told: "_Results") -> None:
    """Look once more for what was placed. Raises _Stop."""
    gone = placing.confirm_placed(run)
    for operation in gone:
        told.add(operation, Failed("DaVinci Resolve has dropped the still at frame %d" % operation["record"]))
    if gone:
        raise _Stop("DaVinci Resolve has dropped %d stills that were placed" % len(gone))


def _given_up(run: Run, plan: Object, told: "_Results", trouble: str) -> Outcome:
    """Take back what was made, and say of every operation that nothing came of it, but for what stays."""
    removed = told.removed()
    copy = next((each["id"] for each in plan["operations"] if each["op"] == "checkpoint"), "")
    # Where something is gone for good, the copy of the timeline still has it.
    left = run.take_back(but=copy if removed else "")
    staying = {made.operation for made in left}
    if removed or left:
        # That the first operation succeeded tells the sidecar that the timeline is not as it was.
        staying |= {operation["id"] for operation in plan["operations"] if told.op_of(operation["id"]) == "require"}
    if removed:
        staying |= {name for name in told.tried() if told.op_of(name) in _FOR_GOOD} | {copy}
    for operation in plan["operations"]:
        told.fail(operation, trouble, staying)
    told.tell()
    return Outcome(told.all(), trouble, [made.what for made in left], removed)


class _Results(object):
    """What is read back, on its way to the sidecar."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._results: Dict[str, Object] = {}
        self._ops: Dict[str, str] = {}
        self._untold: List[str] = []

    def add(self, operation: Object, result: object) -> None:
        """What an operation found, or Failed."""
        failed = result if isinstance(result, Failed) else None
        self._ops[operation["id"]] = operation["op"]
        self._put(operation["id"], failed is None, failed.found if failed else result, str(failed) if failed else "")
        if len(self._untold) >= _MOST_UNTOLD:
            self.tell()

    def fail(self, operation: Object, trouble: str, staying: "set[str]") -> None:
        """That nothing came of an operation and of those in its place, unless something of it is `staying`."""
        if operation["id"] not in staying:
            self._put(operation["id"], False, {}, trouble)
        for inner in operation.get("otherwise", []):
            if inner["id"] in self._results:
                self.fail(inner, trouble, staying)

    def tell(self) -> None:
        """Tell what is not told yet."""
        untold, self._untold = self._untold, []
        if untold:
            self._report([self._results[name] for name in dict.fromkeys(untold)])

    def op_of(self, operation_id: str) -> str:
        """The kind of an operation that was tried; else empty."""
        return self._ops.get(operation_id, "")

    def tried(self) -> List[str]:
        """The ids of the operations that were tried."""
        return list(self._ops)

    def removed(self) -> bool:
        """Whether anything was removed for good."""
        return any(self._ops.get(name) in _FOR_GOOD and result["ok"] for name, result in self._results.items())

    def all(self) -> List[Object]:
        """The results so far, in the order of the operations."""
        return list(self._results.values())

    def _put(self, operation_id: str, ok: bool, found: object, message: str) -> None:
        self._results[operation_id] = {"id": operation_id, "ok": ok, "found": found, "message": message}
        self._untold.append(operation_id)
