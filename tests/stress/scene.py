"""A generated shot: a canvas far behind, layers nearer that move faster, actors, one camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from stress.camera import View, camera, sway
from stress.picture import HEIGHT, WIDTH, Colour, Field, Picture, grain, look, paste, soft
from stress.shot import ENDLESS, Shot

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Actor: TypeAlias = "Callable[[Picture, float, View], None]"
"""Draws itself into the picture at frame k as the camera sees it."""
SUBPIXEL = 4


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A canvas of RGB and opacity that moves `near` times as fast as the far one."""

    canvas: NDArray[np.uint8]
    near: float


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What stands before the camera; `still` keeps the camera on a tripod."""

    far: Picture
    layers: tuple[Layer, ...] = ()
    actors: tuple[Actor, ...] = ()
    noise: float = 2.0
    softness: float = 0.0
    still: bool = False


def shoot(name: str, rng: np.random.Generator, scene: Scene) -> Shot:
    """Film `scene` with a camera of the usual kinds."""
    view = (lambda _: (0.0, 0.0, 1.0, 0.0)) if scene.still else camera(rng)
    seed = int(rng.integers(2**31))

    def at(k: int) -> Picture:
        seen = view(k)
        picture = _seen(scene.far, seen, 1.0)
        for layer in scene.layers:
            picture = over(picture, _seen(layer.canvas, seen, layer.near))
        for actor in scene.actors:
            actor(picture, k, seen)
        return grain(soft(picture, scene.softness), scene.noise, seed, k)

    return Shot(name=f"{name}-{seed}", look=name, length=ENDLESS, at=at)


def _seen(canvas: NDArray[np.uint8], view: View, near: float) -> NDArray[np.uint8]:
    x, y, zoom, angle = view
    height, width = canvas.shape[:2]
    return look(canvas, width / 2 + x * near, height / 2 + y * near, zoom, angle)


def over(picture: Picture, layer: NDArray[np.uint8]) -> Picture:
    """A layer of RGB and opacity over the picture."""
    return paste(picture, layer[..., :3], layer[..., 3] * np.float32(1 / 255))


def cut_out(canvas: Picture, mask: Field) -> NDArray[np.uint8]:
    """RGB and opacity; `mask` from 0 to 1."""
    return np.dstack([canvas, (np.clip(mask, 0, 1) * 255).astype(np.uint8)])


def spot(view: View, x: float, y: float, near: float = 1.0) -> tuple[float, float]:
    """Where the point (x, y), counted from the middle of the scene, is in the picture."""
    return (x - view[0] * near) * view[2] + WIDTH / 2, (y - view[1] * near) * view[2] + HEIGHT / 2


def blob(
    picture: Picture, centre: tuple[float, float], axes: tuple[float, float], colour: Colour, tilt: float = 0.0
) -> None:
    """A filled ellipse with a smooth edge, at a fraction of a pixel."""
    if not (-400 < centre[0] < 800 and -400 < centre[1] < 600):
        return
    scale = 1 << SUBPIXEL
    middle = round(centre[0] * scale), round(centre[1] * scale)
    radii = max(1, round(axes[0] * scale)), max(1, round(axes[1] * scale))
    cv2.ellipse(picture, middle, radii, tilt, 0, 360, colour, -1, cv2.LINE_AA, SUBPIXEL)


def polygon(picture: Picture, points: NDArray[np.float64], colour: Colour, outline: float = 0) -> None:
    """A filled polygon, points x 2 pixels, outlined in black by `outline` pixels."""
    whole = np.round(points * (1 << SUBPIXEL)).astype(np.int32)
    cv2.fillPoly(picture, [whole], colour, cv2.LINE_AA, SUBPIXEL)
    if outline:
        cv2.polylines(picture, [whole], True, (15, 10, 20), max(1, round(outline)), cv2.LINE_AA, SUBPIXEL)


def colour_of(rng: np.random.Generator, low: float = 20, high: float = 235) -> Colour:
    red, green, blue = rng.uniform(low, high, 3)
    return float(red), float(green), float(blue)


SKINS: tuple[Colour, ...] = ((236, 196, 170), (214, 160, 124), (178, 118, 84), (120, 76, 52), (88, 56, 42))


def person(rng: np.random.Generator, x: float, y: float, size: float, near: float = 1.0, speed: float = 0.0) -> Actor:
    """Someone who stands or walks at (x, y), `size` pixels tall, seen whole."""
    skin = SKINS[int(rng.integers(len(SKINS)))]
    coat, legs, hair = colour_of(rng), colour_of(rng, 10, 110), colour_of(rng, 10, 110)
    lean, nod = sway(rng, size * 0.06), sway(rng, size * 0.02, fastest=8)

    def draw(picture: Picture, k: float, view: View) -> None:
        at, size_now = spot(view, x + speed * k + lean(k), y, near), size * view[2]
        swing = np.sin(k * 0.35) * 0.08 * size_now if speed else 0.0
        for side in (-1, 1):
            blob(picture, (at[0] + side * swing, at[1] + 0.32 * size_now), (0.07 * size_now, 0.2 * size_now), legs)
        blob(picture, at, (0.14 * size_now, 0.24 * size_now), coat)
        head = (at[0] + nod(k), at[1] - 0.36 * size_now)
        blob(picture, (head[0], head[1] - 0.03 * size_now), (0.085 * size_now, 0.11 * size_now), hair)
        blob(picture, (head[0], head[1] + 0.02 * size_now), (0.07 * size_now, 0.085 * size_now), skin)

    return draw
