"""A shot: pictures by frame number, and other views of the same shot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from stress.picture import HEIGHT, WIDTH, Picture, grade, look

if TYPE_CHECKING:
    from collections.abc import Callable

ENDLESS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Shot:
    """`at(k)` is frame k, the same whenever it is asked; beyond `length` frames time runs back and forth."""

    name: str
    look: str
    """The clip or the family of generated shots that it is from."""
    length: int
    at: Callable[[int], Picture]

    def changed(self, change: Callable[[Picture, int], Picture]) -> Shot:
        """The shot with every picture put through `change(picture, k)`."""
        return replace(self, at=lambda k: change(self.at(k), k))

    def timed(self, number: Callable[[int], int]) -> Shot:
        """The shot that shows frame `number(k)` at k."""
        return replace(self, at=lambda k: self.at(number(k)))

    def later(self, frames: int) -> Shot:
        """The shot without its first `frames`."""
        return replace(self, at=lambda k: self.at(k + frames), length=max(1, self.length - frames))


def bounced(k: int, length: int) -> int:
    """The frame of a stretch of `length` frames shown at k, when time turns round at its ends."""
    turn = k % max(1, 2 * length - 2)
    return turn if turn < length else 2 * length - 2 - turn


def angle(shot: Shot, rng: np.random.Generator, *, tight: tuple[float, float] = (1.3, 2.2)) -> Shot:
    """Another camera on the same scene: closer, elsewhere, at times mirrored, graded a little differently."""
    zoom = float(rng.uniform(*tight))
    x, y = (rng.uniform(size / 2 / zoom, size - size / 2 / zoom) for size in (WIDTH, HEIGHT))
    mirrored = rng.random() < 0.4
    gain = tuple(rng.uniform(0.9, 1.1, 3) * rng.uniform(0.85, 1.15))
    tilt = float(rng.normal(0, 1.5))

    def view(picture: Picture, _: int) -> Picture:
        seen = look(picture, x, y, zoom, tilt)
        return grade(seen[:, ::-1] if mirrored else seen, (gain[0], gain[1], gain[2]))

    return shot.changed(view)


def varied(shot: Shot, rng: np.random.Generator) -> Shot:
    """The shot with another frame and grade, so that one piece of footage serves many times."""
    zoom = float(rng.uniform(1.0, 1.5))
    x, y = (rng.uniform(size / 2 / zoom, size - size / 2 / zoom) for size in (WIDTH, HEIGHT))
    mirrored = rng.random() < 0.5
    gain = rng.uniform(0.85, 1.15, 3) * rng.uniform(0.75, 1.2)
    gamma, lift = float(rng.uniform(0.75, 1.35)), float(rng.uniform(0, 12))

    def view(picture: Picture, _: int) -> Picture:
        seen = look(picture, x, y, zoom)
        return grade(seen[:, ::-1] if mirrored else seen, (gain[0], gain[1], gain[2]), gamma, lift)

    return shot.changed(view)


def toned(shot: Shot, pattern: Picture, share: float) -> Shot:
    """The shot graded towards the mean colour and the contrast of `pattern`: 1 gives them, 0 changes nothing."""
    own, aim = shot.at(0).reshape(-1, 3), pattern.reshape(-1, 3)
    mean, spread = own.mean(0), np.maximum(own.std(0), 1)
    gain = 1 + share * (np.clip(aim.std(0) / spread, 0.3, 3) - 1)
    levels = (np.arange(256)[:, None] - mean) * gain + mean + share * (aim.mean(0) - mean)
    table = np.clip(levels, 0, 255).astype(np.uint8)[None]
    return shot.changed(lambda picture, _: np.asarray(cv2.LUT(picture, table), dtype=np.uint8))
