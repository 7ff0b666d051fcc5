"""Things that come over the picture inside a shot, none of which is a cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from stress.picture import HEIGHT, WIDTH, Picture, blend, clouds, painted, paste, smeared, soft
from stress.scene import colour_of
from stress.shot import bounced

if TYPE_CHECKING:
    from stress.shot import Shot


def passing(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Something near, as a back or a truck, that passes in 4 to 24 frames and covers up to 90 % of the picture."""
    length, share = int(rng.integers(4, 24)), float(rng.uniform(0.3, 0.9))
    dark = colour_of(rng, 5, 120)
    thing = soft(painted(clouds(rng, WIDTH, HEIGHT, cells=2), [dark, (dark[0] + 50, dark[1] + 45, dark[2] + 40)]), 2)
    edge, way = float(rng.uniform(2, 14)), int(rng.choice([-1, 1]))
    x = np.arange(WIDTH, dtype=np.float32)[None] - WIDTH / 2
    bulge = np.sin(np.linspace(0.2, np.pi, HEIGHT, dtype=np.float32))[:, None] * 30
    half = WIDTH * share / 2

    def cover(picture: Picture, k: int) -> Picture:
        if not at <= k < at + length:
            return picture
        centre = way * ((k - at + 0.5) / length * 2 - 1) * (WIDTH / 2 + half + 20)
        mask = np.clip((half + bulge - np.abs(x - centre)) / edge + 0.5, 0, 1).astype(np.float32)
        return paste(picture, smeared(thing, 12, 0), mask)

    return shot.changed(cover)


def title(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """A lower third or a big title that pops in, or slides, and goes after 20 to 80 frames."""
    big = rng.random() < 0.35
    top, tall = (
        (int(rng.uniform(30, 80)), int(rng.uniform(40, 90)))
        if big
        else (int(rng.uniform(118, 140)), int(rng.uniform(18, 32)))
    )
    left, wide = int(rng.uniform(0, 60)), int(rng.uniform(150, 260))
    plate, ink = colour_of(rng), (250, 250, 250) if rng.random() < 0.6 else (15, 15, 15)
    length, slide = int(rng.integers(20, 80)), int(rng.choice([0, 0, 6, 12]))
    text = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUV "), 14))
    bare = rng.random() < 0.3

    def cover(picture: Picture, k: int) -> Picture:
        if not at <= k < at + length:
            return picture
        shift = int((1 - min(1.0, (k - at + 1) / slide)) * (wide + left)) if slide else 0
        if not bare:
            cv2.rectangle(picture, (left - shift, top), (left + wide - shift, top + tall), plate, -1)
        cv2.putText(
            picture, text, (left + 8 - shift, top + tall - 8), cv2.FONT_HERSHEY_DUPLEX, tall / 45, ink, 1, cv2.LINE_AA
        )
        return picture

    return shot.changed(lambda picture, k: cover(np.ascontiguousarray(picture), k))


def subtitles(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Subtitles of one or two lines that change every 25 to 70 frames."""
    changes = at + np.cumsum(rng.integers(25, 70, 40))
    words = ["".join(rng.choice(list("abcdefghiklmnoprstuv  "), int(rng.integers(10, 34)))) for _ in range(80)]
    tint = (255, 255, 255) if rng.random() < 0.7 else (250, 230, 60)

    def cover(picture: Picture, k: int) -> Picture:
        number = int(np.searchsorted(changes, k, side="right"))
        lines = [] if k < at or number % 4 == 3 else words[2 * number : 2 * number + 1 + number % 2]
        for row, line in enumerate(lines):
            spot = (WIDTH // 2 - len(line) * 4, HEIGHT - 12 - 15 * (len(lines) - 1 - row))
            for colour, thick in (((0, 0, 0), 3), (tint, 1)):
                cv2.putText(picture, line, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, thick, cv2.LINE_AA)
        return picture

    return shot.changed(lambda picture, k: cover(np.ascontiguousarray(picture), k))


def inset(shot: Shot, rng: np.random.Generator, at: int, other: Shot) -> Shot:
    """A picture in the picture, of 12 to 42 % of its area, that appears at once; the other shot runs in it."""
    share = float(np.sqrt(rng.uniform(0.12, 0.42)))
    wide, tall = int(WIDTH * share), int(HEIGHT * share)
    left, top = int(rng.uniform(0, WIDTH - wide)), int(rng.uniform(0, HEIGHT - tall))

    def cover(picture: Picture, k: int) -> Picture:
        if k < at:
            return picture
        picture = picture.copy()
        small = cv2.resize(other.at(k - at), (wide, tall), interpolation=cv2.INTER_AREA)
        picture[top : top + tall, left : left + wide] = small
        cv2.rectangle(picture, (left, top), (left + wide - 1, top + tall - 1), (240, 240, 240), 1)
        return picture

    return shot.changed(cover)


def split(shot: Shot, rng: np.random.Generator, at: int, other: Shot) -> Shot:
    """A second shot slides in beside the first in 5 to 15 frames, which stays in its own half: a split screen."""
    length, share = int(rng.integers(5, 15)), float(rng.uniform(0.33, 0.5))

    def cover(picture: Picture, k: int) -> Picture:
        wide = int(WIDTH * share * min(1.0, max(0.0, (k - at + 1) / length)))
        if wide < 2:
            return picture
        picture = picture.copy()
        picture[:, WIDTH - wide :] = other.at(max(0, k - at))[:, WIDTH // 3 : WIDTH // 3 + wide]
        picture[:, WIDTH - wide : WIDTH - wide + 2] = 240
        return picture

    return shot.changed(cover)


def letterbox(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Black bars above and below, or at the sides, that come at once or in 5 to 20 frames."""
    size, ramp = float(rng.uniform(0.08, 0.17)), int(rng.choice([1, 1, 5, 20]))
    sides = rng.random() < 0.3

    def cover(picture: Picture, k: int) -> Picture:
        done = min(1.0, max(0.0, (k - at + 1) / ramp))
        bar = int((WIDTH if sides else HEIGHT) * size * done)
        if bar:
            picture = picture.copy()
            lines = picture.swapaxes(0, 1) if sides else picture
            lines[:bar] = lines[-bar:] = 0
        return picture

    return shot.changed(cover)


def glitch(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Torn rows, swapped channels and wrong blocks for 1 to 6 frames: a digital fault, or the effect of that name."""
    length, seed = int(rng.integers(1, 7)), int(rng.integers(2**31))

    def cover(picture: Picture, k: int) -> Picture:
        if not at <= k < at + length:
            return picture
        dice = np.random.default_rng([seed, k])
        picture = picture.copy()
        for _ in range(int(dice.integers(3, 12))):
            top, tall = int(dice.integers(HEIGHT - 6)), int(dice.integers(4, 50))
            picture[top : top + tall] = np.roll(picture[top : top + tall], int(dice.integers(-60, 60)), axis=1)
        if dice.random() < 0.5:
            picture[..., 0] = np.roll(picture[..., 0], int(dice.integers(4, 20)), axis=1)
        return picture

    return shot.changed(cover)


def burst(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """An explosion, spray or smoke that fills up to 80 % of the picture in 3 to 8 frames and thins out."""
    rise, fall = int(rng.integers(3, 9)), float(rng.uniform(8, 25))
    texture = clouds(rng, WIDTH, HEIGHT, cells=3, rough=0.65)
    hot = rng.random() < 0.6
    stuff = painted(texture, [(60, 20, 5), (250, 150, 40), (255, 245, 210)] if hot else [(90, 88, 86), (190, 188, 184)])
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    centre = rng.uniform((60, 40), (WIDTH - 60, HEIGHT - 20))
    away = np.hypot(x - centre[0], y - centre[1]) + 60 * texture
    reach = float(rng.uniform(110, 230))

    def cover(picture: Picture, k: int) -> Picture:
        age = k - at + 1
        if age < 1:
            return picture
        thick = float(np.exp(-max(0, age - rise) / fall))
        if thick < 0.03:
            return picture
        radius = reach * min(1.0, age / rise) ** 0.6
        return paste(picture, stuff, np.asarray(np.clip((radius - away) / 25, 0, 1) * thick, dtype=np.float32))

    return shot.changed(cover)


def reflection(shot: Shot, rng: np.random.Generator, at: int, other: Shot) -> Shot:
    """The other shot as a weak reflection over this one, which comes and goes."""
    most = float(rng.uniform(0.1, 0.3))
    return shot.changed(
        lambda picture, k: blend(picture, other.at(k), most * bounced(max(0, k - at), 40) / 40) if k > at else picture
    )
