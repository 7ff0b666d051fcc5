"""Where a camera points at frame k: on a tripod, in the hand, panning, zooming."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

View: TypeAlias = tuple[float, float, float, float]
"""Offset x and y in pixels, zoom, angle in degrees."""


def sway(rng: np.random.Generator, size: float, slowest: float = 90, fastest: float = 12) -> Callable[[float], float]:
    """A smooth random path about 0 that moves `size` pixels or so; periods in frames."""
    periods = np.exp(rng.uniform(np.log(fastest), np.log(slowest), 4))
    phases = rng.uniform(0, 2 * np.pi, 4)
    weights = size / 2 * (periods / slowest) ** 0.7

    def path(k: float) -> float:
        return float((weights * np.sin(2 * np.pi * k / periods + phases)).sum())

    return path


def camera(rng: np.random.Generator) -> Callable[[float], View]:
    """One of the usual ways to hold a camera, with sizes as they occur."""
    hand = [sway(rng, size) for size in (rng.choice([0, 0, 3, 6, 12]),) * 2]
    roll = sway(rng, float(rng.choice([0, 0, 0.8])))
    kind = rng.choice(["still", "still", "pan", "tilt", "zoom", "fast"])
    speed = float(rng.uniform(0.3, 2.5) * rng.choice([-1, 1]) * (3 if kind == "fast" else 1))
    rise = float(np.log(rng.uniform(1.05, 1.6)) / 100 * rng.choice([-1, 1]))
    across, down = kind in {"pan", "fast"}, kind == "tilt"

    def view(k: float) -> View:
        zoom = float(np.exp(np.clip(rise * k, -0.5, 0.7))) if kind == "zoom" else 1.0
        pan, tilt = 200 * np.tanh(speed * k / 200), 45 * np.tanh(speed * k / 90)
        return hand[0](k) + across * float(pan), hand[1](k) + down * float(tilt), zoom, roll(k)

    return view
