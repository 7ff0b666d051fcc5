"""Changes of light inside a shot, none of which is a cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from stress.camera import sway
from stress.picture import HEIGHT, WIDTH, Field, Picture, blend, clouds, flat, grade, paste

if TYPE_CHECKING:
    from stress.shot import Shot

WHITE = flat((255, 252, 246))


def _pool(rng: np.random.Generator) -> Field:
    """A soft patch of light somewhere in the picture, 0 to 1."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    centre, size = rng.uniform((0, 0), (WIDTH, HEIGHT)), rng.uniform(60, 200)
    return np.asarray(np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * size**2)), dtype=np.float32)


def flash(shot: Shot, rng: np.random.Generator, at: int, *, whole: bool | None = None) -> Shot:
    """A flash of 1 to 3 frames from frame `at`: of the whole picture or of a part."""
    length = int(rng.integers(1, 4))
    strengths = rng.uniform(0.45, 1.0, length)
    pool = None if whole or (whole is None and rng.random() < 0.5) else _pool(rng)

    def light(picture: Picture, k: int) -> Picture:
        if not at <= k < at + length:
            return picture
        bright = grade(picture, (1.6, 1.6, 1.6), lift=40)
        strength = float(strengths[k - at])
        return blend(bright, WHITE, strength) if pool is None else paste(picture, WHITE, pool * strength)

    return shot.changed(light)


def lightning(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """One to three strokes, each at once and gone in 3 to 9 frames."""
    strokes = [
        (at + int(rng.integers(0, 14)) * number, rng.uniform(0.5, 1.4), rng.uniform(1.2, 4))
        for number in range(int(rng.integers(1, 4)))
    ]

    def light(picture: Picture, k: int) -> Picture:
        force = sum(size * np.exp(-(k - start) / decay) for start, size, decay in strokes if k >= start)
        if force < 0.03:
            return picture
        return grade(picture, (1 + 1.2 * force, 1 + 1.3 * force, 1 + 1.6 * force), lift=float(70 * force))

    return shot.changed(light)


def strobe(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Light that goes on and off every 1 to 4 frames, for 12 to 60 frames."""
    on, off = rng.integers(1, 4, 2)
    end = at + int(rng.integers(12, 60))
    dark = rng.random() < 0.6
    gain = float(rng.uniform(0.05, 0.35)) if dark else float(rng.uniform(1.8, 3))

    def light(picture: Picture, k: int) -> Picture:
        lit = at <= k < end and (k - at) % (on + off) < on
        return grade(picture, (gain, gain, gain), lift=0 if dark else 30) if lit else picture

    return shot.changed(light)


def stage(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Coloured light that changes at once or over 2 to 20 frames, again and again, on the picture or a part of it."""
    count = int(rng.integers(1, 6))
    starts = at + np.cumsum(rng.integers(6, 40, count)) - 6
    ramps = rng.choice([1, 1, 1, 2, 4, 10, 20], count)
    gains = np.concatenate([[[1.0, 1.0, 1.0]], rng.uniform(0.15, 1.5, (count, 3))])
    pool = _pool(rng) if rng.random() < 0.4 else None

    def light(picture: Picture, k: int) -> Picture:
        now = gains[0]
        for number in range(count):
            done = float(np.clip((k - starts[number] + 1) / ramps[number], 0, 1))
            now = now * (1 - done) + gains[number + 1] * done
        lit = grade(picture, (now[0], now[1], now[2]))
        return lit if pool is None else paste(picture, lit, pool)

    return shot.changed(light)


def muzzle(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Shots of a gun: orange bursts of one frame, irregular, in one place."""
    frames = set((at + np.cumsum(rng.integers(2, 7, int(rng.integers(2, 9))))).tolist())
    pool = _pool(rng) ** 3
    burst = flat((255, 214, 130))

    def light(picture: Picture, k: int) -> Picture:
        return paste(grade(picture, (1.25, 1.15, 1.0), lift=8), burst, pool) if k in frames else picture

    return shot.changed(light)


def drift(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """The camera's exposure or white balance wanders to another value in 10 to 50 frames."""
    length, gain = int(rng.integers(10, 50)), np.exp(rng.uniform(-0.7, 0.7)) * rng.uniform(0.9, 1.1, 3)

    def light(picture: Picture, k: int) -> Picture:
        done = float(np.clip((k - at) / length, 0, 1))
        done = done * done * (3 - 2 * done)
        now = 1 + (gain - 1) * done
        return grade(picture, (now[0], now[1], now[2])) if done else picture

    return shot.changed(light)


def flicker(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """A brightness that trembles from frame to frame, as of old film, candles and lamps."""
    tremble, strength = sway(rng, 1.0, slowest=12, fastest=2), rng.uniform(0.05, 0.25)
    from_here = np.random.default_rng(int(rng.integers(2**31))).normal(0, strength / 2, 512)

    def light(picture: Picture, k: int) -> Picture:
        gain = float(np.exp(strength * tremble(k) + from_here[k % 512])) if k >= at else 1.0
        return grade(picture, (gain, gain, gain))

    return shot.changed(light)


def headlights(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """A bright beam, as of a car or a spotlight, that sweeps over the picture in 8 to 30 frames."""
    length, width = int(rng.integers(8, 30)), float(rng.uniform(40, 140))
    texture = clouds(rng, WIDTH, HEIGHT, cells=2) * 0.3 + 0.7
    x = np.arange(WIDTH, dtype=np.float32)[None]
    way = rng.choice([-1, 1])

    def light(picture: Picture, k: int) -> Picture:
        if not at <= k < at + length:
            return picture
        centre = ((k - at) / length * 1.6 - 0.3) * WIDTH
        beam = np.exp(-(((x if way > 0 else WIDTH - x) - centre) ** 2) / (2 * width**2)) * texture
        return np.asarray(
            cv2.add(picture, np.repeat((beam * 190).astype(np.uint8)[..., None], 3, axis=2)), dtype=np.uint8
        )

    return shot.changed(light)
