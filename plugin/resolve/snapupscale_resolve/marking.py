"""Operations on markers. They come by the hundred, so that the markers are read once for many."""

from collections import Counter
from functools import partial
from typing import Dict, List

from snapupscale.protocol import Object
from snapupscale_resolve.editor import Marker
from snapupscale_resolve.run import BUSY, Failed, Run

_FIELDS = Marker._fields


def add_markers(run: Run, operations: List[Object]) -> Dict[str, object]:
    """Add markers; by the ids of the operations what was found, or why it failed."""
    wanted = {operation["custom"]: Marker(*(operation[name] for name in _FIELDS)) for operation in operations}
    for operation in operations:
        marker = wanted[operation["custom"]]
        run.remember(operation, "a marker at frame %d" % marker.frame, partial(_remove, run, marker))
        run.editor.add_marker(marker)
    there = run.editor.markers()
    missing = wanted.keys() - {marker.custom for marker in there}
    if missing:
        for custom in sorted(missing):
            run.editor.add_marker(wanted[custom])
        there = run.editor.markers()
    standing = {marker.custom: marker for marker in there}
    found: Dict[str, object] = {}
    for operation in operations:
        if operation["custom"] in standing:
            found[operation["id"]] = dict(standing[operation["custom"]]._asdict())
        else:
            found[operation["id"]] = _missing(run, operation, there)
    return found


def remove_markers(run: Run, operations: List[Object]) -> Dict[str, object]:
    """Delete markers by their hidden data, until none with it is left."""
    before = run.editor.markers()
    count = Counter(marker.custom for marker in before)
    _remember_removed(run, operations, before)
    for operation in operations:
        for _ in range(count[operation["custom"]]):
            run.editor.delete_marker(operation["custom"])
    left = Counter(marker.custom for marker in run.editor.markers())
    again = [operation["custom"] for operation in operations if left[operation["custom"]] or not before]
    for custom in again:
        for _ in range(max(1, left[custom])):
            run.editor.delete_marker(custom)
    if again:
        left = Counter(marker.custom for marker in run.editor.markers())
    found: Dict[str, object] = {}
    for operation in operations:
        stays = left[operation["custom"]]
        found[operation["id"]] = Failed("%d markers stay" % stays, {"left": stays}) if stays else {"left": 0}
    return found


def _remember_removed(run: Run, operations: List[Object], before: List[Marker]) -> None:
    by_custom = {operation["custom"]: operation for operation in operations}
    for marker in before:
        operation = by_custom.get(marker.custom)
        if operation is not None:
            run.remember(operation, "the end of a marker", partial(_restore, run, marker))


def _missing(run: Run, operation: Object, there: List[Marker]) -> Failed:
    if any(marker.frame == operation["frame"] for marker in there):
        return Failed("another marker stands on frame %d of the timeline, and is left as it is" % operation["frame"])
    return Failed("DaVinci Resolve adds no marker" if run.editor.answers() else BUSY)


def _remove(run: Run, marker: Marker) -> bool:
    if _stands(run, marker):
        run.editor.delete_marker(marker.custom)
    return not _stands(run, marker)


def _restore(run: Run, marker: Marker) -> bool:
    if not _stands(run, marker):
        run.editor.add_marker(marker)
    return _stands(run, marker)


def _stands(run: Run, marker: Marker) -> bool:
    return any(each.custom == marker.custom for each in run.editor.markers())
