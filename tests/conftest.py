"""Fixtures for all tests: a cache of their own, and footage made once a session."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from footage import Recipe, make_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# In the background of a shell a process ignores Ctrl-C, and so would all that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that is busy with other things makes no test wrong.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache, data and film folders."""
    folder = tmp_path_factory.mktemp("user")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.setenv("XDG_VIDEOS_DIR", str(folder / "videos"))


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make footage: `clip("name.mp4", frames=30, ...)`; what was made before in this session is used again."""
    folder = tmp_path_factory.mktemp("footage")
    made: dict[str, tuple[Path, dict[str, Any]]] = {}

    def make(name: str, **changes: Any) -> Path:
        if name in made:
            assert made[name][1] == changes, f"{name} was made in another way"
            return made[name][0]
        picture = changes.get("picture")
        recipe = Recipe(**{key: value for key, value in changes.items() if key != "picture"})
        path = folder / name
        make_video(path, recipe, **({"picture": picture} if picture else {}))
        made[name] = (path, changes)
        return path

    return make
