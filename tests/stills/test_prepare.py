from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from snapupscale.media.decoder import Decoder
from snapupscale.media.source import probe
from snapupscale.stills.prepare import still_picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def disc(number: int, width: int, height: int) -> np.ndarray:
    """A disc in coded pixels twice as wide as high: round when shown with the aspect 1:2."""
    y, x = np.mgrid[:height, :width]
    inside = ((x - width / 2) / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2
    return np.repeat(np.where(inside, 235, 30).astype(np.uint8)[..., None], 3, axis=2)


def extent(mask: np.ndarray) -> tuple[int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("wide.mp4", {"aspect": Fraction(1, 2)}),
        ("wide_turned.mp4", {"aspect": Fraction(1, 2), "rotation": 90}),
    ],
)
def test_a_disc_comes_out_round_and_of_the_promised_size(
    clip: Callable[..., Path], name: str, changes: dict[str, object]
) -> None:
    source = probe(clip(name, frames=2, width=240, height=96, picture=disc, **changes))
    picture = still_picture(next(Decoder(source).frames()), source)
    assert picture.shape[1::-1] == source.display_size
    high, wide = extent(picture[..., 1] > 40000)
    assert abs(high - wide) <= 2
