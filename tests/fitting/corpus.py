"""Programmes to fit on: composed, encoded, and decoded again on the path that ships."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from snapupscale.media import samples
from snapupscale.media.decoder import Decoder
from snapupscale.media.source import probe
from stress.material import load
from stress.programme import compose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stress.edit import Made
    from stress.material import Material

MINUTES = 1.0


def thumbnails_of(path: Path) -> NDArray[np.uint8]:
    """Every frame of the video at `path`, as the analysis sees it."""
    frames = Decoder(probe(path)).frames(fast=True)
    return np.stack([samples.thumbnail(samples.sample(frame.picture)) for frame in frames])


def encode(made: Made, path: Path, random: np.random.Generator) -> None:
    """H.264 of some quality and some distance of keyframes."""
    options = {"preset": "superfast", "crf": str(random.integers(18, 37)), "g": str(random.choice([12, 48, 250]))}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=made.rate, options=options)
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(made.frames):
            if not number:
                stream.height, stream.width = picture.shape[:2]
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def write(seed: int, material: Material, folder: Path) -> None:
    """One programme as thumbnails and truth, unless it is there."""
    path = folder / f"{material.part}-{seed:04d}.npz"
    if path.exists():
        return
    made = compose(seed, material, MINUTES)
    with tempfile.TemporaryDirectory() as scratch:
        clip = Path(scratch) / "programme.mp4"
        encode(made, clip, np.random.default_rng(seed))
        seen = thumbnails_of(clip)
    truth = {"cuts": list(made.cuts), "gradual": list(made.gradual), "ignore": list(made.ignore), "frames": len(seen)}
    np.savez(path, thumbnails=seen, truth=json.dumps(truth))


def main() -> None:
    """Write programmes into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--material", type=Path, nargs="*", default=[], help="folders of footage with truths beside it")
    parser.add_argument("--part", default="fit")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    material = load(None, options.part, *options.material)
    for seed in range(options.first, options.first + options.count):
        write(seed, material, options.folder)
        print(seed, flush=True)


if __name__ == "__main__":
    main()
