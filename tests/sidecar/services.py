"""Services in the process of the test, with their real workers, and the jobs that are handed to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from footage import long_footage
from snapupscale.sidecar.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

QUICK = {"backend": "lanczos", "scale": 2}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    started: list[Service] = []

    def make(**options: Any) -> Service:
        if started:
            started[-1].close()
        started.append(Service(tmp_path / "data", **options))
        return started[-1]

    yield make
    if started:
        started[-1].close()


@pytest.fixture
def footage(clip: Callable[..., Path]) -> Path:
    return clip("service.mp4", frames=60, picture=long_footage, options={"crf": "12"})


@pytest.fixture
def long(clip: Callable[..., Path]) -> Path:
    """60 shots, a third of a second and more to analyse."""
    return clip("sidecar_long.mp4", frames=1200, picture=long_footage)


def upscale(source: Path, **fields: Any) -> dict[str, Any]:
    return {"kind": "upscale", "source": str(source), **QUICK, **fields}


def in_stage(service: Service, job: dict[str, Any], stage: str) -> bool:
    found = service.job(job["id"])
    assert found
    assert found["state"] not in {"done", "failed"}, found
    return found["state"] == "running" and (found["progress"] or {}).get("stage") == stage
