"""Whole programmes: shots of realistic lengths, joined and disturbed as in films, music videos, sport and vlogs."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from stress.disturbances import DISTURBANCES, WITH_ANOTHER
from stress.edit import Edit, Made
from stress.joins import JOINS, Bench
from stress.material import HELD_ALONE, Material, seed_for
from stress.picture import HEIGHT, Picture, grain, grey, squashed

if TYPE_CHECKING:
    from collections.abc import Callable

    from stress.shot import Shot


@dataclass(frozen=True, kw_only=True)
class Style:
    """One kind of programme; weights need not add up to 1."""

    median: float
    """Seconds of a shot."""
    joins: dict[str, float]
    disturbed: float
    """The share of shots in which something happens."""
    events: dict[str, float] = field(default_factory=dict)
    """What happens more often than elsewhere; everything else weighs 0.5."""
    real: float = 0.7
    grain: float = 2.0


STYLES: dict[str, Style] = {
    "film": Style(
        median=3.0,
        disturbed=0.35,
        grain=4,
        joins={
            "cut": 50,
            "back": 22,
            "angle": 12,
            "dissolve": 6,
            "dip": 2,
            "dark": 2,
            "wipe": 0.5,
            "blurry": 0.5,
            "burst": 0.5,
        },
        events={"pan": 3, "zoom": 1, "passing": 2, "drift": 2, "focus": 2, "headlights": 1, "muzzle": 1, "burst": 1},
    ),
    "music": Style(
        median=1.5,
        disturbed=0.6,
        joins={
            "cut": 50,
            "back": 15,
            "angle": 8,
            "jump": 3,
            "burst": 4,
            "flash cut": 4,
            "whip cut": 2,
            "dissolve": 5,
            "dip": 1,
            "wipe": 1,
            "push": 1,
        },
        events={
            "stage": 6,
            "strobe": 3,
            "flash": 4,
            "shake": 2,
            "zoom": 2,
            "lightning": 1,
            "ramped": 2,
            "whip": 1,
            "headlights": 2,
        },
    ),
    "trailer": Style(
        median=1.3,
        disturbed=0.4,
        joins={
            "cut": 50,
            "angle": 6,
            "back": 5,
            "burst": 4,
            "dip": 7,
            "dark": 7,
            "flash cut": 3,
            "dissolve": 5,
            "whip cut": 1,
        },
        events={"burst": 3, "lightning": 2, "flash": 2, "shake": 2, "title": 3, "dolly": 2, "muzzle": 2, "passing": 1},
    ),
    "animation": Style(
        median=2.4,
        disturbed=0.6,
        real=0.35,
        grain=0,
        joins={
            "cut": 60,
            "angle": 12,
            "back": 12,
            "burst": 2,
            "dissolve": 5,
            "dip": 2,
            "flash cut": 2,
            "wipe": 2,
            "push": 1,
        },
        events={"held": 8, "pan": 3, "zoom": 2, "lightning": 2, "flash": 2, "shake": 2, "frozen": 2, "doubled": 2},
    ),
    "sport": Style(
        median=3.5,
        disturbed=0.5,
        joins={"cut": 60, "angle": 10, "back": 12, "wipe": 6, "push": 3, "dissolve": 3, "whip cut": 1},
        events={
            "pan": 5,
            "whip": 3,
            "zoom": 4,
            "flash": 3,
            "title": 4,
            "inset": 2,
            "shake": 2,
            "ramped": 3,
            "passing": 2,
            "frozen": 1,
        },
    ),
    "vlog": Style(
        median=2.2,
        disturbed=0.5,
        joins={
            "cut": 35,
            "jump": 30,
            "angle": 15,
            "back": 3,
            "whip cut": 2,
            "push": 1,
            "dissolve": 2,
            "flash cut": 1,
            "dip": 1,
        },
        events={
            "shake": 4,
            "title": 4,
            "subtitles": 4,
            "drift": 4,
            "focus": 3,
            "zoom": 4,
            "inset": 2,
            "whip": 2,
            "glitch": 1,
            "passing": 1,
        },
    ),
}
RATES = (Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001))


def compose(seed: int, material: Material, minutes: float, style: str | None = None) -> Made:
    """A programme of `minutes` or a little more, in one of STYLES (else in one that `seed` picks)."""
    if style is not None and style not in STYLES:
        raise ValueError(f"no style {style!r}; there are {', '.join(STYLES)}")
    rng = np.random.default_rng(seed_for(material.part, seed, zlib.crc32((style or "").encode())))
    manner = STYLES[style or list(STYLES)[int(rng.integers(len(STYLES)))]]
    rate = RATES[int(rng.integers(len(RATES)))]
    edit = Edit()
    bench = Bench(
        edit=edit, material=material, rng=rng, dress=_dresser(manner, material, rng), real=manner.real, alike=0.35
    )
    names = list(manner.joins)
    weights = np.array([manner.joins[name] for name in names])
    while edit.length < minutes * 60 * rate:
        frames = _length(rng, manner.median, float(rate))
        if not edit.length:
            JOINS["cut"](bench, frames)
            continue
        JOINS[str(rng.choice(names, p=weights / weights.sum()))](bench, frames)
    return edit.made(rate).finished(*_finish(manner, rng))


def _length(rng: np.random.Generator, median: float, rate: float) -> int:
    """Frames of a shot: log-normal, and one shot in 25 very short."""
    if rng.random() < 0.04:
        return int(rng.integers(3, 11))
    return int(np.clip(np.exp(rng.normal(np.log(median), 0.65)) * rate, 8, 12 * rate))


def _dresser(manner: Style, material: Material, rng: np.random.Generator) -> Callable[[Shot, int], Shot]:
    names = [name for name in (*DISTURBANCES, *WITH_ANOTHER) if material.part == "held" or name not in HELD_ALONE]
    weights = np.array([manner.events.get(name, 0.5) for name in names])

    def dress(shot: Shot, frames: int) -> Shot:
        if frames < 16 or rng.random() > manner.disturbed:
            return shot
        for name in rng.choice(names, int(rng.choice([1, 1, 1, 2])), replace=False, p=weights / weights.sum()):
            at = int(rng.integers(4, frames - 8))
            if name in DISTURBANCES:
                shot = DISTURBANCES[str(name)](shot, rng, at)
            else:
                shot = WITH_ANOTHER[str(name)](shot, rng, at, material.shot(rng, frames))
        return shot

    return dress


def _finish(manner: Style, rng: np.random.Generator) -> list[Callable[[Picture, int], Picture]]:
    """What the whole programme has: grain, bars, no colour, the marks of a low bitrate."""
    steps: list[Callable[[Picture, int], Picture]] = []
    strength, seed = float(manner.grain * rng.choice([0, 0.5, 1, 1, 3])), int(rng.integers(2**31))
    if rng.random() < 0.08:
        steps.append(lambda picture, _: grey(picture))
    if strength:
        steps.append(lambda picture, k: grain(picture, strength, seed, k))
    if rng.random() < 0.3:
        bar = int(HEIGHT * rng.uniform(0.08, 0.14))
        steps.append(lambda picture, _: _barred(picture, bar))
    if rng.random() < 0.35:
        quality = int(rng.integers(8, 60))
        steps.append(lambda picture, _: squashed(picture, quality))
    return steps


def _barred(picture: Picture, bar: int) -> Picture:
    picture = picture.copy()
    picture[:bar] = picture[-bar:] = 0
    return picture
