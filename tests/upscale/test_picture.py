from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snapupscale.errors import SettingError
from snapupscale.upscale.picture import LUMA, Picture, bounded


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<f4", ">f4"])
@pytest.mark.parametrize("channels", [None, 3, 4])
def test_what_is_accepted(dtype: str, channels: int | None) -> None:
    image = np.arange(60).reshape(3, 5, 4)[:, :, :channels] if channels else np.arange(15).reshape(3, 5)
    given = (image / 60 if "f" in dtype else image).astype(dtype)
    picture = Picture.of(given)
    assert picture.dtype.isnative
    assert (picture.alpha is not None) == (channels == 4)
    np.testing.assert_array_equal(picture.colour, given[:, :, :3] if channels else given)


@pytest.mark.parametrize(
    ("image", "word"),
    [
        (np.zeros((3, 4, 2), np.uint8), "shape"),
        (np.zeros((3, 4, 1), np.uint8), "shape"),
        (np.zeros(4, np.uint8), "shape"),
        (np.zeros((0, 4), np.uint8), "empty"),
        (np.zeros((4, 0, 3), np.uint8), "empty"),
        (np.zeros((3, 4), np.int16), "int16"),
        (np.zeros((3, 4), np.float64), "float64"),
        (np.zeros((3, 4), bool), "bool"),
        (np.full((3, 4), 1.5, np.float32), "outside"),
        (np.full((3, 4), -0.1, np.float32), "outside"),
        (np.full((3, 4), np.nan, np.float32), "outside"),
        (np.full((3, 4), np.inf, np.float32), "outside"),
    ],
)
def test_what_is_refused(image: np.ndarray[Any, Any], word: str) -> None:
    with pytest.raises(SettingError, match=word) as caught:
        Picture.of(image)
    assert caught.value.hint


def test_grey_stays_grey() -> None:
    assert sum(LUMA) == pytest.approx(1, abs=1e-12)


def test_a_matte_stays_within_what_is_around_it() -> None:
    small = np.zeros((6, 8), dtype=np.uint16)
    small[2:4, 3:6] = 65535
    large = np.full((24, 32), 300, dtype=np.uint16)
    kept = bounded(large, small)
    assert kept.dtype == np.uint16
    assert (kept[:4] == 0).all()
    assert (kept[8:16, 12:24] == 300).all()
    flat = np.full((3, 3), 40, dtype=np.uint8)
    assert (bounded(np.arange(81, dtype=np.uint8).reshape(9, 9), flat) == 40).all()
