"""The objects that a script holds: handles that never raise, never compare equal, and have what their build has."""

from __future__ import annotations

import traceback
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from resolve_emulator import beyond, constants
from resolve_emulator.face import Refused, failure
from resolve_emulator.faces import FACES, ROOTS
from resolve_emulator.state import Item, Live, Root
from resolve_emulator.versions import methods_of
from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from resolve_emulator.application import Application
    from resolve_emulator.face import Face
    from resolve_emulator.surface import Method

_ANSWERS_LOST: dict[str, Any] = {"bool": False}
_ODD_ARGUMENTS = (SettingError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError, OSError)


class RemoteObject:
    """A handle. Two handles of one thing are not equal; GetUniqueId tells (facts 1.5 has no other way)."""

    __slots__ = ("_face",)

    def __init__(self, face: Face) -> None:
        object.__setattr__(self, "_face", face)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return attribute(self._face, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Setting an attribute of a handle has no effect on the application."""

    def __dir__(self) -> list[str]:
        return names_of(self._face)

    def __repr__(self) -> str:
        return f"{self._face.title} [App: 'Resolve' on 127.0.0.1]"


class RemoteFunction:
    """A method of a handle, ready to be called."""

    def __init__(self, face: Face, method: Method) -> None:
        self._face = face
        self._method = method

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return call(self._face, self._method, arguments, named)


def handle(app: Application, thing: Any) -> RemoteObject:
    """A new handle of something of the editor's state."""
    kind = ROOTS[thing.kind] if isinstance(thing, Root) else FACES[type(thing)]
    return RemoteObject(kind(app, thing))


def attribute(face: Face, name: str) -> Any:
    """The method or constant of that name, None where this build has none (facts 1.5: hasattr is always True)."""
    face.touched(name)
    method = methods_of(face.kind, face.app.profile.version).get(name) or face.extra_methods.get(name)
    if method:
        return RemoteFunction(face, method)
    return constants.of(face.kind, face.app.profile.version).get(name)


def names_of(face: Face) -> list[str]:
    """What dir() shows: the methods and constants of this build."""
    version = face.app.profile.version
    return sorted({*methods_of(face.kind, version), *face.extra_methods, *constants.of(face.kind, version)})


def call(face: Face, method: Method, arguments: tuple[Any, ...], named: dict[str, Any] | None = None) -> Any:
    """Make a call, with every way in which it may fail; nothing raises."""
    app = face.app
    given = tuple(plain(argument) for argument in arguments)
    number = app.record(face.kind, method.name, given)
    if app.is_blocked or number in app.quirks.fail:
        return _of_build(app, lost_answer(method))
    if not is_there(face):
        return "" if isinstance(face.state, Item) and method.name == "GetUniqueId" else None
    try:
        return offered(app, _answer(face, method, _in_order(method, given, named or {})))
    except Refused:
        return _of_build(app, failure(method))
    except _ODD_ARGUMENTS:
        app.faults.append(f"{face.kind}.{method.name}{given!r}\n{traceback.format_exc()}")
        return _of_build(app, failure(method))


def _of_build(app: Application, answer: Any) -> Any:
    return None if answer == [] and app.quirks.none_lists else answer


def lost_answer(method: Method) -> Any:
    """What any call gives while a dialog is open (facts 1.5): False, None or []."""
    return [] if method.kind == "list" else _ANSWERS_LOST.get(method.kind)


def is_there(face: Face) -> bool:
    """Whether what the handle stands for is still in the open project."""
    gone = isinstance(face.state, Live) and face.state.gone
    return not gone and (face.project is None or face.project is face.app.project)


def plain(value: Any) -> Any:
    """An argument with the editor's own things in the place of handles."""
    if isinstance(value, RemoteObject):
        face = value._face
        return face.state if is_there(face) else None
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value


def offered(app: Application, value: Any) -> Any:
    """An answer with handles in the place of the editor's own things, and numbers for fractions."""
    if isinstance(value, Root) or type(value) in FACES:
        return handle(app, value)
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    if isinstance(value, list | tuple):
        return [offered(app, part) for part in value]
    if isinstance(value, dict):
        return {key: offered(app, part) for key, part in value.items()}
    return value


def _answer(face: Face, method: Method, arguments: list[Any]) -> Any:
    body = getattr(face, method.name, None)
    return body(*arguments) if body else beyond.answer(face.app, method)


def _in_order(method: Method, given: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
    ordered = list(given)
    for name in method.parameters[len(given) :]:
        if name not in named:
            break
        ordered.append(plain(named.pop(name)))
    if named or not method.takes(len(ordered)):
        raise Refused
    return ordered
