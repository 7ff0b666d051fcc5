"""The entries of the menu with real sidecars, which work on real footage for the emulated editor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from footage import long_footage
from plugin.hosts import open_host
from sidecar.fakes import ask
from snapupscale.sidecar import discovery
from snapupscale_resolve import menu
from snapupscale_resolve.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugin.conftest import Starter


@pytest.fixture
def real(starter: Callable[..., Starter], clip: Callable[..., Path]) -> tuple[Any, Starter, Any]:
    """An editor with footage that has cuts, and a way to start real sidecars."""
    host = open_host()
    path = clip("menu_long.mp4", frames=240, picture=long_footage)
    host.film((path, 0, 240, 0))
    host.misbehave()
    return host, starter(), path


def test_a_real_sidecar_from_the_click_to_the_undo(real: Any, pages: list[str]) -> None:
    host, start, _ = real
    before = host.contents()
    lines: list[str] = []
    names = {"resolve": host.resolve}
    assert menu.run("mark", names, start=start, voice=Voice(lines.append)), "\n".join(lines)
    made = host.contents()["markers"]
    assert len(made) >= 1
    assert menu.run("mark", names, start=start, voice=Voice(lines.append))
    assert host.contents()["markers"] == made, "nothing is doubled"
    assert menu.run("undo", names, start=start, voice=Voice(lines.append)), "\n".join(lines)
    assert host.contents() == before, "the second run made nothing, and is passed over"
    assert not menu.run("undo", names, start=start, voice=Voice(lines.append))
    assert "can be undone" in pages[0]
    assert len(start.started) == 1


@pytest.mark.slow
def test_a_real_sidecar_makes_stills_twice_and_takes_them_back(
    starter: Callable[..., Starter], clip: Callable[..., Path], pages: list[str]
) -> None:
    host, start, lines = open_host(), starter(), list[str]()
    host.film((clip("menu_stills.mp4", frames=40, picture=long_footage), 0, 40, 0))
    host.misbehave()
    before = host.contents()

    def choose(action: str) -> None:
        assert menu.run(action, {"resolve": host.resolve}, start=start, voice=Voice(lines.append)), "\n".join(lines)
        assert host.seen() == ("edit", 86400, "Master")

    for _ in range(2):
        choose("stills")
        assert lines[-1] == "SnapUpscale: 2 stills of 2 shots on the timeline."
        assert [(int(item.start), int(item.end)) for item in host.lanes()[1].items] == [(86400, 86420), (86420, 86440)]
        assert len(host.contents()["bins"]["SnapUpscale"]) == 2, "a still that is there is not imported again"
    choose("undo")
    choose("undo")
    after = host.contents()
    assert (after["tracks"], after["current"]) == (before["tracks"], before["current"])
    assert len(after["bins"]["SnapUpscale"]) == 2, "the copy of the timeline from before the second run shows them"
    assert pages == []


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_real_sidecar_that_dies_before_its_stills_are_made_goes_on_where_it_was(
    starter: Callable[..., Starter], clip: Callable[..., Path], pages: list[str]
) -> None:
    host, start, lines = open_host(), starter(), list[str]()
    host.film((clip("menu_dies.mp4", frames=40, picture=long_footage), 0, 40, 0))
    before = host.contents()["tracks"]

    def hear(line: str) -> None:
        lines.append(line)
        # The first report of progress: which stage it is of depends on the machine.
        if "menu_dies.mp4: " in line and len(start.started) == 1:
            start.started[0].process.kill()
            start.started[0].process.wait()

    assert menu.run("stills", {"resolve": host.resolve}, start=start, voice=Voice(hear)), "\n".join(lines)
    assert len(start.started) == 2, lines
    assert lines[-1] == "SnapUpscale: 2 stills of 2 shots on the timeline."
    assert [(int(item.start), int(item.end)) for item in host.lanes()[1].items] == [(86400, 86420), (86420, 86440)]
    assert menu.run("undo", {"resolve": host.resolve}, start=start, voice=Voice(hear))
    assert host.contents()["tracks"] == before
    assert pages == []


def test_a_real_sidecar_makes_the_report(real: Any, pages: list[str]) -> None:
    host, start, path = real
    lines: list[str] = []
    assert menu.run("show", {"resolve": host.resolve}, start=start, voice=Voice(lines.append)), "\n".join(lines)
    assert lines[-1] == "SnapUpscale: Show Shots: the report is open in the browser."
    report = parse_qs(urlsplit(pages[0]).fragment)["to"][0]
    found = discovery.read()
    assert found
    reply = ask(found, "GET", report)
    assert reply.status == 200
    assert path.name.encode() in reply.body


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_real_sidecar_that_dies_in_the_middle_is_started_again(real: Any, pages: list[str]) -> None:
    host, start, _ = real
    lines: list[str] = []

    def kill() -> None:
        if host.app.log[-1].method == "AddMarker" and len(start.started) == 1:
            start.started[0].process.kill()
            start.started[0].process.wait()
            del host.app.record

    host.at_call(1, kill)
    assert menu.run("mark", {"resolve": host.resolve}, start=start, voice=Voice(lines.append)), "\n".join(lines)
    assert len(start.started) == 2
    made = host.contents()["markers"]
    assert len(made) >= 1
    assert menu.run("undo", {"resolve": host.resolve}, start=start, voice=Voice(lines.append))
    assert host.contents()["markers"] == []
