"""A real browser for the report, driven over the pipe that Chromium offers (Chrome DevTools Protocol)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from snapupscale.report.page import CandidateEntry, Report, ShotEntry
from snapupscale.report.preview import encode_preview
from snapupscale.timecode import Timecode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# Chromium reads commands from descriptor 3 and writes answers to 4.
_LAUNCH = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One Chromium with one tab at a time; `events` holds what it reported since the tab was opened."""

    def __init__(self, program: str, profile: Path) -> None:
        to_read, self._to = os.pipe()
        self._from, from_write = os.pipe()
        command = [sys.executable, "-c", _LAUNCH, str(to_read), str(from_write), program, *_FLAGS]
        self._process = subprocess.Popen(
            [*command, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_read, from_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        self._pending = b""
        self._count = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._pending:
            part = os.read(self._from, 1 << 20)
            assert part, "the browser is gone"
            self._pending += part
        text, self._pending = self._pending.split(b"\0", 1)
        message = dict(json.loads(text))
        if "method" in message:
            self.events.append(message)
        return message

    def open(self, page: Path, *, width: int = 1400, height: int = 900, dark: bool = False) -> None:
        """Show `page` in a fresh tab and wait until it has drawn itself."""
        self._session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.events.clear()
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=page.as_uri())
        while self._receive().get("method") != "Page.loadEventFired":
            pass
        assert self.evaluate("document.documentElement.dataset.ready") == "1", self.events

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        done = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait up to ten seconds until `condition` holds."""
        loop = f"""new Promise((done, fail) => {{
          const end = performance.now() + 10000;
          (function again() {{
            if ({condition}) done(true);
            else if (performance.now() > end) fail(new Error("never: " + {condition!r}));
            else setTimeout(again, 20);
          }})();
        }})"""
        self.evaluate(loop)

    def picture(self, selector: str) -> NDArray[np.uint8]:
        """What is seen of the first element that matches, as HxWx3 RGB."""
        self.evaluate(f"document.querySelector({selector!r}).scrollIntoView({{behavior: 'instant', block: 'center'}})")
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        left, top, width, height = self.box(selector)
        clip = {"x": left, "y": top, "width": width, "height": height, "scale": 1}
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png", clip=clip)["data"])
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        return np.asarray(image, dtype=np.uint8)[..., ::-1]

    def box(self, selector: str) -> list[float]:
        """Left, top, width and height of the first element that matches, in the page."""
        found = self.evaluate(
            f"(() => {{ const box = document.querySelector({selector!r}).getBoundingClientRect();"
            "return [box.left + scrollX, box.top + scrollY, box.width, box.height]; })()"
        )
        return [float(value) for value in found]

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Send a mouse event at a point of the page (scrolled or not)."""
        left, top = self.evaluate("[scrollX, scrollY]")
        self.call("Input.dispatchMouseEvent", type=kind, x=x - left, y=y - top, **more)

    def key(self, name: str, **more: Any) -> None:
        """Press and release a key."""
        codes = {"End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=codes.get(name, 0), **more)

    def named(self, *methods: str) -> list[dict[str, Any]]:
        """The parameters of the events with these names, after everything under way has arrived."""
        self.evaluate("new Promise((done) => setTimeout(done, 50))")
        return [event["params"] for event in self.events if event["method"] in methods]

    def close(self) -> None:
        self._session = None
        self.call("Browser.close")
        os.close(self._to)
        self._process.wait(timeout=20)
        os.close(self._from)


def jpeg(colour: tuple[int, int, int], *, width: int = 640, height: int = 360) -> bytes:
    """A JPEG file of one colour."""
    return encode_preview(np.full((height, width, 3), colour, np.uint8), width)


def sample(frames: int = 240, cuts: tuple[int, ...] = (100,), **changes: Any) -> Report:
    """A report of some shots at 29.97 drop-frame from 00:59:58;00 on; the stills are red before and blue after."""
    rate = Fraction(30000, 1001)
    start = Timecode.parse("00:59:58;00", rate)
    shots = []
    edges = [0, *cuts, frames]
    for number, (first, end) in enumerate(pairwise(edges), start=1):
        picked = (first + end) // 2
        candidates = tuple(
            CandidateEntry(
                frame=frame,
                timecode=str(start.shifted(frame)),
                score=0.9,
                sharpness=0.8,
                stillness=0.7,
                exposure=0.6,
                thumbnail=jpeg((0, 128, 0), width=160, height=90),
            )
            for frame in (picked, min(picked + 1, end - 1))
        )
        shots.append(
            ShotEntry(
                number=number,
                start=first,
                end=end,
                start_timecode=str(start.shifted(first)),
                end_timecode=str(start.shifted(end)),
                picked=picked,
                candidates=candidates,
                before=jpeg((220, 20, 20)),
                after=jpeg((20, 20, 220)),
                still_name=f"CLIP_s{number:03d}_f{picked:05d}_x4_still.png",
            )
        )
    distance = np.full(frames, 0.02)
    distance[list(cuts)] = 0.6
    values: dict[str, Any] = {
        "title": "CLIP",
        "source_name": "CLIP.mov",
        "rate": "30000/1001",
        "frames": frames,
        "duration_s": float(frames / rate),
        "method": "histogram",
        "threshold": 0.35,
        "distance": distance.tolist(),
        "cuts": cuts,
        "transitions": [],
        "shots": shots,
        "settings": [("Model", "realesr-animevideov3")],
        "warnings": [],
    }
    return Report(**(values | changes))


def find_chromium() -> str | None:
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_chromium()
    if program is None or sys.platform == "win32":
        if os.environ.get("CI"):
            pytest.fail("no Chromium: install the package `chromium`")
        pytest.skip("no Chromium on this machine")
    running = Browser(program, tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


@pytest.fixture
def make_report() -> Callable[..., Report]:
    """A report with some values changed."""
    return sample


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Callable[..., Browser]:
    """Open the text of a page from disk."""

    def show(text: str, **how: Any) -> Browser:
        page = tmp_path / "Bericht & report.html"
        page.write_text(text, encoding="utf-8")
        browser.open(page, **how)
        return browser

    return show
