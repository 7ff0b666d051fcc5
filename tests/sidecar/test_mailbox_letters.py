"""What goes through the mailbox: letters, answers, the folders, and what is shown."""

from __future__ import annotations

import json
import webbrowser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.test_mailbox import PREFS, loaded
from snapupscale.errors import SidecarError
from snapupscale.sidecar import discovery
from snapupscale.sidecar.guard import MOST_BYTES
from snapupscale.sidecar.mailbox_letters import letters, lua
from snapupscale.sidecar.mailbox_places import Place, places
from snapupscale.sidecar.mailbox_screen import Screen

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "prefs",
    [
        'Global = {{ SnapUpscale = {{ Outbox = "{}" }} }}',
        'Global = {{ ["SnapUpscale"] = {{ A = 1, ["Outbox"] = "{}" }} }}',
        '["SnapUpscale.Outbox"] = "{}",',
        'SnapUpscale.Outbox="{}"',
        '\xff\x00 SnapUpscale = {{ Broken = \n SnapUpscale = {{ Outbox = "{}"',
        'Old = {{ SnapUpscale = {{ Outbox = "7b7d" }} }} New = {{ SnapUpscale = {{ Outbox = "{}" }} }}',
    ],
)
def test_the_outbox_is_found_whatever_is_around_it(prefs: str) -> None:
    letter = {"mailbox": 1, "protocol": 1, "run": "r", "client": "c", "number": 1, "ask": "plan", "id": "s"}
    text = prefs.format(json.dumps(letter).encode().hex()).encode("latin-1")
    assert [(each.ask, each.id) for each in letters(text)] == [("plan", "s")]


def test_half_a_letter_and_one_that_is_too_large_are_none() -> None:
    letter = {"mailbox": 1, "protocol": 1, "run": "r", "client": "c", "number": 1, "ask": "plan", "id": "s"}
    whole = json.dumps(letter).encode().hex()
    for text in (whole[:-1], whole[:-2], "", "00", whole + whole, json.dumps({**letter, "run": "a b"}).encode().hex()):
        assert letters(PREFS.format(text).encode()) == []
    large = json.dumps({**letter, "body": "x" * MOST_BYTES}).encode().hex()
    assert letters(PREFS.format(large).encode()) == []


@given(st.binary(max_size=300))
def test_any_bytes_can_be_the_editors_preferences(prefs: bytes) -> None:
    assert letters(b"SnapUpscale = {Outbox = " + prefs) == []


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_in_an_answer_is_nothing_but_text_to_lua(text: str) -> None:
    chunk = lua({"body": text, "number": 3})
    assert chunk.isascii()
    assert loaded(chunk) == {"body": text, "number": 3}


def test_a_text_that_looks_like_code_stays_text() -> None:
    evil = '"} os.exit() --]] \\" \\34 \n\r\0 ]==]'
    assert loaded(lua({"body": evil})) == {"body": evil}


def test_the_folders_of_every_system() -> None:
    assert places("plan9", {}) == ()


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("win32", "APPDATA", "Blackmagic Design/DaVinci Resolve/Support/Fusion"),
        ("darwin", "HOME", "Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion"),
        (
            "darwin",
            "HOME",
            "Library/Containers/com.blackmagic-design.DaVinciResolveLite/Data/Library/Application Support/Fusion",
        ),
        ("linux", "HOME", ".local/share/DaVinciResolve/Fusion"),
    ],
)
def test_resolve_is_found_once_it_has_a_folder(
    platform: str, variable: str, folder: str, tmp_path: Path
) -> None:
    assert places(platform, {variable: str(tmp_path)}) == ()
    prefs = tmp_path / folder / "Profiles" / "Default" / "Fusion.prefs"
    (tmp_path / folder).mkdir(parents=True)
    wanted = Place(prefs=prefs, inbox=tmp_path / folder / "SnapUpscale")
    assert places(platform, {variable: str(tmp_path)}) == (wanted,), "it has kept no preferences so far"
    prefs.parent.mkdir(parents=True)
    prefs.touch()
    assert places(platform, {variable: str(tmp_path)}) == (wanted,)


def test_the_default_profile_is_looked_at_however_many_there_are(tmp_path: Path) -> None:
    root = tmp_path / ".local/share/DaVinciResolve/Fusion"
    for name in ("Default", *(f"A{number:03}" for number in range(100))):
        (root / "Profiles" / name).mkdir(parents=True)
        (root / "Profiles" / name / "Fusion.prefs").touch()
    found = places("linux", {"HOME": str(tmp_path)})
    assert found[0].prefs.parent.name == "Default"
    assert 2 < len(found) < 50


@pytest.mark.parametrize("error", [None, OSError("no"), webbrowser.Error("none")])
def test_a_browser_that_is_not_there_is_said(error: Exception | None, runtime: Path) -> None:
    def browse(url: str) -> bool:
        if error:
            raise error
        return False

    discovery.path().parent.mkdir()
    screen = Screen(4711, lambda: "code", browse=browse)
    for show in (lambda: screen.page("/x"), lambda: screen.notice("a", ["b"])):
        with pytest.raises(SidecarError, match="no browser"):
            show()
    assert runtime.is_dir()


def test_the_screen_opens_pages_with_a_one_time_code_and_messages_as_plain_text(runtime: Path) -> None:
    seen: list[str] = []
    real = Screen(4711, lambda: "a code", browse=lambda url: not seen.append(url))
    real.page("/v1/jobs/j/report")
    discovery.path().parent.mkdir()
    real.notice("<script>", ["1 & 2"])

    assert seen[0] == "http://127.0.0.1:4711/open#code=a%20code&to=/v1/jobs/j/report"
    page = discovery.path().with_name("notice.html")
    assert seen[1] == page.as_uri()
    assert page.is_relative_to(runtime)
    assert page.stat().st_mode & 0o777 == 0o600
    text = page.read_text()
    assert "<h1>&lt;script&gt;</h1><p>1 &amp; 2</p>" in text
    assert "<script>" not in text
