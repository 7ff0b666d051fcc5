"""The table of cases: each a short clip of one difficulty."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stress import cuts, inside, lights, timing
from stress.disturbances import DISTURBANCES, WITH_ANOTHER
from stress.edit import Edit, Made
from stress.joins import Bench
from stress.material import FAMILIES, HELD_ALONE, Material, Part, seed_for
from stress.picture import Picture, grain, grey, squashed

if TYPE_CHECKING:
    from stress.cuts import Maker

Step = Callable[[Picture, int], Picture]


@dataclass(frozen=True, kw_only=True)
class Case:
    """`finish` is what the whole clip has; `held_alone` keeps a case out of the part that is fitted on."""

    make: Maker
    finish: tuple[Step, ...] = ()
    held_alone: bool = False


SIMILAR = tuple(name for name in FAMILIES if name not in {"landscape", "room", "face", "plain", "colours"})
"""The families whose shots are much alike, or move all over."""

CASES: dict[str, Case] = {
    "cuts": Case(make=cuts.joined("cut", 5)),
    "cuts_generated": Case(make=cuts.joined("cut", 5), finish=(lambda picture, k: grain(picture, 3, 1, k),)),
    "other_angle": Case(make=cuts.joined("angle", 4)),
    "jump_cuts": Case(make=cuts.joined("jump", 4, 15, 40)),
    "shot_reverse_shot": Case(make=cuts.joined("back", 6, 15, 30)),
    "mirrored_cuts": Case(make=cuts.mirrored),
    "equal_histogram": Case(make=cuts.shuffled, held_alone=True),
    "same_colours": Case(make=cuts.same_colours),
    "dark_cuts": Case(make=cuts.joined("cut", 4, least=35), finish=(cuts.lit(0.16, 4),)),
    "low_contrast_cuts": Case(make=cuts.joined("cut", 4, least=35), finish=(cuts.lit(0.18, 95),)),
    "grey_cuts": Case(make=cuts.joined("cut", 4, least=18), finish=(lambda picture, _: grey(picture),)),
    "grain_cuts": Case(make=cuts.joined("cut", 4, least=18), finish=(lambda picture, k: grain(picture, 18, 5, k),)),
    "mush_cuts": Case(make=cuts.joined("cut", 4, least=12), finish=(lambda picture, _: squashed(picture, 5),)),
    "twos_and_threes": Case(make=cuts.joined("cut", 5, dress=timing.held)),
    "doubled_cuts": Case(make=cuts.joined("cut", 5, dress=timing.doubled)),
    "strobe_cuts": Case(make=cuts.joined("cut", 3, 30, 45, least=20, dress=lights.strobe), held_alone=True),
    "flicker_cuts": Case(make=cuts.joined("cut", 4, dress=lights.flicker)),
    "flash_cuts": Case(make=cuts.joined("flash cut", 4, 20, 40)),
    "whip_cuts": Case(make=cuts.joined("whip cut", 4, 20, 36)),
    "moving_cuts": Case(make=cuts.moving, held_alone=True),
    "short_shots": Case(make=cuts.short),
    "bursts": Case(make=cuts.joined("burst", 2, 20, 30)),
    "slides": Case(make=cuts.slides, held_alone=True),
    "quiet": Case(make=inside.quiet),
    "dissolve_tiny": Case(make=inside.all_short),
    "dissolve_short": Case(make=inside.gradual("dissolve", 5, 9)),
    "dissolve": Case(make=inside.gradual("dissolve", 10, 24)),
    "dissolve_long": Case(make=inside.gradual("dissolve", 30, 60, 2)),
    "dissolve_moving": Case(make=inside.moving),
    "dissolve_same_scene": Case(make=inside.same_scene),
    "dissolve_blurry": Case(make=inside.gradual("blurry", 8, 24), held_alone=True),
    "dip": Case(make=inside.gradual("dip", 8, 40)),
    "through_black": Case(make=inside.through_black),
    "faded_ends": Case(make=inside.faded_ends),
    "wipe": Case(make=inside.gradual("wipe", 8, 30, 4)),
    "push": Case(make=inside.gradual("push", 6, 20, 4)),
    **{name: Case(make=inside.within(name), held_alone=name in HELD_ALONE) for name in (*DISTURBANCES, *WITH_ANOTHER)},
    "flash_in_pan": Case(make=inside.within("flash", 3, also="pan")),
    "lightning_in_zoom": Case(make=inside.within("lightning", also="zoom")),
    "strobe_in_shake": Case(make=inside.within("strobe", also="shake"), held_alone=True),
    **{f"all_{name}": Case(make=cuts.family(name), held_alone=name in HELD_ALONE) for name in SIMILAR},
}


def names(part: Part) -> tuple[str, ...]:
    """The cases of a part."""
    return tuple(name for name, case in CASES.items() if part == "held" or not case.held_alone)


def case(name: str, seed: int, material: Material) -> Made:
    """The clip of one case; another one for every seed and part."""
    if name not in names(material.part):
        raise ValueError(f"no case {name!r} in {material.part}; there are {', '.join(names(material.part))}")
    rng = np.random.default_rng(seed_for(material.part, seed, zlib.crc32(name.encode())))
    edit = Edit()
    real = 0.0 if name == "cuts_generated" else 0.75
    CASES[name].make(Bench(edit=edit, material=material, rng=rng, dress=lambda shot, _: shot, real=real))
    return edit.made().finished(*CASES[name].finish)
