"""How the frames of a shot follow each other: held, doubled, frozen, jerky."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stress.shot import Shot


def held(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Animation on twos, threes or fours: every drawing stays for that many frames."""
    count = int(rng.integers(2, 5))
    return shot.timed(lambda k: k // count * count)


def doubled(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Each 2nd, 3rd, 5th or a random frame shown twice, as after a change of rate."""
    if rng.random() < 0.4:
        lost = np.random.default_rng(int(rng.integers(2**31))).random(4096) < rng.uniform(0.1, 0.5)
        lost[0] = False
        last = np.maximum.accumulate(np.where(lost, 0, np.arange(4096)))
        return shot.timed(lambda k: int(last[k % 4096]) + k // 4096 * 4096)
    every = int(rng.choice([2, 3, 5]))
    return shot.timed(lambda k: k - (k % every == every - 1))


def frozen(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """A freeze of 6 to 40 frames; the shot goes on where it stopped or, after a short one, where it would have been."""
    length = int(rng.integers(6, 40))
    catches_up = length < 12 and rng.random() < 0.6

    def number(k: int) -> int:
        if k < at:
            return k
        return at if k < at + length else k - (0 if catches_up else length)

    return shot.timed(number)


def ramped(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Slow motion that turns fast, up to three times."""
    slow, fast = float(rng.uniform(0.3, 1)), float(rng.uniform(1.5, 3))
    return shot.timed(lambda k: int(k * slow if k < at else at * slow + (k - at) * fast))
