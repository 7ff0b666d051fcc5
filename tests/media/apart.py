"""Footage of several segments, small, for tests of what reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from snapupscale.media.source import Source, probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAMES = 200
SIZE = {"width": 192, "height": 108, "frames": FRAMES}
OPEN = {"g": "32", "bf": "3", "x264-params": "open-gop=1:scenecut=0:bframes=3:b-adapt=0"}
CLIPS: dict[str, dict[str, Any]] = {
    "apart_closed.mp4": {"options": {"g": "30", "bf": "3", "sc_threshold": "0"}},
    "apart_open.mp4": {"options": OPEN},
    "apart_hevc.mp4": {
        "codec": "libx265",
        "options": {"x265-params": "log-level=none:keyint=32:open-gop=1:scenecut=0:bframes=3"},
    },
    "apart_mpeg2.mov": {"codec": "mpeg2video", "options": {"g": "12", "bf": "2"}},
    "apart_whole.mov": {"options": {"g": "40", "bf": "0"}},
}


def pan(number: int, width: int, height: int) -> np.ndarray:
    """A picture that moves, so that every frame refers to others."""
    detail = np.random.default_rng(number // 70).integers(20, 235, (9, 40, 3), dtype=np.uint8)
    image = cv2.resize(detail, (width * 3, height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.roll(image, 2 * number, axis=1)[:, :width])


def made(clip: Callable[..., Path], name: str, **changes: Any) -> Source:
    return probe(clip(name, picture=pan, **{**SIZE, **CLIPS.get(name, {}), **changes}))
