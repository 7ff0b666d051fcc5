"""What the user sees when the Console is closed."""

from __future__ import annotations

import os
import stat
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from snapupscale_resolve.voice import Voice, open_in_browser


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    urls: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: urls.append(url) or True)
    return urls


def test_a_failure_is_a_page_and_lines(opened: list[str]) -> None:
    lines: list[str] = []
    Voice(lines.append).show("No <b>clip</b>", ["Put the playhead on it & try.", "  a\u202etxt"])
    assert lines[:2] == ["SnapUpscale: No <b>clip</b>", "SnapUpscale: Put the playhead on it & try."]
    path = Path(url2pathname(urlsplit(opened[0]).path))
    page = path.read_text(encoding="utf-8")
    assert "<h1>No &lt;b&gt;clip&lt;/b&gt;</h1><p>Put the playhead on it &amp; try.</p>" in page
    assert "default-src 'none'" in page
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [OSError("full"), webbrowser.Error("none")])
def test_without_a_browser_the_lines_are_said(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(url: str) -> bool:
        raise error

    monkeypatch.setattr(webbrowser, "open", fails)
    lines: list[str] = []
    Voice(lines.append).show("No clip", [])
    assert lines == ["SnapUpscale: No clip"]


def test_the_browser_gets_none_of_the_libraries_of_the_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: seen.append(dict(os.environ)) or True)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/resolve/libs")
    monkeypatch.setenv("PYTHONHOME", "/opt/resolve/python")
    monkeypatch.setenv("DISPLAY", ":7")
    assert open_in_browser("http://127.0.0.1/")
    assert seen[0]["DISPLAY"] == ":7"
    assert not {"LD_LIBRARY_PATH", "PYTHONHOME"} & seen[0].keys()
    assert os.environ["LD_LIBRARY_PATH"] == "/opt/resolve/libs"


def test_lines_go_to_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    Voice().say("one line")
    assert capsys.readouterr().out == "SnapUpscale: one line\n"
