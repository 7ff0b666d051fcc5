"""Signals made for tests, without footage."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from snapupscale.media.decoder import FrameIndex
from snapupscale.scenes.signal import Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray


def make_signal(distance: NDArray[np.float32], **changes: Any) -> Signal:
    """A signal at 24 frames per second of mid-grey, contrasty, still frames; `changes` are fields of Signal."""
    count = len(distance)
    fields: dict[str, Any] = {
        "rate": Fraction(24),
        "index": FrameIndex(
            ticks=np.arange(count, dtype=np.int64),
            tick=Fraction(1, 24),
            keyframes=np.ones(count, dtype=np.bool_),
            damaged=np.zeros(count, dtype=np.bool_),
            interlaced=np.zeros(count, dtype=np.bool_),
            checksums=np.zeros(count, dtype=np.uint32),
        ),
        "distance": distance,
        "luma": np.full(count, 0.5, dtype=np.float32),
        "contrast": np.full(count, 0.2, dtype=np.float32),
        "motion": np.zeros(count, dtype=np.float32),
        "constant_rate": True,
    }
    return Signal(**{**fields, **changes})
