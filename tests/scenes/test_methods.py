from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from scenery import texture
from signals import make_odds, make_signal, make_stretches
from snapupscale.errors import SettingError
from snapupscale.media import pixels, samples
from snapupscale.media.decoder import Decoder
from snapupscale.media.source import probe
from snapupscale.scenes.candidates import REASONS
from snapupscale.scenes.meter import Network
from snapupscale.scenes.methods import METHODS, Detection, Rejected, find_cuts, needs
from snapupscale.scenes.shots import Transition
from snapupscale.scenes.signal import analyse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snapupscale.scenes.signal import Signal


def with_peaks(**values: float) -> Signal:
    """A signal of 100 frames with these distances, as `f30=0.7`."""
    distance = np.zeros(100, dtype=np.float32)
    for name, value in values.items():
        distance[int(name[1:])] = value
    return make_signal(distance)


def judged(distance: float = 0, reason: str = "", **changes: Any) -> Detection:
    """What the default method finds in a signal that differs at frame 50, and why that would be no cut."""
    settings = {name: changes.pop(name) for name in ("threshold", "min_shot") if name in changes}
    curve, reasons = np.zeros(100, dtype=np.float32), np.zeros(100, dtype=np.uint8)
    curve[50], reasons[50] = distance, REASONS.index(reason)
    return find_cuts(make_signal(curve, **{"odds": make_odds(100), "reasons": reasons, **changes}), **settings)


def test_cuts_come_from_the_signal_alone() -> None:
    signal = with_peaks(f30=0.7, f60=0.35)
    assert find_cuts(signal, method="histogram", threshold=0.4).cuts == (30,)
    found = find_cuts(signal, method="histogram", threshold=0.3)
    assert found.cuts == (30, 60)
    assert (found.method, found.threshold, found.transitions) == ("histogram", 0.3, ())
    assert (found.confidence, found.transition_confidence, found.rejected) == ((), (), ())
    assert found.distance is signal.distance


def test_the_default_method_is_the_adaptive_one() -> None:
    signal = make_signal(np.zeros(100, dtype=np.float32), odds=make_odds(100, f30=1))
    found = find_cuts(signal)
    assert (found.method, found.threshold, found.cuts) == ("adaptive", 0.4, (30,))
    assert found.distance[30] == pytest.approx(0.4 + 1 / 8)


def test_the_minimum_length_is_in_seconds() -> None:
    signal = with_peaks(f30=0.7, f35=0.6)
    assert find_cuts(signal, method="histogram", min_shot=0).cuts == (30, 35)
    assert find_cuts(signal, method="histogram", min_shot=0.25).cuts == (30,)
    assert find_cuts(signal, method="histogram", min_shot=5 / 24).cuts in {(30,), (30, 35)}


def test_each_cut_has_its_confidence() -> None:
    odds = make_odds(100, f20=math.log(9), f40=math.log(4), f43=math.log(2), f60=0.1, f80=-3)
    found = find_cuts(make_signal(np.zeros(100, dtype=np.float32), odds=odds), min_shot=0.25)
    assert found.cuts == (20, 40, 60)
    assert found.confidence == pytest.approx((0.9, 0.8, 0.525), abs=5e-4)


def test_each_transition_has_its_confidence() -> None:
    rows = (10, 20, math.log(9), "dissolve"), (40, 60, 0.1, "wipe"), (70, 80, -1, "fade")
    found = judged(stretches=make_stretches(*rows))
    kinds = [(each.start, each.end, each.kind) for each in found.transitions]
    assert kinds == [(10, 20, "dissolve"), (40, 60, "wipe")]
    assert found.transition_confidence == pytest.approx((0.9, 0.525), abs=5e-4)


@pytest.mark.parametrize("reason", ["flash", "motion"])
def test_a_frame_that_histograms_would_cut_at_is_rejected_with_its_reason(reason: str) -> None:
    assert judged(0.6, reason).rejected == (Rejected(frame=50, reason=reason),)
    assert judged(0.6, reason, threshold=0.7).rejected == ()
    assert judged(0.3, reason).rejected == ()
    found = judged(0.6, reason, odds=make_odds(100, f50=3))
    assert (found.cuts, found.rejected) == ((50,), ())


def test_of_two_cuts_too_close_one_is_rejected() -> None:
    found = judged(odds=make_odds(100, f50=4, f53=2), min_shot=0.25)
    assert (found.cuts, found.rejected) == ((50,), (Rejected(frame=53, reason="too short"),))
    found = judged(odds=make_odds(100, f50=4, f53=2))
    assert (found.cuts, found.rejected) == ((50, 53), ())


def test_a_cut_in_a_likelier_transition_is_rejected() -> None:
    found = judged(odds=make_odds(100, f50=1), stretches=make_stretches((45, 55, 4, "dissolve")))
    assert (found.cuts, found.rejected) == ((), (Rejected(frame=50, reason="transition"),))


def test_the_rejected_are_in_order_and_no_cuts() -> None:
    distance, reasons = np.zeros(200, dtype=np.float32), np.zeros(200, dtype=np.uint8)
    distance[[30, 60, 61, 150]], reasons[[30, 60, 61, 150]] = 0.8, (2, 1, 1, 2)
    odds = make_odds(200, f30=5, f100=3, f102=4, f170=2)
    found = find_cuts(
        make_signal(distance, odds=odds, reasons=reasons, stretches=make_stretches((165, 175, 3, "wipe"))),
        min_shot=0.25,
    )
    assert found.cuts == (30, 102)
    assert [(each.frame, each.reason) for each in found.rejected] == [
        (60, "flash"),
        (61, "flash"),
        (100, "too short"),
        (150, "motion"),
        (170, "transition"),
    ]


def test_boundaries_are_cuts_and_the_middles_of_transitions() -> None:
    transitions = (Transition(start=0, end=1, kind="fade"), Transition(start=40, end=51, kind="dissolve"))
    found = Detection(
        method="adaptive", threshold=0.4, cuts=(20, 45, 70), transitions=transitions, distance=np.zeros(1)
    )
    assert found.boundaries == (20, 45, 70)
    assert Detection(
        method="adaptive", threshold=0.4, cuts=(60,), transitions=transitions, distance=np.zeros(1)
    ).boundaries == (45, 60)


def test_the_default_method_needs_the_least() -> None:
    assert needs("adaptive") == {"network": False, "whole": False}
    assert needs("histogram") == {"network": False, "whole": True}


@pytest.mark.parametrize("method", ["neural", "combined"])
def test_a_network_that_was_not_asked_is_named(method: str) -> None:
    assert needs(method)["network"]
    with pytest.raises(SettingError) as error:
        find_cuts(with_peaks(), method=method)
    assert "network" in error.value.hint


def test_a_network_that_was_asked_is_believed() -> None:
    single = np.full(100, 0.01, dtype=np.float32)
    single[29] = 0.99  # the last frame of the shot
    signal = make_signal(np.zeros(100, dtype=np.float32), network=Network(single=single, many=single))
    assert find_cuts(signal, method="neural").cuts == (30,)
    assert find_cuts(signal).cuts == ()


@pytest.mark.parametrize("method", [name for name in METHODS if not needs(name)["network"]])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_footage(method: str, count: int) -> None:
    found = find_cuts(make_signal(np.zeros(count, dtype=np.float32)), method=method)
    assert (found.cuts, found.boundaries, found.rejected) == ((), (), ())


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"method": "magic"}, "adaptive, neural, combined, histogram"),
        ({"threshold": 0.05}, "0.1"),
        ({"threshold": 0.9}, "0.8"),
        ({"threshold": float("nan")}, "threshold"),
        ({"min_shot": -1}, "seconds"),
        ({"min_shot": float("inf")}, "seconds"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingError) as error:
        find_cuts(make_signal(np.zeros(10, dtype=np.float32)), **settings)
    assert word in str(error.value) + error.value.hint


def sheets(number: int, width: int, height: int) -> np.ndarray:
    """A cut at 6; between cuts the camera passes over coloured clouds."""
    sheet = texture(number // 6 + 1, height, width + 40, cell=20)
    return sheet[:, number % 6 * 6 : number % 6 * 6 + width]


def plain_distances(path: Path) -> np.ndarray:
    """sqrt(1 - BC) of joint histograms of hue, saturation and value, by its definition."""
    histograms = []
    for frame in Decoder(probe(path)).frames(fast=True):
        rgb = samples.to_rgb(samples.sample(frame.picture), pixels.frame_tags(frame.picture).matrix)
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV_FULL).reshape(-1, 3)
        counts, _ = np.histogramdd(hsv, bins=(16, 8, 8), range=[(0, 256)] * 3)
        histograms.append(counts / len(hsv))
    steps = [1 - np.sqrt(one * other).sum() for one, other in itertools.pairwise(histograms)]
    return np.sqrt(np.maximum(0, [0, *steps]))


def test_histogram_is_the_distance_by_its_definition(clip: Callable[..., Path]) -> None:
    path = clip("sheets.mp4", frames=14, picture=sheets, width=320, height=180, options={"crf": "10"})
    found = find_cuts(analyse(probe(path), **needs("histogram")), method="histogram", min_shot=0)
    expected = plain_distances(path)
    assert found.distance == pytest.approx(expected, abs=2e-4)
    assert found.cuts == tuple(np.flatnonzero(expected > 0.4).tolist()) == (6, 12)


@pytest.mark.parametrize(
    ("rows", "blank", "boundaries"),
    [
        ([(0, 10, 3, "fade")], [(0, 1)], (50,)),
        ([(90, 100, 3, "fade")], [(99, 100)], (50,)),
        ([(20, 30, 3, "fade"), (38, 48, 3, "fade")], [(29, 39)], (25, 50)),
        ([(20, 30, 3, "fade")], [], (25, 50)),
        ([(20, 30, 3, "dissolve"), (38, 48, 3, "dissolve")], [(29, 39)], (25, 43, 50)),
    ],
)
def test_no_shot_is_of_one_colour_alone(
    rows: list[tuple[int, int, float, str]], blank: list[tuple[int, int]], boundaries: tuple[int, ...]
) -> None:
    contrast = np.full(100, 0.2, dtype=np.float32)
    for start, end in blank:
        contrast[start:end] = 0.01
    found = judged(odds=make_odds(100, f50=4), stretches=make_stretches(*rows), contrast=contrast)
    assert found.boundaries == boundaries
