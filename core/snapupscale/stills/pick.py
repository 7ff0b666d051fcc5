"""The best frame of each shot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.errors import SettingError
from snapupscale.media import pixels
from snapupscale.media.decoder import Decoder
from snapupscale.stills.sharpness import Quality, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from snapupscale.media.source import Source
    from snapupscale.scenes.shots import Shot, Transition
    from snapupscale.scenes.signal import Signal

MEASURED = 20
"""Frames of a shot that are decoded and measured, at most."""
RUNNERS_UP = 4
SPACING = 0.5
"""Seconds between the frames of one list of candidates, less in short shots."""
EDGE = 0.1
"""Share of a shot at each end that no frame is taken from."""
_FLAT = 0.025
_BLACK, _WHITE = 0.03, 0.97


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A frame of a shot; `score` and its parts run from 0 to 1, the best frame measured of the shot being near 1."""

    frame: int
    score: float
    sharpness: float
    stillness: float
    exposure: float


@dataclass(frozen=True, kw_only=True)
class Pick:
    """The frame chosen of a shot; `candidates` has it first, then the runners-up. None, with `reason`, when no frame
    of the shot is worth keeping."""

    shot: Shot
    frame: int | None
    candidates: tuple[Candidate, ...] = ()
    reason: str = ""


def pick_stills(
    source: Source,
    signal: Signal,
    shots: Sequence[Shot],
    *,
    how: str = "best",
    transitions: Iterable[Transition] = (),
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Pick, ...]:
    """One pick for each shot. `how` is `best`, `first` or `middle`; only `best` decodes and measures frames.

    `progress` gets the frames measured and their number, and may raise to cancel. Raises SettingError, SourceError.
    """
    if how not in PICKS:
        raise SettingError(f"unknown pick {how!r}", hint=f"Picks: {', '.join(PICKS)}.")
    choose = PICKS[how]
    if choose is not None:
        return tuple(Pick(shot=shot, frame=choose(shot)) for shot in shots)
    spans = [(transition.start, transition.end) for transition in transitions]
    offered = {shot.number: shortlist(signal, shot, spans) for shot in shots}
    frames = [frame for offer in offered.values() for frame in offer]
    qualities: dict[int, Quality] = {}
    for frame in Decoder(source).read(frames, signal.index):
        qualities[frame.index] = measure(pixels.luma(frame.picture))
        if progress:
            progress(len(qualities), len(frames))
    return tuple(rank(signal, shot, {frame: qualities[frame] for frame in offered[shot.number]}) for shot in shots)


def shortlist(signal: Signal, shot: Shot, transitions: Iterable[tuple[int, int]] = ()) -> list[int]:
    """The frames of `shot` worth measuring, ascending, at most MEASURED: no edges, no transitions, nothing damaged,
    black, white or flat; of each stretch of the shot the frame with the least motion. Frames that the analysis left out
    only where there are no others: they may be damaged, and encoders spend the least on them. Pure."""
    edge = max(min(2, (shot.length - 1) // 2), round(shot.length * EDGE))
    inside = np.arange(shot.start + edge, shot.end - edge)
    usable = np.ones(len(inside), dtype=np.bool_)
    for start, end in transitions:
        usable &= (inside < start) | (inside >= end)
    level = signal.luma[inside]
    usable &= ~signal.index.damaged[inside]
    usable &= (signal.contrast[inside] >= _FLAT) & (level > _BLACK) & (level < _WHITE)
    known = usable & signal.index.decoded[inside]
    frames = inside[known if known.any() else usable]
    motion = motion_around(signal, shot)
    stretches = np.array_split(frames, min(MEASURED, len(frames))) if len(frames) else []
    return [int(stretch[np.argmin(motion[stretch - shot.start])]) for stretch in stretches]


def motion_around(signal: Signal, shot: Shot) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """For each frame of `shot` the greater of its differences to the frames before and after it, within the shot."""
    to_previous = signal.motion[shot.start : shot.end].copy()
    to_previous[0] = 0
    to_next = np.append(to_previous[1:], np.float32(0))
    return np.asarray(np.maximum(to_previous, to_next), dtype=np.float32)


def rank(signal: Signal, shot: Shot, qualities: Mapping[int, Quality]) -> Pick:
    """Score the measured frames of `shot` and choose: the best, and runners-up that are apart from it and from each
    other. Pure."""
    if not qualities:
        return Pick(shot=shot, frame=None, reason="every frame is black, white, flat or part of a transition")
    motion = motion_around(signal, shot)
    sharpest = max(quality.sharpness for quality in qualities.values()) or 1.0
    candidates = []
    for frame, quality in qualities.items():
        sharpness = quality.sharpness / sharpest
        # Motion blurs in proportion to how far things move in one frame; 0.05 of full scale is a fast pan.
        stillness = 1 / (1 + float(motion[frame - shot.start]) / 0.05)
        score = sharpness * (0.7 + 0.3 * stillness) * (0.6 + 0.4 * quality.exposure)
        candidates.append(
            Candidate(
                frame=frame, score=score, sharpness=sharpness, stillness=stillness, exposure=quality.exposure
            )
        )
    candidates.sort(key=lambda candidate: (-candidate.score, candidate.frame))
    apart = max(1, min(math.ceil(SPACING * signal.rate), shot.length // (RUNNERS_UP + 1)))
    chosen = _spaced(candidates, apart)
    return Pick(shot=shot, frame=chosen[0].frame, candidates=tuple(chosen))


def _spaced(candidates: Iterable[Candidate], apart: int) -> list[Candidate]:
    chosen: list[Candidate] = []
    for candidate in candidates:
        if all(abs(candidate.frame - other.frame) >= apart for other in chosen):
            chosen.append(candidate)
    return chosen[: RUNNERS_UP + 1]


PICKS: Mapping[str, Callable[[Shot], int] | None] = {
    "best": None,
    "first": lambda shot: shot.start,
    "middle": lambda shot: (shot.start + shot.end) // 2,
}
"""How to pick; None for what needs measuring."""
