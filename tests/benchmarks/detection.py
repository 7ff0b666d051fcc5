"""How well cuts and transitions are found, peers beside us. Run: python tests/benchmarks/detection.py DIR... [--peers]

Each DIR holds clips, each with a JSON beside it that has `cuts`, `gradual` and maybe `ignore`. Hard cuts are matched
one to one within a frame; what is found inside a gradual transition, give or take three frames, is neither right nor
wrong; a gradual transition counts as found when one that was found touches it, give or take three frames. The peer is
PySceneDetect with its OpenCV backend and the defaults of its own detectors.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from plot import plot

from snapupscale.media.source import probe
from snapupscale.scenes.methods import METHODS, find_cuts, needs
from snapupscale.scenes.signal import analyse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
PEERS = ("adaptive", "content", "hist")
_SLACK, _FAR = 3, 6


@dataclass(kw_only=True)
class Tally:
    """What one method did, over all clips."""

    hits: int = 0
    false: int = 0
    missed: int = 0
    exact: int = 0
    gradual: int = 0
    gradual_found: int = 0
    gradual_false: int = 0
    sure: list[tuple[float, bool]] = field(default_factory=list)
    """Confidence of each cut that counts, and whether it is one."""

    def count(self, truth: dict[str, Any], cuts: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[int]:
        """Add one clip; the false cuts."""
        pairs = sorted((abs(cut - real), cut, real) for real in truth["cuts"] for cut in cuts if abs(cut - real) <= 1)
        found: dict[int, int] = {}
        for _, cut, real in pairs:
            if cut not in found and real not in found.values():
                found[cut] = real
        gradual = [tuple(span[:2]) for span in truth["gradual"]]
        ignored = [tuple(span[:2]) for span in truth.get("ignore", [])]
        excused = _grown(gradual, _SLACK) + _grown(ignored, 1)
        false = [cut for cut in cuts if cut not in found and not any(low <= cut <= high for low, high in excused)]
        self.hits += len(found)
        self.exact += sum(cut == real for cut, real in found.items())
        self.false += len(false)
        self.missed += len(truth["cuts"]) - len(found)
        self.gradual += len(gradual)
        self.gradual_found += sum(any(_touch(span, real, _SLACK) for span in spans) for real in gradual)
        self.gradual_false += sum(not any(_touch(span, real, _FAR) for real in gradual + ignored) for span in spans)
        return false

    def rates(self) -> tuple[float, float, float]:
        """Precision, recall and F1."""
        precision = self.hits / max(1, self.hits + self.false)
        recall = self.hits / max(1, self.hits + self.missed)
        return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)

    def row(self) -> str:
        """Percent, and counts."""
        precision, recall, f1 = self.rates()
        return (
            f"{100 * precision:5.1f} {100 * recall:5.1f} {100 * f1:5.1f}   {self.false:4d} {self.missed:4d}"
            f"   {self.exact:4d}/{self.hits:<4d}   {self.gradual_found:3d}/{self.gradual:<3d} {self.gradual_false:3d}"
        )


def _grown(spans: list[Any], by: int) -> list[tuple[int, int]]:
    return [(low - by, high + by) for low, high in spans]


def _touch(span: tuple[int, int], real: Any, slack: int) -> bool:
    return bool(span[0] <= real[1] + slack and span[1] >= real[0] - slack)


def clips_of(folders: Sequence[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each clip with its truth."""
    for folder in folders:
        for path in sorted(folder.glob("*.json")):
            clip = next(clip for clip in sorted(folder.glob(f"{path.stem}.*")) if clip != path)
            yield clip, json.loads(path.read_text("utf-8"))


def measure_us(
    clip: Path, truth: dict[str, Any], tallies: dict[str, Tally], options: argparse.Namespace
) -> None:
    source = probe(clip)
    for method in METHODS:
        if needs(method)["network"] and not options.network:
            continue
        signal = analyse(source, **needs(method))
        for threshold in THRESHOLDS:
            found = find_cuts(signal, method=method, threshold=threshold, min_shot=options.min_shot)
            spans = [(one.start, one.end) for one in found.transitions]
            tally = tallies.setdefault(f"{method} {threshold}", Tally())
            false = set(tally.count(truth, found.cuts, spans))
            if threshold == THRESHOLDS[0]:
                tally.sure += [
                    (sure, cut not in false) for cut, sure in zip(found.cuts, found.confidence, strict=False)
                ]
            if options.tell and method == "adaptive" and threshold == 0.4 and (false or tally.missed):
                print(f"  {clip.stem}: false {sorted(false)}")


def measure_peers(clip: Path, truth: dict[str, Any], tallies: dict[str, Tally]) -> None:
    from scenedetect import AdaptiveDetector, ContentDetector, HistogramDetector, detect

    detectors = {"adaptive": AdaptiveDetector, "content": ContentDetector, "hist": HistogramDetector}
    for name in PEERS:
        scenes = detect(str(clip), detectors[name]())
        cuts = [int(begin.frame_num) for begin, _ in scenes[1:]]
        tallies.setdefault(f"PySceneDetect {name}", Tally()).count(truth, cuts, [])


def calibration(sure: list[tuple[float, bool]]) -> list[tuple[float, float, int]]:
    """Of the cuts in each band of confidence: what was said of them, how many were real, and their number."""
    values, real = np.array([value for value, _ in sure]), np.array([right for _, right in sure])
    bands = []
    for low, high in ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.01)):
        rows = (values >= low) & (values < high)
        if rows.any():
            bands.append((float(values[rows].mean()), float(real[rows].mean()), int(rows.sum())))
    return bands


def draw(folder: Path, tallies: dict[str, Tally]) -> None:
    """How the default's threshold trades false cuts for missed ones, and what its confidence is worth."""
    rates = [(threshold, tallies[f"adaptive {threshold}"].rates()) for threshold in THRESHOLDS]
    plain = [(threshold, tallies[f"histogram {threshold}"].rates()[2]) for threshold in THRESHOLDS]
    lines = {
        name: [(threshold, rate[place]) for threshold, rate in rates]
        for place, name in enumerate(("precision", "recall", "F1"))
    }
    chart = plot(
        "adaptive, by threshold", lines | {"F1 of histogram": plain}, across=("threshold", 0, 1), up=("rate", 0, 1)
    )
    (folder / "detection_threshold.svg").write_text(chart, "utf-8")
    bands = [(said, were) for said, were, _ in calibration(tallies[f"adaptive {THRESHOLDS[0]}"].sure)]
    chart = plot(
        "confidence of cuts", {"cuts": bands}, across=("said", 0, 1), up=("were real", 0, 1), diagonal=True
    )
    (folder / "detection_confidence.svg").write_text(chart, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--peers", action="store_true", help="measure PySceneDetect too")
    parser.add_argument("--network", action="store_true", help="measure the methods that need the network too")
    parser.add_argument("--min-shot", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--tell", action="store_true", help="name the false cuts of the default")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write plots of the default to a folder")
    options = parser.parse_args()
    tallies: dict[str, Tally] = {}
    count = 0
    for clip, truth in clips_of(options.folders):
        count += 1
        measure_us(clip, truth, tallies, options)
        if options.peers:
            measure_peers(clip, truth, tallies)
    print(f"{count} clips; precision, recall, F1; false, missed; frame-exact; gradual found, false")
    for name, tally in tallies.items():
        print(f"{name:24s} {tally.row()}")
    for said, were, number in calibration(tallies[f"adaptive {THRESHOLDS[0]}"].sure):
        print(f"  of {number} cuts given {said:.2f}, {were:.2f} were real")
    if options.plots:
        draw(options.plots, tallies)


if __name__ == "__main__":
    main()
