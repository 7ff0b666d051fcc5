"""Resampling without a network: Lanczos and bicubic, computed in float32, antialiased where a picture shrinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pixels = NDArray[Any]
    Floats = NDArray[np.float32]

Kernel = Literal["lanczos", "bicubic"]

_ROWS = 16


def resample(image: Pixels, width: int, height: int, kernel: Kernel = "lanczos") -> Pixels:
    """`image` (HxW or HxWxC; uint8, uint16 or float32) at width x height: the same area, the same type.

    The kernel is stretched where an axis shrinks, so that nothing aliases. At the border it is cut off and normalised,
    so that flat areas keep their level. Integers are rounded half to even and clipped, once; floats are not clipped.
    """
    if image.shape[:2] == (height, width):
        return image.copy()
    values = np.ascontiguousarray(image, np.float32)
    values = _turned(_rows(_turned(_rows(values, height, kernel)), width, kernel))
    values = values.reshape(height, width, *image.shape[2:])
    if image.dtype == np.float32:
        return values
    top = np.iinfo(image.dtype).max
    return np.clip(np.rint(values, out=values), 0, top, out=values).astype(image.dtype)


def resample_as_reference(image: Pixels, width: int, height: int) -> Pixels:
    """What the official program does after its network: OpenCV's LANCZOS4 on rounded integers, without antialiasing."""
    result: Pixels = cv2.resize(image, (width, height), interpolation=cv2.INTER_LANCZOS4)
    return result


def taps(
    length: int, size: int, kernel: Kernel = "lanczos", *, start: float = 0.0, extent: float | None = None
) -> tuple[NDArray[np.intp], Floats]:
    """For each of `size` positions the first of `length` samples that counts, and the weights, size x taps.

    The positions cover `extent` samples from `start` on, both in samples and not always whole; without them, all.
    """
    reach, curve = _KERNELS[kernel]
    step = (length if extent is None else extent) / size
    stretch = max(1.0, step)
    centres = start + (np.arange(size) + 0.5) * step - 0.5
    count = min(length, 2 * int(np.ceil(reach * stretch)) + 1)
    first = np.clip(np.ceil(centres - reach * stretch), 0, length - count).astype(np.intp)
    offsets = first[:, None] + np.arange(count) - centres[:, None]
    weights = curve(offsets / stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    return first, weights.astype(np.float32)


def _rows(values: Floats, size: int, kernel: Kernel) -> Floats:
    """The first axis of `values` resampled to `size`."""
    if len(values) == size:
        return values
    flat = values.reshape(len(values), -1)
    first, weights = taps(len(values), size, kernel)
    reach = weights.shape[1]
    result = np.empty((size, flat.shape[1]), np.float32)
    # A few rows at a time as one small dense product: most of its weights are in use, and BLAS does the work.
    for start in range(0, size, _ROWS):
        end = min(start + _ROWS, size)
        low = first[start]
        band = np.zeros((end - start, first[end - 1] + reach - low), np.float32)
        for row in range(start, end):
            band[row - start, first[row] - low : first[row] - low + reach] = weights[row]
        np.matmul(band, flat[low : low + band.shape[1]], out=result[start:end])
    return result.reshape(size, *values.shape[1:])


def _turned(values: Floats) -> Floats:
    """`values` with its first two axes exchanged."""
    return np.ascontiguousarray(values.swapaxes(0, 1))


def _lanczos(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lanczos, three lobes (Duchon 1979)."""
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic convolution with a = -1/2 (Keys 1981)."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


_KERNELS: dict[Kernel, tuple[int, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = {
    "lanczos": (3, _lanczos),
    "bicubic": (2, _cubic),
}
