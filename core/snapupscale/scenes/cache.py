"""Signals kept between runs, one file a source, found by the source's fingerprint."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, TypeAlias

import av
import numpy as np
from platformdirs import user_cache_path

from snapupscale import files
from snapupscale.errors import OutputError
from snapupscale.media.decoder import FrameIndex

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from snapupscale.media.source import Source

VERSION = 2
"""Raised whenever what is measured changes, so that old files aren't read."""
KEPT = 500
Stored: TypeAlias = "tuple[FrameIndex, dict[str, NDArray[np.float32]], tuple[str, ...]]"
_INDEX = ("ticks", "keyframes", "damaged", "interlaced", "checksums")


def load(source: Source) -> Stored | None:
    """What is stored for `source`, or None. A file that can't be read counts as none."""
    path = _path(source)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        head = json.loads(str(arrays.pop("head")))
        columns = {name: arrays.pop(name) for name in _INDEX}
        index = FrameIndex(
            tick=Fraction(head["tick"]), seekable=head["seekable"], threaded=head["threaded"], **columns
        )
        with suppress(OSError):
            path.touch()
        return index, arrays, tuple(head["warnings"])
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def store(source: Source, stored: Stored) -> None:
    """Keep `stored` for `source`. A cache that can't be written is no error: the next run decodes again."""
    index, columns, warnings = stored
    head = json.dumps(
        {"tick": str(index.tick), "seekable": index.seekable, "threaded": index.threaded, "warnings": warnings}
    )
    buffer = BytesIO()
    arrays = {name: getattr(index, name) for name in _INDEX} | columns
    np.savez(buffer, allow_pickle=False, head=np.array(head), **arrays)
    path = _path(source)
    with suppress(OutputError, OSError):
        files.make_folder(path.parent)
        files.remove_leftovers(path.parent)
        files.write_bytes(path, buffer.getvalue())
        _drop_oldest(path.parent)


def discard(source: Source) -> bool:
    """Forget what is stored for `source`; whether there was anything."""
    try:
        _path(source).unlink()
    except OSError:
        return False
    return True


def _path(source: Source) -> Path:
    """The name holds all that the content depends on: the source, the rate that times were counted by where it has
    none of its own, the decoder, and what is measured."""
    decoder = ".".join(map(str, av.library_versions["libavcodec"]))
    rate = f"{source.rate.numerator}_{source.rate.denominator}"
    name = f"{source.fingerprint}-{source.stream}-{rate}-{decoder}-v{VERSION}.npz"
    return user_cache_path("snapupscale") / "signals" / name


def _drop_oldest(folder: Path) -> None:
    stored = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in stored[KEPT:]:
        path.unlink()
