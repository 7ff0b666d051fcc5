"""Footage made for tests: every frame carries its number as a row of black and white blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BITS = 12


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a clip is made; `pts` gives the timestamps in units of `time_base` where they are not one per frame."""

    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    width: int = 192
    height: int = 108
    frames: int = 60
    rate: Fraction = Fraction(24)
    options: dict[str, str] = field(default_factory=dict)
    pts: Sequence[int] | None = None
    time_base: Fraction | None = None
    aspect: Fraction | None = None
    rotation: int = 0
    tags: tuple[int, int, int, int] | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    container: str | None = None
    container_options: dict[str, str] = field(default_factory=dict)


def numbered(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """A moving gradient with `number` written in binary blocks along the top."""
    x = np.linspace(0, 255, width)[None, :]
    y = np.linspace(0, 255, height)[:, None]
    shift = number * 5 % 256
    image = np.stack([(x + shift) % 256 + 0 * y, y + 0 * x, (x / 2 + y / 2 + shift) % 256], axis=-1).astype(np.uint8)
    block = max(2, width // BITS)
    tall = max(4, height // 4)
    for bit in range(BITS):
        image[:tall, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 16
    return image


def read_number(image: NDArray[Any]) -> int:
    """The number that `numbered` wrote into an RGB picture of any depth and scale."""
    height, width = image.shape[:2]
    peak = 255 if image.dtype == np.uint8 else 65535
    block = max(2, width // BITS)
    tall = max(4, height // 4)
    grey = image[..., :3].astype(np.float64).mean(axis=-1) / peak
    inner = grey[tall // 4 : tall // 2]
    margin = block // 4
    values = [inner[:, bit * block + margin : (bit + 1) * block - margin].mean() for bit in range(BITS)]
    return sum(1 << bit for bit, value in enumerate(values) if value > 0.5)


def make_video(
    path: Path,
    recipe: Recipe | None = None,
    picture: Callable[[int, int, int], NDArray[Any]] = numbered,
    **changes: Any,
) -> Path:
    """Encode a clip to `path`; `changes` are fields of Recipe."""
    recipe = recipe or Recipe(**changes)
    options = {"format": recipe.container} if recipe.container else {}
    with av.open(str(path), "w", options=recipe.container_options, **options) as container:
        stream = container.add_stream(recipe.codec, rate=recipe.rate, options=recipe.options)
        stream.width, stream.height, stream.pix_fmt = recipe.width, recipe.height, recipe.pixel_format
        stream.metadata.update(recipe.metadata)
        if recipe.time_base:
            stream.codec_context.time_base = recipe.time_base
            stream.time_base = recipe.time_base
        if recipe.aspect:
            stream.codec_context.sample_aspect_ratio = recipe.aspect
        if recipe.rotation:
            stream.set_display_rotation(recipe.rotation)
        if recipe.tags:
            _tag(stream.codec_context, recipe.tags)
        for number in range(recipe.frames):
            frame = av.VideoFrame.from_ndarray(picture(number, recipe.width, recipe.height), format="rgb24")
            frame = frame.reformat(format=recipe.pixel_format)
            if recipe.tags:
                _tag(frame, recipe.tags)
            frame.pts = recipe.pts[number] if recipe.pts else number
            frame.time_base = recipe.time_base or 1 / recipe.rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _tag(target: Any, tags: tuple[int, int, int, int]) -> None:
    target.color_primaries, target.color_trc, target.colorspace, target.color_range = tags


def two_shots(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """A warm and a cold shot, with the cut at frame 20."""
    return _tinted(number // 20 % 2, number, width, height)


def long_footage(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Three shots of 20 frames."""
    return _tinted(number // 20 % 3, number, width, height)


def _tinted(shot: int, number: int, width: int, height: int) -> NDArray[np.uint8]:
    image = np.random.default_rng(shot).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    tint = np.array([(1.0, 0.4, 0.2), (0.2, 0.5, 1.0), (0.3, 1.0, 0.3)][shot])
    return np.asarray(image * tint * (0.9 + 0.1 * np.sin(number)), dtype=np.uint8)
