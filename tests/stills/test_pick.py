from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.apart import FRAMES, made
from signals import make_signal
from snapupscale.errors import Cancelled, SettingError
from snapupscale.media.source import probe
from snapupscale.scenes.shots import Shot, Transition, to_shots
from snapupscale.scenes.signal import Signal, analyse
from snapupscale.stills.pick import MEASURED, RUNNERS_UP, pick_stills, rank, shortlist
from snapupscale.stills.sharpness import Quality

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHOT = Shot(number=1, start=0, end=100)


def still_signal(count: int, **changes: np.ndarray) -> Signal:
    return make_signal(np.zeros(count, dtype=np.float32), **changes)


def quality(sharpness: float, exposure: float = 1.0) -> Quality:
    return Quality(sharpness=sharpness, exposure=exposure, noise=0.0)


def test_edges_and_transitions_are_left_out() -> None:
    frames = shortlist(still_signal(100), SHOT, [(60, 80)])
    assert min(frames) >= 10
    assert max(frames) < 90
    assert not set(frames) & set(range(60, 80))
    assert len(frames) == MEASURED


@pytest.mark.parametrize(
    ("field", "value"), [("contrast", 0.0), ("contrast", 0.01), ("luma", 0.01), ("luma", 0.99)]
)
def test_black_white_and_flat_frames_are_refused(field: str, value: float) -> None:
    level = np.full(100, 0.3, dtype=np.float32)
    level[:70] = value
    frames = shortlist(still_signal(100, **{field: level}), SHOT)
    assert frames
    assert min(frames) >= 70
    level[:] = value
    assert shortlist(still_signal(100, **{field: level}), SHOT) == []


def test_a_shot_without_a_usable_frame_says_so() -> None:
    pick = rank(still_signal(100), SHOT, {})
    assert pick.frame is None
    assert "black" in pick.reason


def test_each_stretch_gives_its_stillest_frame() -> None:
    motion = np.full(100, 0.2, dtype=np.float32)
    motion[[50, 51]] = 0.0
    assert 50 in shortlist(still_signal(100, motion=motion), SHOT)


@given(st.integers(1, 400), st.integers(0, 50))
def test_a_shortlist_stays_inside_its_shot(length: int, start: int) -> None:
    shot = Shot(number=1, start=start, end=start + length)
    frames = shortlist(still_signal(start + length + 5), shot)
    assert frames == sorted(set(frames))
    assert 1 <= len(frames) <= MEASURED
    assert shot.start <= frames[0] <= frames[-1] < shot.end


def test_the_sharpest_wins_and_runners_up_are_apart() -> None:
    qualities = {frame: quality(1 - abs(frame - 40) / 100) for frame in range(10, 90, 2)}
    pick = rank(still_signal(100), SHOT, qualities)
    assert pick.frame == 40
    assert len(pick.candidates) == RUNNERS_UP + 1
    frames = [candidate.frame for candidate in pick.candidates]
    assert min(abs(a - b) for a in frames for b in frames if a != b) >= 12
    scores = [candidate.score for candidate in pick.candidates]
    assert scores == sorted(scores, reverse=True)


def test_motion_and_clipping_cost() -> None:
    motion = np.zeros(100, dtype=np.float32)
    motion[30] = 0.3
    assert rank(still_signal(100, motion=motion), SHOT, {30: quality(1), 60: quality(0.95)}).frame == 60
    assert rank(still_signal(100), SHOT, {30: quality(1, 0.4), 60: quality(0.95)}).frame == 60


def focus_pull(number: int, width: int, height: int) -> np.ndarray:
    """Out of focus but for the frames around 25 in the first shot and 65 in the second; the last ten frames black."""
    if number >= 90:
        return np.zeros((height, width, 3), dtype=np.uint8)
    shot, best = (0, 25) if number < 50 else (1, 65)
    image = np.random.default_rng(shot).integers(0, 256, (height // 6, width // 6, 3), dtype=np.uint8)
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    sigma = abs(number - best) * 0.25
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image


@pytest.fixture
def pulled(clip: Callable[..., Path]) -> Path:
    return clip("pulled.mp4", frames=100, width=320, height=180, picture=focus_pull, options={"crf": "10"})


def test_the_frame_in_focus_is_found_in_footage(pulled: Path) -> None:
    source = probe(pulled)
    signal = analyse(source)
    shots = to_shots([50, 90], 100)
    calls: list[tuple[int, int]] = []
    picks = pick_stills(source, signal, shots, progress=lambda done, total: calls.append((done, total)))
    assert [pick.shot for pick in picks] == list(shots)
    assert abs((picks[0].frame or 0) - 25) <= 2
    assert abs((picks[1].frame or 0) - 65) <= 2
    assert picks[2].frame is None
    assert calls[-1][0] == calls[-1][1]


def test_a_transition_over_the_best_frame_is_avoided(pulled: Path) -> None:
    source = probe(pulled)
    transition = Transition(start=20, end=31, kind="dissolve")
    (pick,) = pick_stills(source, analyse(source), to_shots([], 100)[:1], transitions=[transition])
    assert pick.frame is not None
    assert not 20 <= pick.frame < 31


@pytest.mark.parametrize(("how", "frames"), [("first", [0, 50]), ("middle", [25, 75])])
def test_plain_picks_decode_nothing(pulled: Path, how: str, frames: list[int]) -> None:
    source = probe(pulled)
    signal = analyse(source)
    pulled.touch()
    picks = pick_stills(source, signal, to_shots([50], 100), how=how)
    assert [pick.frame for pick in picks] == frames


def test_an_unknown_pick_lists_the_known() -> None:
    with pytest.raises(SettingError) as error:
        pick_stills(None, still_signal(5), [], how="nicest")  # type: ignore[arg-type]
    assert "best, first, middle" in error.value.hint


def test_picking_can_be_cancelled(pulled: Path) -> None:
    source = probe(pulled)

    def cancel(done: int, total: int) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        pick_stills(source, analyse(source), to_shots([50], 100), progress=cancel)


def test_frames_that_the_analysis_left_out_are_offered_only_for_want_of_others() -> None:
    signal = still_signal(100)
    decoded = np.arange(100) % 3 == 0
    some = replace(signal, index=replace(signal.index, decoded=decoded))
    assert len(shortlist(some, SHOT)) == MEASURED
    assert decoded[shortlist(some, SHOT)].all()
    none = replace(signal, index=replace(signal.index, decoded=np.zeros_like(decoded)))
    assert shortlist(none, SHOT) == shortlist(signal, SHOT)


def test_damage_to_frames_that_the_analysis_left_out_does_no_harm(
    clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snapupscale.media.disposable._WORTH_WHILE", 0)
    whole = probe(made(clip, "apart_closed.mp4").path)
    times = analyse(whole).index
    with av.open(str(whole.path)) as container:
        packets = sorted((packet.pts, packet.pos, packet.size) for packet in container.demux(video=0) if packet.size)
    data = bytearray(whole.path.read_bytes())
    for (_, place, size), decoded in zip(packets, times.decoded, strict=True):
        if not decoded:
            data[place + size * 2 // 3 : place + size] = b"\xff" * (size - size * 2 // 3)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    source = probe(path)
    signal = analyse(source)
    assert len(signal) == FRAMES
    assert not signal.index.damaged.any()
    (pick,) = pick_stills(source, signal, [Shot(number=1, start=0, end=FRAMES)])
    assert pick.frame is not None
    assert signal.index.decoded[[candidate.frame for candidate in pick.candidates]].all()
    assert any("damaged" in warning for warning in analyse(source, whole=True).warnings)
