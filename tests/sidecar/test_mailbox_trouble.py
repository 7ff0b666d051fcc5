"""The mailbox where files, profiles and texts are not as one would wish."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from sidecar.test_mailbox import (
    Clock,
    FakeScreen,
    Script,
    asked,
    clock,
    lifetime,
    mailbox,
    place,
    screen,
    script,
    service,
)
from snapupscale import files
from snapupscale.errors import DiskFull, OutputUnwritable
from snapupscale.sidecar import mailbox as module
from snapupscale.sidecar.mailbox import HELLO, Mailbox
from snapupscale.sidecar.mailbox_places import Place

if TYPE_CHECKING:
    from pathlib import Path

    from sidecar.fakes import MemoryService
    from snapupscale.sidecar.lifetime import Lifetime

__all__ = ["clock", "lifetime", "mailbox", "place", "screen", "script", "service"]
"""The fixtures."""


def test_profiles_of_one_editor_share_an_inbox(
    place: Place, service: MemoryService, clock: Clock, lifetime: Lifetime
) -> None:
    found = [place]
    mailbox = Mailbox(service, lifetime, FakeScreen(), find=lambda: tuple(found), clock=clock)
    mailbox.look()
    script = Script(place)
    job = asked(script, mailbox, "submit", body={"kind": "endless"})["id"]
    script.post("job", id=job)
    mailbox.look()
    before = script.hello()

    prefs = place.prefs.parents[1] / "Mine" / "Fusion.prefs"
    prefs.parent.mkdir()
    found.append(Place(prefs=prefs, inbox=place.inbox))
    clock.now += module._PLACES_SECONDS
    mailbox.look()
    hello = script.hello()
    assert (hello["client"], hello["beat"]) == ("script-1", before["beat"] + 1), "the script still is the one served"

    other = Script(found[1], "script-2")
    beat = hello["beat"]
    assert asked(other, mailbox, "session", id="a")["error"]["code"] == "not-found"
    hello = script.hello()
    assert hello["client"] == "script-2"
    assert hello["beat"] > beat
    mailbox.close()
    assert not place.inbox.exists()


def test_an_editor_that_has_kept_no_preferences_yet_is_greeted(
    place: Place, service: MemoryService, lifetime: Lifetime, clock: Clock
) -> None:
    place.prefs.unlink()
    mailbox = Mailbox(service, lifetime, FakeScreen(), find=lambda: (place,), clock=clock)
    mailbox.look()
    assert asked(Script(place), mailbox, "session", id="a")["error"]["code"] == "not-found"


def test_an_answer_that_can_not_be_written_is_tried_again_and_given_up(
    script: Script,
    mailbox: Mailbox,
    service: MemoryService,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked(script, mailbox, "session", id="a")
    real = files.write_text

    def full(path: Path, text: str) -> None:
        if path.name != HELLO:
            raise DiskFull("full")
        real(path, text)

    for patient in (True, False):
        with monkeypatch.context() as patch:
            patch.setattr(files, "write_text", full)
            for _ in range(3):
                assert asked(script, mailbox, "submit", body={"kind": "cuts"}) is None
                script.number -= 1
            clock.now += 0 if patient else module._PATIENCE_SECONDS
            mailbox.look()
        mailbox.look()
        script.number += 1
        assert (script.answer() is not None) is patient
    assert len(service.table) == 2
    assert len(caplog.records) == 2, "each is said once"


def test_that_a_script_was_heard_is_shown_as_soon_as_it_can_be_written(
    script: Script, mailbox: Mailbox, clock: Clock, lifetime: Lifetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(script, mailbox, "submit", body={"kind": "endless"})
    other = Script(script.place, "script-2")

    def busy(path: Path, text: str) -> None:
        raise OutputUnwritable("a script has it open")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_text", busy)
        other.post("job", id="job-0")
        mailbox.look()
        assert script.hello()["client"] == "script-1"
    mailbox.look()
    assert script.hello()["client"] == "script-2"

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_text", busy)
        clock.now += module._PATIENCE_SECONDS
        mailbox.look()
        clock.now += 61
        mailbox.look()
    assert lifetime.idle, "a script that can see nothing has gone"


def test_half_a_character_and_what_is_no_json_are_answered_so_that_a_script_can_read_it(
    script: Script, mailbox: Mailbox, service: MemoryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "submit", lambda data, /: {"id": "j", "source": "/T\udcfcr \u00fc \U0001f3ac.mov"})
    assert asked(script, mailbox, "submit")["source"] == "/T?r \u00fc \U0001f3ac.mov"
    monkeypatch.setattr(service, "submit", lambda data, /: {"id": "j", "progress": float("nan")})
    assert asked(script, mailbox, "submit")["error"]["code"] == "internal"


@pytest.mark.skipif(sys.platform == "win32", reason="links and owners")
def test_prefs_that_are_a_link_a_pipe_another_users_or_huge_are_not_read(
    script: Script, mailbox: Mailbox, service: MemoryService, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.post("submit", body={"kind": "cuts"})
    real = place.prefs.with_name("real")
    place.prefs.rename(real)
    place.prefs.symlink_to(real)
    mailbox.look()
    place.prefs.unlink()
    os.mkfifo(place.prefs)
    mailbox.look()
    place.prefs.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: 12345)
        real.rename(place.prefs)
        mailbox.look()
    with monkeypatch.context() as patch:
        patch.setattr(module, "MOST_PREFS", 10)
        script.number = 0
        script.post("submit", body={"kind": "cuts"})
        mailbox.look()
    assert service.table == {}
    script.number = 0
    assert asked(script, mailbox, "submit", body={"kind": "cuts"})["id"] == "job-0"
