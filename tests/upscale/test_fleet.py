from __future__ import annotations

import gc
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from snapupscale.errors import Cancelled
from snapupscale.upscale import shared_memory
from snapupscale.upscale.fleet import MOST_TAKEN, Fleet
from upscale import stand_in_gpu as deeds
from upscale.fleets import check, picture, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["start"]
"""The fixture."""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in ends itself by a signal")


def test_results_keep_the_order_whatever_they_take(start: Callable[..., Fleet]) -> None:
    pictures = [picture(number, tens=(number * 7) % 5) for number in range(24)]
    fleet = start()
    assert check(list(fleet.upscaled(iter(pictures))), pictures) == {0, 1}
    assert len(fleet.seconds) == 24
    assert {gpu for gpu, _ in fleet.seconds} == {0, 1}


def test_the_source_is_read_only_as_far_as_needed(start: Callable[..., Fleet]) -> None:
    taken = 0

    def source() -> Iterator[NDArray[np.uint8]]:
        nonlocal taken
        while True:
            taken += 1
            yield picture(taken % 250)

    results = start().upscaled(source())
    for number in range(1, 6):
        next(results)
        assert taken <= 2 * MOST_TAKEN + number
    time.sleep(0.2)
    assert taken <= 2 * MOST_TAKEN + 5
    results.close()


def test_memory_is_used_again_but_never_while_somebody_has_it(
    start: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    real = shared_memory.Room.__init__

    def init(self: shared_memory.Room, size: int) -> None:
        made.append(size)
        real(self, size)

    monkeypatch.setattr(shared_memory.Room, "__init__", init)
    pictures = [picture(number) for number in range(80)]
    kept = [result[1:].T for number, result in enumerate(start().upscaled(pictures)) if number % 10 == 0]
    assert len(made) < len(pictures) / 2
    for view, source in zip(kept, pictures[::10], strict=True):
        np.testing.assert_array_equal(view.T[:-1], source.repeat(deeds.SCALE, 0).repeat(deeds.SCALE, 1)[1:-1])
    del view
    kept.clear()
    gc.collect()


def test_pictures_of_many_kinds(start: Callable[..., Fleet]) -> None:
    def other(number: int, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        made = (np.random.default_rng(number).integers(0, 2, shape)).astype(dtype)
        made[0, :3, 0] = (number if dtype != np.float32 else 0), 0, 0
        return made

    pictures = [
        other(0, (5, 7, 3), np.uint8),
        other(1, (40, 9, 4), np.uint16),
        other(2, (6, 60, 3), np.float32),
        other(3, (90, 40, 4), np.uint8)[::2, ::-1],
        other(4, (8, 8, 3), np.dtype(">u2")),
        other(5, (3, 4, 3), np.uint8),
    ]
    pictures[3][0, :3, 0] = 3, 0, 0
    check(list(start(1).upscaled(pictures)), [each.astype(each.dtype.newbyteorder("=")) for each in pictures])


def test_what_is_given_may_be_overwritten_at_once(start: Callable[..., Fleet]) -> None:
    buffer = np.empty((16, 16, 3), np.uint8)

    def source() -> Iterator[NDArray[np.uint8]]:
        for number in range(12):
            buffer[:] = picture(number, tens=2, deed=deeds.DIE_ONCE if number == 5 else deeds.NOTHING)
            yield buffer
        buffer[:] = 0

    expected = [picture(number, tens=2) for number in range(12)]
    expected[5][0, 2, 0] = deeds.DIE_ONCE
    check(list(start().upscaled(source())), expected)


def test_gpus_stay_busy_while_results_are_used(start: Callable[..., Fleet]) -> None:
    fleet = start(1)
    results = fleet.upscaled(picture(number, tens=2) for number in range(100))
    next(results)
    for _ in range(5):
        time.sleep(0.1)
        next(results)
    assert len(fleet.seconds) >= 6 + MOST_TAKEN - 2, "done ones waited to be taken in"
    results.close()


def test_nothing_to_do(start: Callable[..., Fleet]) -> None:
    assert list(start().upscaled([])) == []


def test_closing_ends_all_at_once(start: Callable[..., Fleet]) -> None:
    results = start().upscaled(picture(number, tens=1 if number < 2 else 250) for number in range(200))
    next(results)
    before = time.monotonic()
    results.close()
    assert time.monotonic() - before < 1


@pytest.mark.parametrize("kind", [Cancelled, KeyboardInterrupt])
def test_what_progress_raises_ends_all_at_once(kind: type[BaseException], start: Callable[..., Fleet]) -> None:
    begun = 0.0

    def report(done: float) -> None:
        nonlocal begun
        if done >= 2:
            begun = time.monotonic()
            raise kind("enough")

    with pytest.raises(kind):
        list(start().upscaled((picture(number, tens=1 if number < 2 else 250) for number in range(200)), report))
    assert time.monotonic() - begun < 1


def test_progress_counts_pictures(start: Callable[..., Fleet]) -> None:
    reports: list[float] = []
    list(start().upscaled([picture(number) for number in range(5)], reports.append))
    assert reports == sorted(reports)
    assert reports[-1] == 5
