"""Fixtures for the link: its library, a folder for the sidecar, and what must not be left behind."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openfx.link_library import HERE, WRAPPED, Link, build

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The link and its probe."""
    folder = tmp_path_factory.mktemp("link")
    return build(folder / "link_probe.so", HERE / "link_probe.c", flags=["-shared", "-fPIC", *WRAPPED])


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for runtime files; no test finds a sidecar of the user."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("XDG_RUNTIME_DIR", "TMPDIR"):
            monkeypatch.setenv(name, folder)
        yield Path(folder)


def mappings(process: int) -> list[Path]:
    """The files of a process's mappings. Others may render at the same time."""
    return list(Path("/dev/shm").glob(f"snapupscale-{process}-*"))


@pytest.fixture
def link(library: Path, runtime: Path) -> Iterator[Link]:
    """The link, opened; nothing of it is left after the test."""
    found = Link(library)
    found.open()
    yield found
    found.close()
    found.library.probe_mappings_in(None)
    assert not mappings(os.getpid())
    assert not list(runtime.glob("snapupscale-*"))
