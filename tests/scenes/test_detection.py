"""The default method on whole footage: encoded, decoded, measured, judged."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scenery import texture
from snapupscale.media.source import probe
from snapupscale.scenes.methods import find_cuts
from snapupscale.scenes.signal import Signal, analyse

if TYPE_CHECKING:
    from collections.abc import Callable

CUTS = (40, 80, 200)
FLASH = (60, 62)
DISSOLVE, FADE = (115, 127), (165, 181)
FRAMES = 240


def shot(seed: int, number: int, width: int, height: int) -> np.ndarray:
    """Frame `number` of a shot: clouds that pass by, and a disc that goes its own way."""
    left = number * 3 // 10
    sheet = texture(seed, height, width + 80, cell=14)[:, left : left + width].copy()
    rows, columns = np.mgrid[:height, :width]
    centre = height * (0.5 + 0.3 * np.sin(number / 9 + seed)), width * (0.5 + 0.3 * np.cos(number / 13))
    sheet[np.hypot(rows - centre[0], columns - centre[1]) < 14] = (230, 220, 40 * (seed % 6))
    return sheet


def programme(number: int, width: int, height: int) -> np.ndarray:
    """Three cuts, a flash of two frames, a dissolve of 12 frames, and a fade to black, which is held before a cut."""
    if number >= CUTS[2]:
        return shot(5, number, width, height)
    if number >= DISSOLVE[1]:
        light = np.clip((FADE[1] - 1 - number) / (FADE[1] - FADE[0]), 0, 1)
        return np.asarray(shot(4, number, width, height) * light, dtype=np.uint8)
    if number >= DISSOLVE[0]:
        share = (number - DISSOLVE[0] + 1) / (DISSOLVE[1] - DISSOLVE[0] + 1)
        one, other = (shot(seed, number, width, height) for seed in (3, 4))
        return np.asarray(one * (1 - share) + other * share, dtype=np.uint8)
    picture = shot(1 if number < CUTS[0] else 2 if number < CUTS[1] else 3, number, width, height)
    return np.asarray(picture * 0.25 + 185, dtype=np.uint8) if FLASH[0] <= number < FLASH[1] else picture


@pytest.fixture
def signal(clip: Callable[..., Path]) -> Signal:
    return analyse(probe(clip("programme.mp4", frames=FRAMES, picture=programme, width=160, height=90)))


def overlaps(one: object, start: int, end: int) -> bool:
    return one.start < end and one.end > start  # type: ignore[attr-defined]


def test_cuts_are_found_to_the_frame(signal: Signal) -> None:
    for threshold in (0.3, 0.4, 0.5):
        found = find_cuts(signal, threshold=threshold)
        assert found.cuts == CUTS, threshold
        assert min(found.confidence) > 0.5


def test_a_flash_is_no_cut_and_why_is_told(signal: Signal) -> None:
    found = find_cuts(signal)
    assert not set(range(FLASH[0] - 1, FLASH[1] + 2)) & set(found.cuts)
    assert {each.reason for each in found.rejected if each.frame in FLASH} == {"flash"}
    assert set(FLASH) & set(find_cuts(signal, method="histogram", min_shot=0).cuts)


def test_a_dissolve_and_a_fade_are_found_where_they_are(signal: Signal) -> None:
    first, second = find_cuts(signal).transitions
    assert (first.kind, second.kind) == ("dissolve", "fade")
    assert abs(first.start - DISSOLVE[0]) <= 3
    assert abs(first.end - DISSOLVE[1]) <= 3
    assert abs(second.start - FADE[0]) <= 4
    assert abs(second.end - FADE[1]) <= 4


def test_cuts_and_transitions_both_divide_shots_and_black_that_is_held_is_none(signal: Signal) -> None:
    boundaries = find_cuts(signal).boundaries
    assert set(CUTS) <= set(boundaries)
    assert len(boundaries) == len(CUTS) + 1


def test_the_clip_that_ships() -> None:
    """Big Buck Bunny: cuts at 285, 378 and 553, and places of which one may think this or that."""
    debatable = (range(45), range(490, 506), range(600, 616), range(700, 721))
    found = find_cuts(analyse(probe(Path(str(resources.files("snapupscale").joinpath("data/bbb480_30s.mp4"))))))
    assert [cut for cut in found.cuts if not any(cut in part for part in debatable)] == [285, 378, 553]
    assert not [
        each
        for each in found.transitions
        if not any(overlaps(each, part.start, part.stop) for part in debatable)
    ]
