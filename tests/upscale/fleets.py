"""Fleets of stand-ins for GPUs, their pictures, and what is to come out of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from snapupscale.upscale import fleet_process, shared_memory
from snapupscale.upscale.fleet import Fleet
from upscale import stand_in_gpu as deeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

COMMAND = (sys.executable, deeds.__file__)


def picture(number: int, *, tens: int = 0, deed: int = deeds.NOTHING, edge: int = 16) -> NDArray[np.uint8]:
    """Noise, and in its corner what is to happen; see the stand-in."""
    made = np.random.default_rng(number).integers(0, 256, (edge, edge, 3), np.uint8)
    made[0, :3, 0] = number, tens, deed
    return made


def enlarged(height: int, width: int) -> tuple[int, int]:
    return deeds.SCALE * height, deeds.SCALE * width


def masks(gpus: int, folder: Path, **more: str) -> list[dict[str, str]]:
    """What the stand-ins are to know."""
    return [{"GPU": str(number), "GPUS": str(gpus), "MARKS": str(folder), **more} for number in range(gpus)]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Fleet]]:
    """Make a fleet of stand-ins. In the end there is no process and no file of it."""
    folder = tmp_path / "rooms"
    folder.mkdir()
    monkeypatch.setattr(shared_memory, "_IN_MEMORY", folder)
    started: list[Any] = []

    class Process(fleet_process.Process):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            started.append(self._process)

    monkeypatch.setattr("snapupscale.upscale.fleet.Process", Process)

    def make(gpus: int = 2, **more: str) -> Fleet:
        return Fleet(masks(gpus, tmp_path, **more), {}, enlarged, command=COMMAND)

    yield make
    assert started
    assert all(process.returncode is not None for process in started)
    assert not list(folder.iterdir())


def check(results: Sequence[NDArray[Any]], pictures: Sequence[NDArray[Any]]) -> set[int]:
    """That each is the result of its picture; the GPUs that they are from."""
    assert len(results) == len(pictures)
    for result, source in zip(results, pictures, strict=True):
        assert result.dtype == source.dtype
        again = result.copy()
        again[-1, -1, 0] = source[-1, -1, 0]
        np.testing.assert_array_equal(again, source.repeat(deeds.SCALE, 0).repeat(deeds.SCALE, 1))
    return {int(result[-1, -1, 0]) for result in results}
