"""Settings of projects and timelines: their names, their defaults, and what each value may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snapupscale.errors import SettingError
from snapupscale.timecode import exact_rate

if TYPE_CHECKING:
    from fractions import Fraction

RATES: tuple[str, ...] = (
    "16", "18", "23.976", "24", "25", "29.97", "30", "47.952", "48", "50", "59.94", "60", "72", "95.904", "96", "100",
    "119.88", "120",
)  # fmt: skip
MISMATCH = ("scaleToFit", "centerCrop", "scaleToCrop", "stretch")
_DROP_RATES = ("29.97", "59.94", "119.88")
_RANGES = {
    "superScale": range(5),
    "timelineResolutionWidth": range(16, 16385),
    "timelineResolutionHeight": range(16, 16385),
}
_READ_ONLY = ("timelinePlaybackFrameRate",)


def default_settings(rate: Fraction) -> dict[str, Any]:
    """The settings of a new project at `rate`."""
    return {
        "timelineFrameRate": rate_number(rate),
        "timelinePlaybackFrameRate": rate_text(rate),
        "timelineDropFrameTimecode": "0",
        "timelineResolutionWidth": "1920",
        "timelineResolutionHeight": "1080",
        "timelinePixelAspectRatio": "square",
        "timelineInterlaceProcessing": "0",
        "timelineInputResMismatchBehavior": "scaleToFit",
        "timelineOutputResMatchTimelineRes": "1",
        "timelineOutputResMismatchBehavior": "scaleToFit",
        "timelineFrameRateMismatchBehavior": "resolve",
        "timelineSampleRate": "48000",
        "imageRetimeInterpolation": "nearest",
        "imageMotionEstimationMode": "standardFaster",
        "imageResizeMode": "sharper",
        "colorScienceMode": "davinciYRGB",
        "colorSpaceTimeline": "Rec.709 Gamma 2.4",
        "colorSpaceInput": "Rec.709 Gamma 2.4",
        "colorSpaceOutput": "Rec.709 Gamma 2.4",
        "audioCaptureNumChannels": "2",
        "audioOutputHasTimecode": "0",
        "audioPlayoutNumChannels": "2",
        "nodeStackLayers": "1",
        "superScale": 1,
        "perfProxyMediaMode": "1",
        "videoBitDepth": "10",
        "videoMonitorFormat": "HD 1080p 24",
    }


def rate_number(rate: Fraction) -> float:
    """The rate as the editor gives it, rounded: 23.976, 29.97, 24.0."""
    return round(float(rate), 3)


def rate_text(rate: Fraction) -> str:
    """The rate as the editor writes it: 23.976, 24."""
    return f"{rate_number(rate):g}"


def read_rate(value: Any) -> tuple[Fraction, bool] | None:
    """The rate and whether frames are dropped that a value such as 24, "23.976" or "29.97 DF" stands for."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    name = value.strip() if isinstance(value, str) else f"{value:g}"
    drop = name.endswith(" DF")
    name = name.removesuffix(" DF").removesuffix(".0")
    if name not in RATES or (drop and name not in _DROP_RATES):
        return None
    try:
        return exact_rate(name), drop
    except SettingError:
        return None


def changed(settings: dict[str, Any], name: str, value: Any) -> dict[str, Any] | None:
    """`settings` with one value set as the editor keeps it; None where it refuses."""
    if name in _READ_ONLY or name not in settings or isinstance(value, bool):
        return None
    if name == "timelineFrameRate":
        return _with_rate(settings, value)
    if name in {"timelineInputResMismatchBehavior", "timelineOutputResMismatchBehavior"} and value not in MISMATCH:
        return None
    if name == "timelineDropFrameTimecode" and rate_text(own_rate(settings)) not in _DROP_RATES:
        return None
    if name in _RANGES and int(value) not in _RANGES[name]:
        return None
    if name == "superScale":
        value = int(value)
    return settings | {name: value if isinstance(value, str) or name == "superScale" else f"{value:g}"}


def own_rate(settings: dict[str, Any]) -> Fraction:
    """The exact rate of some settings."""
    return exact_rate(str(settings["timelineFrameRate"]))


def _with_rate(settings: dict[str, Any], value: Any) -> dict[str, Any] | None:
    read = read_rate(value)
    if read is None:
        return None
    rate, drop = read
    return settings | {
        "timelineFrameRate": rate_number(rate),
        "timelinePlaybackFrameRate": rate_text(rate),
        "timelineDropFrameTimecode": "1" if drop else "0",
    }
