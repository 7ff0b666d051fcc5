from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import lupa.luajit21 as lupa
import pytest

from sidecar.fakes import MemoryService
from sidecar.sessions import FOUND
from sidecar.snapshots import applied, of_clips
from snapupscale import protocol
from snapupscale.sidecar import mailbox as module
from snapupscale.sidecar.lifetime import Lifetime
from snapupscale.sidecar.mailbox import HELLO, Mailbox, serving
from snapupscale.sidecar.mailbox_answers import ANSWERS
from snapupscale.sidecar.mailbox_places import Place
from snapupscale.sidecar.timelines import Timelines
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PREFS = """{{
	Locked = false,
	Global = {{
		Paths = {{ Map = {{ ["Fusions:"] = "C:\\\\Fusions", }}, }},
		SnapUpscale = {{ Note = "a", Outbox = "{}", }},
	}},
}}
"""


def loaded(text: str) -> dict[str, Any]:
    """What a script gets from a file of the inbox."""
    runtime = lupa.LuaRuntime(encoding="utf-8")
    table = runtime.eval("function(text) return setfenv(loadstring(text), {})() end")(text)
    return {str(name): value for name, value in table.items()}


class Script:
    """What a script in the sandbox does: it writes letters, and reads the inbox."""

    def __init__(self, place: Place, client: str = "script-1") -> None:
        self.place = place
        self.client = client
        self.number = 0

    def hello(self) -> dict[str, Any]:
        return loaded((self.place.inbox / HELLO).read_text())

    def post(self, ask: str, /, **changes: Any) -> int:
        self.number += 1
        letter = {"mailbox": 1, "protocol": 1, "run": self.hello()["run"], "client": self.client, "ask": ask}
        self.drop({**letter, "number": self.number, **changes})
        return self.number

    def drop(self, letter: object) -> None:
        fresh = self.place.prefs.with_name("Fusion.new")
        fresh.write_text(PREFS.format(json.dumps(letter).encode().hex()))
        fresh.replace(self.place.prefs)

    def answer(self, number: int | None = None) -> Any:
        path = self.place.inbox / f"inbox-{number or self.number}.lua"
        if not path.exists():
            return None
        found = loaded(path.read_text())
        assert (found["client"], found["number"]) == (self.client, number or self.number)
        return json.loads(found["body"])


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def place(tmp_path: Path) -> Place:
    prefs = tmp_path / "Fusion" / "Profiles" / "Default" / "Fusion.prefs"
    prefs.parent.mkdir(parents=True)
    prefs.write_text(PREFS.format(""))
    return Place(prefs=prefs, inbox=tmp_path / "Fusion" / "SnapUpscale")


@pytest.fixture
def service(tmp_path: Path) -> MemoryService:
    service = MemoryService()
    service.timelines = Timelines(tmp_path / "timelines", service)
    return service


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lifetime(clock: Clock) -> Lifetime:
    return Lifetime(60, clock=clock)


@dataclass
class FakeScreen:
    """What was to be shown."""

    shown: list[Any] = field(default_factory=list)

    def page(self, path: str, /) -> None:
        self.shown.append(path)

    def notice(self, title: str, lines: Sequence[str], /) -> None:
        self.shown.append((title, list(lines)))


@pytest.fixture
def screen() -> FakeScreen:
    return FakeScreen()


@pytest.fixture
def mailbox(
    place: Place, service: MemoryService, clock: Clock, lifetime: Lifetime, screen: FakeScreen
) -> Mailbox:
    made = Mailbox(service, lifetime, screen, find=lambda: (place,), clock=clock)
    made.look()
    return made


@pytest.fixture
def script(place: Place, mailbox: Mailbox) -> Script:
    return Script(place)


def asked(script: Script, mailbox: Mailbox, name: str, /, **changes: Any) -> Any:
    script.post(name, **changes)
    mailbox.look()
    return script.answer()


def test_a_whole_run_goes_through_the_mailbox(script: Script, mailbox: Mailbox, service: MemoryService) -> None:
    session = asked(script, mailbox, "open", body={"action": "mark", "snapshot": of_clips("/ä.mov")})
    assert session["state"] == "working"
    assert asked(script, mailbox, "session", id=session["id"])["id"] == session["id"]
    number = script.post("plan", id=session["id"])
    mailbox.look()
    assert script.answer() is None

    service.table["job-0"].update(state="done", result=FOUND)
    mailbox.look()
    plan = protocol.read_plan(script.answer(number))
    assert [each["op"] for each in plan["operations"]] == ["require", "add_marker", "add_marker"]

    after = asked(script, mailbox, "readback", id=session["id"], body=applied(plan))
    assert after["state"] == "applied"
    assert asked(script, mailbox, "cancel", id=session["id"])["error"]["code"] == "session-ended"


def test_a_report_is_opened_for_a_script_that_can_open_no_browser(
    script: Script, mailbox: Mailbox, service: MemoryService, screen: FakeScreen, tmp_path: Path
) -> None:
    job = asked(script, mailbox, "submit", body={"kind": "upscale"})["id"]
    number = script.post("job", id=job)
    mailbox.look()
    assert script.answer() is None
    service.table[job]["state"] = "done"
    mailbox.look()
    assert script.answer(number)["state"] == "done"
    assert asked(script, mailbox, "show", id=job)["error"]["code"] == "not-found"

    service.paths["report"] = tmp_path / "report.html"
    assert asked(script, mailbox, "show", id=job) == {}
    assert screen.shown == [f"/v1/jobs/{job}/report"]


def test_a_message_is_shown_for_a_script_whose_words_nobody_sees(
    script: Script, mailbox: Mailbox, screen: FakeScreen
) -> None:
    assert asked(script, mailbox, "tell", body={"title": "Done <b>", "lines": ["one", "two"]}) == {}
    assert screen.shown == [("Done <b>", ["one", "two"])]


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_every_request_answers_nonsense_with_an_error(name: str, script: Script, mailbox: Mailbox) -> None:
    for changes in ({}, {"id": "../x", "body": []}, {"id": "unknown", "body": {"results": 1}}, {"body": None}):
        found = asked(script, mailbox, name, **changes)
        assert set(found) == {"error"}
        assert found["error"]["code"] in {"not-found", "bad-setting"}
        assert found["error"]["hint"]


def test_an_unknown_request_and_a_fault_of_ours_are_answered_too(
    script: Script, mailbox: Mailbox, service: MemoryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(script, mailbox, "stop")["error"]["code"] == "bad-request"
    monkeypatch.setattr(service, "submit", None)
    assert asked(script, mailbox, "submit", body={})["error"]["code"] == "internal"


def test_another_protocol_is_refused_with_the_side_that_is_older(script: Script, mailbox: Mailbox) -> None:
    assert asked(script, mailbox, "session", id="a", protocol=0)["error"]["code"] == "protocol-too-old"
    assert asked(script, mailbox, "session", id="a", protocol=2)["error"]["code"] == "protocol-too-new"
    assert asked(script, mailbox, "session", id="a", mailbox=2)["error"]["code"] == "protocol-too-new"
    assert asked(script, mailbox, "session", id="a", mailbox=0)["error"]["code"] == "protocol-too-old"


def test_a_letter_is_answered_once_even_when_it_is_written_again(
    script: Script, mailbox: Mailbox, service: MemoryService
) -> None:
    assert asked(script, mailbox, "submit", body={"kind": "cuts"})
    script.number -= 1
    asked(script, mailbox, "submit", body={"kind": "cuts"})
    asked(script, mailbox, "submit", body={"kind": "cuts"}, number=-3)
    assert len(service.table) == 1


def test_letters_to_another_sidecar_or_of_an_earlier_day_are_left_alone(
    script: Script, mailbox: Mailbox, service: MemoryService, place: Place, clock: Clock, lifetime: Lifetime
) -> None:
    script.post("submit", body={"kind": "cuts"}, run="another")
    mailbox.look()
    script.number = 0
    script.post("submit", body={"kind": "cuts"})
    later = Mailbox(service, lifetime, FakeScreen(), find=lambda: (place,), clock=clock)
    later.look()
    assert service.table == {}
    assert script.answer() is None


def test_only_the_newest_answer_lies_in_the_inbox(script: Script, mailbox: Mailbox, place: Place) -> None:
    for _ in range(3):
        asked(script, mailbox, "session", id="a")
    assert sorted(path.name for path in place.inbox.iterdir()) == ["inbox-3.lua", HELLO]
    mailbox.close()
    assert not place.inbox.exists()


def test_a_new_script_takes_the_place_of_one_that_waits(script: Script, mailbox: Mailbox, place: Place) -> None:
    asked(script, mailbox, "submit", body={"kind": "endless"})
    script.post("job", id="job-0")
    mailbox.look()
    beat = script.hello()["beat"]

    other = Script(place, "script-2")
    assert asked(other, mailbox, "session", id="a")["error"]["code"] == "not-found"

    hello = script.hello()
    assert hello["beat"] > beat
    assert hello["client"] == "script-2"


def test_a_request_that_takes_long_is_waited_for_with_beats(
    script: Script, mailbox: Mailbox, clock: Clock, service: MemoryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = threading.Event()
    submit = service.submit

    def slowly(data: object, /) -> dict[str, Any]:
        found.wait(20)
        return submit(data)

    monkeypatch.setattr(service, "submit", slowly)
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.01)
    script.post("submit", body={"kind": "cuts"})
    mailbox.look()
    hello = script.hello()
    assert hello["client"] == script.client, "it was heard"
    clock.now += 5
    mailbox.look()
    assert script.hello()["beat"] == hello["beat"] + 1
    assert script.answer() is None
    found.set()
    assert until(lambda: mailbox.look() and script.answer(), 5)["id"] == "job-0"
    assert len(service.table) == 1


def test_it_beats_and_counts_as_a_client_as_long_as_a_script_waits_alone(
    script: Script, mailbox: Mailbox, clock: Clock, lifetime: Lifetime, service: MemoryService
) -> None:
    clock.now = 61.0
    mailbox.look()
    assert lifetime.idle
    asked(script, mailbox, "submit", body={"kind": "endless"})
    assert not lifetime.idle
    script.post("job", id="job-0")
    before = script.hello()["beat"]
    for _ in range(20):
        clock.now += 5
        mailbox.look()
    assert script.hello()["beat"] == before + 19
    assert not lifetime.idle
    service.cancel("job-0")
    mailbox.look()
    assert script.answer()["state"] == "failed"
    clock.now += 61
    assert mailbox.look() == module._IDLE_LOOK_SECONDS
    assert lifetime.idle


def test_it_looks_seldom_without_an_editor_and_finds_one_that_is_installed_later(
    service: MemoryService, clock: Clock, lifetime: Lifetime, place: Place
) -> None:
    found: list[Place] = []
    mailbox = Mailbox(service, lifetime, FakeScreen(), find=lambda: tuple(found), clock=clock)
    assert mailbox.look() == module._PLACES_SECONDS
    assert not place.inbox.exists()
    found.append(place)
    clock.now += module._PLACES_SECONDS
    assert mailbox.look() == module._IDLE_LOOK_SECONDS
    assert (place.inbox / HELLO).exists()


def test_an_idle_look_reads_nothing(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox.look()
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", None)
        mailbox.look()


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes")
def test_the_inbox_is_the_users_alone_and_no_link(
    place: Place, mailbox: Mailbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert place.inbox.stat().st_mode & 0o777 == 0o700
    mailbox.close()
    (tmp_path / "elsewhere").mkdir()
    place.inbox.symlink_to(tmp_path / "elsewhere")
    clock = Clock()
    another = Mailbox(MemoryService(), Lifetime(1), FakeScreen(), find=lambda: (place,), clock=clock)
    for _ in range(3):
        another.look()
        clock.now += 20
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert len(caplog.records) == 1, "it is said once"


def test_the_thread_answers_outlives_a_fault_and_ends(
    service: MemoryService, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = Mailbox(service, Lifetime(60), FakeScreen(), find=lambda: (place,))
    broken = iter([True])
    look = mailbox.look

    def fails_once() -> float:
        if next(broken, False):
            raise RuntimeError("a fault")
        return look()

    monkeypatch.setattr(mailbox, "look", fails_once)
    monkeypatch.setattr(module, "_PLACES_SECONDS", 0.05)
    with serving(mailbox):
        until((place.inbox / HELLO).exists, 5)
        script = Script(place)
        script.post("session", id="a")
        assert until(script.answer, 5)["error"]["code"] == "not-found"
    assert not place.inbox.exists()
    assert "mailbox" not in {thread.name for thread in threading.enumerate()}
