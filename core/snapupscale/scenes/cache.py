"""Signals kept between runs, one file a source, found by the source's fingerprint."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from platformdirs import user_cache_path

from snapupscale import files
from snapupscale.errors import OutputError
from snapupscale.media.frames import FrameIndex
from snapupscale.scenes import model
from snapupscale.scenes.adaptive import Stretches
from snapupscale.scenes.meter import Measured, Network
from snapupscale.scenes.watch import Seen

if TYPE_CHECKING:
    from pathlib import Path

    from snapupscale.media.source import Source

VERSION = 5
"""Raised whenever what is measured changes, so that old files aren't read. A new fit shows by itself."""
KEPT = 500
_INDEX = ("ticks", "keyframes", "damaged", "interlaced", "decoded", "signatures")
_CURVES = ("distance", "luma", "contrast", "motion")
_STRETCHES = ("starts", "ends", "odds", "kinds")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What one decode gave."""

    index: FrameIndex
    measured: Measured
    warnings: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether every frame was decoded and measured."""
        return bool(self.index.decoded.all())


def load(source: Source) -> Stored | None:
    """What is stored for `source`, or None. A file that can't be read counts as none."""
    path = _path(source)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        head = json.loads(str(arrays["head"]))
        columns = {name: arrays[name] for name in _INDEX}
        index = FrameIndex(
            tick=Fraction(head["tick"]), seekable=head["seekable"], threaded=head["threaded"], **columns
        )
        stretches = Stretches(**{name: arrays[f"stretch_{name}"] for name in _STRETCHES})
        seen = Seen(odds=arrays["odds"], reasons=arrays["reasons"], stretches=stretches)
        network = Network(single=arrays["single"], many=arrays["many"]) if "single" in arrays else None
        measured = Measured(**{name: arrays[name] for name in _CURVES}, seen=seen, network=network)
        with suppress(OSError):
            path.touch()
        return Stored(index=index, measured=measured, warnings=tuple(head["warnings"]))
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def store(source: Source, stored: Stored) -> None:
    """Keep `stored` for `source`. A cache that can't be written is no error: the next run decodes again."""
    index, measured = stored.index, stored.measured
    head = {"tick": str(index.tick), "seekable": index.seekable, "threaded": index.threaded}
    head["warnings"] = stored.warnings
    arrays: dict[str, Any] = {name: getattr(index, name) for name in _INDEX}
    arrays |= {name: getattr(measured, name) for name in _CURVES}
    if measured.network:
        arrays |= vars(measured.network)
    arrays |= {f"stretch_{name}": getattr(measured.seen.stretches, name) for name in _STRETCHES}
    buffer = BytesIO()
    arrays |= {"odds": measured.seen.odds, "reasons": measured.seen.reasons}
    np.savez(buffer, allow_pickle=False, head=np.array(json.dumps(head)), **arrays)
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
    none of its own, the decoder, what is measured, and the fit."""
    decoder = ".".join(map(str, av.library_versions["libavcodec"]))
    rate = f"{source.rate.numerator}_{source.rate.denominator}"
    name = f"{source.fingerprint}-{source.stream}-{rate}-{decoder}-v{VERSION}-{model.mark()}.npz"
    return user_cache_path("snapupscale") / "signals" / name


def _drop_oldest(folder: Path) -> None:
    stored = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in stored[KEPT:]:
        path.unlink()
