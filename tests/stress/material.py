"""What programmes are made of: real and generated shots, divided into a part to fit on and a part held back."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from stress import drawn, families
from stress.picture import difference
from stress.real import shots_of
from stress.shot import Shot, varied

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np

Part: TypeAlias = Literal["fit", "held"]
Family: TypeAlias = "Callable[[np.random.Generator], Shot]"

FILMED: dict[str, Family] = {
    "landscape": families.landscape,
    "room": families.room,
    "face": families.face,
    "street": families.street,
    "crowd": families.crowd,
    "sport": families.sport,
    "foliage": families.foliage,
    "fog": families.fog,
    "plain": families.plain,
}
DRAWN: dict[str, Family] = {
    "cartoon": drawn.cartoon,
    "water": drawn.water,
    "fire": drawn.fire,
    "stars": drawn.stars,
    "confetti": drawn.confetti,
    "snow": drawn.snow,
    "screen": drawn.screen,
    "colours": drawn.colours,
}
HELD_ALONE = frozenset(
    {"crowd", "water", "fire", "snow", "screen", "plain", "roll", "burst", "headlights", "reflection"}
)
"""Families and disturbances that are never fitted on; all the others occur in both parts, with other seeds."""
FAMILIES = FILMED | DRAWN
SPLIT = 78
"""Which division of the films this is; chosen so that both parts have edited and static footage."""
DISTINCT = 7.0
"""Two shots are taken to be different when their small pictures differ by this many levels on the mean."""


def part_of(clip: str) -> Part:
    """All clips of one film, those whose names begin with the same letters, are in one part."""
    film = re.match("[a-z]*", clip.lower())
    return "held" if film and zlib.crc32(f"{film[0]}{SPLIT}".encode()) % 3 == 0 else "fit"


def seed_for(part: Part, *numbers: int) -> list[int]:
    """A seed that no seed of the other part equals."""
    return [0 if part == "fit" else 1, *numbers]


@dataclass(frozen=True, kw_only=True)
class Material:
    """Shots to choose from."""

    part: Part
    real: tuple[Shot, ...]
    families: tuple[str, ...]

    def shot(self, rng: np.random.Generator, frames: int, *, real: float = 0.7) -> Shot:
        """Any shot of at least `frames` frames; a share of `real` of them is real, if footage is there."""
        long = [shot for shot in self.real if shot.length >= frames] or list(self.real)
        if long and rng.random() < real:
            return self.of_clip(rng, long, frames)
        name = self.families[int(rng.integers(len(self.families)))]
        return FAMILIES[name](rng)

    def of_clip(self, rng: np.random.Generator, shots: list[Shot], frames: int) -> Shot:
        """One of `shots` from some frame on, each clip as likely as any other, since some have hundreds of shots."""
        clips = sorted({shot.look for shot in shots})
        clip = clips[int(rng.integers(len(clips)))]
        some = [shot for shot in shots if shot.look == clip]
        shot = some[int(rng.integers(len(some)))]
        return varied(shot.later(int(rng.integers(max(1, shot.length - frames)))), rng)

    def other(
        self, rng: np.random.Generator, frames: int, than: Shot, at: int, *, real: float = 0.7, least: float = DISTINCT
    ) -> Shot:
        """Another shot whose first picture differs by `least` levels from frame `at` of `than`."""
        before = than.at(at)
        for _ in range(30):
            shot = self.shot(rng, frames, real=real)
            if shot.name != than.name and difference(before, shot.at(0)) >= least:
                return shot
        return shot


def load(folder: Path | None = None, part: Part = "fit", *more: Path) -> Material:
    """The material of `part`: the clips of `folder` and of `more` that belong to it, if any, and its families."""
    folders = [each for each in (folder, *more) if each is not None]
    truths = sorted((path for each in folders for path in each.glob("*.json")), key=lambda path: path.stem)
    real = tuple(shot for path in truths if part_of(path.stem) == part for shot in shots_of(path))
    names = tuple(name for name in FAMILIES if part == "held" or name not in HELD_ALONE)
    return Material(part=part, real=real, families=names)
