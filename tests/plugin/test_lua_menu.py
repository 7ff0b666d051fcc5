"""The installed Lua menu scripts in the sandbox of the free edition, with a real mailbox and real sessions."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from plugin.hosts import open_host
from plugin.lua_hosts import LUA
from plugin.lua_user import Service, User
from snapupscale.errors import SidecarError
from snapupscale.installing.payload import payload
from snapupscale.installing.places import places as folders
from snapupscale.sidecar import mailbox as mailbox_module
from snapupscale.sidecar.timelines import Timelines
from waiting import until

import resolve_emulator.host  # isort: skip  # plugin.hosts puts its folder on the path
from lua_host import LuaHost  # isort: skip
from workbench import dump, quit_application, running  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

MENU = "Workspace > Scripts > SnapUpscale"


@pytest.fixture(scope="session")
def footage(clip: Callable[..., Path]) -> Path:
    return clip("lua_menu.mp4", frames=200, picture=scenes)


def scenes(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Three shots, with cuts at 50 and 150."""
    colours = ((200, 30, 30), (30, 180, 60), (40, 60, 200))
    image = np.full((height, width, 3), colours[(number >= 50) + (number >= 150)], np.uint8)
    image[number % height] = 255
    return image


@pytest.fixture
def user(tmp_path: Path, footage: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    home = tmp_path / "J\u00fcrgen's home"
    monkeypatch.setenv("HOME", str(home))
    for name in ("APPDATA", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(mailbox_module, "_LOOK_SECONDS", 0.02)
    (place,) = folders("linux", {"HOME": str(home)})
    for path, content in payload(place, LUA.parent, ["/nowhere/snapupscale"]).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    host = open_host("21.1-free")
    host.app.prefs_path = home / ".local/share/DaVinciResolve/Fusion/Profiles/Default/Fusion.prefs"
    host.resolve.Fusion().SavePrefs()
    host.film((footage, 10, 100, 0), (footage, 60, 100, 100), (footage, 120, 200, 150))
    host.timeline.AddMarker(3, "Blue", "mine", "", 1, "")
    host.app.project.timeline.playhead = 86400 + 100000
    service = Service()
    service.timelines = Timelines(tmp_path / "timelines", service)
    yield User(home=home, host=host, menu=place.menu, service=service)
    quit_application()


def outbox(user: User) -> str:
    return user.host.app.prefs_path.read_text()


def test_marks_come_and_go_from_the_menu(user: User) -> None:
    before = dump(user.host.app.project)
    with user.sidecar():
        user.choose("Mark Scene Cuts")
        assert user.cuts == [40, 180]
        assert user.printed[-1] == "SnapUpscale: 2 markers in 5 shots."
        user.choose("Mark Scene Cuts")
        assert user.cuts == [40, 180]
        user.choose("Undo Last SnapUpscale")
        user.choose("Mark Scene Cuts")
        assert user.cuts == [40, 180]
        user.choose("Remove SnapUpscale Markers")
        assert user.printed[-1] == "SnapUpscale: 2 markers removed."
    assert dump(user.host.app.project) == before
    assert 'Outbox = ""' in outbox(user), "nothing of the timeline stays in the editor's preferences"
    assert user.screen.shown == []
    assert not user.host.app.faults


def test_the_report_is_opened_by_the_sidecar(user: User, footage: Path) -> None:
    user.host.app.project.timeline.playhead = 86410
    user.host.timeline.AddMarker(5, "Red", "SnapUpscale: not running", "", 1, "snapupscale:message")
    with user.sidecar():
        user.choose("Show Shots")
    assert sorted(user.markers) == [3], "the message of an earlier run is gone"
    assert user.screen.shown == ["/v1/jobs/j0/report"]
    asked = user.service.table["j0"]["asked"]
    assert (asked["kind"], asked["source"], asked["limit"]) == ("upscale", str(footage), 1)


def test_without_a_sidecar_a_marker_at_the_playhead_says_how_to_start_it_and_goes_again(user: User) -> None:
    user.host.app.project.timeline.playhead = 86400 + 3
    before = dump(user.host.app.project)
    user.alone()
    user.choose("Mark Scene Cuts")

    assert sorted(user.markers) == [3, 4]
    marker = user.markers[4]
    assert marker["customData"] == "snapupscale:message"
    assert "is not running" in marker["name"]
    assert "Start SnapUpscale" in marker["note"]
    assert MENU in marker["note"]
    user.choose("Undo Last SnapUpscale")
    assert sorted(user.markers) == [3, 4], "it is told once"
    user.host.app.project.timeline.playhead = 86400 + 100000
    user.choose("Show Shots")
    assert sorted(user.markers) == [3, 229], "where it can be seen"

    running().clock = None
    user.host.app.project.timeline.playhead = 86400 + 3
    with user.sidecar():
        user.choose("Remove SnapUpscale Markers")
    assert dump(user.host.app.project) == before


def test_a_sidecar_that_has_died_is_told_like_none(user: User) -> None:
    with user.sidecar() as mailbox:
        user.choose("Remove SnapUpscale Markers")
        mailbox.close = lambda: None  # type: ignore[method-assign]
    assert (user.host.app.prefs_path.parents[2] / "SnapUpscale" / "sidecar.lua").exists()
    user.alone()
    user.choose("Mark Scene Cuts")
    assert "is not running" in " ".join(user.printed)
    assert [each["customData"] for each in user.markers.values()] == ["", "snapupscale:message"]


def test_what_goes_wrong_is_shown_in_the_browser(user: User) -> None:
    with user.sidecar():
        user.choose("Undo Last SnapUpscale")
        assert "nothing was made on this timeline that can be undone" in user.screen.shown[-1][0]
        user.service.bad = {"code": "not-a-video", "message": "no film", "hint": "Take another."}
        user.choose("Mark Scene Cuts")
        title, lines = user.screen.shown[-1]
        assert title == "0 markers in 0 shots."
        assert any("no film" in line for line in lines)
        user.choose("Show Shots")
        assert "no clip of a video track is under the playhead" in user.screen.shown[-1][0]
    assert sorted(user.markers) == [3]


def test_a_dialog_that_is_open_is_told(user: User) -> None:
    user.host.misbehave("modal")
    user.alone()
    with user.sidecar():
        user.choose("Mark Scene Cuts")
    assert "Close every open dialog" in user.printed[-1]
    assert user.cuts == []


def test_the_page_and_the_playhead_are_as_before(user: User) -> None:
    user.host.misbehave("fairlight")
    seen = user.host.seen()
    with user.sidecar():
        user.choose("Mark Scene Cuts")
    assert user.cuts == [40, 180]
    assert user.host.seen() == seen


def test_a_library_under_a_name_that_windows_can_not_open_is_found_all_the_same(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = next(user.home.rglob("start.lua")).parents[1]
    (tmp_path / "local" / "SnapUpscale").mkdir(parents=True)
    library.rename(tmp_path / "local" / "SnapUpscale" / "resolve")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    with user.sidecar():
        user.choose("Mark Scene Cuts")
    assert user.cuts == [40, 180]


def test_an_installation_whose_library_is_gone_says_so(user: User) -> None:
    for path in user.home.rglob("start.lua"):
        path.unlink()
    user.choose("Mark Scene Cuts")
    assert "Install it again" in user.printed[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_preferences_that_can_not_be_written_are_a_sidecar_that_is_not_there(user: User) -> None:
    user.host.app.prefs_path = user.home / "elsewhere" / "Fusion.prefs"
    user.alone()
    with user.sidecar():
        user.choose("Mark Scene Cuts")
    assert "is not running" in " ".join(user.printed)
    assert os.environ["HOME"] == str(user.home)


def started(user: User, entry: str) -> threading.Thread:
    """An entry that was chosen and is not done."""
    thread = threading.Thread(target=user.choose, args=(entry,))
    thread.start()
    until(lambda: user.service.table)
    return thread


def test_a_sidecar_that_is_started_anew_meanwhile_goes_on(user: User) -> None:
    user.service.looks = 10**9
    with user.sidecar():
        script = started(user, "Mark Scene Cuts")
        time.sleep(0.5)
    user.service.looks = 0
    with user.sidecar():
        script.join(20)
    assert user.cuts == [40, 180]
    assert user.printed[-1] == "SnapUpscale: 2 markers in 5 shots."


def test_a_sidecar_that_ends_meanwhile_is_told_by_a_marker(user: User) -> None:
    user.service.looks = 10**9
    with user.sidecar():
        script = started(user, "Mark Scene Cuts")
        time.sleep(0.3)
    running().clock = time.monotonic() + 60
    script.join(20)
    assert "does not answer any more" in " ".join(user.printed)
    assert [each["customData"] for each in user.markers.values()] == ["", "snapupscale:message"]


@pytest.mark.parametrize("seconds", [4000.0, -4000.0])
def test_a_computer_that_slept_or_whose_clock_was_set_meanwhile_goes_on(
    user: User, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    leap = 0.0
    monkeypatch.setattr(resolve_emulator.host, "gettime", lambda: time.monotonic() + leap)
    user.service.looks = 10**9
    with user.sidecar():
        script = started(user, "Mark Scene Cuts")
        time.sleep(0.3)
        leap = seconds
        time.sleep(0.6)
        user.service.looks = 0
        script.join(20)
    assert user.cuts == [40, 180]


def test_a_message_for_which_there_is_no_browser_is_put_on_the_timeline(user: User) -> None:
    def nothing(title: str, lines: Any, /) -> None:
        raise SidecarError("no browser can be opened")

    user.screen.notice = nothing  # type: ignore[method-assign]
    with user.sidecar():
        user.choose("Undo Last SnapUpscale")
    markers = [each for each in user.markers.values() if each["customData"] == "snapupscale:message"]
    assert "nothing was made on this timeline" in markers[0]["name"]


def test_an_editor_that_has_kept_no_preferences_yet_is_served(user: User) -> None:
    user.host.app.prefs_path.unlink()
    user.host.app.prefs_path.parent.rmdir()
    with user.sidecar():
        user.choose("Mark Scene Cuts")
    assert user.cuts == [40, 180]


def test_a_timeline_that_is_too_large_is_told(user: User) -> None:
    for frame in range(10, 1100):
        user.host.timeline.AddMarker(frame, "Red", "", "n" * 1000, 1, "")
    with user.sidecar():
        user.choose("Mark Scene Cuts")
    title, lines = user.screen.shown[-1]
    assert "too large" in title
    assert "Select some of its clips" in lines[0]


def test_another_script_takes_over(user: User) -> None:
    user.service.looks = 10**9
    with user.sidecar():
        script = started(user, "Mark Scene Cuts")
        time.sleep(0.5)
        other = LuaHost(user.host.app)
        other.run(user.menu / "Remove SnapUpscale Markers (Lua).lua")
        script.join(20)
    assert other.printed[-1] == "SnapUpscale: 0 markers removed."
    assert "another SnapUpscale script" in " ".join(user.printed)
    assert user.cuts == []


def test_what_was_made_and_could_not_be_told_is_undone_all_the_same(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(user.host.app.project)
    told = threading.Event()
    monkeypatch.setattr(user.service.timelines, "read_back", lambda *_: told.set())
    with user.sidecar():
        user.choose("Mark Scene Cuts")
    assert told.is_set()
    assert user.cuts == [40, 180]
    assert "could not be told" in " ".join(user.printed)
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(user.home))
    with user.sidecar():
        user.choose("Undo Last SnapUpscale")
    assert dump(user.host.app.project) == before


def test_a_real_sidecar_finds_the_cuts(user: User, starter: Callable[..., Any], footage: Path) -> None:
    from snapupscale.sidecar import discovery

    starter()()
    until(discovery.read)
    until((user.host.app.prefs_path.parents[2] / "SnapUpscale" / "sidecar.lua").exists)
    user.choose("Mark Scene Cuts")
    assert user.cuts == [40, 180]
    assert user.printed[-1] == "SnapUpscale: 2 markers in 5 shots."
    user.choose("Undo Last SnapUpscale")
    assert sorted(user.markers) == [3]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a browser that is a shell script")
def test_a_real_sidecar_makes_stills_and_opens_the_report(
    user: User, starter: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}"\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    starter()()
    until((user.host.app.prefs_path.parents[2] / "SnapUpscale" / "sidecar.lua").exists)
    before = user.host.contents()["tracks"]

    user.choose("Upscale Shots to Stills")

    assert user.printed[-1] == "SnapUpscale: 5 stills of 5 shots on the timeline."
    overlays = [(int(item.start) - 86400, int(item.duration)) for item in user.host.lanes()[1].items]
    assert overlays == [(0, 40), (40, 50), (150, 30), (180, 50)]
    assert user.host.lanes()[0].items[1].take == 2
    user.choose("Undo Last SnapUpscale")
    user.host.lanes()[0].items[1].take = 0
    assert user.host.contents()["tracks"] == before

    user.host.app.project.timeline.playhead = 86410
    user.choose("Show Shots")
    address = until(lambda: opened.exists() and opened.read_text())
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/open#code=[\w-]+&to=/v1/jobs/[\w-]+/report\n", address)
