"""Clients of real sidecars, and of servers that answer as they are told."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from plugin.servers import health, http_server, publish, published
from snapupscale import protocol
from snapupscale_resolve.client import Client, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plugin.conftest import Starter
    from plugin.servers import Answer
    from snapupscale_resolve.launch import Started


def never() -> Started:
    raise AssertionError("nothing is to be started")


@pytest.fixture
def client(starter: Callable[[], Starter]) -> Client:
    return connect(starter())


def answering(answer: Callable[[str, str], Answer]) -> Any:
    """A server that says it is a sidecar, and else answers with `answer`."""
    return http_server(lambda method, path, _: (200, health()) if path == protocol.HEALTH else answer(method, path))


@pytest.fixture
def served() -> Iterator[Callable[[Callable[[str, str], Answer]], Client]]:
    """Make a client of a server that answers as it is told."""
    stack = ExitStack()

    def make(answer: Callable[[str, str], Answer]) -> Client:
        publish(published(stack.enter_context(answering(answer))))
        return connect(never)

    yield make
    stack.close()
