"""What is done to a clip before it is encoded: fields woven, film pulled down, other sizes; the truth follows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from stress.edit import Made
    from stress.picture import Picture

Shape: TypeAlias = "Callable[[Made], Made]"


def woven(made: Made, *, top_first: bool = True) -> Made:
    """Two successive pictures become the two fields of one frame.

    A cut between the fields of a frame counts from the next one, the first in which all is new.
    """
    pictures = list(made.frames)
    first = 0 if top_first else 1

    def at(k: int) -> Picture:
        frame = pictures[2 * k].copy()
        frame[1 - first :: 2] = pictures[2 * k + 1][1 - first :: 2]
        return frame

    return _remade(made, len(pictures) // 2, at, lambda frame: (frame + 1) // 2, made.rate)


def late(made: Made) -> Made:
    """The clip without its first picture, so that woven cuts at even frames fall between two fields."""
    pictures = list(made.frames)
    return _remade(made, len(pictures) - 1, lambda k: pictures[k + 1], lambda frame: frame - 1, made.rate)


def pulled_down(made: Made) -> Made:
    """Film at 24 as interlaced video at 30: four pictures become five frames, two of them woven of two pictures."""
    pictures = list(made.frames)
    count = len(pictures) // 4 * 5
    tops, bottoms = (0, 1, 1, 2, 3), (0, 1, 2, 3, 3)

    def at(k: int) -> Picture:
        group, place = divmod(k, 5)
        frame = pictures[4 * group + tops[place]].copy()
        frame[1::2] = pictures[4 * group + bottoms[place]][1::2]
        return frame

    return _remade(made, count, at, lambda frame: frame // 4 * 5 + (0, 1, 3, 4)[frame % 4], made.rate * 5 / 4)


def repeated(made: Made) -> Made:
    """Film at 24 as progressive video at 60: pictures last two and three frames in turn."""
    pictures = list(made.frames)
    starts = [5 * (frame // 2) + 2 * (frame % 2) for frame in range(len(pictures) + 1)]
    shown = np.repeat(np.arange(len(pictures)), np.diff(starts))
    return _remade(made, len(shown), lambda k: pictures[shown[k]], lambda frame: starts[frame], made.rate * 5 / 2)


def sized(width: int, height: int, *, crop: bool = False) -> Callable[[Made], Made]:
    """Every picture squeezed into `width` x `height`, or its middle of that shape enlarged to it."""

    def resize(picture: Picture, _: int) -> Picture:
        if crop:
            wide = round(picture.shape[0] * width / height)
            left = (picture.shape[1] - wide) // 2
            picture = picture[:, left : left + wide]
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)

    return lambda made: made.finished(resize)


def at_rate(rate: Fraction) -> Callable[[Made], Made]:
    """The same pictures at another rate."""
    return lambda made: replace(made, rate=rate)


def _remade(made: Made, count: int, at: Callable[[int], Picture], number: Callable[[int], int], rate: Fraction) -> Made:
    return replace(
        made,
        pieces=((count, at),),
        cuts=tuple(number(cut) for cut in made.cuts if number(cut) < count),
        gradual=tuple((number(start), number(end + 1) - 1, kind) for start, end, kind in made.gradual),
        ignore=tuple((number(start), number(end)) for start, end in made.ignore),
        rate=rate,
    )
