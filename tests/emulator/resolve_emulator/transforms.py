"""The 26 properties of an item's picture (facts 1.3): their defaults and what they are clipped to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolve_emulator.face import need, number

if TYPE_CHECKING:
    from collections.abc import Callable

FLAGS: dict[str, bool] = {"ZoomGang": True, "FlipX": False, "FlipY": False, "CropRetain": False}
CHOICES: dict[str, tuple[int, int, int]] = {
    "DynamicZoomEase": (0, 0, 3),
    "CompositeMode": (0, 0, 30),
    "RetimeProcess": (0, 0, 3),
    "MotionEstimation": (0, 0, 6),
    "Scaling": (0, 0, 4),
    "ResizeFilter": (0, 0, 15),
}
"""Default, lowest and highest."""

NUMBERS: dict[str, tuple[float, Callable[[int, int], tuple[float, float]]]] = {
    "Pan": (0.0, lambda width, height: (-4.0 * width, 4.0 * width)),
    "Tilt": (0.0, lambda width, height: (-4.0 * height, 4.0 * height)),
    "ZoomX": (1.0, lambda width, height: (0.0, 100.0)),
    "ZoomY": (1.0, lambda width, height: (0.0, 100.0)),
    "RotationAngle": (0.0, lambda width, height: (-360.0, 360.0)),
    "AnchorPointX": (0.0, lambda width, height: (-4.0 * width, 4.0 * width)),
    "AnchorPointY": (0.0, lambda width, height: (-4.0 * height, 4.0 * height)),
    "Pitch": (0.0, lambda width, height: (-1.5, 1.5)),
    "Yaw": (0.0, lambda width, height: (-1.5, 1.5)),
    "CropLeft": (0.0, lambda width, height: (0.0, float(width))),
    "CropRight": (0.0, lambda width, height: (0.0, float(width))),
    "CropTop": (0.0, lambda width, height: (0.0, float(height))),
    "CropBottom": (0.0, lambda width, height: (0.0, float(height))),
    "CropSoftness": (0.0, lambda width, height: (-100.0, 100.0)),
    "Opacity": (100.0, lambda width, height: (0.0, 100.0)),
    "Distortion": (0.0, lambda width, height: (-1.0, 1.0)),
}
"""Default, and the range for a timeline of that size."""


def defaults() -> dict[str, Any]:
    """All 26 as a new item has them."""
    return (
        {name: default for name, (default, _) in NUMBERS.items()}
        | FLAGS
        | {name: default for name, (default, _, _) in CHOICES.items()}
    )


def fitted(name: str, value: Any, size: tuple[int, int]) -> Any:
    """The value as it is kept: clipped to its range. Refuses an unknown name and a value of another kind."""
    if name in FLAGS:
        need(isinstance(value, bool | int))
        return bool(value)
    if name in CHOICES:
        _, lowest, highest = CHOICES[name]
        return int(min(max(number(value), lowest), highest))
    need(name in NUMBERS)
    low, high = NUMBERS[name][1](*size)
    return float(min(max(number(value), low), high))
