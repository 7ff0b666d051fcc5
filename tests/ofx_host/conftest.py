"""The effect's bundle, a folder of its own for each sidecar, and hosts whose violations fail the test."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ofx_host import bundles
from ofx_host.traces import mappings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The effect, built when it is missing or older than its sources."""
    given = os.environ.get("SNAPUPSCALE_OFX_BUNDLE")
    return Path(given) if given else bundles.effect()


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which the sidecar makes its runtime folder. No test finds a sidecar of the user."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("XDG_RUNTIME_DIR", "TMPDIR"):
            monkeypatch.setenv(name, folder)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield Path(folder)


@pytest.fixture(autouse=True)
def nothing_left_in_shared_memory() -> Iterator[None]:
    """Whatever a test does, no mapping of this process stays behind."""
    yield
    assert mappings(os.getpid()) == []
