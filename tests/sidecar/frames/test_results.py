from __future__ import annotations

import random
from typing import Any

import pytest

from snapupscale.sidecar.frames.results import Results, budget


class Bytes:
    """So much of a tensor as is looked at."""

    def __init__(self, size: int) -> None:
        self.nbytes = size


def keep(results: Results, key: str, size: int) -> Any:
    result: Any = Bytes(size)
    results.keep(key, result)
    return result


def test_the_least_recently_used_goes_first() -> None:
    results = Results(100)
    first, second = keep(results, "a", 40), keep(results, "b", 40)
    assert results.get("a") is first
    third = keep(results, "c", 40)
    assert (results.get("a"), results.get("b"), results.get("c")) == (first, None, third)
    assert second is not None
    assert results.used == 80


def test_it_never_takes_more_than_its_room() -> None:
    chance, results = random.Random(3), Results(1000)
    for _ in range(2000):
        key, size = str(chance.randrange(50)), chance.randrange(1, 1200)
        results.get(str(chance.randrange(50)))
        keep(results, key, size)
        assert results.used == sum(each.nbytes for each in results._kept.values())
        assert results.used <= 1000


def test_one_that_is_too_large_is_not_kept_and_costs_no_other() -> None:
    results = Results(100)
    kept = keep(results, "a", 100)
    keep(results, "b", 101)
    assert (results.get("a"), results.get("b"), results.used) == (kept, None, 100)
    assert (results.holds(100), results.holds(101)) == (True, False)
    results.clear()
    assert (results.get("a"), results.used) == (None, 0)


@pytest.mark.parametrize(("memory", "room"), [(8 << 30, 1 << 30), (32 << 30, 4 << 30), (512 << 30, 4 << 30), (0, 0)])
def test_the_budget(memory: int, room: int) -> None:
    assert budget(memory) == room
