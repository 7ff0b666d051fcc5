"""How one shot follows another in a programme, by name: cuts of every sort, and gradual transitions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from stress.lights import WHITE
from stress.material import DISTINCT
from stress.motions import moved
from stress.picture import Picture, blend, difference, smeared
from stress.shot import Shot, angle, toned
from stress.transitions import MIXERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from stress.edit import Edit
    from stress.material import Material

LEAST_JUMP = 3.0
"""The change, in levels, that makes a jump cut visible."""


@dataclass(kw_only=True)
class Bench:
    """What an editor works with: the programme so far, the material, and the shots that may be returned to."""

    edit: Edit
    material: Material
    rng: np.random.Generator
    dress: Callable[[Shot, int], Shot]
    """dress(shot, frames) -> the shot with whatever happens in it."""
    real: float = 0.7
    least: float = DISTINCT
    """How many levels the first picture of a fresh shot differs from what shows."""
    alike: float = 0.0
    """How often a fresh shot is graded towards the colours of the running one, as in one scene of a film."""
    recent: list[Shot] = field(default_factory=list)

    def fresh(self, frames: int) -> Shot:
        """A shot that is clearly not the running one."""
        edit = self.edit
        if not edit.length:
            return self.material.shot(self.rng, frames, real=self.real)
        shot = self.material.other(self.rng, frames, edit.last, edit.seen, real=self.real, least=self.least)
        if self.rng.random() < self.alike:
            like = toned(shot, edit.last.at(edit.seen), float(self.rng.uniform(0.4, 1)))
            return like if difference(like.at(0), edit.last.at(edit.seen)) >= self.least else shot
        return shot

    def plain(self, shot: Shot, frames: int) -> None:
        """Cut to `shot`, dressed, and remember it."""
        self.recent = [*self.recent[-5:], shot.later(frames)]
        self.edit.cut(self.dress(shot, frames), frames)


Join: TypeAlias = "Callable[[Bench, int], None]"
"""join(bench, frames): adds the next shot, of that many frames or so."""


def cut(bench: Bench, frames: int) -> None:
    bench.plain(bench.fresh(frames), frames)


def back(bench: Bench, frames: int) -> None:
    """Return to a shot seen shortly before, as dialogues do."""
    edit = bench.edit
    known = [
        shot
        for shot in bench.recent[:-1]
        if edit.length and difference(shot.at(0), edit.last.at(edit.seen)) > LEAST_JUMP * 2
    ]
    bench.plain(known[int(bench.rng.integers(len(known)))] if known else bench.fresh(frames), frames)


def other_angle(bench: Bench, frames: int) -> None:
    """The same scene from another camera, a moment later."""
    edit = bench.edit
    base = bench.recent[-1]
    for _ in range(12):
        shot = angle(base.later(int(bench.rng.integers(0, 40))), bench.rng)
        if difference(shot.at(0), edit.last.at(edit.seen)) > LEAST_JUMP * 2:
            return bench.plain(shot, frames)
    return cut(bench, frames)


def jump(bench: Bench, frames: int) -> None:
    """The same shot some frames later, 10 to 200, at times a little closer."""
    edit, rng, base = bench.edit, bench.rng, bench.recent[-1]
    calm = difference(edit.last.at(edit.seen - 1), edit.last.at(edit.seen - 2)) if edit.seen > 2 else 0.0
    closer = float(rng.uniform(1.1, 1.35)) if rng.random() < 0.4 else 1.0
    for skip in sorted(rng.integers(10, 200, 6).tolist()):
        shot = base.later(skip)
        if closer > 1:
            shot = shot.changed(lambda picture, _: moved(picture, 0, -4, closer))
        if difference(shot.at(0), edit.last.at(edit.seen)) > max(LEAST_JUMP, 3 * calm):
            return bench.plain(shot, frames)
    return cut(bench, frames)


def flash_cut(bench: Bench, frames: int) -> None:
    """A cut under a white flash that fades in 2 to 6 frames."""
    decay, most = float(bench.rng.uniform(1, 4)), float(bench.rng.uniform(0.5, 1))

    def light(picture: Picture, k: int) -> Picture:
        force = most * float(np.exp(-k / decay))
        return blend(picture, WHITE, force) if force > 0.03 else picture

    bench.plain(bench.fresh(frames).changed(light), frames)


def whip_cut(bench: Bench, frames: int) -> None:
    """A cut hidden in a whip pan: the old shot runs away blurred, the new one comes to rest."""
    edit, rng = bench.edit, bench.rng
    old, seen, way = edit.last, edit.seen, int(rng.choice([-1, 1]))
    length, speed = int(rng.integers(3, 8)), float(rng.uniform(12, 30))

    def leave(picture: Picture, k: int) -> Picture:
        gone = max(0, k - seen + 1)
        return smeared(moved(picture, way * speed * gone**2 / 4, 0, 1.0), speed * gone * 0.6, 0) if gone else picture

    def arrive(picture: Picture, k: int) -> Picture:
        left = max(0, length - k)
        return smeared(moved(picture, -way * speed * left**2 / 4, 0, 1.0), speed * left * 0.6, 0) if left else picture

    new = bench.fresh(frames)
    edit.replace_running(old.changed(leave))
    edit.run(length)
    bench.plain(new.changed(arrive), frames)


def burst(bench: Bench, frames: int) -> None:
    """Three to eight very short shots, of 2 to 10 frames, side by side."""
    for length in bench.rng.integers(2, 11, int(bench.rng.integers(3, 9))).tolist():
        bench.plain(bench.fresh(max(14, length)), length)


def mixed(name: str, shortest: int, longest: int) -> Join:
    """A gradual transition of `shortest` to `longest` frames by the mixer `name`."""
    kind, maker = MIXERS[name]

    def join(bench: Bench, frames: int) -> None:
        length = int(np.exp(bench.rng.uniform(np.log(shortest), np.log(longest + 1))))
        shot = bench.fresh(frames + length)
        bench.edit.mix(bench.dress(shot, frames + length), length, maker(bench.rng), kind)
        bench.recent = [*bench.recent[-5:], shot.later(frames + length)]
        bench.edit.run(max(12, frames))

    return join


def dark(bench: Bench, frames: int) -> None:
    """Fade to black, stay there for a while, and cut or fade to the next shot."""
    edit, rng = bench.edit, bench.rng
    edit.fade_out(int(rng.integers(6, 30)), int(rng.integers(3, 30)))
    shot = bench.material.other(rng, frames, bench.edit.last, 0, real=bench.real)
    if shot.at(0).mean() > 16 and rng.random() < 0.4:
        return bench.plain(shot, frames)
    bench.recent = [*bench.recent[-5:], shot.later(frames)]
    return edit.fade_in(bench.dress(shot, frames), int(rng.integers(6, 30)), max(12, frames))


JOINS: dict[str, Join] = {
    "cut": cut,
    "back": back,
    "angle": other_angle,
    "jump": jump,
    "flash cut": flash_cut,
    "whip cut": whip_cut,
    "burst": burst,
    "dissolve": mixed("dissolve", 4, 60),
    "blurry": mixed("blurry", 8, 30),
    "dip": mixed("dip", 6, 48),
    "wipe": mixed("wipe", 6, 36),
    "push": mixed("push", 5, 24),
    "dark": dark,
}
