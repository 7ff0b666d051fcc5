"""How long a frame takes that is restored as it is played: medians of every step, printed as JSON.

    PYTHONPATH=core python tests/benchmarks/live.py [--model NAME] [--size 1920x1080] [--factor 2] [--image PNG ...]

Frames are pictures that cv2 reads, or, where PyAV is installed, frames of --clip (without it, of the footage that ships
with the project). They are scaled to --size. Weights are looked for as usual, or in --models-folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

import snapupscale
from snapupscale.upscale import devices, layouts, ranges, resize, weights
from snapupscale.upscale.interpolation import resample
from snapupscale.upscale.live import Layout, Live, Look
from snapupscale.upscale.torch_backend import exact_float32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

SHIPPED = Path(snapupscale.__file__).parent / "data" / "bbb480_30s.mp4"
TYPES = {"byte": np.uint8, "short": np.uint16, "half": np.float16, "float": np.float32}


def of_clip(path: Path) -> Iterator[Image]:
    import av

    with av.open(str(path)) as clip:
        for number, frame in enumerate(clip.decode(video=0)):
            if number % 60 == 30:
                yield frame.to_ndarray(format="rgb24").astype(np.uint8)


def of_file(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise SystemExit(f"cannot read {path}")
    return image.astype(np.uint8)


def memory(image: Image, layout: Layout, *, pinned: bool) -> torch.Tensor:
    """The bytes that an editor would hand over; a tensor over them."""
    values = resample(image, layout.width, layout.height).astype(np.float32) / 255
    values = np.dstack((values, np.ones(values.shape[:2], np.float32)))[:, :, : layout.components]
    levels = layouts.LEVELS.get(layout.depth, 1)
    samples = (np.rint(values * levels) if levels > 1 else values).astype(TYPES[layout.depth])
    raw = torch.from_numpy(np.ascontiguousarray(samples)).view(torch.uint8).flatten()
    return raw.pin_memory() if pinned else raw


class Clock:
    """Times of steps by name, in milliseconds; the device is waited for before and after each."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.times: dict[str, list[float]] = {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        devices.synchronise(self._device)
        start = time.perf_counter()
        result = work()
        devices.synchronise(self._device)
        self.times.setdefault(name, []).append((time.perf_counter() - start) * 1000)
        return result

    def medians(self) -> dict[str, float]:
        return {name: round(statistics.median(times), 3) for name, times in self.times.items()}


def steps(live: Live, sources: list[torch.Tensor], layout: Layout, look: Look, repeat: int) -> dict[str, float]:
    """Every step by itself, and the engine alone on the picture that the step `render` gives it."""
    clock, into = Clock(live._device), torch.empty_like(sources[0])
    size = (layout.width, layout.height)
    small = [max(1, round(length / look.factor)) for length in size]
    for source in islice(cycle(sources), repeat):
        raw = clock("upload", lambda source=source: live.upload(source))
        clock("digest", lambda raw=raw: live.digest(raw))
        result = clock("render", lambda raw=raw: live.render(raw, layout, look))
        clock("download", lambda result=result: live.download(result, into))
        with torch.inference_mode(), exact_float32():
            planes = clock("part: decode", lambda raw=raw: layouts.decoded(raw, layout))
            colour = planes[:, :3]
            values, remainder = clock("part: split", lambda colour=colour: ranges.split(colour, None))
            shrunk = clock("part: shrink", lambda values=values: resize.resized(values, *small).clamp(0, 1))
            large = clock("engine", lambda shrunk=shrunk: live._network.enlarge_planes(shrunk, lambda _: None))
            fitted = clock("part: resize", lambda large=large: resize.resized(large, *size).clamp_(0, 1))
            del large
            clock("part: join", lambda remainder=remainder, fitted=fitted: remainder.joined(fitted))
            clock("part: encode", lambda planes=planes: layouts.encoded(planes, layout))
    return clock.medians()


def rate(live: Live, sources: list[torch.Tensor], layout: Layout, look: Look, repeat: int) -> float:
    """Frames a second through the whole way, one after another."""
    into = torch.empty_like(sources[0])
    devices.synchronise(live._device)
    start = time.perf_counter()
    for source in islice(cycle(sources), repeat):
        raw = live.upload(source)
        live.digest(raw)
        live.download(live.render(raw, layout, look), into)
    return repeat / (time.perf_counter() - start)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", nargs="+", type=Path, default=[])
    parser.add_argument("--clip", type=Path, default=SHIPPED)
    parser.add_argument("--models-folder", type=Path, help="a folder with the files of the weights")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--factor", type=float, default=2)
    parser.add_argument("--zoom", type=float, help="a punch-in instead of a restoration")
    parser.add_argument("--depth", choices=list(layouts.DEPTHS), default="float")
    parser.add_argument("--components", type=int, default=4)
    parser.add_argument("--premultiplied", action="store_true")
    parser.add_argument("--pageable", action="store_true", help="memory that is not page-locked, on CUDA")
    parser.add_argument("--repeat", type=int, default=20)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if options.models_folder:
        os.environ[weights.FOLDER_VARIABLE] = str(options.models_folder)
    width, height = map(int, options.size.split("x"))
    layout = Layout(
        width=width,
        height=height,
        depth=options.depth,
        components=options.components,
        premultiplied=options.premultiplied,
        top_down=False,
    )
    look = Look(factor=options.factor) if options.zoom is None else Look(mode="punch-in", zoom=options.zoom)
    images = [of_file(path) for path in options.image] or list(islice(of_clip(options.clip), 6))
    with Live(options.model, backend=options.backend, precision=options.precision) as live:
        pinned = live.backend == "cuda" and not options.pageable
        sources = [memory(image, layout, pinned=pinned) for image in images]
        start = time.perf_counter()
        rate(live, sources, layout, look, 1)
        first = time.perf_counter() - start
        rate(live, sources, layout, look, 2)
        report = {
            "choice": live.choice,
            "torch": torch.__version__,
            "frame": f"{options.size} {options.depth} {options.components} components",
            "look": f"zoom {options.zoom}" if options.zoom else f"factor {options.factor}",
            "first_frame_s": round(first, 3),
            "median_ms": steps(live, sources, layout, look, options.repeat),
            "frames_per_second": round(rate(live, sources, layout, look, options.repeat), 2),
        }
        if live.backend == "cuda":
            report["peak_allocated_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
        report["beside_the_network_ms"] = beside(report["median_ms"]) if options.zoom is None else None
    print(json.dumps(report, indent=1))


def beside(medians: dict[str, float]) -> float:
    """What rendering takes beyond the engine alone on the same shrunk picture."""
    return round(medians["render"] - medians["engine"], 3)


if __name__ == "__main__":
    main()
