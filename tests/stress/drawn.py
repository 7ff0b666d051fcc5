"""Families of generated shots that are drawn, or made of moving stuff: cartoons, water, fire, stars, snow, screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stress.camera import View, sway
from stress.picture import HEIGHT, WIDTH, Colour, Picture, clouds, flat, grain, look, painted
from stress.scene import Scene, blob, colour_of, polygon, shoot, spot
from stress.shot import ENDLESS, Shot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stress.scene import Actor


def cartoon(rng: np.random.Generator) -> Shot:
    """Flat colours and outlines, held for one to four frames while the camera may pan every frame."""
    width, height = 640, 280
    far = painted(
        np.repeat(np.linspace(0, 1, height, dtype=np.float32)[:, None], width, axis=1), [colour_of(rng), colour_of(rng)]
    )
    for _ in range(int(rng.integers(5, 16))):
        centre, size = rng.uniform((0, 60), (width, height)), rng.uniform(15, 80)
        polygon(far, _star(rng, centre, size), colour_of(rng), 1.5)
    figures = [
        _figure(rng, float(rng.uniform(-110, 110)), float(rng.uniform(-20, 50)), float(rng.uniform(25, 80)))
        for _ in range(int(rng.integers(1, 4)))
    ]
    hold = int(rng.choice([1, 2, 2, 3, 3, 4]))
    still = rng.random() < 0.6
    shot = shoot("cartoon", rng, Scene(far=far, actors=tuple(figures), noise=float(rng.choice([0, 0, 1])), still=still))
    return shot.timed(lambda k: k // hold * hold) if still else shot


def _star(rng: np.random.Generator, centre: NDArray[np.floating[Any]], size: float) -> NDArray[np.float64]:
    count = int(rng.integers(4, 11))
    turns = np.sort(rng.uniform(0, 2 * np.pi, count))
    radius = size * rng.uniform(0.5, 1, count)
    return np.asarray(centre + np.stack([np.cos(turns) * radius, np.sin(turns) * radius], axis=1))


def _figure(rng: np.random.Generator, x: float, y: float, size: float) -> Actor:
    parts = [
        (
            _star(rng, np.zeros(2, dtype=np.float32), size * rng.uniform(0.4, 1)),
            rng.uniform(-0.6, 0.6, 2) * size,
            colour_of(rng),
        )
        for _ in range(4)
    ]
    paths = [(sway(rng, size * 0.5, fastest=10), sway(rng, size * 0.4, fastest=10), sway(rng, 0.5)) for _ in parts]

    def draw(picture: Picture, k: float, view: View) -> None:
        for (points, offset, colour), (across, down, turn) in zip(parts, paths, strict=True):
            at = np.array(spot(view, x + offset[0] + across(k), y + offset[1] + down(k)))
            cosine, sine = np.cos(turn(k)), np.sin(turn(k))
            polygon(picture, points @ np.array([[cosine, sine], [-sine, cosine]]) * view[2] + at, colour, 2)

    return draw


def _sheets(rng: np.random.Generator, cells: float, rough: float = 0.6) -> tuple[Picture, Picture]:
    first, second = (
        np.repeat((clouds(rng, 512, 384, cells=cells, rough=rough) * 255).astype(np.uint8)[..., None], 3, axis=2)
        for _ in range(2)
    )
    return first, second


def water(rng: np.random.Generator) -> Shot:
    """Waves: two textures that run through each other."""
    first, second = _sheets(rng, rng.uniform(5, 16), 0.7)
    dark, deep = colour_of(rng, 5, 60), rng.uniform(60, 150)
    colours: list[Colour] = [dark, (dark[0] + 20, deep, deep + 50), (240, 248, 250)]
    speeds, seed = rng.uniform(-3, 3, 4), int(rng.integers(2**31))

    def at(k: int) -> Picture:
        one = look(first, 256 + speeds[0] * k, 192 + speeds[1] * k, 1.3)[..., 0].astype(np.float32)
        two = look(second, 256 + speeds[2] * k, 192 + speeds[3] * k)[..., 0].astype(np.float32)
        return grain(painted(one * two * (1.5 / 255**2), colours), 2, seed, k)

    return Shot(name=f"water-{seed}", look="water", length=ENDLESS, at=at)


def fire(rng: np.random.Generator) -> Shot:
    """Flames that rise and flicker."""
    first, second = _sheets(rng, rng.uniform(3, 6), 0.65)
    fall = np.linspace(-0.5, 0.75, HEIGHT, dtype=np.float32)[:, None]
    colours: list[Colour] = [(2, 1, 1), (40, 8, 2), (190, 60, 8), (250, 180, 40), (255, 245, 200)]
    speed, flicker, seed = rng.uniform(4, 10), sway(rng, 0.3, slowest=16, fastest=3), int(rng.integers(2**31))

    def at(k: int) -> Picture:
        one = look(first, 256, 192 + speed * k, 1.2)[..., 0].astype(np.float32) / 255
        two = look(second, 256 + 1.3 * k, 192 + speed * 1.7 * k)[..., 0].astype(np.float32) / 255
        return grain(painted(np.clip(one * two * 2 + fall + flicker(k) - 0.25, 0, 1), colours), 2, seed, k)

    return Shot(name=f"fire-{seed}", look="fire", length=ENDLESS, at=at)


def stars(rng: np.random.Generator) -> Shot:
    """Points on black, perhaps a nebula and a planet, that drift."""
    far = painted(
        np.asarray(clouds(rng, 640, 300, cells=2) ** 3, dtype=np.float32), [(1, 1, 4), colour_of(rng, 5, 120)]
    )
    for _ in range(int(rng.integers(60, 400))):
        size, tone = rng.uniform(0.4, 1.3), rng.uniform(80, 255)
        blob(far, (rng.uniform(0, 640), rng.uniform(0, 300)), (size, size), (tone, tone, tone))
    if rng.random() < 0.5:
        size = rng.uniform(20, 90)
        blob(far, (rng.uniform(180, 460), rng.uniform(60, 240)), (size, size), colour_of(rng, 30, 160))
    return shoot("stars", rng, Scene(far=far, noise=1))


def _falling(
    rng: np.random.Generator, count: int, colours: list[Colour], size: tuple[float, float], fall: tuple[float, float]
) -> Actor:
    start = rng.uniform((0, 0), (WIDTH + 40, HEIGHT + 40), (count, 2))
    speed, sizes = rng.uniform(*fall, count), rng.uniform(*size, count)
    drift, phase = rng.uniform(-1.2, 1.2), rng.uniform(0, 6, count)

    def draw(picture: Picture, k: float, _: View) -> None:
        xs = (start[:, 0] + drift * k + 6 * np.sin(k * 0.09 + phase)) % (WIDTH + 40) - 20
        ys = (start[:, 1] + speed * k) % (HEIGHT + 40) - 20
        for i in range(count):
            wide = sizes[i] * (abs(np.sin(k * 0.2 + phase[i])) * 0.7 + 0.3)
            blob(picture, (xs[i], ys[i]), (wide, sizes[i]), colours[i % len(colours)])

    return draw


def confetti(rng: np.random.Generator) -> Shot:
    """Hundreds of coloured pieces that fall before a stage."""
    far = painted(clouds(rng, 420, 260, cells=2), [colour_of(rng, 5, 90), colour_of(rng, 40, 200)])
    pieces = _falling(rng, int(rng.integers(60, 220)), [colour_of(rng, 60, 255) for _ in range(6)], (1.5, 5), (1, 5))
    return shoot("confetti", rng, Scene(far=far, actors=(pieces,)))


def snow(rng: np.random.Generator) -> Shot:
    """Snow that falls in the dark or before a grey sky."""
    far = painted(clouds(rng, 420, 260, cells=3), [colour_of(rng, 20, 90), colour_of(rng, 60, 170)])
    flakes = _falling(rng, int(rng.integers(100, 300)), [(240, 240, 245)], (0.6, 3), (1.5, 6))
    return shoot("snow", rng, Scene(far=far, actors=(flakes,)))


def screen(rng: np.random.Generator) -> Shot:
    """A page of text and pictures that scrolls now and then: a screen capture."""
    dark = rng.random() < 0.3
    page = flat((28, 30, 34) if dark else (246, 246, 248), 340, 1600)
    ink: Colour = (210, 210, 214) if dark else (40, 40, 46)
    y = 14.0
    while y < 1580:
        if rng.random() < 0.12:
            tall, wide = rng.uniform(25, 60), rng.uniform(80, 250)
            polygon(page, np.array([(30, y), (30 + wide, y), (30 + wide, y + tall), (30, y + tall)]), colour_of(rng))
            y += tall + 8
            continue
        x, end = 30.0, rng.uniform(120, 310)
        while x < end:
            word = rng.uniform(6, 26)
            polygon(page, np.array([(x, y), (x + word, y), (x + word, y + 3), (x, y + 3)]), ink)
            x += word + 4
        y += 8
    scrolled = np.cumsum(rng.uniform(0, 40, 4000) * (rng.random(4000) < 0.02))
    scrolled = np.convolve(scrolled, np.full(7, 1 / 7), mode="same")
    seed = int(rng.integers(2**31))

    def at(k: int) -> Picture:
        return look(page, 170, 100 + float(scrolled[k % 4000]) % 1400)

    return Shot(name=f"screen-{seed}", look="screen", length=ENDLESS, at=at)


def colours(rng: np.random.Generator) -> Shot:
    """Soft shapes of light out of focus that glide: a title's background, an abstract visual."""
    tones = [colour_of(rng, 0, 255) for _ in range(4)]
    first, _ = _sheets(rng, 2, 0.3)
    turn, seed = rng.uniform(-0.6, 0.6), int(rng.integers(2**31))

    def at(k: int) -> Picture:
        field = look(first, 256 + k * 0.7, 192, 1.0, turn * k)[..., 0] * np.float32(1 / 255)
        return grain(painted(field, tones), 1, seed, k)

    return Shot(name=f"colours-{seed}", look="colours", length=ENDLESS, at=at)
