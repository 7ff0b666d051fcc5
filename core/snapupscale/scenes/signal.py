"""The signal: what is measured of every frame in one decode. Every decision on cuts is a pure function of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from snapupscale.media.decoder import Decoder
from snapupscale.media.disposable import worth_leaving_out
from snapupscale.media.intra import NotSparse, SparseReader
from snapupscale.media.packets import is_intra
from snapupscale.media.segment_decoder import NotApart
from snapupscale.media.segment_reader import SegmentReader
from snapupscale.media.segments import segments, successive
from snapupscale.scenes import cache
from snapupscale.scenes.meter import Meter
from snapupscale.scenes.neural import NeuralNet
from snapupscale.scenes.quiet import leaps, midway, quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from snapupscale.media.frames import FrameIndex
    from snapupscale.media.source import Source
    from snapupscale.scenes.adaptive import Stretches
    from snapupscale.scenes.meter import Network


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
    odds: NDArray[np.float32]
    """Of a cut at each frame, by the default method: logarithms."""
    reasons: NDArray[np.uint8]
    """Why a frame that differs from the one before would still be no cut: places in candidates.REASONS."""
    stretches: Stretches
    """The gradual transitions that there may be, by the default method."""
    network: Network | None
    """What the neural method's network said, if it was asked."""
    constant_rate: bool
    """Whether every frame is within half a frame of the grid of `rate`."""
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.distance)


def analyse(
    source: Source,
    *,
    network: bool = False,
    whole: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> Signal:
    """Decode `source` once and measure every frame; taken from the cache when the source hasn't changed since.

    network: whether to ask the neural method's network too, which takes many times as long, and its package.
    whole: whether to decode every frame also of footage of which some can be left out: frames that stand alone, or much
    footage with frames that no other refers to; else only so many are decoded as it takes to see where something
    happens, and the others count as being between those.
    `progress` gets the frames done and their expected number (None when unknown), and may raise to cancel.
    Raises a SourceError.
    """
    stored = cache.load(source)
    if stored is None or (network and stored.measured.network is None) or (whole and not stored.whole):
        stored = None if network else _glimpsed(source, progress, whole=whole)
        stored = stored or _measured(source, progress, NeuralNet() if network else None)
        cache.store(source, stored)
    index, measured, warnings = stored.index, stored.measured, stored.warnings
    off = off_the_grid(index, _own_rate(index) if source.rate_given else source.rate)
    if off is not None:
        warnings = (*warnings, _variable_rate_warning(off, source.rate))
    return Signal(
        rate=source.rate,
        index=index,
        distance=measured.distance,
        luma=measured.luma,
        contrast=measured.contrast,
        motion=measured.motion,
        odds=measured.seen.odds,
        reasons=measured.seen.reasons,
        stretches=measured.seen.stretches,
        network=measured.network,
        constant_rate=off is None,
        warnings=(*source.warnings, *warnings),
    )


def _measured(
    source: Source,
    progress: Callable[[int, int | None], None] | None,
    network: NeuralNet | None,
    *,
    threaded: bool = True,
) -> cache.Stored:
    decoder = Decoder(source, threaded=threaded)
    meter = Meter(network)
    total = _expected(source)
    for frame in decoder.frames(fast=True):
        meter.add(frame.sample, frame.matrix)
        if progress:
            progress(frame.index + 1, total)
    if decoder.faulty and threaded:
        return _measured(source, progress, network, threaded=False)
    remarks = network.remarks if network else ()
    return cache.Stored(index=decoder.index(), measured=meter.finish(), warnings=(*decoder.warnings, *remarks))


def _glimpsed(
    source: Source, progress: Callable[[int, int | None], None] | None, *, whole: bool
) -> cache.Stored | None:
    """The same by several decoders, from some of the frames unless `whole`; or None where it takes one pass."""
    total, most = _expected(source), 0

    def tell(done: int) -> None:
        nonlocal most
        most = max(most, done)
        if progress:
            progress(most, total)

    reader = _reader(source, tell, whole=whole)
    if reader is None:
        return None
    meter = Meter()
    try:
        for glimpse in reader.glimpses():
            meter.add(glimpse.sample, glimpse.matrix)
            tell(glimpse.index + 1)
    except (NotSparse, NotApart):
        return None
    return cache.Stored(index=reader.index(), measured=meter.finish(), warnings=())


def _reader(source: Source, pulse: Callable[[int], None], *, whole: bool) -> SparseReader | SegmentReader | None:
    if is_intra(source):
        return None if whole else SparseReader(source, quiet=quiet, midway=midway)
    sparing = not whole and worth_leaving_out(source)
    if parts := segments(source):
        return SegmentReader(source, parts, leaps=leaps if sparing else None, pulse=pulse)
    if sparing and (parts := successive(source)):
        return SegmentReader(source, parts, decoders=1, leaps=leaps, pulse=pulse)
    return None


def _expected(source: Source) -> int | None:
    """How many frames the container says there are."""
    return source.frames or (int(source.duration * source.rate) if source.duration else None)


def _own_rate(index: FrameIndex) -> Fraction:
    """The average rate of the frames' times."""
    span = index.time(len(index) - 1)
    return (len(index) - 1) / span if span else Fraction(1)


def off_the_grid(index: FrameIndex, rate: Fraction) -> int | None:
    """The first frame that is more than half a frame away from where `rate` would have it."""
    seconds = index.ticks.astype(np.float64) * float(index.tick)
    drift = np.abs(seconds * float(rate) - np.arange(len(index)))
    return int(np.argmax(drift > 0.5)) if drift.max() > 0.5 else None


def _variable_rate_warning(frame: int, rate: Fraction) -> str:
    return (
        f"variable frame rate: from frame {frame} on, times are off the grid of {float(rate):.3f} frames per second; "
        "timelines are written by time"
    )
