"""QuickTime movies in which one sample is every frame: the tables name it again and again, the file holds it once."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf")
_HEAD = struct.Struct(">I4s")


def share_first_sample(path: Path, codec: bytes, size: int, count: int) -> None:
    """Make the first sample of the track with the `codec` (four characters) all `count` samples of it.

    `size` is that of the sample, in bytes. What the file holds of the others is no longer referred to. A table may name
    one place any number of times (ISO/IEC 14496-12, 8.7.5). The file must end with its tables, and be shorter than
    4 GiB. Raises OSError, and ValueError for a file that is not so.
    """
    with path.open("r+b") as file:
        start = _tables(path)
        file.seek(start)
        tables = _rebuilt(file.read(), codec, size, count)
        file.seek(start)
        file.write(tables)
        file.truncate()


def _tables(path: Path) -> int:
    """Where the last box of the file begins, which is to be `moov`."""
    length, at, kind = path.stat().st_size, 0, b""
    with path.open("rb") as file:
        start = at
        while at < length:
            file.seek(at)
            size, kind = _HEAD.unpack(file.read(_HEAD.size))
            if size == 1:
                (size,) = struct.unpack(">Q", file.read(8))
            if size < _HEAD.size:
                raise ValueError(path)
            start, at = at, at + size
    if kind != b"moov" or at != length:
        raise ValueError(path)
    return start


def _rebuilt(box: bytes, codec: bytes, size: int, count: int) -> bytes:
    """A box with new sample tables for the track with the codec."""
    _, kind = _HEAD.unpack_from(box)
    if kind in _CONTAINERS:
        return _box(kind, b"".join(_rebuilt(child, codec, size, count) for child in _children(box)))
    children = {child[4:8]: child for child in _children(box)} if kind == b"stbl" else {}
    if codec not in children.get(b"stsd", b""):
        return box
    if b"stco" not in children:
        raise ValueError(codec)
    first = children[b"stco"][16:20]
    return _box(
        kind,
        *(child for name, child in children.items() if name not in {b"stsc", b"stsz", b"stco"}),
        _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1)),  # from the first chunk on, one sample a chunk
        _box(b"stsz", struct.pack(">III", 0, size, count)),
        _box(b"stco", struct.pack(">II", 0, count), first * count),
    )


def _children(box: bytes) -> Iterator[bytes]:
    at = _HEAD.size
    while at + _HEAD.size <= len(box):
        size = max(_HEAD.size, _HEAD.unpack_from(box, at)[0])
        yield box[at : at + size]
        at += size


def _box(kind: bytes, *parts: bytes) -> bytes:
    return _HEAD.pack(_HEAD.size + sum(map(len, parts)), kind) + b"".join(parts)
