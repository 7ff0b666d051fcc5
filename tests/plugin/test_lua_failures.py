"""Every call that fails, in every action, in every version: the Lua twin does what the Python one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from footage import make_video
from plugin.hosts import Desk
from plugin.lua_hosts import LuaDesk
from plugin.test_lua_executor import QUIRKS, calls, film, state, tried

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FREE = "21.1-free"
PROFILES = ("18.6-studio", "19.1.3-studio", "21.0-free", "21.0-studio", "21.0.4-studio", "21.1-studio", FREE)
ACTIONS = {
    "mark": (),
    "stills": (),
    "stills again": ("stills",),
    "undo": ("stills",),
    "undo of marks": ("mark",),
    "remove_markers": ("mark",),
}
"""Each action, with what was done before."""


@pytest.fixture(scope="session")
def footage(clip: Callable[..., Path]) -> Path:
    return clip("lua_failures.mp4", frames=200)


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str], Path]:
    """Make the movie of a still, each once."""
    folder = tmp_path_factory.mktemp("held_failures")

    def make(frames: int, name: str) -> Path:
        path = folder / f"{name}.snapupscale.mov"
        return path if path.exists() else make_video(path, frames=frames, codec="mpeg4", width=64, height=36)

    return make


def after(desk: type[Desk], footage: Path, held: Any, action: str, profile: str, quirks: str) -> tuple[Any, ...]:
    """The desk after an action that was disturbed, and what came of it."""
    found = film(desk, footage, held, profile=profile)
    for before in ACTIONS[action]:
        found.do(before)
    found.host.misbehave(quirks)
    return found, tried(found, action.split(maxsplit=1)[0])


def same(footage: Path, held: Any, action: str, profile: str, quirks: str) -> Desk:
    """The Python desk, once Lua did the same calls, had the same results and made the same timeline."""
    ours, found = after(LuaDesk, footage, held, action, profile, quirks)
    theirs, wanted = after(Desk, footage, held, action, profile, quirks)
    assert calls(ours) == calls(theirs), (action, profile, quirks)
    assert found == wanted, (action, profile, quirks)
    assert state(ours) == state(theirs), (action, profile, quirks)
    return theirs


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_in_every_version_with_every_quirk(footage: Path, held: Any, action: str, profile: str) -> None:
    for quirks in QUIRKS:
        same(footage, held, action, profile, quirks)


@pytest.mark.parametrize("action", ACTIONS)
def test_some_calls_that_fail_in_every_action(footage: Path, held: Any, action: str) -> None:
    count = same(footage, held, action, FREE, "").host.calls()
    for number in range(3, count + 1, max(1, count // 6)):
        same(footage, held, action, FREE, f"fail={number},fail={number + 1}")


@pytest.mark.slow
@pytest.mark.parametrize(("profile", "more"), [("18.6-studio", ()), (FREE, (1,))])
@pytest.mark.parametrize("action", ACTIONS)
def test_every_call_that_fails_in_every_action(
    footage: Path, held: Any, action: str, profile: str, more: tuple[int, ...]
) -> None:
    """Alone, or with the next one: then a question that is asked again has no answer either."""
    count = same(footage, held, action, profile, "").host.calls()
    for number in range(1, count + 1):
        failing = (number, *(number + each for each in more))
        same(footage, held, action, profile, ",".join(f"fail={each}" for each in failing))
