from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from snapupscale.errors import Cancelled, SettingError
from snapupscale.upscale import fleet, gpus
from snapupscale.upscale.engine import Upscaler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NO_GPU = {"CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture
def pictures(frame: NDArray[np.uint8]) -> list[NDArray[Any]]:
    """Of several sizes and kinds, the fourth with a matte."""
    made: list[NDArray[Any]] = [np.ascontiguousarray(frame[40 + 8 * n : 60 + 9 * n, 500:540]) for n in range(6)]
    made[3] = np.dstack((made[3], made[3][..., 0]))
    made[4] = made[4][..., 0].astype(np.uint16) * 257
    return made


def test_processes_give_what_this_one_gives(pictures: list[NDArray[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[fleet.Fleet] = []
    real = fleet.Fleet.__init__

    def init(self: fleet.Fleet, *arguments: Any, **settings: Any) -> None:
        started.append(self)
        real(self, *arguments, **settings)

    monkeypatch.setattr(fleet.Fleet, "__init__", init)
    monkeypatch.setattr(Upscaler, "_gpus", lambda self: (NO_GPU, {**NO_GPU, "SECOND": "1"}))
    with Upscaler("animevideov3", backend="cpu", scale=2.5, precision="fp16", tile=32) as upscaler:
        results = list(upscaler.upscale_all(picture for picture in pictures))
        for result, picture in zip(results, pictures, strict=True):
            np.testing.assert_array_equal(result, upscaler.upscale(picture))
    assert len(started) == 1
    assert len(started[0].seconds) == 6


@pytest.mark.parametrize("backend", ["bicubic", "cpu"])
def test_one_device_stays_in_this_process(
    backend: str, pictures: list[NDArray[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus, "find", lambda: (NO_GPU, NO_GPU))
    monkeypatch.setattr(fleet, "COMMAND", ("no such program",))
    seen: list[float] = []
    taken = 0

    def source() -> Iterator[NDArray[Any]]:
        nonlocal taken
        for picture in pictures:
            taken += 1
            yield picture

    with Upscaler("animevideov3", backend=backend, scale=2) as upscaler:
        for number, result in enumerate(upscaler.upscale_all(source(), progress=seen.append)):
            assert taken == number + 1
            np.testing.assert_array_equal(result, upscaler.upscale(pictures[number]))
    assert seen == sorted(seen)
    assert seen[-1] == 6


def test_gpus_are_asked_for_on_cuda_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "find", lambda: (NO_GPU, NO_GPU))
    upscaler = Upscaler(backend="bicubic")
    assert upscaler._gpus() == ()
    upscaler.backend = "cuda"
    assert len(upscaler._gpus()) == 2
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert upscaler._gpus() == ()


@pytest.mark.parametrize(("count", "asked"), [(16, False), (17, True)])
def test_a_few_pictures_are_not_worth_other_processes(
    count: int, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds: list[int] = []
    monkeypatch.setattr(Upscaler, "_gpus", lambda self: finds.append(1) or ())
    with Upscaler(backend="bicubic", scale=1) as upscaler:
        assert len(list(upscaler.upscale_all([np.zeros((1, 1), np.uint8)] * count))) == count
    assert bool(finds) == asked


def test_one_that_is_refused_says_which(pictures: list[NDArray[Any]]) -> None:
    with Upscaler(backend="bicubic") as upscaler:
        results = upscaler.upscale_all([*pictures[:2], np.zeros((2, 2, 2), np.uint8)])
        assert [next(results).shape[0] for _ in range(2)] == [80, 84]
        with pytest.raises(SettingError, match="picture 2: a picture of shape"):
            next(results)


def test_progress_may_cancel(pictures: list[NDArray[Any]]) -> None:
    def report(done: float) -> None:
        if done > 1:
            raise Cancelled("enough")

    with Upscaler(backend="bicubic") as upscaler:
        with pytest.raises(Cancelled, match=r"^enough$"):
            list(upscaler.upscale_all(pictures, progress=report))
        upscaler.upscale(pictures[0])
    with pytest.raises(ValueError, match="closed"):
        upscaler.upscale_all(pictures)
