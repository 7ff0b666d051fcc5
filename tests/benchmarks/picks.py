"""How often the picked frame is sharper than the middle of its shot. Run: python tests/benchmarks/picks.py [DIR...]

Each DIR holds clips, each with a JSON beside it that has `cuts` and `gradual`; without one, the clip that ships with
the program is used. Sharpness is judged by two measures that the picking does not use, on the full-size luma: the
variance of the Laplacian after a light blur, and the blur estimate of Crété et al. (SPIE 6492, 2007), 0 sharp to
1 blurred. With -o, contact sheets to look at (middle on the left, pick on the right) are written to a folder.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from snapupscale.commands import DEMO_CLIP
from snapupscale.media import pixels
from snapupscale.media.decoder import Decoder
from snapupscale.media.source import probe
from snapupscale.scenes.shots import Transition, to_shots
from snapupscale.scenes.signal import analyse
from snapupscale.stills.pick import pick_stills

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

DEMO_TRUTH = {"cuts": [285, 378, 553], "gradual": []}
SHEET_ROWS = 12


@dataclass(frozen=True, kw_only=True)
class Row:
    """One shot: measures of its pick over those of its middle frame."""

    clip: str
    pick: int
    middle: int
    gain: float
    """Variance of the Laplacian of the pick to that of the middle; above 1 is sharper."""
    blur: float
    """Blur of the pick less that of the middle; below 0 is sharper."""
    pair: NDArray[np.uint8]


def laplacian(luma: NDArray[np.float32]) -> float:
    return float(cv2.Laplacian(cv2.GaussianBlur(luma, (0, 0), 1.0), cv2.CV_32F).var())


def crete_blur(luma: NDArray[np.float32]) -> float:
    """How little a strong blur along each axis changes what neighbouring pixels differ by."""
    results = []
    for axis, kernel in ((0, (1, 9)), (1, (9, 1))):
        before = np.abs(np.diff(luma, axis=axis))
        after = np.abs(np.diff(cv2.blur(luma, kernel), axis=axis))
        lost = np.maximum(0, before - after)
        results.append(float((before.sum() - lost.sum()) / max(float(before.sum()), 1e-9)))
    return max(results)


def rows(clip: Path, truth: dict[str, Any]) -> Iterator[Row]:
    source = probe(clip)
    signal = analyse(source)
    spans = [(start, end) for start, end in truth["gradual"]]
    cuts = [*truth["cuts"], *((start + end) // 2 for start, end in spans)]
    transitions = [Transition(start=start, end=end, kind="dissolve") for start, end in spans]
    picks = list(pick_stills(source, signal, to_shots(cuts, len(signal)), transitions=transitions))
    middles = {pick.shot.number: (pick.shot.start + pick.shot.end) // 2 for pick in picks}
    wanted = {*middles.values(), *(pick.frame for pick in picks if pick.frame is not None)}
    frames = {frame.index: frame.picture for frame in Decoder(source).read(wanted, signal.index)}
    for pick in picks:
        if pick.frame is None:
            print(f"{clip.stem} shot {pick.shot.number}: none, {pick.reason}")
            continue
        pair = frames[middles[pick.shot.number]], frames[pick.frame]
        lumas = [pixels.luma(frame) for frame in pair]
        small = [cv2.resize((pixels.to_rgb(frame) >> 8).astype(np.uint8), (400, 225)) for frame in pair]
        yield Row(
            clip=clip.stem,
            pick=pick.frame,
            middle=middles[pick.shot.number],
            gain=laplacian(lumas[1]) / max(laplacian(lumas[0]), 1e-12),
            blur=crete_blur(lumas[1]) - crete_blur(lumas[0]),
            pair=np.hstack(small),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    clips = [(DEMO_CLIP, DEMO_TRUTH)]
    if options.folders:
        truths = [path for folder in options.folders for path in sorted(folder.glob("*.json"))]
        clips = [(path.parent / json.loads(path.read_text())["file"], json.loads(path.read_text())) for path in truths]
    found = [row for clip, truth in clips for row in rows(clip, truth)]
    gains = np.array([row.gain for row in found])
    blurs = np.array([row.blur for row in found])
    print(f"{len(found)} shots; the pick against the middle of the shot:")
    print(
        f"  Laplacian: sharper {np.mean(gains > 1.001):.0%}, the same {np.mean(np.abs(gains - 1) <= 0.001):.0%}, "
        f"median gain {np.median(gains):.3f}, worst {gains.min():.3f}"
    )
    print(
        f"  Crété blur: sharper {np.mean(blurs < -0.001):.0%}, the same {np.mean(np.abs(blurs) <= 0.001):.0%}, "
        f"mean difference {blurs.mean():+.4f}, worst {blurs.max():+.4f}"
    )
    for title, worst in (
        ("least gain", sorted(found, key=lambda row: row.gain)[:5]),
        ("most blur", sorted(found, key=lambda row: -row.blur)[:5]),
    ):
        for row in worst:
            print(f"  {title}: {row.clip} frame {row.pick}, middle {row.middle}: {row.gain:.3f}, {row.blur:+.4f}")
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        for start in range(0, len(found), SHEET_ROWS):
            sheet = np.vstack([row.pair for row in found[start : start + SHEET_ROWS]])
            cv2.imwrite(str(options.output / f"sheet{start:03d}.jpg"), sheet[..., ::-1])


if __name__ == "__main__":
    main()
