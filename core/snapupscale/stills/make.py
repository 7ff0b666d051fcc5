"""Picked frames made into stills: decoded, upscaled, written, recorded; finished ones are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snapupscale import __version__
from snapupscale.media.decoder import Decoder
from snapupscale.media.signatures import checksum
from snapupscale.stills.images import read_image, require_size, write_image
from snapupscale.stills.names import still_name
from snapupscale.stills.prepare import still_picture
from snapupscale.stills.record import Record, key_of
from snapupscale.timeline.editlist import Still

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from snapupscale.media.source import Source
    from snapupscale.scenes.shots import Shot
    from snapupscale.scenes.signal import Signal
    from snapupscale.upscale.engine import Upscaler


_UPSCALING, _WRITING = 0.95, 0.04
"""Shares of the work on a still: it counts as done only when it is in place."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """The stills of one run, in the order of their frames."""

    stills: tuple[Still, ...]
    kept: int
    """How many of them were finished before."""
    earlier: tuple[str, ...]
    """Names of other stills in the folder, made by runs with other settings."""


def make_stills(
    source: Source,
    signal: Signal,
    wanted: Mapping[int, Shot],
    upscaler: Upscaler,
    folder: Path,
    *,
    suffix: str,
    timecode: Callable[[int], str],
    also: Collection[int] = (),
    show: Callable[[int, NDArray[np.uint16], NDArray[Any] | None], None] = lambda frame, before, after: None,
    finished: Callable[[Still], None] = lambda still: None,
    progress: Callable[[float, float], None] = lambda done, total: None,
) -> Made:
    """Upscale the frames `wanted` (frame -> its shot) into `folder`, one at a time, in the order of the footage.

    A still that the folder's record has, made from the same frame in the same way and whole, is kept; one that was made
    in another way stays too, and the new one has a name of its own. `show` gets each
    frame's number, its picture, and the still made of it (None for the frames in `also`, which are only decoded).
    `finished` gets each still once it is in place, also one that is kept. `progress` gets the stills done, in
    fractions, and their number; it may raise to cancel.
    """
    record = Record(folder)
    stills: list[Still] = []
    kept = 0
    progress(0, len(wanted))
    for frame in Decoder(source).read({*wanted, *also}, signal.index):
        picture = still_picture(frame, source)
        shot = wanted.get(frame.index)
        if shot is None:
            show(frame.index, picture, None)
            continue
        made_with = {**_made_with(source, upscaler), "frame": frame.index, "checksum": checksum(frame.picture)}
        key = key_of(made_with)
        name = still_name(source.name, shot.number, frame.index, upscaler.scale, suffix)
        if record.made_otherwise(name, key):
            label = f"{key[:6]}-still"
            name = still_name(source.name, shot.number, frame.index, upscaler.scale, suffix, label=label)
        path = folder / name
        if record.finished(path.name, key):
            image, _ = read_image(path, trusted=True)
            kept += 1
        else:
            require_size(picture.shape, upscaler.scale, suffix)
            upscaled, written = _from(len(stills), len(wanted), progress)
            image = upscaler.upscale(picture, progress=upscaled)
            write_image(path, image, tags=source.tags.as_rgb(), progress=written)
            record.add(
                path.name,
                shot=shot.number,
                frame=frame.index,
                timecode=timecode(frame.index),
                key=key,
                made_with=made_with,
            )
        stills.append(Still(shot=shot.number, frame=frame.index, path=path, size=(image.shape[1], image.shape[0])))
        finished(stills[-1])
        show(frame.index, picture, image)
        progress(len(stills), len(wanted))
    return Made(stills=tuple(stills), kept=kept, earlier=tuple(record.others({still.path.name for still in stills})))


def _from(
    done: int, total: int, progress: Callable[[float, float], None]
) -> tuple[Callable[[float], None], Callable[[float], None]]:
    """The progress of the still after `done` others, upscaled and then written, as that of all."""
    return (
        lambda part: progress(done + part * _UPSCALING, total),
        lambda part: progress(done + _UPSCALING + part * _WRITING, total),
    )


def _made_with(source: Source, upscaler: Upscaler) -> dict[str, Any]:
    """Everything that the pixels of a still depend on, in JSON types."""
    return {
        "snapupscale": __version__,
        "source": source.fingerprint,
        "model": upscaler.model,
        "weights_sha256": upscaler.weights_sha256,
        "scale": str(upscaler.scale),
        "backend": upscaler.backend,
        "precision": upscaler.precision,
    }
