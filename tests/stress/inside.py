"""Makers of the cases about what happens inside shots, and about gradual transitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stress.disturbances import DISTURBANCES, WITH_ANOTHER
from stress.joins import JOINS, Bench
from stress.motions import moved
from stress.picture import WIDTH
from stress.shot import angle
from stress.transitions import MIXERS

if TYPE_CHECKING:
    from stress.cuts import Maker
    from stress.shot import Shot

LENGTH = 76


def within(name: str, times: int = 2, *, also: str | None = None) -> Maker:
    """Two shots of 76 frames with a cut between; the disturbance comes `times` times in each, while `also` goes on."""

    def dress(shot: Shot, bench: Bench) -> Shot:
        if also:
            shot = DISTURBANCES[also](shot, bench.rng, 0)
        for number in range(times):
            at = int(bench.rng.integers(6, 18)) + number * (LENGTH - 20) // times
            if name in DISTURBANCES:
                shot = DISTURBANCES[name](shot, bench.rng, at)
            else:
                shot = WITH_ANOTHER[name](shot, bench.rng, at, bench.material.shot(bench.rng, LENGTH))
        return shot

    def make(bench: Bench) -> None:
        bench.dress = lambda shot, _: dress(shot, bench)
        JOINS["cut"](bench, LENGTH)
        JOINS["cut"](bench, LENGTH)

    return make


def quiet(bench: Bench) -> None:
    """One long shot in which nothing is done at all."""
    bench.plain(bench.fresh(150), 150)


def gradual(name: str, shortest: int, longest: int, count: int = 3) -> Maker:
    """`count` transitions by one mixer, of `shortest` to `longest` frames."""
    kind, maker = MIXERS[name]

    def make(bench: Bench) -> None:
        JOINS["cut"](bench, 30)
        for length in bench.rng.integers(shortest, longest + 1, count).tolist():
            bench.edit.mix(bench.fresh(40 + length), length, maker(bench.rng), kind)
            bench.edit.run(32)

    return make


def moving(bench: Bench) -> None:
    """Dissolves while the camera runs in both shots."""

    def run(shot: Shot) -> Shot:
        speed = float(bench.rng.uniform(1.5, 7) * bench.rng.choice([-1, 1]))
        return shot.changed(lambda picture, k: moved(picture, (speed * k + WIDTH) % (2 * WIDTH) - WIDTH, 0, 1.2))

    bench.plain(run(bench.fresh(40)), 40)
    for length in bench.rng.integers(8, 32, 3).tolist():
        bench.edit.mix(run(bench.fresh(40 + length)), length, MIXERS["dissolve"][1](bench.rng), "dissolve")
        bench.edit.run(32)


def same_scene(bench: Bench) -> None:
    """Dissolves between two views of one scene."""
    bench.plain(bench.fresh(120), 36)
    for length in bench.rng.integers(8, 32, 3).tolist():
        shot = angle(bench.recent[-1].later(int(bench.rng.integers(20, 60))), bench.rng)
        bench.edit.mix(shot, length, MIXERS["dissolve"][1](bench.rng), "dissolve")
        bench.edit.run(32)


def faded_ends(bench: Bench) -> None:
    """Fade in at the start, out at the end, with a cut between."""
    rng = bench.rng
    bench.edit.begin_black(4)
    shot = bench.material.shot(rng, 60, real=bench.real)
    bench.recent = [shot]
    bench.edit.fade_in(shot, int(rng.integers(10, 26)), 36)
    JOINS["cut"](bench, 36)
    bench.edit.fade_out(int(rng.integers(10, 26)), 6)


def through_black(bench: Bench) -> None:
    """Fade out, black for a while, then a cut or a fade to the next shot."""
    JOINS["cut"](bench, 36)
    for _ in range(2):
        JOINS["dark"](bench, 32)
        bench.edit.run(12)


def all_short(bench: Bench) -> None:
    """Dissolves of 3 and 4 frames, which editors use to soften cuts."""
    JOINS["cut"](bench, 30)
    for length in bench.rng.integers(3, 5, 4).tolist():
        bench.edit.mix(bench.fresh(40), length, MIXERS["dissolve"][1](np.random.default_rng(1)), "dissolve")
        bench.edit.run(26)
