from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from stress import build, shapes
from stress.edit import Edit, Made
from stress.encodings import ENCODINGS, write
from stress.material import FAMILIES, load
from stress.picture import flat
from stress.shot import ENDLESS, Shot

if TYPE_CHECKING:
    from pathlib import Path


COUNT = Shot(name="count", look="count", length=ENDLESS, at=lambda k: flat((4 * k + 2, 4 * k + 2, 4 * k + 2)))


def counted() -> Made:
    """Frame k is grey of level 4 k + 2; cuts at 9, 14, 20 and 27."""
    edit = Edit()
    first = 0
    for length in (9, 5, 6, 7, 13):
        edit.cut(COUNT.later(first), length)
        first += length
    return edit.made()


def first_shown(made: Made, level: int) -> int:
    """The first frame whose top line is of `level`."""
    return next(k for k, picture in enumerate(made.frames) if picture[0, 0, 0] == level)


@pytest.mark.parametrize("shape", [shapes.woven, shapes.pulled_down, shapes.repeated, shapes.late])
def test_cuts_follow_the_shape(shape: shapes.Shape) -> None:
    made = counted()
    shaped = shape(made)
    assert len(list(shaped.frames)) == len(shaped)
    for before, after in zip(made.cuts, shaped.cuts, strict=True):
        top, bottom = shaped.at(after)[0, 0, 0] // 4, shaped.at(after)[1, 0, 0] // 4
        assert top >= before, "the first field is of the new shot"
        assert bottom >= before
        earlier = shaped.at(after - 1)
        assert min(earlier[0, 0, 0], earlier[1, 0, 0]) // 4 < before, "the frame before is not all new"


def test_weaving_cuts_between_fields() -> None:
    shaped = shapes.woven(counted())
    assert shaped.cuts == (5, 7, 10, 14)
    assert shaped.at(4)[:2, 0, 0].tolist() == [34, 38]
    assert shapes.woven(counted(), top_first=False).at(4)[:2, 0, 0].tolist() == [38, 34]


def test_pulldown_has_two_woven_frames_in_five() -> None:
    shaped = shapes.pulled_down(counted())
    assert shaped.rate == 30
    assert [shaped.at(k)[0, 0, 0] != shaped.at(k)[1, 0, 0] for k in range(5)] == [False, False, True, True, False]
    assert shapes.repeated(counted()).rate == 60


@pytest.fixture(scope="module")
def two_looks() -> Made:
    edit = Edit()
    edit.cut(FAMILIES["room"](np.random.default_rng(1)), 14)
    edit.cut(FAMILIES["street"](np.random.default_rng(2)), 14)
    return edit.made(Fraction(24))


QUICK = ("h264_crf38", "h264_between_fields", "h264_uneven", "h264_rotated", "h264_tiny", "prores", "mjpeg")
"""Encodings that ordinary runs of the tests cover; the rest is for slow ones."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in ENCODINGS]
)
def test_every_encoding_keeps_the_frames_and_the_cut(name: str, two_looks: Made, tmp_path: Path) -> None:
    video = write(two_looks, tmp_path / name, ENCODINGS[name])
    truth = json.loads((tmp_path / f"{name}.json").read_text())
    assert truth["file"] == video.name
    with av.open(str(video)) as container:
        bright = np.array([frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)])
    assert len(bright) == truth["frames"]
    (cut,) = truth["cuts"]
    assert abs(int(np.argmin(np.diff(bright))) + 1 - cut) <= (name in BETWEEN)


BETWEEN = {"h264_between_fields", "mpeg2_interlaced", "h264_pulldown"}
"""Where a frame shows a field of each shot, brightness falls most in the one or in the next."""


def test_the_set_has_every_case_and_encoding_and_little_more() -> None:
    clips = build.clips(load(part="held"))
    assert {f"file_{name}" for name in ENCODINGS} <= set(clips)
    assert len(clips) <= 118
    assert len(build.clips(load(part="fit"))) < len(clips)


def test_building_writes_clips_with_their_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["build", str(tmp_path / "set"), "--only", "case_dissolve_tiny"])
    build.main()
    (path,) = (tmp_path / "set").glob("*.json")
    truth = json.loads(path.read_text())
    assert set(truth) == {"file", "fps", "frames", "cuts", "gradual", "kinds", "ignore"}
    assert len(truth["gradual"]) == len(truth["kinds"]) == 4
    assert (path.parent / truth["file"]).stat().st_size > 1000
