from __future__ import annotations

import shutil
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from media.apart import FRAMES, made
from snapupscale.errors import Cancelled
from snapupscale.media.decoder import Decoder
from snapupscale.media.source import probe
from snapupscale.scenes import cache
from snapupscale.scenes.signal import analyse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snapupscale.media.source import Source


def blocks(number: int, width: int, height: int) -> np.ndarray:
    """Three shots: warm, cold, grey, with the cuts at 20 and 45; a little noise."""
    colour = (200, 80, 40) if number < 20 else (40, 80, 200) if number < 45 else (120, 120, 120)
    noise = np.random.default_rng(number).integers(-6, 7, (height, width, 3))
    return np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def three_shots(clip: Callable[..., Path]) -> Path:
    return clip("three_shots.mp4", frames=70, picture=blocks)


def test_distance_is_large_at_cuts_and_small_between(three_shots: Path) -> None:
    signal = analyse(probe(three_shots))
    assert len(signal) == 70
    assert set(np.flatnonzero(signal.distance > 0.8)) == {20, 45}
    assert np.delete(signal.distance, [20, 45]).max() < 0.5
    assert signal.distance[0] == 0


def test_levels(clip: Callable[..., Path]) -> None:
    def halves(number: int, width: int, height: int) -> np.ndarray:
        image = np.zeros((height, width, 3), dtype=np.uint8)
        image[:, : width // 2] = 255 if number else 0
        return image

    signal = analyse(probe(clip("halves.mp4", frames=3, picture=halves, options={"crf": "1"})))
    assert signal.luma == pytest.approx([0, 0.5, 0.5], abs=0.02)
    assert signal.contrast == pytest.approx([0, 0.5, 0.5], abs=0.02)
    assert signal.motion == pytest.approx([0, 0.5, 0], abs=0.02)


def test_the_cache_saves_the_decode(three_shots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = probe(three_shots)
    first = analyse(source)
    monkeypatch.setattr("snapupscale.scenes.signal._measured", None)
    again = analyse(source)
    assert np.array_equal(first.distance, again.distance)
    assert [first.index.time(number) for number in range(70)] == [again.index.time(number) for number in range(70)]
    assert again.distance.dtype == np.float32


def test_a_changed_source_is_decoded_again(three_shots: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    shutil.copy(three_shots, path)
    first = analyse(probe(path))
    path.write_bytes(path.read_bytes() + bytes(8))
    calls: list[int] = []
    analyse(probe(path), progress=lambda done, total: calls.append(done))
    assert len(calls) == len(first)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY"])
def test_a_damaged_cache_file_counts_as_none(three_shots: Path, content: bytes) -> None:
    source = probe(three_shots)
    analyse(source)
    (path,) = cache._path(source).parent.glob("*.npz")
    path.write_bytes(content)
    assert len(analyse(source)) == 70


def test_a_cache_that_cannot_be_written_is_no_error(three_shots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert len(analyse(probe(three_shots))) == 70


def test_the_cache_stays_small(three_shots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "KEPT", 3)
    source = probe(three_shots)
    folder = cache._path(source).parent
    folder.mkdir(parents=True)
    for number in range(5):
        (folder / f"old{number}.npz").touch()
    analyse(source)
    assert len(list(folder.glob("*.npz"))) == 3
    assert cache.load(source) is not None


def test_progress_counts_every_frame_and_can_cancel(three_shots: Path) -> None:
    calls: list[tuple[int, int | None]] = []
    analyse(probe(three_shots), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 70) for done in range(1, 71)]

    def cancel(done: int, total: int | None) -> None:
        if done == 5:
            raise Cancelled("enough")

    source = probe(three_shots, rate=Fraction(25))
    with pytest.raises(Cancelled):
        analyse(source, progress=cancel)


def test_a_variable_rate_is_told(clip: Callable[..., Path]) -> None:
    path = clip(
        "variable.mkv",
        frames=40,
        time_base=Fraction(1, 1000),
        pts=[number * 33 + number // 10 * 200 for number in range(40)],
    )
    signal = analyse(probe(path))
    assert not signal.constant_rate
    assert any("variable frame rate" in warning for warning in signal.warnings)


@pytest.mark.parametrize("name", ["rounded.mkv", "ntsc.mp4"])
def test_a_constant_rate_is_not(clip: Callable[..., Path], name: str) -> None:
    signal = analyse(probe(clip(f"constant_{name}", rate=Fraction(24000, 1001), frames=100)))
    assert signal.constant_rate
    assert signal.warnings == ()


@pytest.fixture
def much(clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Source:
    """Footage that frames are left out of, as if it were much."""
    monkeypatch.setattr("snapupscale.media.disposable._WORTH_WHILE", 0)
    return made(clip, "apart_closed.mp4")


def test_much_footage_is_seen_by_some_of_its_frames_until_all_are_asked_for(much: Source) -> None:
    told: list[int] = []
    signal = analyse(much, progress=lambda done, total: told.append(done))
    assert told == sorted(told)
    assert told[-1] == FRAMES
    stored = cache.load(much)
    assert stored is not None
    assert not stored.whole
    whole = analyse(much, whole=True)
    stored = cache.load(much)
    assert stored is not None
    assert stored.whole
    assert np.array_equal(signal.index.ticks, whole.index.ticks)
    for each in (signal, whole):
        assert set(np.argsort(each.odds)[-2:]) == {70, 140}


def test_frames_that_were_left_out_are_read_as_they_are(much: Source) -> None:
    signal, whole = analyse(much), analyse(much, whole=True)
    blended = np.abs(signal.index.signatures.astype(int) - whole.index.signatures).any(axis=(1, 2))
    numbers = np.flatnonzero(blended)[::5].tolist()
    assert len(numbers) > 4
    read = list(Decoder(much).read(numbers, signal.index))
    for one, other in zip(read, Decoder(much).read(numbers, whole.index), strict=True):
        assert one.index == other.index
        assert np.array_equal(one.picture.to_ndarray(), other.picture.to_ndarray())


def test_a_single_decoder_is_enough_to_leave_frames_out(much: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snapupscale.scenes.signal.segments", lambda source: [])
    monkeypatch.setattr("snapupscale.scenes.signal._measured", None)
    assert len(analyse(much)) == FRAMES
