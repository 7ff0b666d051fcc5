"""The measuring of frames, one after the other as they are decoded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from snapupscale.media import samples
from snapupscale.scenes.neural import NeuralMeter
from snapupscale.scenes.neural import picture as neural_picture
from snapupscale.scenes.watch import Watch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snapupscale.scenes.neural import NeuralNet
    from snapupscale.scenes.watch import Seen

BINS = (16, 8, 8)
"""Bins of hue, saturation and value in the colour histogram."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """What the neural method's network said of each frame: float32, N, 0..1; see neural.NeuralNet.probabilities."""

    single: NDArray[np.float32]
    many: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of footage: arrays with one value a frame, as in a Signal, and what the default method saw."""

    distance: NDArray[np.float32]
    luma: NDArray[np.float32]
    contrast: NDArray[np.float32]
    motion: NDArray[np.float32]
    seen: Seen
    network: Network | None = None


class Meter:
    """Remembers the last frame, and what its parts need; its memory does not grow with the picture's size."""

    def __init__(self, network: NeuralNet | None = None) -> None:
        """network: is asked too, if given."""
        self._network = NeuralMeter(network) if network else None
        self._rows: list[tuple[float, float, float, float]] = []
        self._watch = Watch()
        self._histogram: NDArray[np.float32] | None = None
        self._luma: cv2.typing.MatLike | None = None

    def add(self, sample: NDArray[np.uint8], matrix: int) -> None:
        """Measure the next frame, of which `samples.sample` took `sample`; `matrix` as in `samples.to_rgb`."""
        self._watch.add(samples.thumbnail(sample))
        rgb = samples.to_rgb(sample, matrix)
        if self._network:
            self._network.add(neural_picture(rgb))
        histogram = np.sqrt(colour_histogram(rgb))
        luma = cv2.extractChannel(sample, 0)
        mean, deviation = cv2.meanStdDev(luma)
        distance = motion = 0.0
        if self._histogram is not None:
            distance = distance_of_roots(self._histogram, histogram)
        if self._luma is not None and self._luma.shape == luma.shape:
            motion = cv2.norm(luma, self._luma, cv2.NORM_L1) / luma.size / 255
        self._histogram, self._luma = histogram, luma
        self._rows.append((distance, mean.item() / 255, deviation.item() / 255, motion))

    def finish(self) -> Measured:
        """All that was measured; nothing may be added afterwards."""
        columns = np.array(self._rows, dtype=np.float32).reshape(-1, 4).T
        names = ("distance", "luma", "contrast", "motion")
        network = None
        if self._network:
            single, many = self._network.finish()
            network = Network(single=single, many=many)
        return Measured(**dict(zip(names, columns, strict=True)), seen=self._watch.finish(), network=network)


def colour_histogram(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Joint hue, saturation and value histogram of H x W x 3 R'G'B', normalised to the sum 1: float32, flat.

    The value axis keeps black-and-white footage apart, which hue and saturation alone can't.
    """
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV_FULL)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(BINS), [0, 256] * 3)
    histogram: NDArray[np.float32] = counts.ravel() / np.float32(hsv.shape[0] * hsv.shape[1])
    return histogram


def bhattacharyya(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """sqrt(1 - sum(sqrt(p q))) of two normalised histograms: 0 for equal, 1 for disjoint ones (Bhattacharyya 1943,
    in the form of Comaniciu et al. 2000)."""
    return distance_of_roots(np.sqrt(first), np.sqrt(second))


def distance_of_roots(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """The Bhattacharyya distance of two histograms, given the square roots of their values."""
    return math.sqrt(max(0.0, 1.0 - float(np.vdot(first, second))))
