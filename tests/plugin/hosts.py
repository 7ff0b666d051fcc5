"""An emulated editor with a film on its timeline, and the ways to plan and apply edits there without a sidecar."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapupscale import protocol
from snapupscale.timeline.actions import make_plan
from snapupscale.timeline.found import Found
from snapupscale.timeline.memory import Remembered, read_results
from snapupscale.timeline.pieces import Held, pieces
from snapupscale.timeline.plan import plan_to_json, read_plan
from snapupscale.timeline.snapshot import read_snapshot
from snapupscale_resolve.editor import Editor
from snapupscale_resolve.executor import Outcome, apply
from snapupscale_resolve.snapshot_taker import NOTHING, Chosen, take_snapshot

sys.path.append(str(Path(__file__).parents[1] / "emulator"))

from resolve_emulator.application import Application
from resolve_emulator.profiles import profile_named
from resolve_emulator.quirks import Quirks, read_quirks
from resolve_emulator.remote import handle
from resolve_emulator.state import Root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snapupscale.timeline.plan import Plan

PROFILES = ("18.6-studio", "19.1.3-studio", "21.0-free", "21.0-studio", "21.0.4-studio", "21.1-studio")
"""Those in which Python scripts run."""
START = 86400
EVERYTHING = Chosen("timeline", None, "")


@dataclass
class Host:
    """An emulated editor. `film` puts clips on a timeline."""

    app: Any
    resolve: Any

    @property
    def project(self) -> Any:
        return self.resolve.GetProjectManager().GetCurrentProject()

    @property
    def timeline(self) -> Any:
        return self.project.GetCurrentTimeline()

    def film(self, *placed: tuple[Path, int, int, int], track: int = 1) -> list[Any]:
        """Put `(path, first, end, record)` on a track: source frames, and frames after the start of the timeline."""
        pool = self.project.GetMediaPool()
        if self.app.project.timeline is None:
            pool.CreateEmptyTimeline("Edit")
        while self.timeline.GetTrackCount("video") < track:
            self.timeline.AddTrack("video")
        known = {clip.asset.path: clip for clip in self.app.project.clips()}
        items = []
        for path, first, end, record in placed:
            found = known.get(str(path))
            media = handle(self.app, found) if found else pool.ImportMedia([str(path)])[0]
            known.setdefault(str(path), media._face.state)
            wish = {"mediaPoolItem": media, "startFrame": first, "endFrame": end, "mediaType": 1, "trackIndex": track}
            items += pool.AppendToTimeline([{**wish, "recordFrame": self.timeline.GetStartFrame() + record}])
        assert all(item.GetUniqueId() for item in items)
        return items

    def misbehave(self, quirks: str = "") -> None:
        """From now on; the calls are counted from here."""
        self.app.log.clear()
        self.app.quirks = read_quirks(quirks)
        if self.app.quirks.fairlight:
            self.app.page = "fairlight"

    def at_call(self, number: int, happens: Callable[[], None]) -> None:
        """Let something happen when call `number` from now on is made, before it is answered."""
        self.misbehave()
        record = self.app.record

        def recorded(kind: str, method: str, arguments: tuple[Any, ...]) -> int:
            count = int(record(kind, method, arguments))
            if count >= number:
                happens()
            return count

        self.app.record = recorded

    def calls(self, method: str = "") -> int:
        """Number of calls since, of one method or all."""
        return sum(method in {"", call.method} for call in self.app.log)

    def contents(self) -> dict[str, Any]:
        """All that a user could miss, or find too much."""
        project, timeline = self.app.project, self.app.project.timeline
        return {
            "timelines": [each.name for each in project.timelines],
            "current": timeline.id,
            "markers": sorted(marker["customData"] for marker in timeline.markers.values()),
            "tracks": [(track.name, track.locked, [_item(item) for item in track.items]) for track in self.lanes()],
            "bins": {each.name: [clip.name for clip in each.clips if not clip.timeline] for each in project.bins()},
        }

    def seen(self) -> tuple[str, int, str]:
        """The page, the playhead and the current bin."""
        return self.app.page, self.app.project.timeline.playhead, self.app.project.folder.name

    def lanes(self) -> list[Any]:
        """The video tracks."""
        return list(self.app.project.timeline.tracks["video"])


def _item(item: Any) -> tuple[Any, ...]:
    return item.id, item.start, item.duration, item.clip and item.clip.name, item.color, item.take


def open_host(profile: str = "19.1.3-studio", quirks: Quirks | None = None) -> Host:
    """An editor with an empty project."""
    app = Application(profile=profile_named(profile), quirks=quirks or Quirks())
    return Host(app, handle(app, Root("Resolve")))


@dataclass
class Desk:
    """Plans and applies actions to the timeline of a host, and remembers them as the sidecar does."""

    host: Host
    cuts: tuple[int, ...] = ()
    frames: int = 0
    held: Callable[[int, str], Path] | None = None
    """Makes the movie of a still: so many frames, for a session."""
    memory: tuple[Remembered, ...] = ()
    sessions: int = 0
    told: int = 0
    """Number of posts."""

    def plan(self, action: str, chosen: Chosen = EVERYTHING) -> dict[str, Any]:
        """The plan of an action, as a client reads it."""
        taking_back = action in {"undo", "remove_markers"}
        raw = take_snapshot(Editor(self.host.resolve), NOTHING if taking_back else chosen, action != "remove_markers")
        return self.plan_of(action, raw)

    def plan_of(self, action: str, raw: dict[str, Any]) -> dict[str, Any]:
        """The plan of an action on a snapshot that a client sends."""
        self.sessions += 1
        session = f"s{self.sessions}"
        snapshot = read_snapshot(protocol.read_snapshot(protocol.decode(protocol.encode(raw))))
        found = Found(rate=Fraction(24), frames=self.frames, cuts=self.cuts)
        findings = {media.id: found for media in snapshot.media}
        movies = {}
        if action == "stills" and self.held:
            for piece in pieces(snapshot, findings, self.memory):
                path = self.held(piece.frames, f"{session}_{piece.number}_{piece.record_start}")
                movies[piece] = Held(path=str(path), frames=piece.frames)
        plan = make_plan(action, snapshot, session, findings=findings, held=movies, memory=self.memory)
        return protocol.read_plan(protocol.decode(protocol.encode(plan_to_json(plan))))

    def remember(self, plan: dict[str, Any]) -> None:
        """That a client applied a plan and said nothing of it."""
        self.memory = (Remembered(plan=read_plan(plan)), *self.memory)

    def apply(self, plan: dict[str, Any], editor: Editor | None = None) -> Outcome:
        """Apply it, and remember what was told, as long as something may be there."""
        told: dict[str, Any] = {}

        def report(results: Sequence[dict[str, Any]]) -> None:
            self.told += 1
            sent = protocol.decode(protocol.encode({"results": results}))
            told.update({result["id"]: result for result in protocol.read_readback(sent)})
            ops = {each["id"]: each["op"] for each in _flat(plan["operations"])}
            for result in results:
                if result["ok"]:
                    protocol.read_found(ops[result["id"]], result["found"])

        self.told = 0
        nothing, done = False, False
        try:
            outcome = apply(editor or Editor(self.host.resolve), plan, report)
            assert list(told.values()) == outcome.results
            nothing = not outcome.results[0]["ok"]
            done = all(result["ok"] for result in outcome.results)
            return outcome
        finally:
            if plan["action"] in {"mark", "stills"} and not nothing:
                read: Plan = read_plan(plan)
                results = read_results({"results": list(told.values())})
                self.memory = (Remembered(plan=read, results=results), *self.memory)
            elif plan["action"] == "undo" and done:
                self.memory = self.memory[1:]

    def do(self, action: str, chosen: Chosen = EVERYTHING) -> Outcome:
        """Plan and apply."""
        return self.apply(self.plan(action, chosen))


def _flat(operations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for operation in operations for each in (operation, *_flat(operation.get("otherwise", [])))]
