"""Seconds from the start of the process to the first still on disk. Run: python tests/benchmarks/first_still.py

Each run is a process of its own; the variants take turns, and medians are printed: `snapupscale upscale` as it is,
without what `upscale.ahead` begins, and by torch, as on a GPU that our kernels can't use alone; all also cold, with no
kernel compiled before. The first run of all is printed apart. After them stand the marks of one warm run and of one
cold one: when the command's imports were done, the model, the reading, the network, and the writing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHILDREN = ("as it is", "without `ahead`", "by torch", "marks")
COLD = ", cold"


def child(arguments: list[str], *, ahead: bool, alone: bool, marks: bool) -> None:
    """`snapupscale upscale` in this process."""
    began = time.perf_counter()

    def mark(name: str) -> None:
        if marks:
            print(f"  {time.perf_counter() - began:6.2f} s  {name}", file=sys.stderr)

    from snapupscale import cli
    from snapupscale.upscale import ahead as starting

    if not ahead:
        starting.begin = lambda *wanted, **more: None
    if not alone:
        from snapupscale.upscale import direct

        direct.load = lambda *wanted, **more: None
    if marks:
        wanted = (arguments[arguments.index(name) + 1] for name in ("--backend", "--model"))
        starting.begin(*wanted)
        import snapupscale.stills.images
        import snapupscale.stills.png
        from snapupscale.upscale import engine

        mark("imports")
        load, upscale, write = engine.Upscaler._load, engine.Upscaler.upscale, snapupscale.stills.images.write_image

        def loaded(*values: object) -> int:
            result = load(*values)  # type: ignore[arg-type]
            mark("model")
            return result

        def upscaled(*values: object, **named: object) -> object:
            mark("picture read")
            result = upscale(*values, **named)  # type: ignore[arg-type]
            mark("network")
            return result

        def written(*values: object, **named: object) -> None:
            write(*values, **named)  # type: ignore[arg-type]
            mark("still on disk")

        engine.Upscaler._load = loaded  # type: ignore[method-assign, assignment]
        engine.Upscaler.upscale = upscaled  # type: ignore[method-assign, assignment]
        snapupscale.stills.images.write_image = written
    code = cli.main(["upscale", *arguments])
    mark("end")
    if code:
        raise SystemExit(code)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, help="default: a frame of the demo's clip at 1920x1080")
    parser.add_argument("--model", default="x4plus")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--child", choices=CHILDREN, help=argparse.SUPPRESS)
    options, rest = parser.parse_known_args()
    if options.child:
        arguments = [str(options.picture), "--model", options.model, "--backend", options.backend, *rest]
        variant = options.child
        ways = {"ahead": variant != "without `ahead`", "alone": variant != "by torch", "marks": variant == "marks"}
        child(arguments, **ways)
        return
    with tempfile.TemporaryDirectory() as folder:
        picture = options.picture or _frame(Path(folder, "frame.png"))
        named = [str(picture), "--model", options.model, "--backend", options.backend, "-o", folder]

        def run(variant: str) -> float:
            """Seconds to the still; without the end of the process, which nobody waits for."""
            for still in Path(folder).glob("*_upscaled*"):
                still.unlink()
            began = time.time()
            child = variant.removesuffix(COLD)
            with tempfile.TemporaryDirectory() as fresh:
                cache = {} if child == variant else {"XDG_CACHE_HOME": fresh}
                command = [sys.executable, __file__, "--child", child, *named]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **cache})
            # Renaming it into its place is the last that changes a still.
            return max(still.stat().st_ctime for still in Path(folder).glob("*_upscaled*")) - began

        print(f"first run: {run(CHILDREN[0]):.2f} s", flush=True)
        variants = [name + cold for cold in ("", COLD) for name in CHILDREN[:3]]
        times: dict[str, list[float]] = {variant: [] for variant in variants}
        for _ in range(options.rounds):
            for variant, series in times.items():
                series.append(run(variant))
        for variant, series in times.items():
            print(f"{variant}: {statistics.median(series):.2f} s ({min(series):.2f} to {max(series):.2f})", flush=True)
        for variant in ("marks", "marks" + COLD):
            print(variant, file=sys.stderr)
            run(variant)


def _frame(path: Path) -> Path:
    import cv2

    from snapupscale.commands import DEMO_CLIP

    clip = cv2.VideoCapture(str(DEMO_CLIP))
    clip.set(cv2.CAP_PROP_POS_FRAMES, 400)
    read, picture = clip.read()
    assert read
    cv2.imwrite(str(path), cv2.resize(picture, (1920, 1080), interpolation=cv2.INTER_CUBIC))
    return path


if __name__ == "__main__":
    main()
