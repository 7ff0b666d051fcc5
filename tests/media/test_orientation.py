from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from snapupscale.media import pixels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_a_picture_is_turned_as_players_turn_it(clip: Callable[..., Path], degrees: int) -> None:
    with av.open(str(clip(f"turned{degrees}.mp4", frames=2, rotation=degrees))) as container:
        frame = next(container.decode(video=0))
    image = pixels.to_rgb(frame)
    assert np.array_equal(pixels.upright(image, frame), np.rot90(image, frame.rotation // 90))


class Framed:
    """A frame with nothing but a display matrix."""

    def __init__(self, a: int, b: int, c: int, d: int) -> None:
        one = 1 << 16
        matrix = np.array([a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30], dtype=np.int32)
        self.side_data = {"DISPLAYMATRIX": matrix.tobytes()}


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), lambda image: image),
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
        ((1, 0, 0, -1), lambda image: image[::-1]),
        ((0, 1, 1, 0), lambda image: image.swapaxes(0, 1)),
    ],
)
def test_mirrored_pictures(matrix: tuple[int, int, int, int], expected: Callable[[np.ndarray], np.ndarray]) -> None:
    image = np.arange(24, dtype=np.uint16).reshape(4, 2, 3)
    assert np.array_equal(pixels.upright(image, Framed(*matrix)), expected(image))  # type: ignore[arg-type]


def test_odd_angles_are_left_alone() -> None:
    image = np.arange(24, dtype=np.uint16).reshape(4, 2, 3)
    assert pixels.upright(image, Framed(1, 1, -1, 1)) is image  # type: ignore[arg-type]
