"""The signal: what is measured of every frame in one decode. Every decision on cuts is a pure function of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np

from snapupscale.media import pixels
from snapupscale.media.decoder import Decoder, FrameIndex, frame_index, mark
from snapupscale.scenes import cache

if TYPE_CHECKING:
    from collections.abc import Callable

    import av
    from numpy.typing import NDArray

    from snapupscale.media.source import Source


BINS = (16, 8, 8)
"""Bins of hue, saturation and value in the colour histogram."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Measurements of a whole source; each array has one value a frame, in presentation order."""

    rate: Fraction
    index: FrameIndex
    distance: NDArray[np.float32]
    """sqrt(1 - BC) to the frame before, BC the Bhattacharyya coefficient of the colour histograms; 0 for frame 0."""
    luma: NDArray[np.float32]
    """Mean luma, 0..1."""
    contrast: NDArray[np.float32]
    """Standard deviation of luma, 0..0.5."""
    motion: NDArray[np.float32]
    """Mean absolute difference of luma to the frame before, 0..1; 0 for frame 0."""
    constant_rate: bool
    """Whether every frame is within half a frame of the grid of `rate`."""
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.distance)


def analyse(source: Source, *, progress: Callable[[int, int | None], None] | None = None) -> Signal:
    """Decode `source` once and measure every frame; taken from the cache when the source hasn't changed since.

    `progress` gets the frames done and their expected number (None when unknown), and may raise to cancel.
    Raises a SourceError.
    """
    stored = cache.load(source)
    if stored is None:
        stored = _measured(source, progress)
        cache.store(source, stored)
    index, columns, warnings = stored
    off = _off_the_grid(index, _own_rate(index) if source.rate_given else source.rate)
    if off is not None:
        warnings = (*warnings, _variable_rate_warning(off, source.rate))
    return Signal(
        rate=source.rate,
        index=index,
        **columns,
        constant_rate=off is None,
        warnings=(*source.warnings, *warnings),
    )


def colour_histogram(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Joint hue, saturation and value histogram of H x W x 3 R'G'B', normalised to the sum 1: float32, flat.

    The value axis keeps black-and-white footage apart, which hue and saturation alone can't.
    """
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV_FULL)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(BINS), [0, 256] * 3)
    return np.asarray(counts / counts.sum(), dtype=np.float32).ravel()


def bhattacharyya(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """sqrt(1 - sum(sqrt(p q))) of two normalised histograms: 0 for equal, 1 for disjoint ones (Bhattacharyya 1943,
    in the form of Comaniciu et al. 2000)."""
    coefficient = float(np.sqrt(first.astype(np.float64) * second).sum())
    return float(np.sqrt(max(0.0, 1.0 - coefficient)))


def _measured(
    source: Source, progress: Callable[[int, int | None], None] | None, *, threaded: bool = True
) -> cache.Stored:
    decoder = Decoder(source, threaded=threaded)
    meter = _Meter()
    marks = []
    rows = []
    total = source.frames or (int(source.duration * source.rate) if source.duration else None)
    for frame in decoder.frames():
        marks.append(mark(frame))
        rows.append(meter.measure(frame.picture))
        if progress:
            progress(frame.index + 1, total)
    if decoder.faulty and threaded:
        return _measured(source, progress, threaded=False)
    columns = np.array(rows, dtype=np.float32).T
    names = ("distance", "luma", "contrast", "motion")
    return frame_index(marks, threaded=threaded), dict(zip(names, columns, strict=True)), tuple(decoder.warnings)


class _Meter:
    """Measures frames one after the other; remembers the last."""

    def __init__(self) -> None:
        self._histogram: NDArray[np.float32] | None = None
        self._luma: NDArray[np.float32] | None = None

    def measure(self, picture: av.VideoFrame) -> tuple[float, float, float, float]:
        rgb = pixels.sample_rgb(picture)
        histogram = colour_histogram(rgb)
        luma = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.float32) / np.float32(255)
        distance = motion = 0.0
        if self._histogram is not None:
            distance = bhattacharyya(self._histogram, histogram)
        if self._luma is not None and self._luma.shape == luma.shape:
            motion = float(np.abs(luma - self._luma).mean())
        self._histogram, self._luma = histogram, luma
        return distance, float(luma.mean()), float(luma.std()), motion


def _own_rate(index: FrameIndex) -> Fraction:
    """The average rate of the frames' times."""
    span = index.time(len(index) - 1)
    return (len(index) - 1) / span if span else Fraction(1)


def _off_the_grid(index: FrameIndex, rate: Fraction) -> int | None:
    """The first frame that is more than half a frame away from where `rate` would have it."""
    seconds = index.ticks.astype(np.float64) * float(index.tick)
    drift = np.abs(seconds * float(rate) - np.arange(len(index)))
    return int(np.argmax(drift > 0.5)) if drift.max() > 0.5 else None


def _variable_rate_warning(frame: int, rate: Fraction) -> str:
    return (
        f"variable frame rate: from frame {frame} on, times are off the grid of {float(rate):.3f} frames per second; "
        "timelines are written by time"
    )
