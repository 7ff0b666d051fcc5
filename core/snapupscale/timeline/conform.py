"""From the frames of a source, counted as they are decoded, to an edit list at one constant rate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.scenes.shots import to_shots
from snapupscale.timecode import Timecode
from snapupscale.timeline.editlist import EditList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from snapupscale.media.source import Source
    from snapupscale.scenes.methods import Detection
    from snapupscale.scenes.signal import Signal
    from snapupscale.timeline.editlist import Still


def frame_numbers(signal: Signal) -> NDArray[np.int64]:
    """For each decoded frame its number on a timeline of `signal.rate`: the same for a constant rate, else by time.

    Strictly increasing, so that no shot vanishes where frames follow each other faster than the rate.
    """
    counted = np.arange(len(signal), dtype=np.int64)
    if signal.constant_rate:
        return counted
    exact = signal.rate * signal.index.tick
    by_time = (signal.index.ticks * exact.numerator * 2 + exact.denominator) // (exact.denominator * 2)
    return np.asarray(np.maximum.accumulate(by_time - counted) + counted)


def to_edit_list(source: Source, signal: Signal, detection: Detection, stills: Iterable[Still] = ()) -> EditList:
    """The shots of `detection` and the stills made of them, ready for export.

    Frames of `stills` are counted as decoded, like those of `detection`.
    """
    numbers = frame_numbers(signal)
    width, height = source.display_size
    return EditList(
        name=source.name,
        source=source.path,
        rate=signal.rate,
        frames=int(numbers[-1]) + 1,
        start=source.start or Timecode(frame=0, rate=signal.rate),
        shots=to_shots((int(numbers[cut]) for cut in detection.cuts), int(numbers[-1]) + 1),
        transitions=tuple(
            replace(transition, start=int(numbers[transition.start]), end=int(numbers[transition.end - 1]) + 1)
            for transition in detection.transitions
        ),
        stills=tuple(replace(still, frame=int(numbers[still.frame])) for still in stills),
        width=width,
        height=height,
        first_number=source.numbers[0] if source.is_sequence else None,
    )
