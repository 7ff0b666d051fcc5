"""Speed and peak memory of `detect` beside PySceneDetect's and bare decoding with the same settings.

Run: python tests/benchmarks/detection_speed.py [FOOTAGE...] [--only NAME...] [--rounds N] [--folder DIR]

FOOTAGE (by default the clip of the demo) is enlarged, gets grain of its own on every frame, and is encoded anew; clips
that are in DIR already are used again. The programs take turns, one process each, ours with an empty cache. On a
machine with other work the seconds of the processors say more than those of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GRAIN = 4.0
"""Standard deviation, in levels of 255."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a clip is made."""

    suffix: str
    codec: str
    pixel_format: str
    size: tuple[int, int] = (1920, 1080)
    frames: int = 1500
    options: dict[str, str] = field(default_factory=dict)


KINDS = {
    "h264": Kind(
        suffix=".mp4",
        codec="libx264",
        pixel_format="yuv420p",
        options={"preset": "veryfast", "crf": "21"},
    ),
    "hevc-4k": Kind(
        suffix=".mp4",
        codec="libx265",
        pixel_format="yuv420p",
        size=(3840, 2160),
        frames=500,
        options={"preset": "superfast", "crf": "20", "x265-params": "log-level=none"},
    ),
    "prores": Kind(suffix=".mov", codec="prores_ks", pixel_format="yuv422p10le", options={"profile": "2"}),
    "mjpeg": Kind(suffix=".mov", codec="mjpeg", pixel_format="yuvj422p", options={"qmin": "4", "qmax": "4"}),
    "dnxhr": Kind(suffix=".mov", codec="dnxhd", pixel_format="yuv422p", options={"profile": "dnxhr_sq"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", nargs="*", type=Path)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        bare_decode(options.bare)
        return
    from snapupscale.commands import DEMO_CLIP

    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in options.only:
            clip = folder / f"{name}{KINDS[name].suffix}"
            if not clip.exists():
                make(clip, KINDS[name], options.footage or [DEMO_CLIP])
            compare(name, clip, options.rounds)


def compare(name: str, clip: Path, rounds: int) -> None:
    scenedetect = [sys.executable, "-m", "scenedetect", "-q", "-i", str(clip), "-b", "opencv"]
    programs = {
        "bare decode": [sys.executable, __file__, "--bare", str(clip)],
        "snapupscale detect": [sys.executable, "-m", "snapupscale", "detect", str(clip)],
        "scenedetect hist": [*scenedetect, "detect-hist", "list-scenes", "-n"],
        "scenedetect adaptive": [*scenedetect, "detect-adaptive", "list-scenes", "-n"],
    }
    runs: dict[str, list[tuple[float, float, float]]] = {program: [] for program in programs}
    for _ in range(rounds):
        for program, command in programs.items():
            runs[program].append(run(command))
    medians = {
        program: [statistics.median(column) for column in zip(*found, strict=True)] for program, found in runs.items()
    }
    ours = medians["snapupscale detect"]
    print(f"{name}: {clip.stat().st_size / 1e6:.0f} MB, {rounds} rounds")
    for program, (clock, processors, memory) in medians.items():
        print(
            f"  {program:<22}{clock:7.2f} s  {processors:7.2f} s of processors  {memory:5.0f} MiB"
            f"   over ours: {clock / ours[0]:.2f}, {processors / ours[1]:.2f}",
            flush=True,
        )


# A process begins with the peak memory of the one that it was forked from: so a small one starts it, and tells.
_WATCH = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
clock = time.perf_counter() - began
process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([process.returncode, clock, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
"""


def run(command: Sequence[str]) -> tuple[float, float, float]:
    """Seconds by the clock and of the processors, and peak memory in MiB, of one process."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_CACHE_HOME": folder}
        watching = [sys.executable, "-c", _WATCH, *command]
        told = subprocess.run(watching, capture_output=True, check=True, env=environment, cwd=folder).stdout
    code, clock, processors, memory = json.loads(told)
    if code:
        raise SystemExit(f"{' '.join(command)} failed with {code}")
    return clock, processors, memory


def bare_decode(clip: str) -> None:
    """Every frame, by the threads of one decoder and without the loop filter; nothing else."""
    import av

    with av.open(clip) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.options = {"skip_loop_filter": "all"}
        for _ in container.decode(stream):
            pass


def make(path: Path, kind: Kind, footage: Sequence[Path]) -> None:
    import av

    print(f"making {path.name}", flush=True)
    # A clip that was only begun must not be taken for one the next time.
    begun = path.with_name(f"begun-{path.name}")
    with av.open(str(begun), "w") as container:
        stream = container.add_stream(kind.codec, rate=25, options=kind.options)
        stream.width, stream.height = kind.size
        stream.pix_fmt = kind.pixel_format
        stream.codec_context.thread_type = "AUTO"
        for frame in islice(pictures(footage, kind.size), kind.frames):
            container.mux(stream.encode(frame.reformat(format=kind.pixel_format, threads=1)))
        container.mux(stream.encode(None))
    begun.rename(path)


def pictures(footage: Sequence[Path], size: tuple[int, int]) -> Iterator:
    import av
    import cv2
    import numpy as np

    # Grain is cut out of one large field at another place for each frame: drawing it anew would take the longest.
    generator = np.random.default_rng(0)
    field = generator.normal(0, GRAIN, (size[1] + 256, size[0] + 256, 1)).round().astype(np.int16)
    for clip in cycle(footage):
        with av.open(str(clip)) as container:
            for frame in container.decode(video=0):
                picture = cv2.resize(frame.to_ndarray(format="bgr24"), size, interpolation=cv2.INTER_CUBIC)
                down, right = generator.integers(0, 256, 2)
                grain = field[down : down + size[1], right : right + size[0]]
                yield av.VideoFrame.from_ndarray(np.clip(picture + grain, 0, 255).astype(np.uint8), format="bgr24")


if __name__ == "__main__":
    main()
