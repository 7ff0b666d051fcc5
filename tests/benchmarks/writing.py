"""Seconds and size of a large still as PNG, beside two other encoders. Run: python tests/benchmarks/writing.py

The picture is a frame of the demo's clip, enlarged by Lanczos to 7680x4320 at 16 and 8 bits; the encoders take
turns, and medians are printed, for all cores and, where the system can, for one and two.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from snapupscale.colour import ColourTags
from snapupscale.commands import DEMO_CLIP
from snapupscale.stills import png

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = (7680, 4320)
FRAME = 400


def ours(image: NDArray[Any]) -> int:
    return sum(len(part) for part in png.encode(image, ColourTags(primaries=1, transfer=1)))


def opencv(image: NDArray[Any]) -> int:
    return len(cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])


def ffmpeg(image: NDArray[Any]) -> int:
    """As SnapUpscale did it at first: 16 bits, level 1 with the Paeth filter."""
    wide = image if image.dtype == np.uint16 else image.astype(np.uint16) * np.uint16(257)
    context: Any = av.CodecContext.create("png", "w")
    context.width, context.height, context.pix_fmt = image.shape[1], image.shape[0], "rgb48be"
    context.time_base = Fraction(1, 25)
    context.options = {"compression_level": "1", "pred": "paeth"}
    frame = av.VideoFrame.from_ndarray(wide, format="rgb48be")
    return sum(len(bytes(packet)) for packet in [*context.encode(frame), *context.encode(None)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    clip = cv2.VideoCapture(str(DEMO_CLIP))
    clip.set(cv2.CAP_PROP_POS_FRAMES, FRAME)
    read, picture = clip.read()
    assert read
    levels = cv2.resize(picture.astype(np.float32) / 255, SIZE, interpolation=cv2.INTER_LANCZOS4).clip(0, 1)
    pictures = {"16": np.rint(levels * 65535).astype(np.uint16), " 8": np.rint(levels * 255).astype(np.uint8)}
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    for count in sorted({1, 2, len(cores)} & set(range(len(cores) + 1))) or [0]:
        if cores:
            os.sched_setaffinity(0, cores[:count])
        for bits, image in pictures.items():
            times: dict[Any, list[float]] = {ours: [], ffmpeg: [], opencv: []}
            sizes = {}
            for _ in range(options.rounds):
                for encoder, series in times.items():
                    began = time.perf_counter()
                    sizes[encoder] = encoder(image)
                    series.append(time.perf_counter() - began)
            found = (f"{e.__name__} {statistics.median(times[e]):.2f} s {sizes[e] / 1e6:.1f} MB" for e in times)
            print(f"{count or 'all'} cores, {bits} bits: {', '.join(found)}", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
