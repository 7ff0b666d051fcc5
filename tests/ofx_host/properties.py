"""Property sets that know the type and size of each property, and refuse the rest as a strict host does."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ofx_host import abi
from ofx_host.ledger import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ofx_host.ledger import Ledger

Kind = Literal["int", "double", "string", "pointer"]

STORED: dict[str, Any] = {
    "int": ctypes.c_int,
    "double": ctypes.c_double,
    "string": ctypes.c_void_p,
    "pointer": ctypes.c_void_p,
}
_KIND_OF = {int: "int", float: "double", str: "string", type(None): "pointer"}


@dataclass
class Property:
    """A property: `size` values of one kind; size 0 for any number."""

    kind: Kind
    size: int
    values: list[Any]
    initial: list[Any] = field(init=False)

    def __post_init__(self) -> None:
        self.initial = list(self.values)

    def copy(self) -> Property:
        return Property(self.kind, self.size, list(self.values))


def many(kind: Kind, *values: Any) -> Property:
    """A property of any number of values."""
    return Property(kind, 0, list(values))


def single(value: Any) -> Property:
    """A property of the kind of `value` (int, float, str, None for a pointer), or of a tuple of them."""
    if isinstance(value, Property):
        return value.copy()
    values = list(value) if isinstance(value, tuple) else [value]
    return Property(_KIND_OF[type(values[0])], len(values), values)  # type: ignore[arg-type]


class PropertySet:
    """What a property set handle stands for."""

    def __init__(
        self, ledger: Ledger, name: str, values: Mapping[str, Any], *, writable: Collection[str] | None = ()
    ) -> None:
        """values: by name what `single` takes; writable: what the effect may set, None for all."""
        self.name = name
        self.ledger = ledger
        self.properties = {key: single(value) for key, value in values.items()}
        self.writable = writable
        self.written: set[str] = set()
        """Names that the effect has set."""
        self.handle = ledger.issue(self)

    def __str__(self) -> str:
        return self.name

    def __getitem__(self, name: str) -> Any:
        """The value, or the list of values where there may be any number or there are several."""
        found = self.properties[name]
        return found.values[0] if found.size == 1 else list(found.values)

    def get(self, name: str, kind: Kind, index: int, count: int | None) -> list[Any]:
        """`count` values from 0 on, or that at `index`, for the effect. Raises Refusal."""
        values = self._find(name, kind).values
        if count is not None:
            if not 0 <= count <= len(values):
                raise Refusal(abi.BAD_INDEX, f"{name} of {self} has {len(values)} values, not {count}")
            return values[:count]
        if not 0 <= index < len(values):
            raise Refusal(abi.BAD_INDEX, f"{name} of {self} has no index {index}")
        return [values[index]]

    def set(self, name: str, kind: Kind, index: int, values: list[Any], *, whole: bool = False) -> None:
        """Set values from `index` on, or all of them, for the effect. Raises Refusal."""
        found = self._find(name, kind)
        if self.writable is not None and name not in self.writable:
            raise Refusal(abi.VALUE, f"{name} of {self} is not for effects to set")
        if whole and found.size in {0, len(values)}:
            found.values = values
        elif not whole and 0 <= index < (found.size or len(found.values) + 1):
            found.values[index : index + 1] = values
        else:
            raise Refusal(abi.BAD_INDEX, f"{name} of {self} has {found.size or 'any number of'} values: set at {index}")
        self.written.add(name)

    def reset(self, name: str) -> None:
        found = self._find(name, None)
        found.values = list(found.initial)

    def dimension(self, name: str) -> int:
        return len(self._find(name, None).values)

    def _find(self, name: str, kind: Kind | None) -> Property:
        found = self.properties.get(name)
        if found is None:
            self.ledger.unknown.append((self.name, name))
            raise Refusal(abi.UNKNOWN)
        if kind not in {None, found.kind}:
            raise Refusal(abi.VALUE, f"{name} of {self} is of type {found.kind}, used as {kind}")
        return found
