"""Time and peak memory of `stills`, stage by stage. Run: python tests/benchmarks/stages.py [CLIP] [--backend NAME]

Each run is a process of its own, with an empty cache; the second of each pair goes on in the folder of the first.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STAGES = ("start", "analyse", "pick", "upscale", "write")
"""`start` is imports and loading the model; `write` is timelines and report."""


def child(clip: str, folder: str, backend: str) -> None:
    """One run; prints the seconds of each stage and the peak of memory up to its end."""
    marks: list[tuple[str, float, int]] = []

    def mark(stage: str) -> None:
        if not marks or marks[-1][0] != stage:
            marks.append((stage, time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))

    mark("start")
    from snapupscale.job import Settings, run

    def progress(stage: str, done: float, total: float | None) -> None:
        mark("write" if stage == "upscale" and done == total else stage)

    outcome = run(clip, folder, Settings(backend=backend, min_shot=3.0), progress=progress)
    mark("end")
    spans = dict.fromkeys(STAGES, 0.0)
    peaks: dict[str, int] = {}
    for (name, begin, _), (_, end, peak) in itertools.pairwise(marks):
        spans[name] += end - begin
        peaks[name] = peak // 1024
    print(json.dumps({"seconds": spans, "peak_mib": peaks, "stills": len(outcome.stills), "kept": outcome.kept}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", nargs="?")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    from snapupscale.commands import DEMO_CLIP

    results: dict[str, list[dict[str, dict[str, float]]]] = {"fresh": [], "again": []}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            for runs in results.values():
                command = [sys.executable, __file__, "--child", options.clip or str(DEMO_CLIP)]
                environment = {**os.environ, "XDG_CACHE_HOME": str(Path(folder, "cache"))}
                run = subprocess.run(
                    [*command, str(Path(folder, "out")), options.backend],
                    capture_output=True,
                    text=True,
                    check=True,
                    env=environment,
                )
                runs.append(json.loads(run.stdout))
    for kind, runs in results.items():
        print(f"{kind}: {runs[0]['stills']} stills, {runs[0]['kept']} kept; medians of {len(runs)} runs")
        for stage in STAGES:
            seconds = statistics.median(run["seconds"].get(stage, 0.0) for run in runs)
            peak = max(run["peak_mib"].get(stage, 0) for run in runs)
            print(f"  {stage:<11}{seconds:8.2f} s   peak {peak:5d} MiB")
        total = statistics.median(sum(run["seconds"].values()) for run in runs)
        print(f"  {'all':<11}{total:8.2f} s")


if __name__ == "__main__":
    main()
