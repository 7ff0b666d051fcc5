"""The link as a library with visible symbols: how it is built, and how Python calls it."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from ctypes import POINTER, Structure, byref, c_bool, c_char_p, c_double, c_int, c_size_t, c_ssize_t, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "plugin" / "openfx" / "source"
HERE = Path(__file__).parent
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wstrict-prototypes", "-Werror")
WRAPPED = ("-Wl,--wrap=su_now", "-Wl,--wrap=su_shared_folders")
DONE, ABORTED, FAILED = range(3)
RESTORE, PUNCH_IN = range(2)
DEPTHS: dict[str, int] = {"uint8": 1, "uint16": 2, "float16": 3, "float32": 4}
MOST = {"uint8": 255, "uint16": 65535, "float16": 1, "float32": 1}
ABORT = ctypes.CFUNCTYPE(c_bool, c_void_p)


def sources(*, windows: bool = False) -> list[Path]:
    """The files that link.cmake lists for that system."""
    text = (SOURCE / "link.cmake").read_text()
    shared, for_windows, others = re.findall(r"(?:set|list)\([^)]*?LINK_SOURCES([^)]*\.c[^)]*)\)", text)
    names = f"{shared} {for_windows if windows else others}".split()
    return [SOURCE / name for name in names]


def build(target: Path, *more: Path, flags: Sequence[str] = (), compiler: str = "gcc") -> Path:
    """Compile the link and `more` into `target`."""
    files = [*sources(), *more]
    command = [compiler, *WARNINGS, "-O1", "-g", "-pthread", f"-I{SOURCE}", *flags, "-o", target, *files]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return target


def has(program: str) -> bool:
    """Whether that program is installed."""
    return shutil.which(program) is not None


class Frame(Structure):
    """struct su_frame."""

    _fields_ = [
        *((name, c_int) for name in ("width", "height", "depth", "components")),
        *((name, c_bool) for name in ("premultiplied", "interactive")),
        ("source", c_void_p),
        ("source_row", c_ssize_t),
        ("target", c_void_p),
        ("target_row", c_ssize_t),
        *((name, c_int) for name in ("x1", "y1", "x2", "y2")),
    ]


class Look(Structure):
    """struct su_look."""

    _fields_ = [
        ("mode", c_int),
        *((name, c_double) for name in ("factor", "zoom", "centre_x", "centre_y", "strength", "denoise")),
        ("model", c_char_p),
    ]


class Wait(Structure):
    """struct su_wait."""

    _fields_ = [("seconds", c_double), ("aborted", ABORT), ("context", c_void_p)]


def look(**changes: Any) -> Look:
    """A sound one."""
    values = {"mode": RESTORE, "factor": 2, "zoom": 1, "centre_x": 0.5, "centre_y": 0.5, "strength": 1, "denoise": 1}
    return Look(**{**values, "model": b"auto", **changes})


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a render gave."""

    outcome: int
    why: str
    target: np.ndarray[Any, Any] = field(repr=False)


class Link:
    """The library, opened."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))
        self.library.su_link_open.argtypes = [c_char_p]
        self.library.su_link_warm.argtypes = [POINTER(Look)]
        self.library.su_link_render.argtypes = [POINTER(Frame), POINTER(Look), POINTER(Wait), c_char_p, c_size_t]
        self.library.su_link_reconnect.argtypes = [c_char_p, c_size_t]
        self.library.su_link_reconnect.restype = c_bool
        self.library.su_socket_connected.argtypes = [c_ssize_t, ctypes.c_uint]
        self.library.su_socket_connected.restype = c_bool
        self.library.probe_advance.argtypes = [c_double]
        self.library.probe_mappings_in.argtypes = [c_char_p]
        self.library.probe_look.argtypes = [POINTER(Look), c_char_p, c_size_t]
        self.library.probe_look.restype = c_size_t
        self.library.probe_foreign.argtypes = [c_char_p]
        self.library.probe_foreign.restype = c_bool

    def open(self, resources: Path | None = None) -> None:
        """At Load."""
        self.library.su_link_open(str(resources).encode() if resources else None)

    def close(self) -> None:
        """At Unload."""
        self.library.su_link_close()

    def trim(self) -> None:
        """At PurgeCaches."""
        self.library.su_link_trim()

    def warm(self) -> None:
        """From CreateInstance."""
        self.library.su_link_warm(byref(look()))

    def reconnect(self) -> tuple[bool, str]:
        """The button."""
        why = ctypes.create_string_buffer(512)
        return self.library.su_link_reconnect(why, 512), why.value.decode()

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        self.library.probe_advance(seconds)

    def render(
        self,
        picture: np.ndarray[Any, Any],
        *,
        seconds: float = 5.0,
        aborted: Callable[[], bool] | None = None,
        target: np.ndarray[Any, Any] | None = None,
        window: tuple[int, int, int, int] | None = None,
        chosen: Look | None = None,
        room: int = 512,
        **flags: bool,
    ) -> Result:
        """Render rows of pixels, the lowest first; their strides are passed on."""
        target = np.zeros_like(picture) if target is None else target
        height, width, components = picture.shape
        frame = Frame(width, height, DEPTHS[picture.dtype.name], components, **flags)
        frame.source, frame.source_row = picture.ctypes.data, picture.strides[0]
        frame.target, frame.target_row = target.ctypes.data, target.strides[0]
        frame.x1, frame.y1, frame.x2, frame.y2 = window or (0, 0, width, height)
        asked = ABORT(lambda _: aborted()) if aborted else ABORT()
        why = ctypes.create_string_buffer(room)
        outcome = self.library.su_link_render(
            byref(frame), byref(chosen or look()), byref(Wait(seconds, asked, None)), why, room
        )
        return Result(outcome=outcome, why=why.value.decode(), target=target)


def picture(kind: str = "float32", *, width: int = 64, height: int = 48, components: int = 4) -> np.ndarray[Any, Any]:
    """Noise."""
    values = np.random.default_rng(5).random((height, width, components))
    return np.ascontiguousarray((values * MOST[kind]).astype(kind))


def inverted(source: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What a good stand-in makes of it."""
    result = source.copy()
    result[..., :3] = MOST[source.dtype.name] - result[..., :3]
    return result
