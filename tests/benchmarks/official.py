"""Upscaler beside the official package, `realesrgan`, in turns: the network, picture to picture, and the first still.

    PYTHONPATH=core python tests/benchmarks/official.py FRAME --models x4plus animevideov3

Needs the packages realesrgan and basicsr, which are no dependency of ours; the official program reads our weights,
saved as its file. Prints medians and their ratio. Ours also brings the levels of the picture back (upscale/levels.py),
which the official program leaves as its network makes them, so the results differ on purpose.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

WAYS = ("official", "ours")


def official(model: str, file: str) -> Any:
    """A RealESRGANer with the network of `model`, as the official program makes it by default: half, no tiles."""
    import torch
    from torchvision.transforms import functional

    # basicsr asks for a module that newer versions of torchvision lack.
    moved = types.ModuleType("torchvision.transforms.functional_tensor")
    moved.rgb_to_grayscale = functional.rgb_to_grayscale  # type: ignore[attr-defined]
    sys.modules[moved.__name__] = moved
    from basicsr.archs.rrdbnet_arch import RRDBNet
    from realesrgan import RealESRGANer
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact

    networks = {
        "x4plus": lambda: RRDBNet(3, 3, num_feat=64, num_block=23, num_grow_ch=32, scale=4),
        "x4plus-anime": lambda: RRDBNet(3, 3, num_feat=64, num_block=6, num_grow_ch=32, scale=4),
        "animevideov3": lambda: SRVGGNetCompact(3, 3, num_feat=64, num_conv=16, upscale=4, act_type="prelu"),
    }
    return RealESRGANer(4, file, model=networks[model](), tile=0, pre_pad=0, half=torch.cuda.is_available())


def save_weights(model: str, file: Path) -> None:
    import torch

    from snapupscale.upscale import catalog, weights

    parameters = weights.load(catalog.find(model)).parameters
    torch.save({"params": {name: torch.tensor(values) for name, values in parameters.items()}}, file)


def in_turns(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each; one run of each, to warm up, is left out."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for number in range(rounds + 1):
        for name, each in work.items():
            begin = time.perf_counter()
            each()
            if number:
                times[name].append(time.perf_counter() - begin)
    return times


def say(what: str, times: dict[str, list[float]], unit: str = "ms") -> None:
    factor = 1000 if unit == "ms" else 1
    one, other = (statistics.median(times[name]) * factor for name in WAYS)
    print(f"  {what:<34} official {one:9.2f} {unit}   ours {other:9.2f} {unit}   {one / other:6.2f} times", flush=True)


def warm(model: str, picture: np.ndarray, file: str, rounds: int) -> None:
    import torch
    from upscale_gpu import network_work

    from snapupscale.upscale.engine import Upscaler

    peer, cuda = official(model, file), torch.cuda.is_available()
    rgb = np.ascontiguousarray(picture[..., ::-1])
    pixels = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
    pixels = pixels.half().cuda() if cuda else pixels

    @torch.no_grad()
    def peer_network() -> None:
        peer.model(pixels)
        if cuda:
            torch.cuda.synchronize()

    with Upscaler(model) as upscaler:
        work = {"official": lambda: peer.enhance(picture), "ours": lambda: upscaler.upscale(rgb)}
        say("picture to picture", in_turns(work, rounds))
        with network_work(upscaler, rgb) as own_network:
            for each in (peer_network, own_network):
                # Of the network each has a second by itself first: what counts is the pace under sustained work.
                until = time.perf_counter() + 1
                while cuda and time.perf_counter() < until:
                    each()
            say("network alone", in_turns({"official": peer_network, "ours": own_network}, rounds))


def first_stills(model: str, picture: Path, file: str, folder: Path, rounds: int) -> None:
    commands = {
        "official": [sys.executable, __file__, str(picture), "--child", model, file, str(folder / "official.png")],
        "ours": [sys.executable, "-m", "snapupscale", "upscale", str(picture), "--model", model, "-o", str(folder)],
    }

    def run(name: str) -> Callable[[], None]:
        def once() -> None:
            for still in folder.glob("*.png"):
                still.unlink()
            subprocess.run(commands[name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        return once

    say("process start to its end, one still", in_turns({name: run(name) for name in WAYS}, rounds), "s ")


def child(picture: Path, model: str, file: str, still: str) -> None:
    result, _ = official(model, file).enhance(cv2.imread(str(picture), cv2.IMREAD_UNCHANGED))
    cv2.imwrite(still, result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--models", nargs="+", default=["x4plus"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--stills", type=int, default=3, help="rounds of whole processes; 0 for none")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.picture, *options.child)
        return
    picture = cv2.imread(str(options.picture), cv2.IMREAD_COLOR)
    assert picture is not None, options.picture
    for model in options.models:
        print(f"{model}, {picture.shape[1]}x{picture.shape[0]}")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "weights.pth")
            save_weights(model, file)
            if options.stills:
                first_stills(model, options.picture.absolute(), str(file), Path(folder), options.stills)
            warm(model, picture.astype(np.uint8), str(file), options.rounds)


if __name__ == "__main__":
    main()
