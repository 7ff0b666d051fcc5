"""Memory that another process sees: mappings for pictures and results, used again as soon as nobody looks at them."""

from __future__ import annotations

import ctypes
import itertools
import mmap
import os
import secrets
import sys
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALIGNMENT = 4096
"""Bytes that the places of pictures in a mapping are whole multiples of."""
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - names can't be guessed, and files are the user's alone
_MOST_FREE = 4
_numbers = itertools.count()


class Room:
    """A mapping of `size` bytes, which `attached` maps elsewhere by its `name`. Raises OSError without space for it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.name, self._mapping = _created(size)
        # A class of our own, since those of ctypes have no room for weak references.
        self._type: type[ctypes.Array[ctypes.c_char]] = type("Bytes", (ctypes.c_char * size,), {})

    def array(self, offset: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        """The samples at `offset`, not copied."""
        return view(self._mapping, offset, shape, dtype)

    def whole(self) -> ctypes.Array[ctypes.c_char]:
        """All of it. numpy has views of views point to what the first was made of: when all are gone, so is this."""
        return self._type.from_buffer(self._mapping)

    def forget(self) -> None:
        """Take the name away, where whoever mapped it has not done so. What is mapped stays."""
        if sys.platform != "win32":
            Path(self.name).unlink(missing_ok=True)


class Rooms:
    """The rooms that are shared with one process. A room that was lent comes back when its array is gone."""

    def __init__(self) -> None:
        self._free: list[Room] = []
        self._named: set[Room] = set()
        self.dropped: list[str] = []
        """Names of rooms that are not used again, for the other process to let go of."""

    def take(self, size: int) -> Room:
        """A free room of `size` bytes or more. Smaller ones are dropped: most often, all pictures are of one size."""
        while len(self._free) > _MOST_FREE:
            self._drop(self._free.pop())
        while self._free:
            room = self._free.pop()
            if room.size >= size:
                return room
            self._drop(room)
        room = Room(size)
        self._named.add(room)
        return room

    def give_back(self, room: Room) -> None:
        """Nobody looks at `room` any longer."""
        self._free.append(room)

    def lent(self, room: Room, offset: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        """`room.array`; once this and all views of it are gone, the room is free again."""
        whole = room.whole()
        weakref.finalize(whole, self.give_back, room).atexit = False
        return view(whole, offset, shape, dtype)

    def forget(self) -> None:
        """Take away the names of all that are left."""
        for room in self._named:
            room.forget()
        self._named.clear()
        self._free.clear()

    def _drop(self, room: Room) -> None:
        room.forget()
        self._named.discard(room)
        self.dropped.append(room.name)


def attached(name: str, size: int) -> mmap.mmap:
    """Map the room of another process, and take its name away, so that nothing is left of it when both have ended."""
    if sys.platform == "win32":
        return mmap.mmap(-1, size, tagname=name)
    with Path(name).open("r+b") as file:
        mapping = mmap.mmap(file.fileno(), size)
    Path(name).unlink()
    return mapping


def view(memory: Any, offset: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Samples in `memory`, from `offset` on, not copied."""
    count = int(np.prod(shape))
    return np.frombuffer(memory, dtype, count, offset).reshape(shape)


def _created(size: int) -> tuple[str, mmap.mmap]:
    if sys.platform == "win32":
        name = f"snapupscale-{os.getpid()}-{next(_numbers)}-{secrets.token_hex(8)}"
        return name, mmap.mmap(-1, size, tagname=name)
    if _IN_MEMORY.is_dir():
        # Containers often have next to none of it.
        with suppress(OSError):
            return _file(size, _IN_MEMORY)
    return _file(size, Path(tempfile.gettempdir()))


def _file(size: int, folder: Path) -> tuple[str, mmap.mmap]:
    descriptor, name = tempfile.mkstemp(prefix="snapupscale-", dir=folder)
    try:
        # A file that is only made longer ends the process that writes to it when there is no space.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.ftruncate(descriptor, size)
        return name, mmap.mmap(descriptor, size)
    except BaseException:
        Path(name).unlink()
        raise
    finally:
        os.close(descriptor)
