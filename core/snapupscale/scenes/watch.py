"""The eye of the default method: takes thumbnails as they come, gives the odds of cuts and transitions at the end."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.scenes import blends, model
from snapupscale.scenes.adaptive import NONE, Stretches
from snapupscale.scenes.blend_features import stretch_features
from snapupscale.scenes.candidates import candidate_features, candidates, reasons
from snapupscale.scenes.features import PAIR, describe, pair_features, put, room

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snapupscale.scenes.features import Descriptors

_BATCH = 32
_CHUNK = 96
_LEAST_ODDS = -5.0
"""Below these no threshold lets a transition through."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What there may be in a stretch of footage."""

    odds: NDArray[np.float32]
    """Of a cut at each frame: logarithms."""
    reasons: NDArray[np.uint8]
    """Why a frame that differs from the one before would still be no cut, as a place in REASONS; 0 for all others."""
    stretches: Stretches


@dataclass(frozen=True, kw_only=True)
class Places:
    """Candidates in a stretch of footage, with their features: what the models are fitted on."""

    frames: NDArray[np.intp]
    features: NDArray[np.float32]
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]
    courses: NDArray[np.float32]
    stretch_features: NDArray[np.float32]


def places(frames: Descriptors, low: int, high: int, steps: NDArray[np.float32] | None = None) -> Places:
    """The candidates from frame `low` up to `high`; the others are there to be compared with.

    steps: how much each frame differs from the one before, if that is known.
    """
    steps = steps_from(frames, 0) if steps is None else steps
    cuts = candidates(steps)
    cuts = cuts[(cuts >= low) & (cuts < high)]
    starts, lengths, courses = blends.stretches(frames, low, high)
    return Places(
        frames=cuts,
        features=candidate_features(frames, steps, cuts),
        starts=starts,
        lengths=lengths,
        courses=courses,
        stretch_features=stretch_features(frames, steps, starts, lengths, courses),
    )


def steps_from(frames: Descriptors, first: int) -> NDArray[np.float32]:
    """How much each frame from `first` on differs from the one before: N x len(PAIR)."""
    numbers = np.arange(first, len(frames))
    # In parts: a copy is made of both frames of each pair.
    parts = np.split(numbers, range(_BATCH, len(numbers), _BATCH))
    return np.concatenate([pair_features(frames, np.maximum(part - 1, 0), part) for part in parts])


class Watch:
    """Keeps what it needs of the last few hundred frames, however long the footage is."""

    def __init__(self) -> None:
        self._batch: list[NDArray[np.uint8]] = []
        self._room: Descriptors | None = None
        """Begins with the frames that are kept."""
        self._kept = 0
        self._steps = np.zeros((0, len(PAIR)), dtype=np.float32)
        """Of those of them that were there when it was judged last."""
        self._first = 0
        """The number of the first frame that is kept."""
        self._done = 0
        """Frames that are judged."""
        self._odds: list[NDArray[np.float32]] = []
        self._reasons: list[NDArray[np.uint8]] = []
        self._stretches: list[tuple[int, int, float, int]] = []

    def add(self, thumbnail: NDArray[np.uint8]) -> None:
        """The next frame: 36 x 64 x 3."""
        self._batch.append(thumbnail)
        if len(self._batch) == _BATCH:
            self._take()
            if self._count() - self._done >= _CHUNK + blends.SPAN:
                self._judge(self._count() - blends.SPAN)

    def finish(self) -> Seen:
        """All that was seen; nothing may be added afterwards."""
        self._take()
        if self._kept:
            self._judge(self._count())
        return Seen(
            odds=np.concatenate([np.zeros(0, np.float32), *self._odds]),
            reasons=np.concatenate([np.zeros(0, np.uint8), *self._reasons]),
            stretches=likeliest(self._stretches),
        )

    def _take(self) -> None:
        if not self._batch:
            return
        described = describe(np.stack(self._batch))
        self._batch.clear()
        if self._room is None:
            self._room = room(described, _CHUNK + 2 * blends.SPAN + 2 * _BATCH)
        put(self._room, self._kept, described)
        self._kept += len(described)

    def _count(self) -> int:
        return self._first + self._kept

    def _judge(self, end: int) -> None:
        """Judge the frames up to `end`, and let go of those that no later one needs."""
        assert self._room is not None
        frames, low, high = self._room[: self._kept], self._done - self._first, end - self._first
        steps = np.concatenate((self._steps, steps_from(frames, len(self._steps))))
        found = places(frames, low, high, steps)
        odds = np.full(high - low, NONE, dtype=np.float32)
        odds[found.frames - low] = model.load("cut").odds(found.features)
        self._odds.append(odds)
        reason = np.zeros(high - low, dtype=np.uint8)
        reason[found.frames - low] = reasons(found.features)
        self._reasons.append(reason)
        likely = model.load("transition").odds(found.stretch_features)
        for row in np.flatnonzero(likely > _LEAST_ODDS):
            start, past = blends.refined(frames.small, int(found.starts[row]), int(found.lengths[row]))
            kind = blends.kind(found.courses[row])
            self._stretches.append((start + self._first, past + self._first, float(likely[row]), kind))
        self._done = end
        unneeded = max(0, end - blends.SPAN - self._first)
        put(frames, 0, frames[unneeded:])
        self._kept -= unneeded
        self._steps = steps[unneeded:].copy()
        self._first += unneeded


def likeliest(stretches: list[tuple[int, int, float, int]]) -> Stretches:
    """Of starts, ends, odds and kinds those that overlap no likelier one, in order."""
    chosen: list[tuple[int, int, float, int]] = []
    for one in sorted(stretches, key=lambda one: (-one[2], one[0])):
        place = bisect_left(chosen, one)
        # Those chosen don't overlap, so that only the ones beside it can.
        if all(one[1] <= other[0] or one[0] >= other[1] for other in chosen[max(0, place - 1) : place + 1]):
            chosen.insert(place, one)
    starts, ends, odds, kinds = zip(*chosen, strict=True) if chosen else ((), (), (), ())
    return Stretches(
        starts=np.array(starts, dtype=np.int32),
        ends=np.array(ends, dtype=np.int32),
        odds=np.array(odds, dtype=np.float32),
        kinds=np.array(kinds, dtype=np.uint8),
    )
