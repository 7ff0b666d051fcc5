"""Makers of the cases about hard cuts: each fills an edit with cuts of one hard sort."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from stress.joins import JOINS, Bench
from stress.material import FAMILIES
from stress.motions import moved
from stress.picture import HEIGHT, WIDTH, Picture, difference, grade
from stress.shot import toned

if TYPE_CHECKING:
    from collections.abc import Callable

    from stress.disturbances import Disturbance
    from stress.shot import Shot

Maker: TypeAlias = "Callable[[Bench], None]"
"""Fills the bench's edit."""
BLOCKS = (3, 4)


def joined(
    join: str,
    count: int,
    shortest: int = 18,
    longest: int = 45,
    *,
    least: float = 7.0,
    dress: Disturbance | None = None,
) -> Maker:
    """A first shot and `count` joins of one name, of shots of so many frames, all of them under `dress`."""

    def make(bench: Bench) -> None:
        bench.least = least
        if dress:
            bench.dress = lambda shot, _: dress(shot, bench.rng, 0)
        JOINS["cut"](bench, longest)
        for frames in bench.rng.integers(shortest, longest + 1, count).tolist():
            JOINS[join](bench, frames)

    return make


def short(bench: Bench) -> None:
    """Shots of 1 to 6 frames side by side, between two of normal length."""
    JOINS["cut"](bench, 30)
    for _ in range(2):
        for frames in bench.rng.integers(1, 7, 7).tolist():
            bench.plain(bench.fresh(14), frames)
        JOINS["cut"](bench, 30)


def mirrored(bench: Bench) -> None:
    """The next shot is the last one mirrored or upside down."""
    JOINS["cut"](bench, 30)
    for _ in range(4):
        way = int(bench.rng.integers(3))
        turned = bench.recent[-1].changed(lambda picture, _, way=way: _turned(picture, way))  # type: ignore[misc]
        _cut_or_other(bench, turned, 30)


def _turned(picture: Picture, way: int) -> Picture:
    return np.ascontiguousarray((picture[:, ::-1], picture[::-1], picture[::-1, ::-1])[way])


def _cut_or_other(bench: Bench, shot: Shot, frames: int) -> None:
    """Cut to `shot` if that can be seen, else to any other."""
    seen = difference(shot.at(0), bench.edit.last.at(bench.edit.seen)) > 5
    bench.plain(shot if seen else bench.fresh(frames), frames)


def shuffled(bench: Bench) -> None:
    """The next shot has the blocks of the last one in another order: equal histograms."""
    JOINS["cut"](bench, 30)
    base = bench.recent[-1]
    for _ in range(4):
        order = bench.rng.permutation(BLOCKS[0] * BLOCKS[1])
        _cut_or_other(bench, base.changed(lambda picture, _, order=order: _reordered(picture, order)), 30)  # type: ignore[misc]


def _reordered(picture: Picture, order: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Picture:
    rows, columns = BLOCKS
    blocks = (
        picture.reshape(rows, HEIGHT // rows, columns, WIDTH // columns, 3)
        .swapaxes(1, 2)
        .reshape(rows * columns, HEIGHT // rows, -1, 3)
    )
    mixed = blocks[order].reshape(rows, columns, HEIGHT // rows, WIDTH // columns, 3)
    return np.ascontiguousarray(mixed.swapaxes(1, 2).reshape(HEIGHT, WIDTH, 3))


def same_colours(bench: Bench) -> None:
    """Every shot is graded to the mean colour and contrast of the first."""
    JOINS["cut"](bench, 30)
    pattern = bench.edit.last.at(0)
    for _ in range(4):
        _cut_or_other(bench, toned(bench.fresh(30), pattern, 1.0), 30)


def moving(bench: Bench) -> None:
    """Cuts between shots whose cameras run on both sides of the cut, so that the motion hides it."""

    def dress(shot: Shot, _: int) -> Shot:
        speed = float(bench.rng.uniform(4, 14) * bench.rng.choice([-1, 1]))
        return shot.changed(lambda picture, k: moved(picture, (speed * k + WIDTH) % (2 * WIDTH) - WIDTH, 0, 1.2))

    bench.dress = dress
    JOINS["cut"](bench, 30)
    for _ in range(4):
        JOINS["cut"](bench, 26)


def slides(bench: Bench) -> None:
    """Photographs, each approached slowly or shown at rest."""

    def dress(shot: Shot, _: int) -> Shot:
        rate = float(bench.rng.choice([0, 0.001, 0.003]))
        return shot.timed(lambda _: 0).changed(lambda picture, k: moved(picture, 0, 0, 1 + rate * k))

    bench.dress = dress
    JOINS["cut"](bench, 40)
    for join in ("cut", "dissolve", "cut", "cut"):
        JOINS[join](bench, 30)


def family(name: str) -> Maker:
    """Four shots of one family, each about as colourful as the next."""

    def make(bench: Bench) -> None:
        bench.plain(FAMILIES[name](bench.rng), 40)
        for _ in range(3):
            for _ in range(12):
                shot = FAMILIES[name](bench.rng)
                if difference(shot.at(0), bench.edit.last.at(bench.edit.seen)) > 5:
                    break
            bench.plain(shot, 40)

    return make


def lit(gain: float, lift: float) -> Callable[[Picture, int], Picture]:
    """Everything darker, or with less contrast."""
    return lambda picture, _: grade(picture, (gain, gain, gain), lift=lift)
