"""The emulated application: its build, its projects, what is open, and the record of every call."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resolve_emulator import state
from resolve_emulator.profiles import DEFAULT, Profile, profile_named
from resolve_emulator.quirks import Quirks, read_quirks
from resolve_emulator.settings import default_settings

if TYPE_CHECKING:
    from collections.abc import Callable

UNTITLED = "Untitled Project"
PAGES = ("media", "cut", "edit", "fusion", "color", "fairlight", "deliver")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a script: its number from 1, the class and the method, and what was given."""

    number: int
    kind: str
    method: str
    arguments: tuple[Any, ...]

    @property
    def name(self) -> str:
        return f"{self.kind}.{self.method}"


@dataclass(kw_only=True, eq=False)
class Application:
    """A running editor. `database` is the folder that projects are saved to; without one they stay in memory."""

    profile: Profile
    quirks: Quirks = field(default_factory=Quirks)
    database: Path | None = None
    prefs_path: Path | None = None
    page: str = "edit"
    log: list[Call] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What went wrong inside the emulator where a call was given something odd."""
    library: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Saved projects by name."""
    opened: set[str] = field(default_factory=set)
    """Names of the projects that were open in this session."""
    presets: set[str] = field(default_factory=set)
    prefs: dict[str, Any] = field(default_factory=dict)
    keyframe_mode: int = 0
    deletes: int = 0
    doomed: list[state.Item] = field(default_factory=list)
    """Items that will be gone after the project was saved (facts 1.4)."""
    clock: float | None = None
    """Seconds of the fake clock; None for the real one."""
    on_wait: Callable[[], None] | None = None
    """What a test does while a script waits."""
    upsold: bool = False
    """Whether the dialog that sells the Studio edition is open, so that nothing works (facts 1.5)."""
    still_seconds: int = 5
    """The standard duration of stills in the preferences."""
    project: state.Project = field(init=False)
    _ids: int = 0

    def __post_init__(self) -> None:
        self._read_library()
        if self.quirks.fairlight:
            self.page = "fairlight"
        self.project = self.new_project(UNTITLED)

    def __setattr__(self, name: str, value: Any) -> None:
        """New quirks lock the tracks that are there where they say so."""
        super().__setattr__(name, value)
        if name == "quirks" and value.locked and "project" in vars(self):
            for timeline in self.project.timelines:
                for _, _, track in timeline.all_tracks():
                    track.locked = True

    def new_id(self) -> str:
        """The next identifier: a counter in the form of a UUID."""
        self._ids += 1
        return f"{self._ids:08x}-0000-4000-8000-{self._ids:012x}"

    def new_project(self, name: str) -> state.Project:
        """An empty project, not yet open."""
        root = state.Bin(id=self.new_id(), name="Master")
        settings = default_settings(Fraction(30000, 1001) if self.quirks.drop_frame else Fraction(24))
        settings["timelineDropFrameTimecode"] = "1" if self.quirks.drop_frame else "0"
        album = state.Album(id=self.new_id(), name="Stills 1")
        return state.Project(
            id=self.new_id(),
            name=name,
            root=root,
            folder=root,
            settings=settings,
            pool_id=self.new_id(),
            albums=[album],
            album=album,
            power_albums=[state.Album(id=self.new_id(), name="PowerGrade 1")],
        )

    @property
    def is_blocked(self) -> bool:
        """Whether a dialog keeps every call from working."""
        return self.quirks.modal or self.upsold

    def misbehave(self, quirks: str | Quirks) -> None:
        """From now on; calls are counted from here, the page and the tracks that are there follow the quirks."""
        self.quirks = read_quirks(quirks) if isinstance(quirks, str) else quirks
        self.log.clear()
        self.deletes = 0
        if self.quirks.fairlight:
            self.page = "fairlight"

    def open(self, project: state.Project) -> None:
        """Make `project` the open one; handles into the one before go stale."""
        self.project = project
        self.opened.add(project.name)

    def store(self, name: str, saved: dict[str, Any]) -> None:
        """Keep a saved project, in the database folder where there is one."""
        self.library[name] = saved
        if self.database:
            self.database.mkdir(parents=True, exist_ok=True)
            path = self.database / f"{name.replace('/', '_')}.json"
            path.write_text(json.dumps(saved, indent=1, sort_keys=True))

    def forget(self, name: str) -> None:
        """Delete a saved project."""
        del self.library[name]
        if self.database:
            (self.database / f"{name.replace('/', '_')}.json").unlink(missing_ok=True)

    def timeline_of(self, item: state.Item) -> state.Timeline:
        """The timeline that an item lies on. Raises LookupError when it lies on none."""
        for timeline in self.project.timelines:
            if any(item in track.items for _, _, track in timeline.all_tracks()):
                return timeline
        raise LookupError(item.id)

    def record(self, kind: str, method: str, arguments: tuple[Any, ...]) -> int:
        """Note a call and give its number."""
        call = Call(number=len(self.log) + 1, kind=kind, method=method, arguments=arguments)
        self.log.append(call)
        return call.number

    def _read_library(self) -> None:
        for path in sorted(self.database.glob("*.json")) if self.database else ():
            saved = json.loads(path.read_text())
            self.library[saved["name"]] = saved
            self._ids = max(self._ids, saved["ids"])

    @property
    def last_id(self) -> int:
        """The number of the last identifier."""
        return self._ids


_running: list[Application] = []


def start(
    profile: str = DEFAULT,
    quirks: str | Quirks = "",
    *,
    database: Path | None = None,
    prefs_path: Path | None = None,
) -> Application:
    """Start an editor and make it the one that scripts find."""
    app = Application(
        profile=profile_named(profile),
        quirks=read_quirks(quirks) if isinstance(quirks, str) else quirks,
        database=database,
        prefs_path=prefs_path or (database / "Fusion.prefs" if database else None),
    )
    _running[:] = [app]
    return app


def running() -> Application:
    """The editor that scripts find: the one started last, else one as the environment describes it."""
    if not _running:
        database = os.environ.get("RESOLVE_DATABASE")
        start(
            os.environ.get("RESOLVE_PROFILE") or DEFAULT,
            os.environ.get("RESOLVE_QUIRKS", ""),
            database=Path(database) if database else None,
        )
    return _running[0]


def quit_application() -> None:
    """End the editor that scripts find; the next one is started anew."""
    _running.clear()
