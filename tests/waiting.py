"""Waiting for what happens in other threads and processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.sidecar.service import Service

T = TypeVar("T")


def until(get: Callable[[], T | None], seconds: float = 30.0) -> T:
    """What `get` gives once it is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = get()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not in {seconds} s")


def ended(service: Service, job: dict[str, Any], seconds: float = 60.0) -> dict[str, Any]:
    """The job of a service, once it has ended."""

    def get() -> dict[str, Any] | None:
        found = service.job(job["id"])
        assert found
        return found if found["state"] in {"done", "failed"} else None

    return until(get, seconds)
