"""Everything that may happen inside a shot without being a cut, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from stress import covers, lights, motions, timing

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from stress.shot import Shot

Disturbance: TypeAlias = "Callable[[Shot, np.random.Generator, int], Shot]"
"""disturbance(shot, rng, at) -> the shot in which it happens from frame `at` on."""

DISTURBANCES: dict[str, Disturbance] = {
    "flash": lights.flash,
    "lightning": lights.lightning,
    "strobe": lights.strobe,
    "stage": lights.stage,
    "muzzle": lights.muzzle,
    "drift": lights.drift,
    "flicker": lights.flicker,
    "headlights": lights.headlights,
    "whip": motions.whip,
    "pan": motions.pan,
    "shake": motions.shake,
    "zoom": motions.zoom,
    "dolly": motions.dolly,
    "roll": motions.roll,
    "focus": motions.focus,
    "passing": covers.passing,
    "title": covers.title,
    "subtitles": covers.subtitles,
    "letterbox": covers.letterbox,
    "glitch": covers.glitch,
    "burst": covers.burst,
    "held": timing.held,
    "doubled": timing.doubled,
    "frozen": timing.frozen,
    "ramped": timing.ramped,
}
WITH_ANOTHER: dict[str, Callable[[Shot, np.random.Generator, int, Shot], Shot]] = {
    "inset": covers.inset,
    "split": covers.split,
    "reflection": covers.reflection,
}
"""Those that show a part of another shot as well."""
