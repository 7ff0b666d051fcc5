"""Small pictures for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BACKDROP = 128


def encode_preview(image: NDArray[Any], max_width: int, *, quality: int = 88) -> bytes:
    """A JPEG file of `image` (HxW, HxWx3 or HxWx4 RGB(A), uint8 or uint16), at most `max_width` pixels wide.

    Larger pictures are averaged down, smaller ones stay as they are; alpha is laid over mid-grey. Code values are
    taken as they are, so HDR footage looks flat in it. Raises SettingError for another dtype.
    """
    if image.dtype not in (np.uint8, np.uint16):
        raise SettingError(f"a preview is made of uint8 or uint16 samples, not {image.dtype}")
    height, width = image.shape[:2]
    if width > max_width:
        size = (max_width, max(1, round(height * max_width / width)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    if image.ndim == 3 and image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        image = np.rint(image[..., :3] * alpha + _BACKDROP * (1 - alpha)).astype(np.uint8)
    swapped = image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
    encoded = cv2.imencode(".jpg", swapped, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return bytes(encoded.tobytes())
