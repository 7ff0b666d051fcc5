"""Frames that were decoded, and the index that is kept of all frames of a source."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.media import pixels, samples
from snapupscale.media.signatures import SIDE, signature

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One decoded frame: its number in presentation order, and its time since the first frame in units of `tick`."""

    index: int
    ticks: int
    tick: Fraction
    """Seconds."""
    picture: av.VideoFrame
    keyframe: bool
    damaged: bool
    interlaced: bool

    @property
    def time(self) -> Fraction:
        """Seconds since the first frame."""
        return self.ticks * self.tick

    @cached_property
    def sample(self) -> NDArray[np.uint8]:
        """Point samples of the picture, as `samples.sample` has them; taken once."""
        return samples.sample(self.picture)

    @property
    def matrix(self) -> int:
        """Code point of ITU-T H.273 for the colours of the picture."""
        return pixels.frame_tags(self.picture).matrix


@dataclass(frozen=True, kw_only=True)
class FrameIndex:
    """What one full decode found: arrays over the frames, in presentation order."""

    ticks: NDArray[np.int64]
    """Time of each frame since the first, in units of `tick`."""
    tick: Fraction
    keyframes: NDArray[np.bool_]
    damaged: NDArray[np.bool_]
    """Frames that the decoder could not make whole."""
    interlaced: NDArray[np.bool_]
    decoded: NDArray[np.bool_]
    """False for frames that were left out: what is said of them is between what is about them."""
    signatures: NDArray[np.uint8]
    """N x SIDE x SIDE, to know the frame again."""
    seekable: bool = True
    """False where timestamps don't rise from frame to frame: such a source is read from its start."""
    threaded: bool = True
    """Whether several threads may decode: with faulty footage they would not give the same frames again."""

    def __len__(self) -> int:
        return len(self.ticks)

    def time(self, number: int) -> Fraction:
        """Seconds from the first frame to frame `number`."""
        return int(self.ticks[number]) * self.tick

    def at(self, time: Fraction) -> int:
        """The frame on screen `time` seconds after the first, the last one from its time on; 0 before the first."""
        return max(0, int(np.searchsorted(self.ticks, math.floor(time / self.tick), side="right")) - 1)


class Marks:
    """What the index keeps of the frames, gathered while they come: 76 bytes a frame."""

    def __init__(self, tick: Fraction = Fraction(1)) -> None:
        self._tick = tick
        self._ticks = array("q")
        self._flags = bytearray()
        self._signatures = bytearray()

    def __len__(self) -> int:
        return len(self._ticks)

    def add(self, frame: Frame) -> None:
        """Keep what is needed of the next frame."""
        self._tick = frame.tick
        self.put(frame.ticks, (frame.keyframe, frame.damaged, frame.interlaced, True), signature(frame.sample))

    def put(self, ticks: int, flags: tuple[bool, bool, bool, bool], known: NDArray[np.uint8]) -> None:
        """Keep one frame: its time, whether it is a keyframe, damaged, interlaced and decoded, and its signature."""
        self._ticks.append(ticks)
        self._flags += bytes(flags)
        self._signatures += known.tobytes()

    def index(self, *, threaded: bool) -> FrameIndex:
        """Where times don't rise (AVI with B-frames has them in the order of decoding), the same times are dealt out in
        rising order."""
        ticks = np.array(self._ticks, dtype=np.int64)
        seekable = bool((np.diff(ticks) > 0).all())
        if not seekable:
            ticks = np.sort(ticks) - ticks.min()
        unit = max(1, int(np.gcd.reduce(ticks)))
        flags = np.frombuffer(bytes(self._flags), dtype=np.bool_).reshape(-1, 4)
        return FrameIndex(
            ticks=ticks // unit,
            tick=self._tick * unit,
            keyframes=flags[:, 0].copy(),
            damaged=flags[:, 1].copy(),
            interlaced=flags[:, 2].copy(),
            decoded=flags[:, 3].copy(),
            signatures=np.frombuffer(bytes(self._signatures), dtype=np.uint8).reshape(-1, SIDE, SIDE),
            seekable=seekable,
            threaded=threaded,
        )
