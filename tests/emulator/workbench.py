"""The test's side of the emulator: timelines built by hand, dumps to compare runs by, and the calls that were made."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resolve_emulator import archive, assets, importing, placing, sequences
from resolve_emulator.application import UNTITLED, Application, quit_application, running, start
from resolve_emulator.host import app_object
from resolve_emulator.remote import handle
from resolve_emulator.settings import default_settings
from resolve_emulator.state import Asset, Bin, Clip, Item, Project, Take, Timeline, Track

from snapupscale.timecode import Timecode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resolve_emulator.quirks import Quirks

__all__ = ["Bench", "dump", "quit_application", "running"]


class Bench:
    """A running editor with a project, of which a test builds what it needs; positions are absolute frames."""

    def __init__(
        self,
        profile: str = "19.1.3-studio",
        quirks: str | Quirks = "",
        *,
        rate: Fraction | float = 24,
        drop: bool = False,
        project: str = "Film",
        database: Path | None = None,
        prefs_path: Path | None = None,
    ) -> None:
        self.app: Application = start(profile, quirks, database=database, prefs_path=prefs_path)
        if project != UNTITLED:
            self.app.open(self.app.new_project(project))
        self.project.settings = default_settings(Fraction(rate))
        self.project.settings["timelineDropFrameTimecode"] = "1" if drop else "0"

    @property
    def project(self) -> Project:
        return self.app.project

    @property
    def timeline(self) -> Timeline:
        """The current timeline; made on first use."""
        return self.project.timeline or self.add_timeline("Timeline 1")

    @property
    def resolve(self) -> Any:
        """The Resolve object, whatever the edition."""
        return app_object(self.app, "Resolve")

    def handle(self, thing: Any) -> Any:
        """A script's handle of something that was built here."""
        return handle(self.app, thing)

    def add_timeline(self, name: str, *, rate: Fraction | None = None, drop: bool = False, start: str = "") -> Timeline:
        """A timeline of its own rate where one is given, from the timecode `start`; it becomes the current one."""
        timeline = sequences.create(self.app, name)
        if rate:
            timeline.rate, timeline.drop = rate, drop
            own = default_settings(rate) | {"timelineDropFrameTimecode": "1" if drop else "0"}
            timeline.settings = own | {"useCustomSettings": "1"}
        first = sequences.start_frame(timeline.rate, drop=timeline.drop, timecode=start or "01:00:00:00")
        timeline.start = timeline.playhead = first
        return timeline

    def add_media(self, path: Path | str = "", **facts: Any) -> Clip:
        """A clip of the pool: of a real file, probed, or of a made-up one with `facts` (fields of Asset)."""
        found = list(assets.find_assets(Path(path), still_rate=self.timeline_rate)) if path and not facts else []
        made_up = Asset(**{"kind": "video", "path": str(path), "file_name": Path(path).name} | facts)
        return importing.add_clip(self.app, found[0] if found else made_up, facts.get("file_name") or Path(path).name)

    @property
    def timeline_rate(self) -> Fraction:
        return self.project.timeline.rate if self.project.timeline else Fraction(24)

    def add_item(
        self,
        clip: Clip | None,
        start: int,
        duration: int,
        *,
        source: Fraction | int = 0,
        speed: Fraction | int = 1,
        track: int = 1,
        kind: str = "video",
        sound: bool = False,
        **fields: Any,
    ) -> Item:
        """An item on a track that is made as needed; `sound` lays the linked sound beside it; `fields` are Item's."""
        name = clip.name if clip else kind.capitalize()
        item = Item(
            **{"id": self.app.new_id(), "kind": kind, "name": name, "clip": clip}
            | {"start": Fraction(start), "duration": Fraction(duration)}
            | {"source_in": Fraction(source), "speed": Fraction(speed)}
            | fields
        )
        lane = "audio" if kind == "audio" else "video"
        placing.insert(self._track(lane, track), item)
        if sound:
            other = replace(item, id=self.app.new_id(), kind="audio", properties={}, comps=[])
            placing.insert(self._track("audio", track), other)
            placing.link([item, other])
        return item

    def add_transition(self, cut: int, duration: int, *, track: int = 1, name: str = "Cross Dissolve") -> Item:
        """A transition centred on a cut."""
        return self.add_item(None, cut - duration // 2, duration, track=track, kind="transition", name=name)

    def add_comp(self, item: Item, name: str = "Composition 1") -> None:
        """Give an item a Fusion composition."""
        item.comps.append(name)
        item.active_comp = name

    def add_takes(self, item: Item, *clips: Clip) -> None:
        """Make an item a take selector with its own clip and these."""
        own = [Take(clip=item.clip, start=item.source_in, end=item.source_in + item.duration)] if item.clip else []
        item.takes = own + [Take(clip=clip, start=Fraction(0), end=Fraction(clip.asset.frames)) for clip in clips]
        item.take = 1

    def add_bin(self, name: str, *, current: bool = False) -> Bin:
        """A bin in the root."""
        folder = Bin(id=self.app.new_id(), name=name)
        self.project.root.folders.append(folder)
        if current:
            self.project.folder = folder
        return folder

    def select(self, *items: Item) -> None:
        """Select items in the timeline, as a user does."""
        self.timeline.selection = [item.id for item in items]

    def lock(self, kind: str = "video", index: int = 1, *, locked: bool = True) -> None:
        self._track(kind, index).locked = locked

    def move_playhead(self, frame: int) -> None:
        """To an absolute frame."""
        self.timeline.playhead = frame

    def take_offline(self, clip: Clip) -> None:
        clip.offline = True

    def cut_at(self, *frames: int) -> None:
        """Where DetectSceneCuts will cut, absolute, in the place of what it would find."""
        self.timeline.scene_cuts = frames

    def timecode(self, frame: int) -> str:
        """The label of an absolute frame of the current timeline."""
        return str(Timecode(frame=frame, rate=self.timeline.rate, drop=self.timeline.drop))

    def calls(self, method: str = "") -> list[str]:
        """The calls so far as `Timeline.GetName`, those of one method where one is named."""
        names = [call.name for call in self.app.log]
        return [name for name in names if not method or method in (name, name.split(".")[1])]

    def forget_calls(self) -> None:
        """Count calls from 1 again."""
        self.app.log.clear()

    def dump(self, *, ids: bool = False) -> str:
        """`dump` of the open project."""
        return dump(self.project, ids=ids)

    def _track(self, kind: str, index: int) -> Track:
        tracks = self.timeline.tracks[kind]
        while len(tracks) < index:
            tracks.append(Track(sub_type="stereo" if kind == "audio" else ""))
        return tracks[index - 1]


def dump(project: Project, *, ids: bool = False, without: Iterable[str] = ()) -> str:
    """A project as text that is equal for equal projects: ids as numbers in their order unless asked for."""
    whole = {key: value for key, value in archive.encoded(project).items() if key not in set(without)}
    return json.dumps(whole if ids else archive.numbered(whole), indent=1, sort_keys=True) + "\n"
