"""Motions of the camera and of the lens inside a shot, none of which is a cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from stress.camera import sway
from stress.picture import HEIGHT, WIDTH, Picture, look, smeared, soft

if TYPE_CHECKING:
    from stress.shot import Shot


def eased(done: float) -> float:
    """0 to 1 with a soft start and end."""
    done = min(1.0, max(0.0, done))
    return done * done * (3 - 2 * done)


def moved(picture: Picture, x: float, y: float, zoom: float, angle: float = 0.0) -> Picture:
    """The picture seen `zoom` times larger, (x, y) source pixels from its middle; mirrored beyond its edges."""
    return look(picture, WIDTH / 2 + x, HEIGHT / 2 + y, zoom, angle, border=cv2.BORDER_REFLECT)


def whip(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """A pan so fast, in 5 to 14 frames, that nothing stays in the picture; blurred on its way."""
    length, zoom = int(rng.integers(5, 15)), float(rng.uniform(1.6, 2.2))
    side = WIDTH * (1 - 1 / zoom) / 2 * rng.choice([-1, 1])
    turns = float(rng.choice([2, 2, 4])) * abs(side) * np.sign(side)
    level = float(rng.uniform(-20, 20))

    def view(picture: Picture, k: int) -> Picture:
        here, there = (-side + turns * eased((k + step - at) / length) for step in (-0.5, 0.5))
        return smeared(moved(picture, (here + there) / 2, level, zoom), (there - here) * zoom, 0)

    return shot.changed(view)


def pan(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """A pan over the whole shot that starts and stops softly, over 30 to 120 frames."""
    zoom, length = float(rng.uniform(1.3, 2)), int(rng.integers(30, 120))
    side = WIDTH * (1 - 1 / zoom) / 2 * rng.choice([-1, 1])
    tilt = HEIGHT * (1 - 1 / zoom) / 2 * rng.uniform(-1, 1)

    def view(picture: Picture, k: int) -> Picture:
        done = 2 * eased((k - at) / length) - 1
        return moved(picture, side * done, tilt * done, zoom)

    return shot.changed(view)


def shake(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """Heavy shake from frame `at` for 10 to 50 frames: an earthquake, a runner, a blow against the camera."""
    size = float(rng.uniform(10, 45))
    paths = [sway(rng, size, slowest=14, fastest=3) for _ in range(2)]
    roll = sway(rng, 5, slowest=14, fastest=4)
    fade = float(rng.uniform(8, 40))

    def view(picture: Picture, k: int) -> Picture:
        force = float(np.exp(-(((k - at) / fade) ** 2))) if k >= at else 0.0
        x, y = (path(k) * force for path in paths)
        nx, ny = (path(k + 0.5) * force for path in paths)
        return smeared(moved(picture, x, y, 1.25, roll(k) * force), (nx - x) * 1.25, (ny - y) * 1.25)

    return shot.changed(view)


def zoom(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """A zoom in or out: slow, or a crash zoom of 4 to 12 frames."""
    length = int(rng.integers(4, 13)) if rng.random() < 0.5 else int(rng.integers(20, 80))
    near, x, y = float(rng.uniform(1.5, 3.2)), float(rng.uniform(-40, 40)), float(rng.uniform(-20, 20))
    outward = rng.random() < 0.4

    def view(picture: Picture, k: int) -> Picture:
        done = eased((k - at) / length)
        done = 1 - done if outward else done
        return moved(picture, x * done, y * done, float(np.exp(np.log(near) * done)))

    return shot.changed(view)


def dolly(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """A fast ride forward: what lies outside the middle streams away, blurred."""
    speed, length = float(rng.uniform(0.01, 0.05)), int(rng.integers(12, 40))

    def view(picture: Picture, k: int) -> Picture:
        way = float(np.clip(k - at, 0, length))
        near = 1 + way * speed
        seen = moved(picture, 3 * np.sin(way / 7), 0, near)
        if not 0 < k - at < length:
            return seen
        closer = [moved(picture, 3 * np.sin(way / 7), 0, near * (1 + step * speed)) for step in (0.4, 0.8)]
        return np.asarray(np.mean([seen, *closer], axis=0), dtype=np.uint8)

    return shot.changed(view)


def roll(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """The camera turns about its axis by 60 to 180 degrees in 10 to 40 frames."""
    length, turn = int(rng.integers(10, 40)), float(rng.uniform(60, 180) * rng.choice([-1, 1]))
    return shot.changed(lambda picture, k: moved(picture, 0, 0, 1.1, turn * eased((k - at) / length)))


def focus(shot: Shot, rng: np.random.Generator, at: int) -> Shot:
    """The focus goes and comes back, or goes for good, in 8 to 40 frames."""
    length, depth, stays = int(rng.integers(8, 40)), float(rng.uniform(3, 11)), rng.random() < 0.3

    def view(picture: Picture, k: int) -> Picture:
        done = eased((k - at) / length)
        return soft(picture, depth * (done if stays else np.sin(np.pi * done)))

    return shot.changed(view)
