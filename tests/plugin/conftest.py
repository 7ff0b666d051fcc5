"""A runtime folder of its own for each test, programs that stand for the sidecar, and real sidecars that are ended."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from snapupscale_resolve.launch import Started, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVE = [sys.executable, "-m", "snapupscale", "sidecar", "serve"]


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which the sidecar makes its runtime folder. No test finds a sidecar of the user."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("XDG_RUNTIME_DIR", "TMPDIR"):
            monkeypatch.setenv(name, folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield Path(folder)


class Starter:
    """A `start` for `connect` that runs a command of the test; every process is ended with the test."""

    def __init__(self, *command: str) -> None:
        self.command = list(command) or SERVE
        self.started: list[Started] = []

    def __call__(self) -> Started:
        self.started.append(Started(self.command, environment(os.environ)))
        return self.started[-1]

    def end(self) -> None:
        for each in self.started:
            each.process.kill()
            each.process.wait()
            each.let_go()


@pytest.fixture
def starter() -> Iterator[Callable[..., Starter]]:
    """Make a Starter of a command; by default it starts real sidecars."""
    made: list[Starter] = []

    def make(*command: str) -> Starter:
        made.append(Starter(*command))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def script(starter: Callable[..., Starter]) -> Callable[[str], Starter]:
    """A Starter of a program given as text."""

    def make(text: str) -> Starter:
        return starter(sys.executable, "-c", text)

    return make


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are opened in the browser; of pages in files, their text."""
    seen: list[str] = []

    def opened(url: str) -> bool:
        parts = urlsplit(url)
        seen.append(Path(url2pathname(parts.path)).read_text() if parts.scheme == "file" else url)
        return True

    monkeypatch.setattr(webbrowser, "open", opened)
    return seen
