from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from footage import two_shots
from stress import real
from stress.material import load, part_of
from stress.real import shots_of, stretches

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real, "CACHE", tmp_path / "cache")


def test_stretches_keep_away_from_joins_and_ends() -> None:
    truth = {"cuts": [40, 60], "gradual": [[80, 90]], "ignore": [[110, 112]]}
    assert stretches(truth, 160) == [(0, 38), (42, 58), (62, 76), (95, 109), (114, 160)]
    assert stretches({"cuts": [], "gradual": []}, 13) == []


def annotated(folder: Path, video: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / video.name).write_bytes(video.read_bytes())
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"file": video.name, "frames": 60, "cuts": [20, 40], "gradual": [], "ignore": []}))
    return path


def test_shots_of_real_footage(clip: Callable[..., Path], tmp_path: Path) -> None:
    video = clip("stress_material.mp4", frames=60, picture=two_shots)
    truth = annotated(tmp_path / "footage", video, "film")
    shots = shots_of(truth)
    assert [shot.name for shot in shots] == ["film-0", "film-22", "film-42"]
    assert [shot.length for shot in shots] == [18, 16, 18]
    assert shots[0].at(0).shape == (180, 320, 3)
    assert shots[0].at(0)[..., 0].mean() > shots[0].at(0)[..., 2].mean()
    assert shots[1].at(0)[..., 0].mean() < shots[1].at(0)[..., 2].mean()
    assert np.array_equal(shots[0].at(18), shots[0].at(16))
    assert np.array_equal(shots_of(truth)[2].at(5), shots[2].at(5))


def test_a_film_is_in_one_part_alone(clip: Callable[..., Path], tmp_path: Path) -> None:
    assert part_of("bbb480_30s") == part_of("bbb_a") == part_of("BBB")
    video = clip("stress_material.mp4", frames=60, picture=two_shots)
    films = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"]
    for film in films:
        annotated(tmp_path / "films", video, film)
    fit, held = ({shot.look for shot in load(tmp_path / "films", part).real} for part in ("fit", "held"))
    assert fit
    assert held
    assert not fit & held
    assert fit | held == set(films)


def test_other_shots_differ_clearly() -> None:
    material, rng = load(part="held"), np.random.default_rng(3)
    shot = material.shot(rng, 30)
    other = material.other(rng, 30, shot, 5)
    assert other.name != shot.name
