"""How many frames a second the effect restores, with the real sidecar and a real model, beside the engine's own rate.

Run: python tests/benchmarks/ofx_restore.py [--model NAME ...] [--size 1920x1080] [--factor 2] [--image PNG ...]
Frames are float RGBA: crops of the pictures, scaled to --size, each one other than all before. One renders at a time,
then two and three, as hosts do. The engine alone restores the same pictures on its device afterwards, when the sidecar
has ended; what lies between the two rates is the link, the copies and the host.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

import cv2
import numpy as np
import torch
from ofx_transport import started

from ofx_host import bundles
from ofx_host.host import Host
from ofx_host.images import Picture
from ofx_host.profiles import RESOLVE
from snapupscale.upscale import devices
from snapupscale.upscale.interpolation import resample
from snapupscale.upscale.live import Layout, Live, Look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Frames = list[NDArray[np.float32]]

SERVE = "from snapupscale.sidecar.serve import serve; serve(ready=lambda port: print(port, flush=True))"
SECONDS = 8.0
"""For each rate."""
THREADS = (1, 2, 3)
VARIANTS = 8
"""Crops of each picture; a number in the corner makes every frame a new one."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["animevideov3", "x4plus"])
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--factor", type=float, default=2.0)
    parser.add_argument("--image", nargs="+", required=True, type=Path)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    pictures = frames(options.image, width, height)
    for model in options.model:
        with tempfile.TemporaryDirectory() as folder:
            for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME"):
                os.environ[name] = folder
            with started("-c", SERVE):
                rates = effect(pictures, model, options.factor)
        alone = engine(pictures, model, options.factor)
        for threads, (rate, first, middle) in rates.items():
            print(
                f"{model} {options.size} factor {options.factor:g}, {threads} at a time: {rate:.1f} frames/s,"
                f" {rate / alone:.2f} of the engine's {alone:.1f}; the render action {middle * 1e3:.1f} ms"
                f" beside the engine's {1e3 / alone:.1f}; first frame {first:.2f} s",
                flush=True,
            )


def frames(paths: list[Path], width: int, height: int) -> Frames:
    """Float RGBA, row 0 the lowest."""
    made: Frames = []
    for path in paths:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise SystemExit(f"cannot read {path}")
        for step in range(VARIANTS):
            crop = image[step : image.shape[0] - VARIANTS + step, 2 * step : image.shape[1] - 2 * VARIANTS + 2 * step]
            values = resample(crop.astype(np.float32) / 255, width, height).clip(0, 1)
            made.append(np.dstack((values, np.ones((height, width), np.float32))))
    return made


def effect(pictures: Frames, model: str, factor: float) -> dict[int, tuple[float, float, float]]:
    """By the number of threads: frames a second, and the seconds of the first frame and of the middle render action."""
    rates = {}
    seconds: list[float] = []
    numbers = iter(range(1 << 30))
    with Host(bundles.effect(), RESOLVE) as host:
        for threads in THREADS:
            with host.instance(onFailure="Fail", model=model, sourceFactor=factor, timeLimit=120.0) as instance:
                sources = [[Picture.of(each) for each in pictures] for _ in range(threads)]

                def render(thread: int, moment: int) -> None:
                    source = sources[thread][moment % len(pictures)]  # noqa: B023 - called at once
                    source.pixels[0, 0, 0] = next(numbers) / (1 << 20)
                    source.refresh()
                    rendered = instance.render(source)
                    assert rendered.status == 0, host.messages
                    seconds.append(rendered.seconds)

                began = time.perf_counter()
                render(0, 0)
                first = time.perf_counter() - began
                for moment in range(3):
                    render(moment % threads, moment)
                seconds.clear()
                rates[threads] = (_rate(render, threads), first, statistics.median(seconds))
    return rates


def _rate(render: object, threads: int) -> float:
    end = time.perf_counter() + SECONDS

    def go(thread: int) -> int:
        done = 0
        while time.perf_counter() < end:
            render(thread, done)  # type: ignore[operator]
            done += 1
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(go, range(threads)))
    return done / (time.perf_counter() - began)


def engine(pictures: Frames, model: str, factor: float) -> float:
    """Frames a second that are restored on the device, without copies and link."""
    height, width = pictures[0].shape[:2]
    layout = Layout(width=width, height=height, depth="float", components=4, premultiplied=False, top_down=False)
    with Live(model) as live:
        device = torch.device(live.backend)
        raw = [live.upload(torch.from_numpy(each.reshape(-1).view(np.uint8))) for each in pictures]
        seconds = []
        for moment in range(len(raw) * 2):
            devices.synchronise(device)
            began = time.perf_counter()
            live.render(raw[moment % len(raw)], layout, Look(factor=factor))
            devices.synchronise(device)
            seconds.append(time.perf_counter() - began)
    return 1 / statistics.median(seconds[len(raw) // 2 :])


if __name__ == "__main__":
    main()
