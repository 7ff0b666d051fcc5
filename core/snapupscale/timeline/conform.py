"""From the frames of a source, counted as they are decoded, to an edit list at one constant rate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.scenes.shots import to_shots
from snapupscale.timecode import Timecode
from snapupscale.timeline.editlist import EditList

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from snapupscale.media.source import Source
    from snapupscale.scenes.methods import Detection
    from snapupscale.scenes.shots import Shot, Transition
    from snapupscale.scenes.signal import Signal
    from snapupscale.timeline.editlist import Still


def frame_numbers(signal: Signal) -> NDArray[np.int64]:
    """For each decoded frame its number on a timeline of `signal.rate`: its own for a constant rate, else that nearest
    to its time. Frames that follow each other faster than the rate share a number."""
    if signal.constant_rate:
        return np.arange(len(signal), dtype=np.int64)
    exact = signal.rate * signal.index.tick
    return np.array([_nearest(int(tick) * exact) for tick in signal.index.ticks], dtype=np.int64)


def decoded_frames(signal: Signal, numbers: Iterable[int]) -> tuple[int, ...]:
    """For each of `numbers` on a timeline of `signal.rate` the decoded frame that is first on screen at it or after:
    the inverse of `frame_numbers` where no frames share a number."""
    return tuple(np.searchsorted(frame_numbers(signal), list(numbers), side="left").tolist())


def to_edit_list(source: Source, signal: Signal, detection: Detection, stills: Iterable[Still] = ()) -> EditList:
    """The shots of `detection` and the stills made of them, ready for export.

    Frames of `stills` are counted as decoded, like those of `detection`. No shot vanishes: one that is shorter than a
    frame of the timeline is given one.
    """
    return _edit_list(source, signal, detection.boundaries, detection.transitions, stills)


def uncut(source: Source, signal: Signal) -> EditList:
    """The whole of `source` as one shot."""
    return _edit_list(source, signal, (), (), ())


def _edit_list(
    source: Source,
    signal: Signal,
    found: Sequence[int],
    transitions: Iterable[Transition],
    stills: Iterable[Still],
) -> EditList:
    numbers = frame_numbers(signal)
    width, height = source.display_size
    cuts = _apart([int(numbers[cut]) for cut in found])
    frames = max(int(numbers[-1]), *cuts, 0) + 1
    shots = to_shots(cuts, frames)
    return EditList(
        name=source.name,
        source=source.path,
        rate=signal.rate,
        frames=frames,
        start=source.start or Timecode(frame=0, rate=signal.rate),
        shots=shots,
        transitions=tuple(
            replace(transition, start=int(numbers[transition.start]), end=int(numbers[transition.end - 1]) + 1)
            for transition in transitions
        ),
        stills=tuple(
            replace(still, frame=_within(int(numbers[still.frame]), shots[still.shot - 1])) for still in stills
        ),
        width=width,
        height=height,
        first_number=source.numbers[0] if source.is_sequence else None,
        times=(*(signal.index.time(frame) for frame in (0, *found)), signal.index.time(-1) + 1 / signal.rate),
    )


def _nearest(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _apart(cuts: list[int]) -> list[int]:
    """`cuts`, ascending, moved on where two would fall together or on frame 0."""
    moved: list[int] = []
    for cut in cuts:
        moved.append(max(cut, moved[-1] + 1 if moved else 1))
    return moved


def _within(frame: int, shot: Shot) -> int:
    return min(max(frame, shot.start), shot.end - 1)
