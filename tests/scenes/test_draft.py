from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from footage import long_footage, numbered
from snapupscale.errors import SettingError
from snapupscale.media.packets import Packets
from snapupscale.media.source import probe
from snapupscale.scenes.draft import draft_cuts, drafted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def packets(sizes: list[int], keys: list[int]) -> Packets:
    return Packets(
        ticks=np.arange(len(sizes)),
        tick=Fraction(1, 25),
        sizes=np.array(sizes),
        keys=np.isin(np.arange(len(sizes)), keys),
    )


def test_an_encoder_that_saw_the_cuts_tells_of_them(clip: Callable[..., Path]) -> None:
    options = {"g": "250", "keyint_min": "1"}
    path = clip("draft.mp4", frames=60, width=320, height=192, picture=three_shots, options=options)
    signal, found = drafted(probe(path))
    assert found.cuts == (17, 43)
    assert len(signal) == 60
    assert any("draft" in warning for warning in signal.warnings)


def three_shots(number: int, width: int, height: int) -> np.ndarray:
    return long_footage(20 * ((number >= 17) + (number >= 43)), width, height)


def test_regular_keyframes_are_no_cuts() -> None:
    assert draft_cuts(packets([100] * 100, list(range(0, 100, 13)))) == ()
    assert draft_cuts(packets([100] * 100, [0, 60])) == ()


def test_keyframes_before_their_time_are_cuts() -> None:
    assert draft_cuts(packets([100] * 100, [0, 30, 60, 71])) == (71,)
    assert draft_cuts(packets([100] * 100, [0, 37])) == (37,)


def test_without_such_keyframes_large_packets_are_cuts() -> None:
    sizes = [1000 if frame % 20 == 0 else 50 for frame in range(100)]
    sizes[33], sizes[70] = 900, 300
    assert draft_cuts(packets(sizes, list(range(0, 100, 20)))) == (33,)


def test_footage_of_keyframes_alone_and_a_stream_without_any_give_nothing() -> None:
    assert draft_cuts(packets([100, 200, 100], [0, 1, 2])) == ()
    assert draft_cuts(packets([100] * 30, [])) == ()


def test_a_sequence_is_refused(tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"a{number}.png"), numbered(number, 96, 54))
    with pytest.raises(SettingError, match="no packets"):
        drafted(probe(tmp_path / "a%d.png"))
