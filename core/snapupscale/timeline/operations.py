"""The closed set of edits that a plan is made of, as data, each with what a client must send back of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from snapupscale.timeline.wire import decode, encode, list_reader, read_text, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST = 200_000


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One edit. `id` is unique in its plan. Fields named `ref` give what is made a name for later operations; `media`,
    `track` and `to` take such a name, `item` and `copy_from` the editor's own id. Record frames are absolute."""

    op: ClassVar[str]
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class RequiredItem:
    """An item that must still stand where it stood."""

    id: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Require(Operation):
    """Stop, with nothing applied, unless the project, the timeline and these items are as they were."""

    op = "require"
    project: str
    timeline: str
    items: tuple[RequiredItem, ...]


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Operation):
    """Duplicate the timeline under `name` and come back to the original."""

    op = "checkpoint"
    name: str


@dataclass(frozen=True, kw_only=True)
class AddMarker(Operation):
    """Add a marker; `frame` counts from the timeline's start."""

    op = "add_marker"
    frame: int
    color: str
    name: str
    note: str
    duration: int
    custom: str


@dataclass(frozen=True, kw_only=True)
class RemoveMarker(Operation):
    """Delete by hidden data until no such marker is left."""

    op = "remove_marker"
    custom: str


@dataclass(frozen=True, kw_only=True)
class Bin(Operation):
    """Find or add a bin in the root and make it current."""

    op = "bin"
    name: str


@dataclass(frozen=True, kw_only=True)
class ImportMedia(Operation):
    """Import one movie of `frames` frames into the current bin."""

    op = "import_media"
    path: str
    frames: int
    ref: str


@dataclass(frozen=True, kw_only=True)
class Describe(Operation):
    """Write into a movie's comments what it is and, unless `colour_space` is empty, set its input colour space."""

    op = "describe"
    media: str
    note: str
    colour_space: str


def _read_all(value: object, place: str) -> tuple[Operation, ...]:
    return list_reader(read_operation, _MOST)(value, place)


@dataclass(frozen=True, kw_only=True)
class Take(Operation):
    """Add frames `start` up to, not including, `end` of a movie as a take of an item and select it; unless the item
    then stands where it stood and shows the movie, remove the take again and do `otherwise`."""

    op = "take"
    item: str
    media: str
    start: int
    end: int
    otherwise: tuple[Operation, ...] = field(metadata={"read": _read_all})


@dataclass(frozen=True, kw_only=True)
class OwnTrack(Operation):
    """Find the video track of that name, or add one on top."""

    op = "track"
    name: str
    ref: str


@dataclass(frozen=True, kw_only=True)
class Place(Operation):
    """Put frames `start` up to, not including, `end` of a movie on a track at `record`, `frames` long there."""

    op = "place"
    media: str
    track: str
    record: int
    start: int
    end: int
    frames: int
    ref: str


def _read_values(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(part, int | float | str) for part in value.values()):
        raise wrong(place, "is no object of plain values")
    return value


@dataclass(frozen=True, kw_only=True)
class CopyProperties(Operation):
    """Copy the named properties of an item to what was placed, then set `values`."""

    op = "copy_properties"
    copy_from: str = field(metadata={"key": "from"})
    to: str
    names: tuple[str, ...]
    values: dict[str, Any] = field(metadata={"key": "set", "read": _read_values})


@dataclass(frozen=True, kw_only=True)
class CopyGrade(Operation):
    """Copy the grade of an item to what was placed."""

    op = "copy_grade"
    copy_from: str = field(metadata={"key": "from"})
    to: str


@dataclass(frozen=True, kw_only=True)
class ClipColour(Operation):
    """Colour what was placed."""

    op = "clip_colour"
    to: str
    colour: str


@dataclass(frozen=True, kw_only=True)
class RemoveItems(Operation):
    """Delete timeline items by their ids, leaving gaps."""

    op = "remove_items"
    items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RemoveTake(Operation):
    """Delete the takes of an item that show the movie at path `media`."""

    op = "remove_take"
    item: str
    media: str


@dataclass(frozen=True, kw_only=True)
class RemoveTrack(Operation):
    """Delete the video track of that name, if it is empty."""

    op = "remove_track"
    name: str


@dataclass(frozen=True, kw_only=True)
class RemoveMedia(Operation):
    """Delete the movies at these paths from a bin, as far as no timeline uses them."""

    op = "remove_media"
    paths: tuple[str, ...]
    bin: str


OPERATIONS: dict[str, type[Operation]] = {
    kind.op: kind
    for kind in (
        Require,
        Checkpoint,
        AddMarker,
        RemoveMarker,
        Bin,
        ImportMedia,
        Describe,
        Take,
        OwnTrack,
        Place,
        CopyProperties,
        CopyGrade,
        ClipColour,
        RemoveItems,
        RemoveTake,
        RemoveTrack,
        RemoveMedia,
    )
}
"""The kinds of operations under their names on the wire."""


def to_json(operation: Operation) -> dict[str, Any]:
    """An operation as it goes over the wire."""
    data = {"id": operation.id, "op": operation.op, **encode(operation)}
    if isinstance(operation, Take):
        data["otherwise"] = [to_json(inner) for inner in operation.otherwise]
    return data


def read_operation(data: object, place: str = "") -> Operation:
    """The operation in `data`; the inverse of `to_json`. Raises SettingError as `wire.decode` does."""
    if not isinstance(data, dict):
        raise wrong(place, "is no object")
    name = read_text(data.get("op"), f"{place}.op")
    if name not in OPERATIONS:
        raise wrong(f"{place}.op", f"is none of {', '.join(OPERATIONS)}")
    if "id" not in data:
        raise wrong(f"{place}.id", "is missing")
    return decode(OPERATIONS[name], data, place)


def numbered(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """The operations with the ids o1, o2, ... in order, those within a take after it."""
    numbers = iter(range(1, _MOST * 10))

    def number(operation: Operation) -> Operation:
        named = replace(operation, id=f"o{next(numbers)}")
        if isinstance(named, Take):
            return replace(named, otherwise=tuple(number(inner) for inner in named.otherwise))
        return named

    return tuple(number(operation) for operation in operations)


def flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Every operation, also those that a take falls back to."""
    for operation in operations:
        yield operation
        if isinstance(operation, Take):
            yield from flat(operation.otherwise)
