"""Seconds per frame of 640x360 on the CPU, by every path that there is. Run: python tests/benchmarks/cpu.py

The paths take turns; the medians are printed beside that of the first, the plain path: the picture at once, channels
first. Next to them stands how far each result is from ours in float32, in decibels: the worst of five smaller frames.
(The plain path leaves the levels as the network makes them.) To be taken, a path must be clearly faster and reach
60 dB, and 75 for animevideov3.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from snapupscale.commands import DEMO_CLIP
from snapupscale.upscale import catalog, torch_network, weights
from snapupscale.upscale.networks import Pace, build
from snapupscale.upscale.torch_backend import TorchBackend

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from snapupscale.upscale.catalog import ModelSpec

    Pixels = NDArray[Any]
    Path = Callable[[Pixels], Pixels]

MODELS = ("animevideov3", "x4plus-anime", "x4plus")
PLAIN, OURS = "torch, plain", "torch, channels last in bands (ours)"
FRAMES = (120, 260, 400, 540, 680)
SIZE = (640, 360)
SMALL = (192, 108)
_CPU = torch.device("cpu")


def frames() -> list[Pixels]:
    """Frames of the clip that ships with the program, 8-bit RGB."""
    clip = cv2.VideoCapture(str(DEMO_CLIP))
    found = []
    for number in FRAMES:
        clip.set(cv2.CAP_PROP_POS_FRAMES, number)
        read, picture = clip.read()
        assert read, number
        found.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    return found


def paths(spec: ModelSpec) -> dict[str, Path]:
    """What enlarges a picture to floats, by name."""
    parameters = weights.load(spec).parameters
    threads = torch.get_num_threads()
    backend = TorchBackend(spec, parameters, device=_CPU, precision="fp32")
    found = {
        PLAIN: _plain(spec, parameters),
        OURS: partial(_enlarged, backend, threads),
        "the same, 1 thread": partial(_enlarged, backend, 1),
        f"the same, {2 * threads} threads": partial(_enlarged, backend, 2 * threads),
        "the same, bf16": partial(_enlarged, _bf16(spec, parameters), threads),
    }
    try:
        from snapupscale.upscale.ncnn_backend import NcnnBackend
    except ImportError:
        return found
    for precision in ("fp32", "fp16"):
        by_ncnn = NcnnBackend(spec, parameters, device=None, precision=precision)
        found[f"ncnn, {precision}"] = partial(_enlarged, by_ncnn, threads)
    return found


def _enlarged(backend: TorchBackend, threads: int, picture: Pixels) -> Pixels:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return backend.enlarge(picture, np.dtype(np.float32), lambda share: None)
    finally:
        torch.set_num_threads(before)


def _plain(spec: ModelSpec, parameters: dict[str, Pixels]) -> Path:
    """As the official program does it: no bands, no tiles, torch's own order of values."""
    network = torch_network.load(spec, parameters, _CPU, layout=torch.contiguous_format)
    pace = Pace(tick=lambda operations: None, layout=torch.contiguous_format)

    def enlarged(picture: Pixels) -> Pixels:
        with torch.inference_mode():
            source = torch.from_numpy(picture).permute(2, 0, 1)[None].float().div_(255)
            values = network.tail(network.features(source, pace), source, pace)
            return np.asarray(values[0].permute(1, 2, 0).clamp(0, 1).numpy())

    return enlarged


def _bf16(spec: ModelSpec, parameters: dict[str, Pixels]) -> TorchBackend:
    """As fp16 on a GPU: the first layer in float32, what lies between layers rounded."""
    backend = TorchBackend(spec, parameters, device=_CPU, precision="fp32")
    network = torch_network.load(spec, parameters, _CPU).bfloat16()
    for layer in network.entrance():
        layer.float()
    backend._network = network
    return backend


def decibels(one: Pixels, other: Pixels) -> float:
    error = float(np.mean(np.square(one - other, dtype=np.float64)))
    return math.inf if error == 0 else -10 * math.log10(error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--paths", nargs="+", default=[""], help="parts of the names of paths; default: all")
    options = parser.parse_args()
    pictures = frames()
    small = [cv2.resize(picture, SMALL, interpolation=cv2.INTER_AREA) for picture in pictures]
    large = cv2.resize(pictures[0], SIZE, interpolation=cv2.INTER_AREA)
    for name in options.models:
        spec = catalog.find(name)
        known = paths(spec)
        expected = [known[OURS](picture) for picture in small]
        known = {label: path for label, path in known.items() if any(part in label for part in options.paths)}
        worst = {
            label: min(decibels(path(picture), right) for picture, right in zip(small, expected, strict=True))
            for label, path in known.items()
        }
        times: dict[str, list[float]] = {label: [] for label in known}
        for _ in range(options.rounds):
            for label, path in known.items():
                began = time.perf_counter()
                path(large)
                times[label].append(time.perf_counter() - began)
        network = build(spec)
        area = SIZE[0] * SIZE[1] / network.cell**2
        work = area * (network.body_operations() + network.tail_operations()) / 1e9
        usual = statistics.median(next(iter(times.values())))
        print(f"{name}, {torch.get_num_threads()} threads, {work:.0f} GFLOP, load {os.getloadavg()[0]:.1f}")
        for label, series in times.items():
            seconds = statistics.median(series)
            gain = f"x{usual / seconds:5.2f}  {work / seconds:6.0f} GFLOP/s  {worst[label]:6.1f} dB"
            print(f"  {label:<38}{seconds:8.2f} s (least {min(series):.2f})  {gain}", flush=True)


if __name__ == "__main__":
    main()
