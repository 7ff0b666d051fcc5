"""A first guess at the cuts, from packets alone: no frame is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from snapupscale.errors import SettingError
from snapupscale.media.frames import FrameIndex
from snapupscale.media.packets import read_packets
from snapupscale.media.signatures import SIDE
from snapupscale.scenes.adaptive import NONE, Stretches
from snapupscale.scenes.methods import DEFAULT_THRESHOLD, Detection
from snapupscale.scenes.signal import Signal, off_the_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snapupscale.media.packets import Packets
    from snapupscale.media.source import Source

_WARNING = "a draft, from packets alone: some cuts are missing or wrong; leave --draft out to find them all"
_USUAL = frozenset(
    (8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60, 72, 75, 90, 96, 100, 120, 125, 128, 150, 180, 192, 200, 240,
     250, 256, 300, 360, 480, 500, 600)
)
"""Frames between keyframes, as encoders are set to, where nothing asks for one earlier."""
_AROUND = 6
_OF_KEY, _OF_OTHERS = 0.5, 1.5
"""How large a packet that is no keyframe is at a cut: at least, of the keyframe before, and of the second largest of
the packets about it that are none."""


def drafted(source: Source) -> tuple[Signal, Detection]:
    """The frames at which an encoder seems to have seen a cut: about thirty times as quick as decoding. The signal
    holds the times of the frames, and nothing was measured.

    Encoders put a keyframe at most cuts, so the keyframes that do not come at the regular interval are taken; only
    where there is none, as cameras write it, packets that stand out by their size. Gradual transitions are not found,
    nor is anything in footage where every frame is a keyframe. Of 19 cuts in twelve clips 14 were found, and 11 that
    are none, 9 of them by size alone. Frames count as packets do: where a container holds frames that are not shown,
    numbers can differ from those of a whole read. Raises a SourceError, and SettingError for an image sequence.
    """
    if source.is_sequence:
        raise SettingError(
            "an image sequence has no packets to draft from", hint="Leave --draft out: every picture must be read."
        )
    packets = read_packets(source)
    signal, cuts = _unmeasured(source, packets), draft_cuts(packets)
    detection = Detection(
        method="draft", threshold=DEFAULT_THRESHOLD, cuts=cuts, transitions=(), distance=signal.distance
    )
    return signal, detection


def draft_cuts(packets: Packets) -> tuple[int, ...]:
    """The cuts that `packets` tell of, frame numbers in ascending order."""
    places = np.flatnonzero(packets.keys)
    if len(places) == len(packets):
        return ()
    early = _early(places)
    return tuple(early.tolist()) if len(early) else _large(packets, places)


def _early(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """The keyframes that come sooner after the one before than they would at a regular interval."""
    gaps = np.diff(places)
    if not len(gaps):
        return places[1:]
    longest = gaps == gaps.max()
    regular = longest.sum() > 1 or int(gaps.max()) in _USUAL
    return places[1:][~longest] if regular else places[1:]


def _large(packets: Packets, places: NDArray[np.intp]) -> tuple[int, ...]:
    """The packets that are no keyframes and nearly as large as one, where those about them are small."""
    sizes, keys = packets.sizes, packets.keys
    found = []
    key = np.repeat(sizes[places], np.diff(np.r_[places, len(packets)]))
    least = _OF_KEY * np.r_[np.zeros(len(packets) - len(key)), key]
    for frame in np.flatnonzero(~keys & (sizes > least)).tolist():
        around = np.r_[max(0, frame - _AROUND) : frame, frame + 1 : min(len(packets), frame + 1 + _AROUND)]
        others = np.sort(sizes[around[~keys[around]]])
        if len(others) >= _AROUND and sizes[frame] > _OF_OTHERS * others[-2]:
            found.append(frame)
    return tuple(found)


def _unmeasured(source: Source, packets: Packets) -> Signal:
    """A signal of nothing but times."""
    count = len(packets)
    index = FrameIndex(
        ticks=packets.ticks,
        tick=packets.tick,
        keyframes=packets.keys,
        damaged=np.zeros(count, dtype=np.bool_),
        interlaced=np.zeros(count, dtype=np.bool_),
        decoded=np.zeros(count, dtype=np.bool_),
        signatures=np.zeros((count, SIDE, SIDE), dtype=np.uint8),
    )
    blank = np.zeros(count, dtype=np.float32)
    none = np.zeros(0, dtype=np.int32)
    return Signal(
        rate=source.rate,
        index=index,
        distance=blank,
        luma=blank,
        contrast=blank,
        motion=blank,
        odds=np.full(count, NONE, dtype=np.float32),
        reasons=np.zeros(count, dtype=np.uint8),
        stretches=Stretches(starts=none, ends=none, odds=none.astype(np.float32), kinds=none.astype(np.uint8)),
        network=None,
        constant_rate=off_the_grid(index, source.rate) is None,
        warnings=(*source.warnings, _WARNING),
    )
