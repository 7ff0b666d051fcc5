"""The class Timeline: frames, timecode, playhead, settings and the edits that the API offers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from resolve_emulator import editing, exporting, sequences
from resolve_emulator.face import Refused, listed, need, text
from resolve_emulator.markers import MarkerFace, MarkFace
from resolve_emulator.settings import changed, own_rate
from resolve_emulator.state import Clip, Graph, Item, Still, Timeline
from resolve_emulator.track_face import TrackFace
from snapupscale.errors import SettingError
from snapupscale.timecode import Timecode

_WITH_PLAYHEAD = ("cut", "edit", "color", "fairlight", "deliver")
_TITLES = ("Text", "Left Lower Third", "Middle Lower Third", "Right Lower Third", "Scroll")
_GENERATORS = ("Solid Color", "10 Step", "100mV Steps", "EBU Color Bar", "Four Color Gradient", "Grey Scale", "Window")


class TimelineFace(TrackFace, MarkerFace, MarkFace):
    kind = "Timeline"

    def GetName(self) -> str:
        return self.state.name

    def SetName(self, name: Any) -> bool:
        need(text(name) and name not in [other.name for other in self.app.project.timelines])
        self.state.name = name
        if self.state.clip:
            self.state.clip.name = name
        return True

    def GetUniqueId(self) -> str:
        return self.state.id

    def GetStartFrame(self) -> int:
        return self.state.start

    def GetEndFrame(self) -> int:
        return sequences.end_frame(self.state)

    def GetStartTimecode(self) -> str:
        return self._label(self.state.start)

    def SetStartTimecode(self, timecode: Any) -> bool:
        """Everything on the timeline moves along; markers are relative and stay."""
        shift = self._frame(timecode) - self.state.start
        self.state.start += shift
        self.state.playhead += shift
        for item in self.state.items():
            item.start += shift
        return True

    def GetCurrentTimecode(self) -> str:
        """'' on the Media and Fusion pages."""
        need(self.app.page in _WITH_PLAYHEAD and self._is_open())
        return self._label(self.state.playhead)

    def SetCurrentTimecode(self, timecode: Any) -> bool:
        frame = self._frame(timecode)
        need(self.app.page in _WITH_PLAYHEAD and self._is_open() and frame >= self.state.start)
        self.state.playhead = frame
        return True

    def GetCurrentVideoItem(self) -> Item | None:
        """The topmost item that is on under the playhead."""
        need(self._is_open())
        for track in reversed(self.state.tracks["video"]):
            for item in track.items if track.enabled else ():
                shown = item.enabled and item.kind != "transition"
                if shown and item.start <= self.state.playhead < item.end:
                    return item
        return None

    def GetSelectedClips(self) -> list[Item]:
        items = {item.id: item for item in self.state.items()}
        return [items[each] for each in self.state.selection if each in items]

    def GetMediaPoolItem(self) -> Clip | None:
        return self.state.clip

    def GetNodeGraph(self) -> Graph:
        return Graph(self.state)

    def GetSetting(self, name: Any = "") -> Any:
        """The project's, unless the timeline has its own (facts 5)."""
        found = self._settings()
        return found.get(name, "") if name else found

    def SetSetting(self, name: Any, value: Any, *_more: Any) -> bool:
        """False while the timeline uses the settings of the project."""
        if name == "useCustomSettings":
            need(value in ("0", "1"))
            own = self._settings() if value == "1" else {}
            self.state.settings = own | {name: value}
            return True
        need(self.state.settings.get("useCustomSettings") == "1")
        need(name != "timelineFrameRate" or not self.state.items())
        new = changed(self._settings(), text(name), value)
        need(new)
        self.state.settings = new or {}
        if name in {"timelineFrameRate", "timelineDropFrameTimecode"}:
            self._take_rate()
        return True

    def GetSettings(self) -> dict[str, Any]:
        return self._settings()

    def SetSettings(self, settings: Any) -> bool:
        need(isinstance(settings, dict) and settings)
        done = [self.SetSetting(name, value) for name, value in settings.items()]
        return all(done)

    def DuplicateTimeline(self, name: Any = None) -> Timeline:
        """The copy becomes the current timeline."""
        title = text(name) if name else self._copy_name()
        need(title not in [other.name for other in self.app.project.timelines])
        return sequences.duplicate(self.app, self.state, title)

    def DeleteClips(self, items: Any, ripple: Any = False) -> bool:
        """False on the Fairlight page and for locked tracks. The sound linked to an item stays (facts 1.2)."""
        going = listed(items, Item)
        self.app.deletes += 1
        need(self.app.page != "fairlight")
        need(not (self.app.quirks.first_delete_fails and self.app.deletes == 1))
        need(not any(self._track_of(item).locked for item in going))
        editing.delete(self.state, going, ripple=bool(ripple))
        return True

    def SetClipsLinked(self, items: Any, linked: Any) -> bool:
        chosen = listed(items, Item)
        need(all(item in self.state.items() for item in chosen))
        for item in chosen:
            item.linked = [other.id for other in chosen if other is not item] if linked else []
        return True

    def CreateCompoundClip(self, items: Any, info: Any = None) -> Item:
        given = info if isinstance(info, dict) else {}
        name = given.get("name") or f"Compound Clip {len(self.app.project.clips())}"
        return self._nested(items, "compound", text(name))

    def CreateFusionClip(self, items: Any) -> Item:
        made = self._nested(items, "fusion", f"Fusion Clip {len(self.app.project.clips())}")
        made.comps, made.active_comp = ["Composition 1"], "Composition 1"
        return made

    def InsertTitleIntoTimeline(self, name: Any) -> Item:
        need(name in _TITLES)
        return self._inserted("title", name)

    def InsertFusionTitleIntoTimeline(self, name: Any) -> Item:
        need(text(name))
        made = self._inserted("title", name)
        made.comps, made.active_comp = ["Composition 1"], "Composition 1"
        return made

    def InsertGeneratorIntoTimeline(self, name: Any) -> Item:
        need(name in _GENERATORS)
        return self._inserted("generator", name)

    def InsertFusionCompositionIntoTimeline(self) -> Item:
        made = self._inserted("generator", "Fusion Composition")
        made.comps, made.active_comp = ["Composition 1"], "Composition 1"
        return made

    def DetectSceneCuts(self) -> bool:
        """Cuts the items of the first video track apart where the scene changes; gives no list (facts 1.2)."""
        need(self.app.page in _WITH_PLAYHEAD and self._is_open())
        editing.cut_scenes(self.app, self.state)
        return True

    def Export(self, path: Any, kind: Any, subtype: Any = None) -> bool:
        exporting.export(self.app, self.state, path, kind, subtype)
        return True

    def GrabStill(self) -> Still | None:
        need(self.GetCurrentVideoItem())
        album = self.app.project.album
        still = Still(id=self.app.new_id())
        if album:
            album.stills.append(still)
        return still

    def GetCurrentClipThumbnailImage(self) -> dict[str, Any]:
        """Only on the Color page."""
        raise Refused

    def _nested(self, items: Any, kind: str, name: str) -> Item:
        chosen = listed(items, Item)
        need(not any(self._track_of(item).locked for item in chosen))
        return editing.nest(self.app, self.state, chosen, kind, name)

    def _inserted(self, kind: str, name: str) -> Item:
        """On the first video track at the playhead; nothing where something is."""
        need(self.app.page in {"edit", "cut"} and self._is_open())
        track = self.state.tracks["video"][0]
        need(not track.locked)
        start = Fraction(self.state.playhead)
        duration = round(5 * self.state.rate)
        need(not any(other.start < start + duration and start < other.end for other in track.items))
        item = Item(
            id=self.app.new_id(), kind=kind, name=name, clip=None, start=start, duration=Fraction(duration)
        )
        track.items.append(item)
        track.items.sort(key=lambda other: other.start)
        return item

    def _is_open(self) -> bool:
        """Whether this is the current timeline: the playhead and the viewer are those of that one alone."""
        return self.state is self.app.project.timeline

    def _settings(self) -> dict[str, Any]:
        if self.state.settings.get("useCustomSettings") == "1":
            return dict(self.state.settings)
        return self.app.project.settings | self.state.settings

    def _take_rate(self) -> None:
        label = self.GetStartTimecode()
        self.state.rate = own_rate(self.state.settings)
        self.state.drop = self.state.settings["timelineDropFrameTimecode"] == "1"
        self.state.start = sequences.start_frame(self.state.rate, drop=self.state.drop, timecode=label)
        self.state.playhead = self.state.start

    def _copy_name(self) -> str:
        taken = [other.name for other in self.app.project.timelines]
        numbers = [f"{self.state.name} copy", *(f"{self.state.name} copy {number}" for number in range(2, 1000))]
        return next(name for name in numbers if name not in taken)

    def _label(self, frame: int) -> str:
        return str(Timecode(frame=frame, rate=self.state.rate, drop=self.state.drop))

    def _frame(self, timecode: Any) -> int:
        """The frame of a label; with drop frame a label that is left out is refused, however it is written."""
        given = text(timecode)
        try:
            written = given[:8] + (";" if self.state.drop else ":") + given[9:]
            return Timecode.parse(written, self.state.rate).frame
        except SettingError:
            raise Refused from None
