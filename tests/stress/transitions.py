"""The pictures of a gradual transition: what shows when it is done to a share of 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from stress.motions import eased
from stress.picture import HEIGHT, WIDTH, Colour, Field, Picture, blend, clouds, flat, paste, soft

if TYPE_CHECKING:
    from collections.abc import Callable

Mixer: TypeAlias = "Callable[[Picture, Picture, float], Picture]"
"""mixer(old, new, done) -> what shows."""
X, Y = np.meshgrid(np.linspace(0, 1, WIDTH, dtype=np.float32), np.linspace(0, 1, HEIGHT, dtype=np.float32))


def dissolve(rng: np.random.Generator) -> Mixer:
    """The old picture gives way to the new one, evenly or eased, in the light of the display or in linear light."""
    soft_ends, linear = rng.random() < 0.4, rng.random() < 0.25

    def mix(old: Picture, new: Picture, done: float) -> Picture:
        share = eased(done) if soft_ends else done
        if not linear:
            return blend(old, new, share)
        squares = old.astype(np.float32) ** 2 * (1 - share) + new.astype(np.float32) ** 2 * share
        return np.asarray(np.sqrt(squares), dtype=np.uint8)

    return mix


def blurry(rng: np.random.Generator) -> Mixer:
    """A dissolve whose pictures go out of focus."""
    depth = float(rng.uniform(3, 9))
    return lambda old, new, done: soft(blend(old, new, done), depth * float(np.sin(np.pi * done)))


def dip(rng: np.random.Generator) -> Mixer:
    """Through black, at times white or a colour, with or without a hold there."""
    pick = rng.random()
    colour: Colour = (0, 0, 0) if pick < 0.7 else (255, 255, 255) if pick < 0.93 else (70, 20, 10)
    hold = float(rng.choice([0, 0, 0.15, 0.35, 0.6]))
    between = flat(colour)
    sides = (1 - hold) / 2

    def mix(old: Picture, new: Picture, done: float) -> Picture:
        if done < sides:
            return blend(old, between, done / sides)
        return blend(new, between, (1 - done) / sides) if done > 1 - sides else between

    return mix


def _order(rng: np.random.Generator) -> Field:
    """When, from 0 to 1, the new picture reaches each pixel."""
    kind = rng.choice(["across", "across", "down", "diagonal", "iris", "clock", "doors", "blinds", "ink"])
    if kind == "across":
        order = X
    elif kind == "down":
        order = Y
    elif kind == "diagonal":
        order = (X + Y * rng.choice([-1, 1])) / 2
    elif kind == "iris":
        order = np.hypot((X - rng.uniform(0.3, 0.7)) * 1.78, Y - rng.uniform(0.3, 0.7))
    elif kind == "clock":
        order = np.arctan2(Y - 0.5, X - 0.5)
    elif kind == "doors":
        order = np.abs(X - 0.5)
    elif kind == "blinds":
        order = X * 6 % 1
    else:
        order = clouds(rng, WIDTH, HEIGHT, cells=3)
    order = (order - order.min()) / (order.max() - order.min())
    return np.asarray(1 - order if rng.random() < 0.5 else order, dtype=np.float32)


def wipe(rng: np.random.Generator) -> Mixer:
    """An edge, hard or soft, that uncovers the new picture."""
    order, edge = _order(rng), float(rng.choice([0.01, 0.01, 0.08, 0.25]))

    def mix(old: Picture, new: Picture, done: float) -> Picture:
        return paste(old, new, np.clip((done * (1 + edge) - order) / edge, 0, 1))

    return mix


def push(rng: np.random.Generator) -> Mixer:
    """The new picture pushes the old one out, or slides over it, or the old one slides away."""
    kind, turn = int(rng.integers(3)), int(rng.integers(4))

    def mix(old: Picture, new: Picture, done: float) -> Picture:
        before, after = np.rot90(old, turn), np.rot90(new, turn)
        size = len(before)
        shift = min(size - 1, max(1, round(eased(done) * size)))
        stays = before[: size - shift] if kind == 1 else before[shift:]
        comes = after[size - shift :] if kind == 2 else after[:shift]
        return np.ascontiguousarray(np.rot90(np.concatenate([stays, comes]), -turn))

    return mix


MIXERS: dict[str, tuple[str, Callable[[np.random.Generator], Mixer]]] = {
    "dissolve": ("dissolve", dissolve),
    "blurry": ("dissolve", blurry),
    "dip": ("fade", dip),
    "wipe": ("wipe", wipe),
    "push": ("wipe", push),
}
"""The name of a mixer -> the kind that the truth gives, and its maker."""
