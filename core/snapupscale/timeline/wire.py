"""JSON into frozen dataclasses, strictly and with the place of a mistake in its message, and back."""

from __future__ import annotations

import re
import types
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 4096
"""Characters of the longest string that is taken."""
LARGEST = 2**53
"""The largest whole number that every JSON reader keeps exact."""
_HINT = "The menu scripts and the sidecar may be of different versions: update both."
_MOST = 100_000
_UNFIT = re.compile("[\0\ud800-\udfff]")

T = TypeVar("T")


def decode(cls: type[T], data: object, place: str = "") -> T:
    """The dataclass `cls` out of a JSON object; `place` says where in the message it stands, such as `items[3]`.

    Fields are str, int, float, bool, dataclasses, tuples of one of these, or one of these or None. Field metadata may
    give another key in JSON (`key`), a reader `(value, place) -> value` (`read`), and the most elements (`most`). Keys
    that are not known come from a newer client and are left out. Raises SettingError, which names the place, for
    missing keys, wrong types, numbers that are not finite or beyond 2**53, and strings that are too long or hold NUL or
    half characters.
    """
    if not isinstance(data, dict):
        raise wrong(place, "is no object")
    values: dict[str, Any] = {}
    for name, key, read, needed in _readers(cls):  # type: ignore[arg-type]  # a class can be hashed
        if key in data:
            values[name] = read(data[key], f"{place}.{key}" if place else key)
        elif needed:
            raise wrong(f"{place}.{key}" if place else key, "is missing")
    return cls(**values)


def encode(value: object) -> Any:
    """`value` as JSON: dataclasses as objects under their keys, tuples as lists, all else as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.metadata.get("key", field.name): encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [encode(part) for part in value]
    if isinstance(value, dict):
        return {key: encode(part) for key, part in value.items()}
    return value


def wrong(place: str, what: str) -> SettingError:
    """The error for a value that stands at `place`."""
    return SettingError(f"{place or 'the message'}: {what}", hint=_HINT)


def read_text(value: object, place: str) -> str:
    """A string. Raises SettingError as `decode` does."""
    if not isinstance(value, str):
        raise wrong(place, "is no string")
    if len(value) > LONGEST:
        raise wrong(place, f"has {len(value)} characters; {LONGEST} are the most")
    if "\0" in value or (not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value)):
        raise wrong(place, "holds NUL or half a character")
    return value


def read_shown(value: object, place: str) -> str:
    """A string that people typed, made fit: cut to LONGEST, with `_` for NUL and half characters. Raises SettingError
    for what is no string."""
    if not isinstance(value, str):
        raise wrong(place, "is no string")
    return _UNFIT.sub("_", value[:LONGEST])


def read_number(value: object, place: str) -> float:
    """A finite number. Raises SettingError as `decode` does."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(place, "is no number")
    if not abs(value) <= LARGEST:  # true of nan as well
        raise wrong(place, "is out of range")
    return value


def read_whole(value: object, place: str) -> int:
    """A whole number, also where it was written as 24.0, as Lua does. Raises SettingError as `decode` does."""
    number = read_number(value, place)
    if number != int(number):
        raise wrong(place, "is no whole number")
    return int(number)


def read_truth(value: object, place: str) -> bool:
    """true or false. Raises SettingError as `decode` does."""
    if not isinstance(value, bool):
        raise wrong(place, "is neither true nor false")
    return value


_READERS: dict[Any, Any] = {str: read_text, int: read_whole, float: read_number, bool: read_truth}


@cache
def _readers(cls: Any) -> tuple[tuple[str, str, Any, bool], ...]:
    """Of each field its name, its key, its reader, and whether it must be there."""
    kinds = get_type_hints(cls)
    return tuple(
        (
            field.name,
            field.metadata.get("key", field.name),
            field.metadata.get("read") or _reader(kinds[field.name], field.metadata.get("most", _MOST)),
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(cls)
    )


def _reader(kind: Any, most: int) -> Any:
    if kind in _READERS:
        return _READERS[kind]
    if get_origin(kind) in {Union, types.UnionType}:
        inner = _reader(next(part for part in get_args(kind) if part is not type(None)), most)
        return lambda value, place: None if value is None else inner(value, place)
    if get_origin(kind) is tuple:
        return list_reader(_reader(get_args(kind)[0], most), most)
    return lambda value, place: decode(kind, value, place)


def list_reader(inner: Callable[[object, str], T], most: int) -> Callable[[object, str], tuple[T, ...]]:
    """A reader of at most `most` elements, each read by `inner`."""

    def read(value: object, place: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise wrong(place, "is no list")
        if len(value) > most:
            raise wrong(place, f"has {len(value)} elements; {most} are the most")
        return tuple(inner(part, f"{place}[{index}]") for index, part in enumerate(value))

    return read
