"""Signals made for tests, without footage."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from snapupscale.media.frames import FrameIndex
from snapupscale.scenes.adaptive import KINDS, NONE, Stretches
from snapupscale.scenes.signal import Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray


def make_signal(distance: NDArray[np.float32], **changes: Any) -> Signal:
    """A signal at 24 frames per second of mid-grey, contrasty, still frames, in which `distance` alone speaks for cuts;
    `changes` are fields of Signal."""
    count = len(distance)
    fields: dict[str, Any] = {
        "rate": Fraction(24),
        "index": FrameIndex(
            ticks=np.arange(count, dtype=np.int64),
            tick=Fraction(1, 24),
            keyframes=np.ones(count, dtype=np.bool_),
            damaged=np.zeros(count, dtype=np.bool_),
            interlaced=np.zeros(count, dtype=np.bool_),
            decoded=np.ones(count, dtype=np.bool_),
            signatures=np.zeros((count, 8, 8), dtype=np.uint8),
        ),
        "distance": distance,
        "luma": np.full(count, 0.5, dtype=np.float32),
        "contrast": np.full(count, 0.2, dtype=np.float32),
        "motion": np.zeros(count, dtype=np.float32),
        "odds": np.full(count, NONE, dtype=np.float32),
        "reasons": np.zeros(count, dtype=np.uint8),
        "stretches": make_stretches(),
        "network": None,
        "constant_rate": True,
    }
    return Signal(**{**fields, **changes})


def make_odds(count: int, **values: float) -> NDArray[np.float32]:
    """The odds of cuts at `count` frames: NONE but at the frames named, as `f30=2`."""
    odds = np.full(count, NONE, dtype=np.float32)
    for name, value in values.items():
        odds[int(name[1:])] = value
    return odds


def make_stretches(*rows: tuple[int, int, float, str]) -> Stretches:
    """Transitions of a start, an end, odds and a kind each."""
    return Stretches(
        starts=np.array([row[0] for row in rows], dtype=np.int32),
        ends=np.array([row[1] for row in rows], dtype=np.int32),
        odds=np.array([row[2] for row in rows], dtype=np.float32),
        kinds=np.array([KINDS.index(row[3]) for row in rows], dtype=np.uint8),
    )
