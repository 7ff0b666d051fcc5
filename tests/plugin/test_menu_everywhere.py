"""Every entry of the menu under every profile and quirk, and with every call of it failing once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from footage import make_video
from plugin.hosts import PROFILES
from plugin.test_executor import lasting
from plugin.test_menu import Click, Sidecar
from snapupscale import protocol
from snapupscale.errors import SettingError
from snapupscale.timeline.memory import Remembered, read_results
from snapupscale.timeline.plan import read_plan
from snapupscale_resolve.faults import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUIRKS = (
    *("", "fairlight", "locked", "modal", "append_drops", "none_lists", "still_ignores_end", "end_inclusive"),
    *("first_delete_fails", "take_false", "take_resizes"),
)
ACTIONS = ("mark", "stills", "show", "remove_markers", "undo")


class Remembering(Sidecar):
    """One that remembers what it was told, for the next session."""

    def open_session(self, action: str, snapshot: dict[str, Any]) -> dict[str, Any]:
        try:
            return super().open_session(action, snapshot)
        except SettingError as error:
            raise Refused(400, error.code, str(error), error.hint) from error

    def plan(self, session: str) -> dict[str, Any]:
        self.told: dict[str, Any] = {}
        if self.made["action"] in {"mark", "stills"}:
            self.desk.memory = (Remembered(plan=read_plan(self.made)), *self.desk.memory)
        return self.made

    def read_back(self, session: str, results: list[Any]) -> dict[str, Any]:
        sent = protocol.decode(protocol.encode({"results": results}))
        self.told.update({result["id"]: result for result in protocol.read_readback(sent)})
        if self.made["action"] in {"mark", "stills"}:
            known = read_results({"results": list(self.told.values())})
            self.desk.memory = (Remembered(plan=read_plan(self.made), results=known), *self.desk.memory[1:])
        return super().read_back(session, results)


@pytest.fixture(scope="session")
def footage(clip: Callable[..., Path]) -> Path:
    return clip("menu_everywhere.mp4", frames=200)


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str], Path]:
    """Make the movie of a still, each once."""
    folder = tmp_path_factory.mktemp("held")

    def make(frames: int, name: str) -> Path:
        path = folder / f"{name}.snapupscale.mov"
        return path if path.exists() else make_video(path, frames=frames, codec="mpeg4", width=64, height=36)

    return make


@pytest.fixture
def begin(footage: Path, held: Any, monkeypatch: pytest.MonkeyPatch, pages: list[str]) -> Callable[..., Click]:
    """An editor with two clips and a marker of the user's, and what is to be undone or removed where that is tried."""

    def make(action: str, profile: str = "19.1.3-studio") -> Click:
        click = Click(footage, monkeypatch, profile)
        click.host.timeline.AddMarker(3, "Blue", "mine", "", 1, "")
        click.desk.held = held
        click.sidecar = Remembering(click.desk, working=0)
        click.before = lasting(click.host.contents())
        if action in {"undo", "remove_markers"}:
            assert click("mark", "timeline")
            assert click("stills", "timeline")
            assert lasting(click.host.contents()) != click.before
        pages.clear()
        return click

    return make


def take_all_back(click: Click) -> None:
    """Undo until nothing is left, as a user does once the editor behaves again."""
    click.host.misbehave()
    for lane in click.host.lanes():
        lane.locked = False
    while click.desk.memory:
        assert click("undo"), click.said
        click.desk.memory = click.desk.memory[1:]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("action", ACTIONS)
def test_under_every_quirk_it_is_done_or_told_and_can_be_undone(
    begin: Callable[..., Click], pages: list[str], action: str, profile: str
) -> None:
    for quirk in QUIRKS:
        click = begin(action, profile)
        seen = click.host.seen()
        click.host.misbehave(quirk)
        if quirk == "locked":
            click.host.lanes()[0].locked = True
        seen = ("fairlight", *seen[1:]) if quirk == "fairlight" else seen
        done = click(action, "" if action == "show" else "timeline")
        assert "report it" not in click.said, (quirk, click.said)
        assert done != any(page.startswith("<!DOCTYPE") for page in pages), (quirk, click.said)
        assert done or quirk in {"modal", "append_drops", "locked"}, (quirk, click.said)
        assert click.host.seen() == seen, quirk
        assert not click.host.app.faults, quirk
        take_all_back(click)
        assert lasting(click.host.contents()) == click.before, quirk


@pytest.mark.parametrize("action", ["show", "remove_markers", "mark", "stills"])
def test_any_call_of_an_entry_may_fail(begin: Callable[..., Click], pages: list[str], action: str) -> None:
    click = begin(action)
    click.host.misbehave()
    click(action)
    calls = click.host.calls()
    for number in range(1, calls + 1):
        click = begin(action)
        click.host.misbehave(f"fail={number}")
        done = click(action)
        assert done or pages, (number, click.said)
        assert "report it" not in click.said, (number, click.said)
        take_all_back(click)
        assert lasting(click.host.contents()) == click.before, (number, click.said)
