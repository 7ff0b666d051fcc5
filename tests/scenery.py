"""Moving pictures made for tests of cut detection: each shot is a texture of its own that the camera passes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from snapupscale.media.samples import COLUMNS, ROWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY = np.full((1, ROWS, COLUMNS, 3), 128, dtype=np.uint8)
BLACK = np.array([16, 128, 128], dtype=np.uint8) * np.ones((1, ROWS, COLUMNS, 3), dtype=np.uint8)
WHITE = np.array([240, 128, 128], dtype=np.uint8) * np.ones((1, ROWS, COLUMNS, 3), dtype=np.uint8)


def texture(seed: int, rows: int, columns: int, *, cell: int = 9) -> NDArray[np.uint8]:
    """Coloured clouds with details of about `cell` pixels: rows x columns x 3, levels 20 to 235 about a tint."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(-1, 1, (rows // cell + 3, columns // cell + 3, 3)).astype(np.float32)
    clouds = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    middle = random.uniform(90, 165, 3)
    return np.asarray(np.clip(clouds * 70 + middle, 20, 235), dtype=np.uint8)


def shot(seed: int, count: int, *, speed: tuple[float, float] = (0, 0), noise: float = 1) -> NDArray[np.uint8]:
    """`count` thumbnails of one texture; the camera moves by `speed` rows and columns a frame."""
    down, right = (int(abs(each) * count) + 1 for each in speed)
    sheet = texture(seed, ROWS + down, COLUMNS + right)
    random = np.random.default_rng(seed + 1000)
    frames = []
    for number in range(count):
        row, column = (round(abs(each) * number) for each in speed)
        frame = sheet[row : row + ROWS, column : column + COLUMNS]
        frames.append(np.clip(frame + random.normal(0, noise, frame.shape), 0, 255).astype(np.uint8))
    return np.stack(frames)


def dissolve(first: NDArray[np.uint8], second: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """`count` frames between the last of `first` and the first of `second`, each a mixture of the two."""
    share = (np.arange(1, count + 1) / (count + 1))[:, None, None, None]
    return np.rint(first[-1] * (1 - share) + second[0] * share).astype(np.uint8)


def wipe(first: NDArray[np.uint8], second: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """`count` frames in which the first of `second` comes in over the last of `first`, from the left."""
    edges = np.rint(np.arange(1, count + 1) / (count + 1) * COLUMNS)
    over = np.arange(COLUMNS) < edges[:, None]
    return np.where(over[:, None, :, None], second[0], first[-1]).astype(np.uint8)
