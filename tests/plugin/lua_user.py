"""A user of the free edition with the Lua menu scripts, and a sidecar whose jobs end when a test wants it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugin.hosts import Host  # noqa: TC001  it puts the emulator's folder on the path
from snapupscale.sidecar.lifetime import Lifetime
from snapupscale.sidecar.mailbox import Mailbox, serving
from snapupscale.sidecar.mailbox_places import places

from lua_host import LuaHost  # isort: skip  # plugin.hosts puts its folder on the path
from workbench import running  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from snapupscale.sidecar.timelines import Timelines

CUTS = {
    "rate": "24",
    "frames": 200,
    "cuts": [50, 150],
    "numbers": [50, 150],
    "length": 200,
    "transitions": [],
    "variable": False,
}


@dataclass
class Jobs:
    """Jobs that end after they were looked at so often; `bad` is the error of all."""

    table: dict[str, dict[str, Any]] = field(default_factory=dict)
    looks: int = 3
    bad: dict[str, str] | None = None

    def submit(self, data: Any, /) -> dict[str, Any]:
        name = f"j{len(self.table)}"
        self.table[name] = {"id": name, "asked": data, "looks": 0}
        return self._public(name)

    def job(self, job_id: str, /) -> dict[str, Any] | None:
        if job_id not in self.table:
            return None
        self.table[job_id]["looks"] += 1
        return self._public(job_id)

    def brief(self, job_id: str, /) -> dict[str, Any] | None:
        return self.job(job_id)

    def cancel(self, job_id: str, /) -> bool:
        return True

    def report(self, job_id: str, /) -> Path | None:
        return Path("report.html") if job_id in self.table else None

    def _public(self, name: str) -> dict[str, Any]:
        done = self.table[name]["looks"] >= self.looks
        state = ("failed" if self.bad else "done") if done else "running"
        found = {"id": name, "kind": "cuts", "priority": "batch", "source": "a.mov", "state": state, "attempts": 1}
        result = CUTS if state == "done" else None
        return {**found, "created": 0.0, "updated": 0.0, "progress": None, "error": self.bad, "result": result}


class Service(Jobs):
    timelines: Timelines


@dataclass
class Screen:
    """What the user was shown in the browser."""

    shown: list[Any] = field(default_factory=list)

    def page(self, path: str, /) -> None:
        self.shown.append(path)

    def notice(self, title: str, lines: Sequence[str], /) -> None:
        self.shown.append((title, list(lines)))


@dataclass
class User:
    """A user of free 21.1 with SnapUpscale's menu scripts in the menu."""

    home: Path
    host: Host
    menu: Path
    service: Service
    screen: Screen = field(default_factory=Screen)
    printed: list[str] = field(default_factory=list)

    def choose(self, entry: str) -> None:
        """Choose an entry of the menu."""
        lua = LuaHost(self.host.app)
        try:
            lua.run(self.menu / f"{entry} (Lua).lua")
        finally:
            self.printed += lua.printed

    def alone(self) -> None:
        """No sidecar runs, so that nothing is really waited for."""
        running().clock = 0.0

    @contextmanager
    def sidecar(self) -> Iterator[Mailbox]:
        """A sidecar runs meanwhile."""
        home = {"HOME": str(self.home)}
        mailbox = Mailbox(self.service, Lifetime(60), self.screen, find=lambda: places("linux", home))
        with serving(mailbox):
            yield mailbox

    @property
    def markers(self) -> dict[int, dict[str, Any]]:
        found = self.host.app.project.timeline.markers.items()
        return {int(frame): marker for frame, marker in sorted(found)}

    @property
    def cuts(self) -> list[int]:
        """Where our markers at cuts stand."""
        return [frame for frame, each in self.markers.items() if each["customData"].startswith("snapupscale:mark:")]
