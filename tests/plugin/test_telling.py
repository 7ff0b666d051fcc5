"""What was read back reaches the sidecar, also one that was away."""

from __future__ import annotations

from typing import Any

import pytest

from snapupscale_resolve.faults import ConnectionLost
from snapupscale_resolve.telling import Teller


class FakeClient:
    """Takes results; `away` times it is away."""

    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.asked = 0
        self.posts: list[list[int]] = []

    def read_back(self, session: str, results: list[int]) -> dict[str, Any]:
        self.asked += 1
        if self.away:
            self.away -= 1
            raise ConnectionLost("gone")
        self.posts.append(list(results))
        return {"state": "applied"}

    def session(self, session: str) -> dict[str, Any]:
        return {"state": "planned"}


def teller(client: FakeClient) -> Any:
    return Teller(client, "s1")  # type: ignore[arg-type]


def test_results_are_told_as_they_come() -> None:
    client = FakeClient()
    told = teller(client)
    told([1, 2])
    told([3])
    assert client.posts == [[1, 2], [3]]
    assert told.finish() == {"state": "applied"}
    assert teller(client).finish() == {"state": "planned"}


def test_a_sidecar_that_is_away_costs_no_time_until_the_end() -> None:
    client = FakeClient(away=2)
    told = teller(client)
    for number in range(5):
        told([number])
    assert client.asked == 1
    assert told.finish() == {"state": "applied"}
    assert client.posts == [[0, 1, 2, 3, 4]]


def test_a_sidecar_that_stays_away_is_told_of() -> None:
    told = teller(FakeClient(away=9))
    told([1])
    with pytest.raises(ConnectionLost):
        told.finish()


def test_many_results_go_in_parts() -> None:
    client = FakeClient()
    teller(client)(list(range(1200)))
    assert [len(post) for post in client.posts] == [500, 500, 200]
