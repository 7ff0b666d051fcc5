"""A store of its own for each test, and how jobs get into it and are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from snapupscale.sidecar.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sidecar" / "jobs.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


def add(store: Store, priority: str = "batch", **params: Any) -> str:
    return store.add("probe", {"source": "/a", **params}, priority).id


def state(store: Store, job_id: str) -> tuple[str, str | None]:
    job = store.job(job_id)
    assert job
    return job.state, job.error["code"] if job.error else None


def kinds(store: Store, job_id: str | None = None) -> list[str]:
    return [event["kind"] for event in store.events(0, job_id, 1000)]
