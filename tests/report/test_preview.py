from __future__ import annotations

import cv2
import numpy as np
import pytest

from snapupscale.errors import SettingError
from snapupscale.report.preview import encode_preview


def decoded(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    assert data.startswith(b"\xff\xd8\xff")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize(("kind", "factor"), [(np.uint8, 1), (np.uint16, 257)])
def test_colour_and_shape_are_kept(kind: type[np.integer], factor: int) -> None:
    image = (np.full((90, 160, 3), (200, 100, 50)) * factor).astype(kind)

    read = decoded(encode_preview(image, 320))

    assert read.shape == (90, 160, 3)
    assert np.abs(read[45, 80].astype(int) - (50, 100, 200)).max() <= 3


def test_wide_pictures_are_averaged_down() -> None:
    stripes = np.zeros((80, 400, 3), np.uint8)
    stripes[:, ::2] = 200

    read = decoded(encode_preview(stripes, 200))

    assert read.shape == (40, 200, 3)
    assert np.abs(read.astype(int) - 100).max() <= 3


def test_a_strip_keeps_a_row() -> None:
    assert decoded(encode_preview(np.zeros((1, 4000, 3), np.uint8), 100)).shape[:2] == (1, 100)


def test_alpha_is_laid_over_grey() -> None:
    image = np.zeros((16, 16, 4), np.uint16)
    image[..., 0] = 65535
    image[:, 8:, 3] = 65535

    read = decoded(encode_preview(image, 100)).astype(int)

    assert np.abs(read[8, 2] - 128).max() <= 12
    assert read[8, 14, 2] > 220


def test_grey_stays_grey() -> None:
    assert decoded(encode_preview(np.full((8, 8), 77, np.uint8), 100)).shape == (8, 8)


def test_floats_are_refused() -> None:
    with pytest.raises(SettingError, match="float32"):
        encode_preview(np.zeros((8, 8, 3), np.float32), 100)
