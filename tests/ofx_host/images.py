"""Pictures in memory as hosts lay them: any stride, any origin, guard bytes all round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]

DEPTHS: dict[str, np.dtype[Any]] = {
    "Byte": np.dtype(np.uint8),
    "Short": np.dtype(np.uint16),
    "Half": np.dtype(np.float16),
    "Float": np.dtype(np.float32),
}
COMPONENTS = {"RGBA": 4, "RGB": 3, "Alpha": 1}

_FILL = 0xC3
_GUARD = 4096


class Picture:
    """A picture of one depth, height x width x channels; row 0 is the lowest."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        *,
        origin: tuple[int, int] = (0, 0),
        padding: int = 0,
        flipped: bool = False,
        guard: int = _GUARD,
    ) -> None:
        """origin: x1 and y1 of its bounds; padding: bytes after each row; flipped: a negative stride;
        guard: bytes before and after, 0 to let a sanitizer watch the edges."""
        height, width, channels = shape
        self.shape, self.dtype, self.origin = shape, dtype, origin
        self._row = width * channels * dtype.itemsize
        pitch = self._row + padding
        self._memory = np.full(2 * guard + height * pitch, _FILL, np.uint8)
        self._guards = (self._memory[:guard], self._memory[len(self._memory) - guard :])
        self._rows = self._memory[guard : len(self._memory) - guard].reshape(height, pitch)
        first = height - 1 if flipped else 0
        self.address = int(self._rows.ctypes.data) + first * pitch
        self.row_bytes = -pitch if flipped else pitch
        upward = self._rows[::-1] if flipped else self._rows
        self.pixels: Pixels = upward[:, : self._row].view(dtype).reshape(shape)
        assert self.pixels.base is not None
        self._before: Pixels | None = None

    @classmethod
    def of(cls, pixels: Pixels, **layout: Any) -> Picture:
        """A source: a picture with these pixels, which nobody may change."""
        picture = cls(pixels.shape, pixels.dtype, **layout)
        picture.pixels[:] = pixels
        picture._before = pixels.copy()
        return picture

    def refresh(self) -> None:
        """The host itself has changed the source."""
        self._before = self.pixels.copy()

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        x, y = self.origin
        return x, y, x + self.shape[1], y + self.shape[0]

    @property
    def depth(self) -> str:
        return next(name for name, dtype in DEPTHS.items() if dtype == self.dtype)

    @property
    def components(self) -> str:
        return next(name for name, count in COMPONENTS.items() if count == self.shape[2])

    def untouched(self) -> NDArray[np.bool_]:
        """Where, height x width, every byte is as it was before anybody wrote."""
        # In one piece, since a view of another item size needs that.
        samples = np.ascontiguousarray(self.pixels).view(np.uint8).reshape(*self.shape[:2], -1)
        result: NDArray[np.bool_] = (samples == _FILL).all(axis=2)
        return result

    def damage(self) -> list[str]:
        """Which guards have been written over; of a source, its pixels too."""
        where = ("before the picture", "after the picture")
        found = [place for place, guard in zip(where, self._guards, strict=True) if (guard != _FILL).any()]
        if (self._rows[:, self._row :] != _FILL).any():
            found.append("between the rows")
        if self._before is not None and self._before.tobytes() != self.pixels.tobytes():
            found.append("in the pixels of the source")
        return found
