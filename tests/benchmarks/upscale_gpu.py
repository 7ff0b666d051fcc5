"""What a GPU makes of the upscaler: precision, tiles, memory and time, printed as JSON.

    PYTHONPATH=core python tests/benchmarks/upscale_gpu.py --models-folder FOLDER frame.png ...

Frames are pictures that cv2 reads. FOLDER holds the weights (see SNAPUPSCALE_MODELS); without it they are looked for as
usual.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from snapupscale.errors import Cancelled
from snapupscale.upscale import catalog, weights
from snapupscale.upscale.direct import DirectBackend
from snapupscale.upscale.engine import Upscaler
from snapupscale.upscale.interpolation import resample
from snapupscale.upscale.torch_backend import TorchBackend, exact_float32
from snapupscale.upscale.torch_job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Image = NDArray[np.uint8]


def decibels(one: NDArray[Any], other: NDArray[Any]) -> float:
    """PSNR of two pictures of floats in [0, 1]; 999 when they are equal."""
    error = float(np.mean(np.square(one - other, dtype=np.float64)))
    return 999.0 if error == 0 else round(-10 * float(np.log10(error)), 2)


def compared(one: NDArray[np.float32], other: NDArray[np.float32]) -> dict[str, float]:
    """How far two results are apart, as floats and as 8-bit samples."""
    steps = np.abs(np.rint(one * 255) - np.rint(other * 255))
    return {
        "psnr_db": decibels(one, other),
        "max": float(np.abs(one - other).max()),
        "within_1_of_255": float((steps <= 1).mean()),
        "largest_step": float(steps.max()),
    }


def read(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise SystemExit(f"cannot read {path}")
    return image.astype(np.uint8)


def floats(image: Image) -> NDArray[np.float32]:
    return np.divide(image, 255, dtype=np.float32)


def sized(image: Image, width: int, height: int) -> Image:
    """`image` at this size: cut out of its middle when it is large enough, so that its detail stays real."""
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    if top < 0 or left < 0:
        return resample(image, width, height)
    return np.ascontiguousarray(image[top : top + height, left : left + width])


def upscaled(name: str, backend: str, image: NDArray[Any], **settings: Any) -> NDArray[Any]:
    with Upscaler(name, backend=backend, **settings) as upscaler:
        return upscaler.upscale(image)


def precision(name: str, backend: str, frames: list[Image]) -> dict[str, Any]:
    """fp16 against fp32, and fp32 against fp32 on the CPU (which would show TF32)."""
    small = floats(sized(frames[0], 96, 64))
    single = upscaled(name, backend, small, precision="fp32")
    result: dict[str, Any] = {"fp32_vs_cpu": compared(single, upscaled(name, "cpu", small)), "fp16_vs_fp32": []}
    for frame in frames:
        one, other = (upscaled(name, backend, floats(frame), precision=each) for each in ("fp32", "fp16"))
        result["fp16_vs_fp32"].append(compared(one, other))
    return result


def tiles(name: str, backend: str, frame: Image, edges: list[int]) -> dict[str, Any]:
    """Tiles of several sizes against the whole picture."""
    result = {}
    for each in ("fp32", "fp16"):
        whole = upscaled(name, backend, floats(frame), precision=each)
        for edge in edges:
            tiled = upscaled(name, backend, floats(frame), precision=each, tile=edge)
            result[f"{each}_{edge}"] = compared(whole, tiled)
    return result


def out_of_memory(name: str, frame: Image, gigabytes: float) -> dict[str, Any]:
    """All memory but so much taken, which the planning is not told of: the tiles have to shrink by themselves."""
    expected = upscaled(name, "cuda", floats(frame))
    with Upscaler(name, backend="cuda") as upscaler:
        backend = upscaler._network
        assert isinstance(backend, DirectBackend)
        free = backend._gpu.free_memory()
        ballast = backend._memory.array((free - int(gigabytes * 2**30),), np.uint8)
        backend.tiles.free_memory = lambda: free
        actual = upscaler.upscale(floats(frame))
        most = backend.tiles._most
        del ballast
    return {"left_gib": gigabytes, "most_cells_of_a_tile": most, **compared(expected, actual)}


def milliseconds(work: Callable[[], object], repeat: int) -> dict[str, float]:
    """The median and the least of `repeat` runs, after one to warm up."""
    work()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return {"median_ms": round(statistics.median(times), 2), "least_ms": round(min(times), 2)}


@contextmanager
def network_work(upscaler: Upscaler, image: Image) -> Iterator[Callable[[], None]]:
    """The network with the picture on the device already and the result left there, as a function to be timed."""
    backend = upscaler._network
    if isinstance(backend, DirectBackend):
        job = backend._job(image, image.dtype, lambda _: None)

        def alone() -> None:
            backend._run(job, job.whole)
            backend._gpu.synchronise()

        yield alone
        return
    assert isinstance(backend, TorchBackend)
    network, device = backend._network, backend.device
    scale = 4 // network.cell
    with torch.inference_mode(), exact_float32():
        job = Job.start(image, image.dtype, network.cell, scale, device, lambda _: None)
        backend.tiles.plan(job.whole)

        def work() -> None:
            backend._run(network, job, job.whole)
            if device.type == "cuda":
                torch.cuda.synchronize()

        yield work


def network_only(upscaler: Upscaler, image: Image, repeat: int) -> dict[str, float]:
    with network_work(upscaler, image) as work:
        return milliseconds(work, repeat)


def peak(upscaler: Upscaler) -> int:
    """Bytes of GPU memory that one size of picture has taken: all of it is kept for the next."""
    backend = upscaler._network
    if isinstance(backend, DirectBackend):
        return backend._memory.unused() + sum(spec.nbytes for spec in backend._parameters.values()) // 2
    return torch.cuda.max_memory_allocated()


def cancelling(upscaler: Upscaler, image: Image) -> float:
    """Seconds from the call that raises to the end."""
    raised = 0.0

    def cancel(share: float) -> None:
        nonlocal raised
        if share > 0.3:
            raised = time.perf_counter()
            raise Cancelled("enough")

    try:
        upscaler.upscale(image, progress=cancel)
    except Cancelled:
        return round(time.perf_counter() - raised, 4)
    raise AssertionError("it did not stop")


def times(name: str, backend: str, image: Image, repeat: int) -> dict[str, Any]:
    """Network alone, end to end, end to end at scale 2, and peak memory, for one size."""
    height, width = image.shape[:2]
    result: dict[str, Any] = {"size": f"{width}x{height}"}
    with Upscaler(name, backend=backend) as upscaler:
        gaps = [time.perf_counter()]
        upscaler.upscale(image, progress=lambda _: gaps.append(time.perf_counter()))
        result["longest_step_s"] = round(max(np.diff(gaps)), 4)
        result["end_to_end"] = milliseconds(lambda: upscaler.upscale(image), repeat)
        if backend == "cuda":
            result["peak_gib"] = round(peak(upscaler) / 2**30, 2)
        result["end_to_end_16_bit"] = milliseconds(lambda: upscaler.upscale(image.astype(np.uint16) * 257), repeat)
        result["network"] = network_only(upscaler, image, repeat)
        result["cancel_s"] = cancelling(upscaler, image)
    with Upscaler(name, backend=backend, scale=2) as upscaler:
        result["end_to_end_scale_2"] = milliseconds(lambda: upscaler.upscale(image), max(1, repeat // 2))
    return result


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", nargs="+", type=Path)
    parser.add_argument("--models-folder", type=Path, help="a folder with the files of the weights")
    parser.add_argument("--models", nargs="+", help="names; without it every model that is installed")
    parser.add_argument("--backend", default="cuda")
    parser.add_argument("--sizes", nargs="+", default=["1280x720", "1920x1080"])
    parser.add_argument("--tiles", nargs="+", type=int, default=[256, 512])
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--cap-gib", type=float, default=0.4)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if options.models_folder:
        os.environ[weights.FOLDER_VARIABLE] = str(options.models_folder)
    frames = [read(path) for path in options.frames]
    names = options.models or [name for name, spec in catalog.catalog().items() if weights.installed(spec)]
    cuda = options.backend == "cuda"
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if cuda else options.backend,
        "models": {},
    }
    for name in names:
        sizes = [tuple(map(int, size.split("x"))) for size in options.sizes]
        report["models"][name] = {
            "times": [times(name, options.backend, sized(frames[0], *size), options.repeat) for size in sizes],
            "precision": precision(name, options.backend, frames),
            "tiles": tiles(name, options.backend, frames[0], options.tiles),
            "out_of_memory": out_of_memory(name, frames[0], options.cap_gib) if cuda else None,
        }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
