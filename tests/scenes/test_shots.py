from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from snapupscale.scenes.shots import Shot, to_shots


def test_cuts_divide() -> None:
    assert to_shots([30], 100) == (Shot(number=1, start=0, end=30), Shot(number=2, start=30, end=100))
    assert to_shots([], 5) == (Shot(number=1, start=0, end=5),)
    assert to_shots([3], 0) == ()


@given(st.lists(st.integers(-5, 120)), st.integers(1, 100))
def test_shots_tile_the_footage(cuts: list[int], frames: int) -> None:
    shots = to_shots(cuts, frames)
    assert [frame for shot in shots for frame in range(shot.start, shot.end)] == list(range(frames))
    assert [shot.number for shot in shots] == list(range(1, len(shots) + 1))
    assert all(shot.length > 0 for shot in shots)
