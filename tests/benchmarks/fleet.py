"""The same pictures through one GPU and several: pictures a second, of the engine and end to end.

    PYTHONPATH=core python tests/benchmarks/fleet.py --image frame.png ... --model x4plus --frames 100 --gpus 1 2

The engine's rate is that of the GPUs while they compute, summed. End to end goes from picture to result in this
process, apart from the start; so does the process alone, as `Upscaler` works where there is one GPU. Every result is
compared with the one that this process made of the same picture.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from snapupscale.upscale import gpus
from snapupscale.upscale.engine import Upscaler
from snapupscale.upscale.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Image = NDArray[np.uint8]


def read(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise SystemExit(f"cannot read {path}")
    return image.astype(np.uint8)


def through(results: Iterable[Image], expected: list[Image], checked: int) -> tuple[float, float, int]:
    """Seconds to the first result, pictures a second after that, and how many of the first `checked` differ."""
    begin = time.perf_counter()
    first, count, wrong, comparing = 0.0, 0, 0, 0.0
    for result in results:
        now = time.perf_counter()
        first = first or now
        if count < checked:
            wrong += not np.array_equal(result, expected[count % len(expected)])
            comparing += time.perf_counter() - now
        count += 1
    seconds = time.perf_counter() - first - comparing
    return first - begin, (count - 1) / seconds, wrong


def rates(seconds: list[tuple[int, float]]) -> float:
    """Pictures a second of all GPUs while they compute; the first of each, which is slower, left out."""
    total = 0.0
    for gpu in {gpu for gpu, _ in seconds}:
        of_this = [took for each, took in seconds if each == gpu][1:]
        total += len(of_this) / sum(of_this) if of_this else 0
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, nargs="+", required=True)
    parser.add_argument("--model", default="x4plus")
    parser.add_argument("--backend", default="cuda")
    parser.add_argument("--scale", type=float)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--gpus", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--checked", type=int, default=8, help="results that are compared, from the first on")
    options = parser.parse_args()
    images = [read(path) for path in options.image]

    def source() -> Iterator[Image]:
        yield from itertools.islice(itertools.cycle(images), options.frames)

    found: tuple[Any, ...] = gpus.find() if options.backend == "cuda" else ({},) * max(options.gpus)
    with Upscaler(options.model, backend=options.backend, scale=options.scale) as upscaler:
        print(upscaler.choice)
        expected = [upscaler.upscale(image) for image in images]
        _, rate, _ = through(map(upscaler.upscale, source()), expected, 0)
        print(f"this process alone        end to end {rate:7.2f} /s")
        settings = {"model": upscaler.model, "backend": upscaler.backend, "precision": upscaler.precision}
        settings["scale"] = str(upscaler._factor)
        base: tuple[float, float] | None = None
        failed = False
        for count in options.gpus:
            if count > len(found):
                print(f"{count} GPUs: there are {len(found)}")
                continue
            masks = [{**mask, "FLEET": str(number)} for number, mask in enumerate(found[:count])]
            fleet = Fleet(masks, settings, upscaler._enlarged)
            start, rate, wrong = through(fleet.upscaled(source()), expected, options.checked)
            engine = rates(fleet.seconds)
            base = base or (engine / count, rate / count)
            failed |= wrong > 0
            shares = [sum(gpu == number for gpu, _ in fleet.seconds) for number in range(count)]
            print(
                f"{count} GPUs  engine {engine:7.2f} /s, {engine / base[0] / count:5.3f} of linear   "
                f"end to end {rate:7.2f} /s, {rate / base[1] / count:5.3f} of linear   "
                f"first result after {start:4.1f} s, pictures a GPU {shares}, {wrong} differ"
            )
    print(f"processors: {os.cpu_count()}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
