"""Families of generated shots that look filmed: rooms, faces, streets, crowds, landscapes, sport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from stress.camera import View, sway
from stress.picture import HEIGHT, WIDTH, Colour, Picture, clouds, flat, painted, soft
from stress.scene import SKINS, Layer, Scene, blob, colour_of, cut_out, person, polygon, shoot, spot

if TYPE_CHECKING:
    from stress.scene import Actor
    from stress.shot import Shot

WIDE = (760, 320)


def landscape(rng: np.random.Generator) -> Shot:
    """Sky, and two or three ridges one before the other."""
    width, height = WIDE
    sky = [colour_of(rng, 60, 200), colour_of(rng, 120, 250)]
    far = painted(
        np.clip(np.linspace(0, 1, height, dtype=np.float32)[:, None] + 0.4 * (clouds(rng, width, height) - 0.5), 0, 1),
        sky,
    )
    layers = []
    for number in range(int(rng.integers(2, 4))):
        ridge = clouds(rng, width, 8, cells=1, rough=0.6)[4] * 70 + height * (0.38 + 0.14 * number)
        mask = np.clip(np.arange(height, dtype=np.float32)[:, None] - ridge[None], 0, 1)
        dark = colour_of(rng, 10, 90)
        ground = painted(
            clouds(rng, width, height, cells=12, rough=0.8), [dark, (dark[0] + 60, dark[1] + 70, dark[2] + 30)]
        )
        layers.append(Layer(canvas=cut_out(ground, mask), near=1 + 0.5 * number))
    people = [
        person(rng, rng.uniform(-120, 120), 50, rng.uniform(30, 90), 1.5, rng.uniform(-0.5, 0.5))
        for _ in range(int(rng.integers(0, 3)))
    ]
    return shoot("landscape", rng, Scene(far=far, layers=tuple(layers), actors=tuple(people)))


def room(rng: np.random.Generator) -> Shot:
    """Walls, a floor in perspective, furniture and one to three people who move a little."""
    width, height = WIDE
    wall, floor = colour_of(rng, 40, 220), colour_of(rng, 30, 160)
    far = painted(clouds(rng, width, height, cells=2), [(wall[0] * 0.7, wall[1] * 0.7, wall[2] * 0.7), wall])
    rows = np.arange(height, dtype=np.float32)[:, None] - height * 0.62
    depth = 4000 / np.maximum(rows, 1)
    across = (np.arange(width, dtype=np.float32)[None] - width / 2) * depth / 160
    tiles = ((np.floor(across / 18) + np.floor(depth / 14)) % 2).astype(np.float32)
    ground = painted(
        tiles * 0.6 + 0.4 * clouds(rng, width, height, cells=20), [floor, (floor[0] + 50, floor[1] + 45, floor[2] + 40)]
    )
    far = np.where(rows[..., None] > 0, ground, far)
    for _ in range(int(rng.integers(3, 9))):
        x, y, w, h = rng.uniform(0, width), rng.uniform(40, 240), rng.uniform(15, 110), rng.uniform(15, 90)
        polygon(far, np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]), colour_of(rng))
    people = [
        person(rng, rng.uniform(-110, 110), rng.uniform(10, 60), rng.uniform(80, 190))
        for _ in range(int(rng.integers(1, 4)))
    ]
    return shoot("room", rng, Scene(far=far, actors=tuple(people), noise=rng.uniform(1, 4)))


def face(rng: np.random.Generator) -> Shot:
    """A close-up before a background out of focus."""
    dark, bright = colour_of(rng, 5, 120), colour_of(rng, 60, 230)
    far = soft(painted(clouds(rng, 420, 260, cells=4, rough=0.7), [dark, bright]), 5)
    speaker = _speaker(rng, rng.uniform(-70, 70), rng.uniform(-10, 25), rng.uniform(45, 95))
    return shoot("face", rng, Scene(far=far, actors=(speaker,), noise=rng.uniform(1, 3)))


def _speaker(rng: np.random.Generator, x: float, y: float, size: float) -> Actor:
    skin, coat, hair = SKINS[int(rng.integers(len(SKINS)))], colour_of(rng), colour_of(rng, 10, 140)
    shade: Colour = (skin[0] * 0.75, skin[1] * 0.72, skin[2] * 0.7)
    moves = [sway(rng, size * 0.18), sway(rng, size * 0.1), sway(rng, 8)]
    mouth, blink = sway(rng, 1.0, slowest=20, fastest=5), rng.integers(40, 90)
    long_hair = rng.random() < 0.5

    def draw(picture: Picture, k: float, view: View) -> None:
        s = size * view[2]
        hx, hy = spot(view, x + moves[0](k), y + moves[1](k), 1.6)
        tilt = moves[2](k)
        blob(picture, (hx, hy + 1.75 * s), (1.5 * s, 0.85 * s), coat)
        if long_hair:
            blob(picture, (hx, hy + 0.3 * s), (0.85 * s, 1.25 * s), hair, tilt)
        blob(picture, (hx, hy + 0.9 * s), (0.32 * s, 0.5 * s), shade)
        blob(picture, (hx, hy - 0.18 * s), (0.78 * s, 0.95 * s), hair, tilt)
        blob(picture, (hx, hy + 0.05 * s), (0.66 * s, 0.88 * s), skin, tilt)
        blob(
            picture,
            (hx + 0.3 * s, hy + 0.15 * s),
            (0.3 * s, 0.6 * s),
            (skin[0] * 0.9, skin[1] * 0.88, skin[2] * 0.86),
            tilt,
        )
        for side in (-1, 1):
            if k % blink > 3:
                blob(picture, (hx + side * 0.26 * s, hy - 0.08 * s), (0.13 * s, 0.07 * s), (235, 232, 228))
                blob(
                    picture,
                    (hx + side * 0.26 * s + moves[0](k + 9) * 0.1, hy - 0.08 * s),
                    (0.06 * s, 0.065 * s),
                    (40, 28, 22),
                )
            blob(picture, (hx + side * 0.27 * s, hy - 0.27 * s), (0.19 * s, 0.04 * s), hair)
        blob(picture, (hx, hy + 0.18 * s), (0.07 * s, 0.17 * s), shade)
        blob(picture, (hx, hy + 0.5 * s), (0.22 * s, (0.06 + 0.09 * abs(mouth(k))) * s), (140, 50, 55))

    return draw


def street(rng: np.random.Generator) -> Shot:
    """A road at night: lights out of focus, cars that pass."""
    width, height = WIDE
    far = painted(clouds(rng, width, height, cells=2), [(4, 4, 10), (26, 24, 44)])
    for _ in range(int(rng.integers(25, 70))):
        size = rng.uniform(1, 11)
        blob(far, (rng.uniform(0, width), rng.uniform(20, 190)), (size, size), colour_of(rng, 60, 255))
    far = soft(far, 1.5)
    cars = [_lights(rng) for _ in range(int(rng.integers(1, 6)))]
    return shoot("street", rng, Scene(far=far, actors=tuple(cars), noise=rng.uniform(3, 8)))


def _lights(rng: np.random.Generator) -> Actor:
    start, y, speed = rng.uniform(-400, 400), rng.uniform(20, 70), rng.uniform(1, 7) * rng.choice([-1, 1])
    colour: Colour = (250, 240, 200) if speed > 0 else (230, 30, 24)
    size, gap = rng.uniform(2, 7), rng.uniform(14, 40)

    def draw(picture: Picture, k: float, view: View) -> None:
        x = (start + speed * k + 400) % 800 - 400
        for side in (0.0, gap):
            blob(picture, spot(view, x + side, y, 1.3), (size * view[2], size * view[2]), colour)

    return draw


def crowd(rng: np.random.Generator) -> Shot:
    """Rows of people who sway; at times with raised arms and stage light."""
    wall = [colour_of(rng, 5, 80), colour_of(rng, 40, 200)]
    far = painted(clouds(rng, 520, 260, cells=2), wall)
    rows = sorted(rng.uniform(-10, 95, int(rng.integers(25, 55))))
    people = [
        person(rng, rng.uniform(-210, 210), y, 40 + (y + 10) * 0.7, 1 + y / 120, rng.choice([0, rng.uniform(-1, 1)]))
        for y in rows
    ]
    return shoot("crowd", rng, Scene(far=far, actors=tuple(people)))


def sport(rng: np.random.Generator) -> Shot:
    """A field with lines and running players, from a camera that follows."""
    width, height = WIDE
    green = colour_of(rng, 30, 70)
    field: Colour = (green[0], green[1] + 70, green[2])
    far = painted(
        clouds(rng, width, height, cells=24, rough=0.9), [field, (field[0] + 25, field[1] + 30, field[2] + 20)]
    )
    far[: height // 4] = painted(clouds(rng, width, height // 4, cells=16, rough=0.95), [(20, 20, 40), (200, 190, 180)])
    for x in np.arange(rng.uniform(0, 90), width, rng.uniform(60, 160)):
        polygon(
            far, np.array([(x, height / 4), (x + 3, height / 4), (x + 43, height), (x + 38, height)]), (225, 230, 225)
        )
    players = [
        person(rng, rng.uniform(-260, 260), rng.uniform(-20, 75), rng.uniform(26, 46), 1.0, rng.uniform(-2.5, 2.5))
        for _ in range(int(rng.integers(4, 13)))
    ]
    return shoot("sport", rng, Scene(far=far, actors=tuple(players)))


def foliage(rng: np.random.Generator) -> Shot:
    """Leaves that shiver in the wind."""
    hue = colour_of(rng, 20, 90)
    leaves = painted(
        clouds(rng, 560, 300, cells=18, rough=0.95),
        [(hue[0] * 0.3, hue[1] * 0.4, 8), (hue[0], hue[1] + 60, hue[2]), (230, 240, 190)],
    )
    wind = [sway(rng, 5, fastest=9), sway(rng, 5, fastest=9)]
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    waves = (np.sin(x / 23 + y / 31), np.cos(x / 17 - y / 27))

    def rustle(picture: Picture, k: int) -> Picture:
        moved = (x + (waves[0] * wind[0](k)).astype(np.float32), y + (waves[1] * wind[1](k)).astype(np.float32))
        return np.asarray(
            cv2.remap(picture, *moved, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), dtype=np.uint8
        )

    return shoot("foliage", rng, Scene(far=leaves)).changed(rustle)


def fog(rng: np.random.Generator) -> Shot:
    """Low contrast: figures in haze, in the dark or in the bright."""
    base = rng.uniform(12, 210)
    far = painted(clouds(rng, *WIDE, cells=2), [(base, base, base + 4), (base + 18, base + 17, base + 16)])
    tone = base + rng.uniform(-14, 24)
    spots = [
        (rng.uniform(-150, 150), rng.uniform(-60, 60), rng.uniform(10, 60), sway(rng, 30))
        for _ in range(int(rng.integers(1, 5)))
    ]

    def draw(picture: Picture, k: float, view: View) -> None:
        for x, y, size, path in spots:
            blob(picture, spot(view, x + path(k), y), (size, size * 1.6), (tone, tone - 2, tone - 4))

    return shoot("fog", rng, Scene(far=far, actors=(draw,), softness=3.0, noise=rng.uniform(0.5, 3)))


def plain(rng: np.random.Generator) -> Shot:
    """One person before a wall of one colour: an interview, a vlog."""
    wall = colour_of(rng, 60, 235)
    far = soft(painted(clouds(rng, 420, 260, cells=1), [wall, (wall[0] - 20, wall[1] - 20, wall[2] - 25)]), 2)
    speaker = _speaker(rng, rng.uniform(-40, 40), rng.uniform(0, 20), rng.uniform(40, 75))
    return shoot(
        "plain",
        rng,
        Scene(far=far if rng.random() < 0.8 else flat(wall, 420, 260), actors=(speaker,), noise=rng.uniform(0.5, 3)),
    )
