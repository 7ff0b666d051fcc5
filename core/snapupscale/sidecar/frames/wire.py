"""What the effect and the sidecar say to each other: 64-byte headers, short tails, and strict checks of both."""

from __future__ import annotations

import re
import struct
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

from snapupscale import protocol
from snapupscale.errors import SettingError
from snapupscale.sidecar.messages import decode

if TYPE_CHECKING:
    from typing import Self

MAGIC = 0x46554E53
"""The bytes "SNUF"."""
VERSION = 1
SIZE = 64
"""Bytes of a header."""
MOST_TAIL = 4096
FIRST_PIXEL = 4096
"""The least offset of a picture in its mapping; before it stand the cookie and nothing else."""
ALIGNMENT = 64
LONGEST_EDGE = 32768
MOST_BYTES = 16 << 30
"""Of a mapping."""
TOP_DOWN, PREMULTIPLIED, INTERACTIVE, CACHED = 1, 2, 4, 8
"""The flags; the last is for replies alone."""

Depth = Literal["byte", "short", "half", "float"]
DEPTHS: dict[int, Depth] = {1: "byte", 2: "short", 3: "half", 4: "float"}
SAMPLE_BYTES: dict[Depth, int] = {"byte": 1, "short": 2, "half": 2, "float": 4}
COMPONENTS = (3, 4)

_LAYOUT = struct.Struct("<IHHIIIIIIQQQII")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COOKIE = re.compile(r"[0-9a-fA-F]{32}")


class Op(IntEnum):
    """What a request asks for; its reply has the same."""

    HELLO = 1
    MAP = 2
    RENDER = 3
    CANCEL = 4
    PING = 5
    BYE = 6
    WARM = 7


class Status(IntEnum):
    """How a reply answers; of a request always OK."""

    OK = 0
    CANCELLED = 1
    BAD_TOKEN = 2
    BAD_VERSION = 3
    BAD_REQUEST = 4
    FAILED = 5
    BUSY = 6
    ENDING = 7


class Garbage(ValueError):
    """Bytes that no effect sends; the connection is to be closed."""


class WrongVersion(Garbage):
    """A header of another version of the protocol; `header` can be answered all the same."""

    def __init__(self, header: Header) -> None:
        super().__init__(f"version {header.version} of the protocol")
        self.header = header


@dataclass(frozen=True, kw_only=True)
class Header:
    """The fixed part of a message, in the order of the wire."""

    magic: int = MAGIC
    version: int = VERSION
    op: int
    seq: int = 0
    slot: int = 0
    width: int = 0
    height: int = 0
    format: int = 0
    flags: int = 0
    offset: int = 0
    size: int = 0
    """Bytes of the picture, or, of MAP, of the whole mapping."""
    elapsed: int = 0
    tail: int = 0
    status: int = 0

    def pack(self) -> bytes:
        """64 bytes."""
        return _LAYOUT.pack(*asdict(self).values())

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The header in the first 64 bytes, whatever it holds."""
        return cls(**dict(zip(cls.__dataclass_fields__, _LAYOUT.unpack(data[:SIZE]), strict=True)))

    @property
    def interactive(self) -> bool:
        """Whether somebody is looking at a viewer, and waits for this frame."""
        return bool(self.flags & INTERACTIVE)


@dataclass(frozen=True, kw_only=True)
class Hello:
    """The tail of HELLO."""

    token: str
    pid: int
    client: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """The tail of MAP: where the mapping is, and the 16 bytes, in hexadecimal, at its beginning."""

    name: str
    cookie: str

    def __post_init__(self) -> None:
        if not self.name or not _COOKIE.fullmatch(self.cookie):
            raise SettingError("name, cookie: the mapping has no name, or its cookie is not 32 hexadecimal digits")


@dataclass(frozen=True, kw_only=True)
class Params:
    """The tail of RENDER and WARM: what to make of a picture."""

    mode: Literal["restore", "punch-in"]
    factor: float
    zoom: float
    centre_x: float
    centre_y: float
    """From the top; both centres are shares of the frame."""
    model: str
    strength: float
    denoise: float

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingError(f"{name}: {value:g} is outside {low} to {high}")
        if not _MODEL.fullmatch(self.model):
            raise SettingError("model: this is no name of a model")


_RANGES = {
    "factor": (1, 4),
    "zoom": (1, 8),
    "centre_x": (0, 1),
    "centre_y": (0, 1),
    "strength": (0, 1),
    "denoise": (0, 1),
}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Where a picture is in its mapping, and how it lies there: rows tight, `components` samples a pixel."""

    width: int
    height: int
    depth: Depth
    components: int
    premultiplied: bool
    top_down: bool
    offset: int
    size: int
    """Bytes."""


def read_header(data: bytes) -> Header:
    """The request in 64 bytes. Raises WrongVersion, or Garbage for what is no request at all."""
    header = Header.unpack(data)
    if header.magic != MAGIC:
        raise Garbage("no magic number")
    if header.version != VERSION:
        raise WrongVersion(header)
    if header.op not in Op._value2member_map_:
        raise Garbage(f"operation {header.op}")
    if header.tail > MOST_TAIL or header.status:
        raise Garbage(f"a tail of {header.tail} bytes, status {header.status}")
    return header


def read_picture(header: Header, room: int) -> Picture:
    """The picture that a RENDER describes, in a mapping of `room` bytes. Raises SettingError."""
    depth, components = DEPTHS.get(header.format & 0xFF), header.format >> 8
    if depth is None or components not in COMPONENTS:
        raise SettingError(f"format: {header.format:#x} is no format of pixels")
    if not (1 <= header.width <= LONGEST_EDGE and 1 <= header.height <= LONGEST_EDGE):
        raise SettingError(f"a picture of {header.width} x {header.height} is out of range")
    if header.flags & ~(TOP_DOWN | PREMULTIPLIED | INTERACTIVE):
        raise SettingError(f"flags: {header.flags:#x} is unknown")
    if header.size != header.width * header.height * components * SAMPLE_BYTES[depth]:
        raise SettingError(f"bytes: {header.size} is not the size of the picture")
    if header.offset < FIRST_PIXEL or header.offset % ALIGNMENT or header.offset + header.size > room:
        raise SettingError(f"offset: the picture at {header.offset} doesn't lie in a mapping of {room} bytes")
    return Picture(
        width=header.width,
        height=header.height,
        depth=depth,
        components=components,
        premultiplied=bool(header.flags & PREMULTIPLIED),
        top_down=bool(header.flags & TOP_DOWN),
        offset=header.offset,
        size=header.size,
    )


def read_room(header: Header) -> int:
    """The size in bytes of the mapping that a MAP offers. Raises SettingError."""
    if not FIRST_PIXEL < header.size <= MOST_BYTES:
        raise SettingError(f"bytes: a mapping of {header.size} bytes is out of range")
    return header.size


def read_hello(tail: bytes) -> Hello:
    """Raises SettingError, as the other readers of tails do."""
    return decode(Hello, _json(tail))


def read_place(tail: bytes) -> Place:
    """Where the mapping is."""
    return decode(Place, _json(tail))


def read_params(tail: bytes) -> Params:
    """What to make of the picture."""
    return decode(Params, _json(tail))


def reply(request: Header, status: Status, *, message: str = "", elapsed: float = 0.0, cached: bool = False) -> bytes:
    """The reply to `request`, which it repeats. message: for people, cut to what fits; elapsed: seconds."""
    tail = message.encode("utf-8", "replace")[:MOST_TAIL].decode("utf-8", "ignore").encode()
    header = replace(
        request,
        magic=MAGIC,
        version=VERSION,
        flags=(request.flags & ~CACHED) | (CACHED if cached else 0),
        elapsed=max(0, round(elapsed * 1e6)),
        tail=len(tail),
        status=status,
    )
    return header.pack() + tail


def _json(tail: bytes) -> dict[str, Any]:
    try:
        return protocol.decode(tail, MOST_TAIL)
    except protocol.Malformed as error:
        raise SettingError(f"the tail is no JSON object: {error}") from error
