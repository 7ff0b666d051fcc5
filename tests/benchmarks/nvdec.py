"""Decoding by NVDEC beside decoding by processor: rate, and how far thumbnails differ. Needs av and numpy alone.

Run: python tests/benchmarks/nvdec.py CLIP... [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import TYPE_CHECKING

import av
import numpy as np
from av.codec.hwaccel import HWAccel

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS, COLUMNS = 36, 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ways = {"processor": (None, "all"), "processor, filtered": (None, "default"), "cuda": ("cuda", "default")}
    for clip in options.clips:
        print(f"{clip} ({os.cpu_count()} cores)")
        rates: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        found: dict[str, np.ndarray] = {}
        for _ in range(options.rounds):
            for way, (device, loop_filter) in ways.items():
                try:
                    clock, processors, found[way] = measured(clip, device, loop_filter)
                except (av.error.FFmpegError, RuntimeError, NotImplementedError) as error:
                    print(f"  {way}: {type(error).__name__}: {error}")
                    continue
                rates[way].append((len(found[way]) / clock, processors / len(found[way]) * 1e3))
        for way, values in rates.items():
            if not values:
                continue
            rate, processors = (statistics.median(column) for column in zip(*values, strict=True))
            apart = difference(found["processor, filtered"], found[way])
            print(f"  {way:<22}{rate:7.0f} frames/s, {processors:.2f} ms of processors a frame; {apart}")


def measured(clip: str, device: str | None, loop_filter: str) -> tuple[float, float, np.ndarray]:
    """Seconds by the clock and of the processors, and the thumbnails: N x ROWS x COLUMNS."""
    began, spent = time.perf_counter(), time.process_time()
    thumbnails = np.stack([thumbnail(frame) for frame in frames(clip, device, loop_filter)])
    return time.perf_counter() - began, time.process_time() - spent, thumbnails


def frames(clip: str, device: str | None, loop_filter: str) -> Iterator[av.VideoFrame]:
    # Without a fallback, a codec that the device can't decode is an error and no wrong figure.
    hwaccel = HWAccel(device_type=device, allow_software_fallback=False) if device else None
    with av.open(clip, hwaccel=hwaccel) as container:
        stream = container.streams.video[0]
        if not device:
            stream.thread_type = "AUTO"
            stream.codec_context.options = {"skip_loop_filter": loop_filter}
        yield from container.decode(stream)


def thumbnail(frame: av.VideoFrame) -> np.ndarray:
    """Point samples of luma, two by two of them averaged, as 8-bit levels."""
    plane = frame.planes[0]
    deep = frame.format.components[0].bits > 8
    rows = np.frombuffer(plane, dtype=np.uint8).reshape(plane.height, plane.line_size)
    values = rows.view("<u2") if deep else rows
    down, right = (np.arange(1, 4 * count, 2) * length // (4 * count) for count, length in
                   ((ROWS, plane.height), (COLUMNS, plane.width)))
    taken = values[down][:, right].astype(np.float32)
    if deep:
        high = frame.format.name.startswith(("p0", "p2"))
        taken /= 256 if high else 2 ** (frame.format.components[0].bits - 8)
    return taken.reshape(ROWS, 2, COLUMNS, 2).mean(axis=(1, 3))


def difference(expected: np.ndarray, found: np.ndarray) -> str:
    if expected.shape != found.shape:
        return f"{len(found)} frames instead of {len(expected)}"
    apart = np.abs(expected - found)
    return f"thumbnails differ by {apart.mean():.3f} levels on average, {apart.max():.1f} at most"


if __name__ == "__main__":
    main()
