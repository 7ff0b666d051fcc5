from __future__ import annotations

import asyncio

import pytest

from snapupscale.errors import DiskFull
from snapupscale.sidecar import feed as module
from snapupscale.sidecar.feed import Feed
from snapupscale.sidecar.lifetime import Lifetime


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)


def test_one_look_wakes_all_who_listen() -> None:
    looks: list[int] = []
    newest = [7]

    def latest(after: int) -> int:
        looks.append(after)
        return newest[0]

    async def listen(feed: Feed) -> None:
        with feed.listening():
            news = feed.news
            while newest[0] == 7:
                await feed.wait(news, 5)
                news = feed.news

    async def run() -> int:
        feed = Feed(latest, Lifetime(60))
        listeners = [asyncio.create_task(listen(feed)) for _ in range(50)]
        await asyncio.sleep(0.3)
        before = len(looks)
        newest[0] = 8
        await asyncio.wait_for(asyncio.gather(*listeners), 2)
        ended = len(looks)
        await asyncio.sleep(0.05)
        assert len(looks) <= ended + 1
        return before

    assert 2 <= asyncio.run(run()) <= 31
    assert set(looks) <= {0, 7, 8}


def test_who_waits_learns_of_the_end_and_of_a_fault() -> None:
    lifetime = Lifetime(0)

    def full(after: int) -> int:
        raise DiskFull("full")

    async def run(feed: Feed) -> None:
        with feed.listening():
            assert not lifetime.idle
            news = feed.news
            await feed.wait(news, 5)
            assert news.is_set()
        assert lifetime.idle

    asyncio.run(asyncio.wait_for(run(Feed(full, lifetime)), 2))
    lifetime.stop()
    asyncio.run(asyncio.wait_for(run(Feed(lambda after: after, lifetime)), 2))


def test_waiting_has_an_end() -> None:
    async def run() -> None:
        feed = Feed(lambda after: after, Lifetime(60))
        with feed.listening():
            news = feed.news
            await feed.wait(news, 0.05)
            assert not news.is_set()

    asyncio.run(asyncio.wait_for(run(), 2))
