from __future__ import annotations

import json
import os
import pty
import sys
from typing import TYPE_CHECKING

import pytest

from snapupscale import console
from snapupscale.progress import Meter, silent

if TYPE_CHECKING:
    from pathlib import Path


def test_rate_and_remaining_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("snapupscale.progress.time.monotonic", lambda: now[0])
    meter = Meter(10)
    assert (meter.rate(10), meter.remaining(10, 50)) == (None, None)
    now[0] += 2
    assert meter.rate(20) == 5
    assert meter.remaining(20, 50) == 6
    assert meter.remaining(60, 50) == 0
    assert meter.remaining(20, None) is None


def test_json_lines_are_few_but_hold_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with console.showing("json") as progress:
        for done in range(1, 1001):
            progress("analyse", done, 1000)
        progress("upscale", 0.5, 2)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) < 100
    assert [line["done"] for line in lines if line["stage"] == "analyse"][-1] == 1000
    assert lines[-1] == {"stage": "upscale", "done": 0.5, "total": 2, "unit": "stills", "rate": None, "eta": None}


def test_nothing_is_shown_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("auto", "none"):
        with console.showing(kind) as progress:
            assert progress is silent
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reader, writer = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with console.showing("auto") as progress:
            progress("analyse", 1, None)
            progress("analyse", 50, 100)
            progress("analyse", 100, 100)
        terminal.flush()
        shown = ""
        while "100 of 100" not in shown:
            shown += os.read(reader, 100_000).decode()
    os.close(reader)
    assert "Reading" in shown
    assert "frames/s" in shown
