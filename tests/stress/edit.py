"""A programme being cut together, with the truth of every join."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from stress.picture import Colour, Picture, blend, flat

if TYPE_CHECKING:
    from stress.shot import Shot
    from stress.transitions import Mixer

Piece: TypeAlias = tuple[int, Callable[[int], Picture]]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A clip and what is true of it.

    cuts: the first frame of each new shot. gradual: (first changed frame, last changed frame, dissolve | fade | wipe).
    ignore: (first, last) of what is not judged.
    """

    pieces: tuple[Piece, ...]
    cuts: tuple[int, ...]
    gradual: tuple[tuple[int, int, str], ...]
    ignore: tuple[tuple[int, int], ...] = ()
    rate: Fraction = Fraction(24)

    def __len__(self) -> int:
        return sum(count for count, _ in self.pieces)

    @property
    def frames(self) -> Iterator[Picture]:
        """All pictures from the first, uint8, 180 x 320 x 3 RGB; the same every time."""
        for count, at in self.pieces:
            for k in range(count):
                yield at(k)

    def at(self, frame: int) -> Picture:
        """One picture of the clip."""
        if frame < 0:
            raise IndexError(f"no frame {frame} in {len(self)}")
        first = 0
        for count, at in self.pieces:
            if frame < first + count:
                return at(frame - first)
            first += count
        raise IndexError(f"no frame {frame} in {len(self)}")

    def finished(self, *steps: Callable[[Picture, int], Picture]) -> Made:
        """The clip with every picture put through each step(picture, frame)."""

        def through(at: Callable[[int], Picture], first: int) -> Callable[[int], Picture]:
            def whole(k: int) -> Picture:
                picture = at(k)
                for step in steps:
                    picture = step(picture, first + k)
                return picture

            return whole

        pieces, first = [], 0
        for count, at in self.pieces:
            pieces.append((count, through(at, first)))
            first += count
        return replace(self, pieces=tuple(pieces))


class Edit:
    """Shots in order: begin with `cut`, go on with `run`, `cut` and `mix`, end with `made`."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._cuts: list[int] = []
        self._gradual: list[tuple[int, int, str]] = []
        self._ignore: list[tuple[int, int]] = []
        self._shot: Shot | None = None
        self._seen = 0
        self.length = 0

    @property
    def last(self) -> Shot:
        """The shot that runs."""
        assert self._shot is not None
        return self._shot

    @property
    def seen(self) -> int:
        """How many frames of the running shot have been shown, transitions included."""
        return self._seen

    def _add(self, frames: int, at: Callable[[int], Picture]) -> None:
        self._pieces.append((frames, at))
        self.length += frames

    def run(self, frames: int) -> None:
        """Go on with the running shot."""
        shot, first = self.last, self._seen
        self._add(frames, lambda k: shot.at(first + k))
        self._seen += frames

    def replace_running(self, shot: Shot) -> None:
        """Show `shot`, with the same count of frames, in place of the running one from here on."""
        self._shot = shot

    def cut(self, shot: Shot, frames: int) -> None:
        """A hard cut to `shot`; the first one of all is the beginning."""
        if self.length:
            self._cuts.append(self.length)
        self._shot, self._seen = shot, 0
        self.run(frames)

    def mix(self, shot: Shot, length: int, mixer: Mixer, kind: str) -> None:
        """Pass to `shot` in `length` frames, in all of which something of the transition shows."""
        old, first = self.last, self._seen
        self._gradual.append((self.length, self.length + length - 1, kind))
        self._add(length, lambda k: mixer(old.at(first + k), shot.at(k), (k + 1) / (length + 1)))
        self._shot, self._seen = shot, length

    def fade_out(self, length: int, hold: int, colour: Colour = (0, 0, 0)) -> None:
        """Fade to `colour` in `length` frames, the last of which is all colour, and stay there for `hold` more."""
        shot, first, ground = self.last, self._seen, flat(colour)
        self._gradual.append((self.length, self.length + length - 1, "fade"))
        self._add(length, lambda k: blend(shot.at(first + k), ground, (k + 1) / length))
        if hold:
            self._add(hold, lambda _: ground)

    def begin_black(self, frames: int) -> None:
        """Begin with black."""
        ground = flat((0, 0, 0))
        self._add(frames, lambda _: ground)

    def fade_in(self, shot: Shot, length: int, frames: int, colour: Colour = (0, 0, 0)) -> None:
        """Fade in `shot` from `colour` in `length` frames, then run it for `frames`."""
        ground = flat(colour)
        self._gradual.append((self.length, self.length + length - 1, "fade"))
        self._add(length, lambda k: blend(ground, shot.at(k), (k + 1) / (length + 1)))
        self._shot, self._seen = shot, length
        self.run(frames)

    def ignore(self, first: int, last: int) -> None:
        """Frames of which nobody can say what is right."""
        self._ignore.append((first, last))

    def made(self, rate: Fraction = Fraction(24)) -> Made:
        return Made(
            pieces=tuple(self._pieces),
            cuts=tuple(self._cuts),
            gradual=tuple(self._gradual),
            ignore=tuple(self._ignore),
            rate=rate,
        )
