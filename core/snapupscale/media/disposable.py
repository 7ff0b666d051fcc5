"""Frames that no other refers to: they can be left out, and the sizes of packets tell where little is lost by it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from av.video.codeccontext import VideoCodecContext
    from numpy.typing import NDArray

    from snapupscale.media.source import Source

_CODECS = ("h264", "hevc")
_WORTH_WHILE = 1 << 31
"""Pixels of all frames together; what is smaller is decoded in a moment, and whole it serves every method."""
_UNUSUAL = 2.0
"""How many times as large as the median of its like a packet is that tells of something that happens."""
_SLACK = 60
"""Bytes more than that: a packet of few bytes tells nothing."""
_LIKE = 12
"""Packets of the same depth on either side that one is compared with."""
_REACH = 3
"""Frames on both sides of an unusual one that are decoded."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a packet tells of its frame before it is decoded."""

    time: int
    """When it is shown, in ticks of the container."""
    size: int
    """Bytes."""
    keyframe: bool
    disposable: bool
    """Whether surely no other frame refers to it."""


def worth_leaving_out(source: Source) -> bool:
    """Whether the footage is of a kind whose frames can be left out, and so much that it is worth while."""
    pixels = source.width * source.height * (source.frames or 0)
    return source.codec in _CODECS and pixels >= _WORTH_WHILE


def teller(context: VideoCodecContext) -> Callable[[memoryview], bool] | None:
    """What tells whether no other frame refers to that of a packet, by the heads of its NAL units; None where that
    isn't certain. The configuration record (ISO/IEC 14496-15) says how many bytes their lengths take.

    In HEVC a frame that none in its own temporal layer refers to may be referred to in a higher one, so there must be
    one only.
    """
    record = context.extradata or b""
    if context.name == "h264" and len(record) > 4 and record[0] == 1:
        return partial(_disposable, prefix=(record[4] & 3) + 1, kept=_kept_in_avc)
    if context.name == "hevc" and len(record) > 21 and record[0] == 1 and record[21] >> 3 & 7 == 1:
        return partial(_disposable, prefix=(record[21] & 3) + 1, kept=_kept_in_hevc)
    return None


def calm(packets: Sequence[Told]) -> frozenset[int]:
    """The times of frames near which no packet is unusually large, so that they may be left out if no other refers to
    them; never the last one shown. packets: in the order of decoding.

    A cut or a flash makes large packets, whether of the frames themselves or of those that they are predicted from.
    """
    times = np.array([packet.time for packet in packets])
    order = np.argsort(times, kind="stable")
    size = np.array([packet.size for packet in packets])[order]
    key = np.array([packet.keyframe for packet in packets])[order]
    depth = _depths(times)[order]
    unusual = key.copy()
    for each in range(3):
        places = np.flatnonzero((depth == each) & ~key)
        for number, place in enumerate(places):
            like = size[places[max(0, number - _LIKE) : number + _LIKE + 1]]
            unusual[place] = len(like) < 2 or size[place] > _UNUSUAL * np.median(like) + _SLACK
    unusual[-1] = True
    near = np.flatnonzero(unusual)[:, None] + np.arange(-_REACH, _REACH + 1)
    away = np.ones(len(packets), dtype=np.bool_)
    away[near.clip(0, len(packets) - 1)] = False
    return frozenset(times[order][away].tolist())


def _depths(times: NDArray[np.int64]) -> NDArray[np.intp]:
    """In the order of decoding: 0 for frames shown after all before them, 2 for others both of whose neighbours were
    decoded before, 1 for the rest."""
    order = np.argsort(times, kind="stable")
    place = np.empty(len(times), dtype=np.intp)
    place[order] = np.arange(len(times))
    decoded = np.concatenate(([-1], order, [-1]))
    own = np.arange(len(times))
    leaf = (own > decoded[place]) & (own > decoded[place + 2])
    return np.where(times == np.maximum.accumulate(times), 0, np.where(leaf, 2, 1))


def _disposable(packet: memoryview, *, prefix: int, kept: Callable[[int], bool | None]) -> bool:
    """Whether there are slices in a packet, none of them of a frame that is `kept` to be referred to."""
    at, slices = 0, 0
    while at + prefix < len(packet):
        keeps = kept(packet[at + prefix])
        if keeps:
            return False
        slices += keeps is not None
        at += prefix + int.from_bytes(packet[at : at + prefix], "big")
    return slices > 0


def _kept_in_avc(head: int) -> bool | None:
    """By the first byte of a NAL unit (ITU-T H.264, 7.4.1); None unless it is a slice."""
    return head >> 5 & 3 != 0 if 1 <= head & 31 <= 5 else None


def _kept_in_hevc(head: int) -> bool | None:
    """By the first byte of a NAL unit (ITU-T H.265, table 7-1); None unless it is a slice."""
    kind = head >> 1 & 63
    return kind >= 16 or kind % 2 == 1 if kind < 32 else None
