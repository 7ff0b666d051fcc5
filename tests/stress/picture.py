"""Pictures of the stress set, 180 rows of 320 RGB pixels, and what is done to one of them."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 320, 180
Picture: TypeAlias = NDArray[np.uint8]
Field: TypeAlias = NDArray[np.float32]
Colour: TypeAlias = tuple[float, float, float]
GREY = np.array([[0.299, 0.587, 0.114]] * 3, dtype=np.float32)


def flat(colour: Colour, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    return np.full((height, width, 3), np.clip(colour, 0, 255), dtype=np.uint8)


def clouds(rng: np.random.Generator, width: int, height: int, *, cells: float = 3, rough: float = 0.55) -> Field:
    """Fractal noise from 0 to 1, `cells` of the coarsest blobs high; `rough` is how much fine noise counts."""
    total = np.zeros((height, width), dtype=np.float32)
    weight, size = 1.0, cells
    while size < height / 2:
        grid = rng.random((int(size) + 2, int(size * width / height) + 2), dtype=np.float32)
        total += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        weight *= rough
        size *= 2
    low, high = float(total.min()), float(total.max())
    return np.asarray((total - low) / max(high - low, 1e-6), dtype=np.float32)


def painted(field: Field, colours: list[Colour]) -> Picture:
    """`field` from 0 to 1 through the gradient of `colours`."""
    steps = np.linspace(0, 1, len(colours))
    channels = [np.interp(np.linspace(0, 1, 256), steps, [colour[c] for colour in colours]) for c in range(3)]
    table = np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8)
    return table[np.clip(field * 255, 0, 255).astype(np.uint8)]


def look(
    canvas: NDArray[np.uint8],
    x: float,
    y: float,
    zoom: float = 1.0,
    angle: float = 0.0,
    *,
    border: int = cv2.BORDER_REFLECT_101,
) -> NDArray[np.uint8]:
    """What a camera sees that points at (x, y) of `canvas`; `zoom` enlarges, `angle` is in degrees."""
    turn = np.deg2rad(angle)
    a, b = np.cos(turn) / zoom, np.sin(turn) / zoom
    inverse = np.array([[a, -b, x - a * WIDTH / 2 + b * HEIGHT / 2], [b, a, y - b * WIDTH / 2 - a * HEIGHT / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(canvas, inverse, (WIDTH, HEIGHT), flags=flags, borderMode=border), dtype=np.uint8)


def blend(under: Picture, over: Picture, share: float) -> Picture:
    """`over` weighs `share`, 0 to 1."""
    return np.asarray(cv2.addWeighted(under, 1 - share, over, share, 0), dtype=np.uint8)


def paste(under: Picture, over: Picture, mask: Field) -> Picture:
    """`over` where `mask` is 1, `under` where it is 0."""
    weight = mask[..., None]
    return np.asarray(under * (1 - weight) + over * weight + 0.5, dtype=np.uint8)


def grade(picture: Picture, gain: Colour = (1, 1, 1), gamma: float = 1.0, lift: float = 0.0) -> Picture:
    """Each channel times its gain after the gamma, plus `lift` levels."""
    levels = np.linspace(0, 1, 256) ** gamma * 255
    table = np.clip(levels[:, None] * np.asarray(gain)[None] + lift, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table[None]), dtype=np.uint8)


def grey(picture: Picture) -> Picture:
    return np.asarray(cv2.transform(picture, GREY), dtype=np.uint8)


def smeared(picture: Picture, dx: float, dy: float) -> Picture:
    """Motion blur along (dx, dy) pixels."""
    length = int(max(abs(dx), abs(dy)))
    if length < 2:
        return picture
    if abs(dy) * 8 < abs(dx):
        return np.asarray(cv2.blur(picture, (length, 1)), dtype=np.uint8)
    size = length | 1
    kernel = np.zeros((size, size), dtype=np.float32)
    centre, scale = size // 2, (size // 2) / length
    ends = [(round(centre + sign * dx * scale), round(centre + sign * dy * scale)) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), dtype=np.uint8)


def soft(picture: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8) if sigma > 0.3 else picture


@cache
def _noise() -> NDArray[np.int16]:
    return (np.random.default_rng(7).standard_normal((480, 640, 1)) * 64).astype(np.int16)


def grain(picture: Picture, strength: float, seed: int, frame: int) -> Picture:
    """Add luminance noise of `strength` levels (standard deviation), another for every frame."""
    spot = (seed * 2654435761 + frame * 40503 * 977) % (2**31)
    top, left = spot % 300, spot // 300 % 320
    noise = _noise()[top : top + picture.shape[0], left : left + picture.shape[1]]
    scaled = (noise * (strength / 64)).astype(np.int16)
    return np.asarray(cv2.add(picture, np.repeat(scaled, 3, axis=2), dtype=cv2.CV_8U), dtype=np.uint8)


def squashed(picture: Picture, quality: int) -> Picture:
    """The picture after JPEG of `quality`, 1 to 100."""
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def difference(one: Picture, other: Picture) -> float:
    """Mean absolute difference in levels, of pictures made small so that noise counts little."""
    size = (32, 18)
    small = [cv2.resize(each, size, interpolation=cv2.INTER_AREA).astype(np.int16) for each in (one, other)]
    return float(np.abs(small[0] - small[1]).mean())
