"""What the effect did wrong, and the handles and strings it was given."""

from __future__ import annotations

import ctypes
import itertools
import threading
from typing import Any, TypeVar

from ofx_host import abi

T = TypeVar("T")
_SCRIBBLE = 0xDD


class Refusal(Exception):
    """A function of the host doesn't do what it was asked for; the effect gets `status`."""

    def __init__(self, status: int, violation: str = "") -> None:
        super().__init__(violation)
        self.status = status
        self.violation = violation


class Ledger:
    """The books of one host. Handles are numbers that are no addresses, and none is given out twice."""

    def __init__(self, *, strings_expire: bool) -> None:
        self.violations: list[str] = []
        self.unknown: list[tuple[str, str]] = []
        """Reads and writes of properties that this host lacks: of which set, which property."""
        self.local = threading.local()
        self._strings_expire = strings_expire
        self._numbers = itertools.count(0x5A5A0000, 16)
        self._alive: dict[int, Any] = {}
        self._dead: dict[int, str] = {}
        self._texts: dict[bytes, Any] = {}

    @property
    def action(self) -> str:
        """The action that runs on this thread; empty outside."""
        found: str = getattr(self.local, "action", "")
        return found

    def violate(self, text: str) -> None:
        self.violations.append(f"{self.action or 'no action'}: {text}")

    def issue(self, thing: Any) -> int:
        """A handle for `thing`."""
        handle = next(self._numbers)
        self._alive[handle] = thing
        return handle

    def find(self, handle: int | None, kind: type[T]) -> T:
        """What `handle` stands for. Raises Refusal, and books it, if that isn't a `kind`."""
        thing = self._alive.get(handle or 0)
        if isinstance(thing, kind):
            return thing
        if handle in self._dead:
            what = f"a handle used after its end, of {self._dead[handle]}"
        else:
            what = f"{'NULL' if not handle else 'no handle'} where one of a {kind.__name__} is due"
        raise Refusal(abi.BAD_HANDLE, what)

    def drop(self, handle: int) -> None:
        self._dead[handle] = str(self._alive.pop(handle))

    def living(self, kind: type[T]) -> list[T]:
        return [thing for thing in self._alive.values() if isinstance(thing, kind)]

    def begin_call(self) -> Any:
        """The effect calls the host, on this thread: what it got before, for `end_call`."""
        before = getattr(self.local, "texts", ())
        self.local.texts = []
        return before

    def end_call(self, before: Any) -> None:
        """Where strings expire, those from before this call do so now; they could still be arguments of it."""
        for text in before:
            ctypes.memset(text, _SCRIBBLE, len(text) - 1)

    def text(self, value: str) -> int:
        """The address of a string for the effect."""
        data = value.encode()
        if not self._strings_expire:
            return ctypes.addressof(self._texts.setdefault(data, ctypes.create_string_buffer(data)))
        text = ctypes.create_string_buffer(data)
        self.local.texts.append(text)
        # Memory that has expired stays, so that a late reader sees rubbish and doesn't crash.
        self._texts[ctypes.addressof(text).to_bytes(8, "little")] = text
        return ctypes.addressof(text)
