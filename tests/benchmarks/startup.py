"""Start-up time of the command line, beside that of PySceneDetect's. Run: python tests/benchmarks/startup.py

The commands take turns, one process each, and the ratio of the medians is printed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from footage import make_video, two_shots

ROUNDS = 15


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clip = make_video(
            Path(folder, "second.mp4"), frames=25, rate=Fraction(25), width=1280, height=720, picture=two_shots
        )
        pairs = {
            "--help": (
                [sys.executable, "-m", "snapupscale", "--help"],
                [sys.executable, "-m", "scenedetect", "--help"],
            ),
            "detect one second of 720p": (
                [sys.executable, "-m", "snapupscale", "detect", str(clip)],
                [sys.executable, "-m", "scenedetect", "-q", "-i", str(clip), "detect-hist", "list-scenes", "-n"],
            ),
        }
        for name, commands in pairs.items():
            times: tuple[list[float], list[float]] = ([], [])
            for number in range(ROUNDS + 1):
                for command, series in zip(commands, times, strict=True):
                    # A cache of its own each time, or the second run would decode nothing.
                    environment = {**os.environ, "XDG_CACHE_HOME": str(Path(folder, f"cache{number}"))}
                    began = time.perf_counter()
                    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=folder)
                    series.append(time.perf_counter() - began)
            ours, peer = (statistics.median(series[1:]) for series in times)
            print(f"{name}: snapupscale {ours:.3f} s, scenedetect {peer:.3f} s, ratio {ours / peer:.2f}")


if __name__ == "__main__":
    main()
