"""What the classes of the API have in common: the application, what a handle stands for, and how a call is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from resolve_emulator.application import Application
    from resolve_emulator.state import Project
    from resolve_emulator.surface import Method


class Refused(Exception):
    """The call fails in the way of its kind: False, None, [], {}, '' or 0."""


_FAILURES: dict[str, Any] = {"bool": False, "text": "", "number": 0}


def failure(method: Method) -> Any:
    """What a call gives that was asked for something impossible (facts 1.5)."""
    return [] if method.kind == "list" else {} if method.kind == "dict" else _FAILURES.get(method.kind)


class Face:
    """The methods of one class of the API, over one thing of the editor's state."""

    kind: ClassVar[str]
    label: ClassVar[str] = ""
    extra_methods: ClassVar[dict[str, Method]] = {}
    """Methods of classes that the stubs leave open."""
    bound: ClassVar[bool] = True
    """Whether it belongs to the project that is open now."""

    def __init__(self, app: Application, state: Any) -> None:
        self.app = app
        self.state = state
        self.project: Project | None = app.project if self.bound else None

    def touched(self, name: str) -> None:
        """Called when a script looks an attribute up."""

    @property
    def title(self) -> str:
        return f"{self.label or self.kind} (0x{id(self.state):x})"


def need(condition: object) -> None:
    """Refuse the call unless `condition` holds."""
    if not condition:
        raise Refused


def text(value: Any) -> str:
    """A text argument. Refuses anything else."""
    need(isinstance(value, str))
    return str(value)


def number(value: Any) -> int | float:
    """A finite number. Refuses anything else, True and False too."""
    need(isinstance(value, int | float) and not isinstance(value, bool))
    need(value == value and abs(value) != float("inf"))  # noqa: PLR0124
    result: int | float = value
    return result


def whole(value: Any) -> int:
    """A whole number, given as 3 or 3.0."""
    given = number(value)
    need(given == int(given))
    return int(given)


def listed(value: Any, kind: type) -> list[Any]:
    """A list with nothing but things of `kind` in it; not empty."""
    values = list(value.values()) if isinstance(value, dict) else value
    need(isinstance(values, list) and values and all(isinstance(part, kind) for part in values))
    return list(values)


def by_number(values: list[Any]) -> dict[float, Any]:
    """The older form of a list: a dict from 1.0 on."""
    return {float(position): value for position, value in enumerate(values, 1)}
