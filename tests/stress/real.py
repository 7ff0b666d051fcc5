"""Shots of real footage: the stretches between annotated cuts of a folder of clips with truth beside them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from stress.picture import HEIGHT, WIDTH, Picture
from stress.shot import Shot, bounced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CACHE = Path(tempfile.gettempdir()) / "stress-footage"
SHORTEST = 14


def shots_of(truth_path: Path) -> list[Shot]:
    """The shots of one clip, of 14 frames or more, away from transitions and from what the truth ignores."""
    truth = json.loads(truth_path.read_text())
    video = truth_path.parent / truth["file"]
    if not video.exists():
        video = next(path for path in truth_path.parent.glob(f"{truth_path.stem}.*") if path.suffix != ".json")
    pictures = _pictures(video)
    return [_shot(truth_path.stem, pictures, start, end) for start, end in stretches(truth, len(pictures))]


def stretches(truth: dict[str, Any], frames: int) -> list[tuple[int, int]]:
    """[start, end) of each stretch that holds one shot and nothing else."""
    taken = np.zeros(frames + 1, dtype=bool)
    for start, end in truth["gradual"]:
        taken[max(0, start - 4) : end + 5] = True
    for start, end in truth.get("ignore", []):
        taken[max(0, start - 1) : end + 2] = True
    for cut in truth["cuts"]:
        taken[max(0, cut - 2) : cut + 2] = True
    taken[frames] = True
    free = np.flatnonzero(np.diff(np.concatenate([[1], taken.astype(np.int8)])))
    pairs = zip(free[::2].tolist(), free[1::2].tolist(), strict=True)
    return [(start, end) for start, end in pairs if end - start >= SHORTEST]


def _shot(clip: str, pictures: NDArray[np.uint8], start: int, end: int) -> Shot:
    length = end - start
    return Shot(
        name=f"{clip}-{start}", look=clip, length=length, at=lambda k: np.array(pictures[start + bounced(k, length)])
    )


def _pictures(video: Path) -> NDArray[np.uint8]:
    """All frames of a clip, 180 x 320 x 3, kept decoded on the disk since every shot is used many times."""
    facts = video.stat()
    key = hashlib.sha256(f"{video.resolve()} {facts.st_size} {facts.st_mtime_ns}".encode()).hexdigest()[:16]
    kept = CACHE / f"{video.stem}-{key}.npy"
    if not kept.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=CACHE, suffix=".part", delete=False) as part:
            np.save(part, np.stack(list(_decoded(video))))
        Path(part.name).replace(kept)
    return np.asarray(np.load(kept, mmap_mode="r"))


def _decoded(video: Path) -> Iterator[Picture]:
    with av.open(str(video)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            yield _filled(np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8))


def _filled(picture: Picture) -> Picture:
    """The middle of the picture, as much as fills 320 x 180."""
    height, width = picture.shape[:2]
    zoom = max(WIDTH / width, HEIGHT / height)
    wide, tall = min(width, round(WIDTH / zoom)), min(height, round(HEIGHT / zoom))
    left, top = (width - wide) // 2, (height - tall) // 2
    inner = picture[top : top + tall, left : left + wide]
    return np.asarray(cv2.resize(inner, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), dtype=np.uint8)
