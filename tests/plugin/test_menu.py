"""The entries of the menu, from the click to what the user sees at the end."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import snapupscale_resolve
from footage import make_video
from plugin.hosts import PROFILES, Desk, open_host
from snapupscale_resolve import client as sidecar
from snapupscale_resolve import menu
from snapupscale_resolve.faults import ConnectionLost, NotInstalled
from snapupscale_resolve.summary import NAMES
from snapupscale_resolve.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Callable

MENU = Path(snapupscale_resolve.__file__).parents[1] / "menu"
ENTRIES = {name: action for action, name in NAMES.items()}


@pytest.fixture(scope="session")
def footage(clip: Callable[..., Path]) -> Path:
    return clip("menu.mp4", frames=200)


class Sidecar:
    """A client of a sidecar that plans in this process; `working` times a session is not planned yet."""

    def __init__(self, desk: Desk, working: int = 1) -> None:
        self.desk = desk
        self.working = working
        self.error: dict[str, str] | None = None
        self.asked: list[Any] = []
        self.away = 0
        self.stage: dict[str, Any] | None = None
        self.meanwhile: Callable[[], None] = lambda: None

    def open_session(self, action: str, snapshot: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("open", action, snapshot["scope"]))
        self.made = self.desk.plan_of(action, snapshot)
        return self.session("s1")

    def session(self, session: str) -> dict[str, Any]:
        self.working -= 1
        state = "working" if self.working >= 0 else "failed" if self.error else "planned"
        if state == "working":
            self.meanwhile()
        progress = {"stage": "read", "done": 5, "total": 10}
        job = {"id": "j1", "source": "menu.mp4", "state": "running", "progress": progress}
        return {"id": "s1", "state": state, "error": self.error, "jobs": [job], "progress": self.stage}

    def plan(self, session: str) -> dict[str, Any]:
        return self.made

    def read_back(self, session: str, results: list[Any]) -> dict[str, Any]:
        if self.away:
            self.away -= 1
            raise ConnectionLost("the sidecar, process 7, went away")
        self.asked.append(("told", len(results)))
        return self.session(session)

    def cancel_session(self, session: str) -> None:
        self.asked.append(("cancel", session))

    def submit(self, job: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(job)
        return {"id": "j1"}

    def wait(self, jobs: list[str], on_progress: Callable[[Any], None]) -> dict[str, Any]:
        state = "failed" if self.error else "done"
        return {"j1": {"id": "j1", "state": state, "error": self.error, "progress": None}}

    def page_url(self, path: str) -> str:
        return f"http://127.0.0.1:1/open#code=c&to={path}"


class Click:
    """Chooses entries of the menu, and keeps what was said."""

    def __init__(self, footage: Path, monkeypatch: pytest.MonkeyPatch, profile: str = "19.1.3-studio") -> None:
        self.host = open_host(profile)
        self.host.film((footage, 10, 100, 0), (footage, 60, 100, 100))
        self.host.misbehave()
        self.desk = Desk(self.host, cuts=(50,), frames=200)
        self.sidecar = Sidecar(self.desk)
        self.lines: list[str] = []
        monkeypatch.setattr(sidecar, "connect", lambda start: self.sidecar)

    def __call__(self, action: str, scope: str = "", **names: Any) -> bool:
        self.lines.clear()
        return menu.run(action, names or {"resolve": self.host.resolve}, scope, voice=Voice(self.lines.append))

    @property
    def said(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def click(footage: Path, monkeypatch: pytest.MonkeyPatch) -> Click:
    return Click(footage, monkeypatch)


@pytest.mark.parametrize("profile", PROFILES)
def test_marks_come_and_go(footage: Path, monkeypatch: pytest.MonkeyPatch, pages: list[str], profile: str) -> None:
    click = Click(footage, monkeypatch, profile)
    before = click.host.contents()
    assert click("mark")
    assert "Working on the clip under the playhead: menu.mp4." in click.said
    assert click.lines[-1] == "SnapUpscale: 1 marker in 2 shots."
    assert click.host.contents()["markers"] == ["snapupscale:mark:s1:1"]
    assert click.sidecar.asked == [("open", "mark", "playhead"), ("told", 2)]
    assert click("remove_markers")
    assert click.lines[-1] == "SnapUpscale: 1 marker removed."
    assert click.host.contents() == before
    assert pages == []


def test_the_whole_timeline_may_be_marked(click: Click) -> None:
    assert click("mark", "timeline")
    assert click.sidecar.asked[0] == ("open", "mark", "timeline")


def test_undo_takes_the_last_back(click: Click) -> None:
    click("mark")
    click.desk.remember(click.sidecar.made)
    assert click("undo")
    assert click.lines[-1] == "SnapUpscale: Undone."
    assert click.host.contents()["markers"] == []


def test_stills_are_placed(click: Click, tmp_path: Path, pages: list[str]) -> None:
    def held(frames: int, name: str) -> Path:
        return make_video(tmp_path / f"{name}.snapupscale.mov", frames=frames, codec="mpeg4", width=64, height=36)

    click.desk.held = held
    assert click("stills", "timeline")
    assert click.lines[-1] == "SnapUpscale: 3 stills of 3 shots on the timeline."
    assert len(click.host.lanes()[1].items) == 2
    assert pages == []


def test_an_open_dialog_is_explained(click: Click, pages: list[str]) -> None:
    click.host.misbehave("modal")
    assert not click("mark")
    assert "Mark Scene Cuts: DaVinci Resolve does not answer: a dialog of it may be open." in click.said
    assert "Close every open dialog" in pages[0]
    click.host.misbehave()
    click.sidecar.meanwhile = lambda: click.host.misbehave("modal")
    assert not click("mark")
    assert "Nothing on the timeline was changed." in pages[1]


def test_a_timeline_that_changes_meanwhile_is_left_alone(click: Click, pages: list[str]) -> None:
    def trim() -> None:
        click.host.lanes()[0].items[0].duration -= 1

    click.sidecar.meanwhile = trim
    assert not click("mark")
    assert "menu.mp4 was moved or trimmed. Choose the menu again" in click.said
    assert click.host.contents()["markers"] == []
    assert len(pages) == 1


def test_what_the_sidecar_refuses_is_passed_on(click: Click, pages: list[str]) -> None:
    click.sidecar.error = {"code": "disk-full", "message": "the disk is full", "hint": "Make room."}
    assert not click("mark")
    assert "Mark Scene Cuts: the disk is full." in pages[0]
    assert "Make room." in pages[0]


def test_a_missing_installation_is_told(click: Click, pages: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(start: object) -> None:
        raise NotInstalled("SnapUpscale is not installed on this computer")

    monkeypatch.setattr(sidecar, "connect", connect)
    assert not click("mark")
    assert "Install SnapUpscale, then choose Workspace &gt; Scripts &gt; SnapUpscale again." in pages[0]


def test_a_sidecar_that_goes_away_is_told_at_the_end(click: Click, pages: list[str]) -> None:
    click.sidecar.away = 1
    assert click("mark")
    assert click.sidecar.asked[-1] == ("told", 2)
    click.host.timeline.DeleteMarkersByColor("All")
    click.sidecar.away = 99
    assert click("mark"), "the markers are there"
    assert "SnapUpscale could not be told what was done: the sidecar, process 7, went away." in click.said
    assert pages == []


def test_what_is_left_out_is_seen_where_nothing_was_made(click: Click, pages: list[str]) -> None:
    click.host.lanes()[0].items[0].clip.asset = type(click.host.lanes()[0].items[0].clip.asset)(kind="compound")
    assert not click("mark")
    assert "0 markers in 0 shots." in pages[0]
    assert "compound clip" in pages[0]


def test_outside_of_the_editor_the_way_in_is_told(click: Click, pages: list[str]) -> None:
    class Bmd:
        @staticmethod
        def scriptapp(name: str) -> None:
            return None

    assert not click("mark", bmd=Bmd)
    assert "DaVinci Resolve does not let this script in" in pages[0]
    assert "Workspace &gt; Scripts &gt; SnapUpscale" in pages[0]


def test_the_editor_is_found_in_every_way(click: Click, monkeypatch: pytest.MonkeyPatch) -> None:
    class Bmd:
        @staticmethod
        def scriptapp(name: str) -> Any:
            return click.host.resolve if name == "Resolve" else None

    assert menu.find_resolve({"resolve": None, "bmd": Bmd}) is click.host.resolve
    monkeypatch.setitem(sys.modules, "DaVinciResolveScript", Bmd)
    assert menu.find_resolve({}) is click.host.resolve


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_ending_the_script_ends_the_jobs(click: Click, pages: list[str], name: str) -> None:
    def end() -> None:
        os.kill(os.getpid(), getattr(signal, name))
        time.sleep(1)

    click.sidecar.working, click.sidecar.meanwhile = 3, lambda: end() if click.sidecar.working == 1 else None
    assert not click("mark")
    assert click.sidecar.asked[-1] == ("cancel", "s1")
    assert click.lines[-1] == "SnapUpscale: Mark Scene Cuts was ended."
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert pages == []


def test_progress_is_told_now_and_then(click: Click, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    click.sidecar.working = 60
    assert click("mark")
    assert click.said.count("menu.mp4: read 50%") == 1, "it is no news the second time"
    click.sidecar.working, click.sidecar.stage = 60, {"stage": "upscale", "done": 1, "total": 3}
    assert click("mark")
    assert click.said.count("SnapUpscale: upscale 1 of 3, menu.mp4: read 50%") == 1


def test_a_fault_of_ours_is_told_as_one(
    click: Click, pages: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> None:
        raise ZeroDivisionError("division by zero")

    click.sidecar.meanwhile = breaks
    assert not click("mark")
    assert "ZeroDivisionError: division by zero" in pages[0]
    assert "please report it" in pages[0]
    assert "Traceback" in capsys.readouterr().err


def test_shots_are_shown_in_the_browser(click: Click, footage: Path, pages: list[str]) -> None:
    assert click("show")
    job = click.sidecar.asked[0]
    assert job["source"] == str(footage)
    assert (job["kind"], job["limit"], job["backend"], job["scale"]) == ("upscale", 1, "bicubic", 1)
    assert pages == ["http://127.0.0.1:1/open#code=c&to=/v1/jobs/j1/report"]
    click.sidecar.error = {"code": "x", "message": "it is broken", "hint": "Mend it."}
    assert not click("show")
    assert "Show Shots: it is broken." in pages[1]
    click.host.app.project.timeline.playhead += 5000
    assert not click("show")
    assert "no clip of a video track is under the playhead" in pages[2]


@pytest.mark.parametrize("record", [0, 100])
def test_under_a_still_the_shots_of_its_footage_are_shown(
    click: Click, footage: Path, tmp_path: Path, pages: list[str], record: int
) -> None:
    def held(frames: int, name: str) -> Path:
        return make_video(tmp_path / f"{name}.snapupscale.mov", frames=frames, codec="mpeg4", width=64, height=36)

    click.desk.held = held
    assert click("stills", "timeline")
    click.host.app.project.timeline.playhead += record
    shown = click.host.timeline.GetCurrentVideoItem().GetMediaPoolItem().GetClipProperty("File Path")
    assert shown.endswith(".snapupscale.mov"), "as a take at 100, over the clip at 0"
    assert click("show"), click.said
    assert click.sidecar.asked[-1]["source"] == str(footage)
    assert len(pages) == 1


def test_shots_of_a_title_are_told_to_have_no_source(click: Click, pages: list[str]) -> None:
    click.host.lanes()[0].items[0].clip = None
    assert not click("show")
    assert "menu.mp4 has no source file" in pages[0]


@pytest.mark.parametrize("entry", sorted(MENU.glob("*.py")), ids=lambda path: path.stem)
def test_every_entry_runs_its_action(entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    monkeypatch.setattr(menu, "run", lambda action, names: ran.append((action, names["resolve"])))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    text = entry.read_text()
    assert text.count('"@LIB@"') == 1
    exec(compile(text.replace('"@LIB@"', repr("/a lib")), entry.name, "exec"), {"resolve": 7})
    assert ran == [(ENTRIES[entry.stem], 7)]
    assert sys.path[0] == "/a lib"


def test_there_are_five_entries() -> None:
    assert {path.stem for path in MENU.glob("*.py")} == set(NAMES.values())


def test_an_entry_without_its_files_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "snapupscale_resolve.menu", None)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    exec((MENU / "Mark Scene Cuts.py").read_text(), {})
    assert "Install it again." in capsys.readouterr().out
