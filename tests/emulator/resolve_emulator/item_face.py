"""The class TimelineItem: where an item lies, what it shows, its properties, takes and compositions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from resolve_emulator import spans, transforms
from resolve_emulator.comp_face import CompositionFace
from resolve_emulator.face import Refused, listed, need, number, text
from resolve_emulator.grade_face import GradeFace
from resolve_emulator.markers import CLIP_COLOURS, ColourFace, MarkerFace
from resolve_emulator.state import Clip, Item, Timeline, Track
from resolve_emulator.take_face import TakeFace


class ItemFace(TakeFace, CompositionFace, GradeFace, MarkerFace, ColourFace):
    kind = "TimelineItem"
    label = "Timeline item"
    state: Item

    def GetName(self) -> str:
        return self.state.name

    def SetName(self, name: Any) -> bool:
        need(text(name))
        self.state.name = name
        return True

    def GetUniqueId(self) -> str:
        return self.state.id

    def GetType(self) -> str:
        """video, audio, generator or transition (facts 1.2)."""
        return {"title": "generator"}.get(self.state.kind, self.state.kind)

    def GetStart(self, subframe: Any = False) -> float:
        return self._frames(self.state.start, subframe)

    def GetEnd(self, subframe: Any = False) -> float:
        """Exclusive."""
        return self._frames(self.state.end, subframe)

    def GetDuration(self, subframe: Any = False) -> float:
        return self._frames(self.state.duration, subframe)

    def GetLeftOffset(self, subframe: Any = False) -> float:
        return self._frames(spans.left_offset(self.state, self._rate()), subframe)

    def GetRightOffset(self, subframe: Any = False) -> float:
        return self._frames(spans.right_offset(self.state, self._rate()), subframe)

    def GetSourceStartFrame(self) -> int:
        return spans.source_start_frame(self.state, self._rate())

    def GetSourceEndFrame(self) -> int:
        return spans.source_end_frame(self.state, self._rate())

    def GetSourceStartTime(self) -> float:
        return spans.source_start_time(self.state, self._rate())

    def GetSourceEndTime(self) -> float:
        return spans.source_end_time(self.state, self._rate())

    def GetMediaPoolItem(self) -> Clip | None:
        """None for titles, generators and transitions."""
        return self.state.clip

    def GetTrackTypeAndIndex(self) -> list[Any]:
        kind, index, _ = self._place()
        return [kind, index]

    def GetLinkedItems(self) -> list[Item]:
        return [item for item in self._timeline().items() if item.id in self.state.linked]

    def GetClipEnabled(self) -> bool:
        return self.state.enabled

    def SetClipEnabled(self, enabled: Any) -> bool:
        self.state.enabled = bool(enabled)
        return True

    def SetClipColor(self, name: Any) -> bool:
        """True for generators too, which keep none (facts 1.5)."""
        need(name in CLIP_COLOURS)
        if self.state.clip:
            self.state.color = name
        return True

    def GetProperty(self, name: Any = None) -> Any:
        """All 26 for no name; {} for a transition (facts 1.2), None for what has no picture of its own."""
        if self.state.kind == "transition":
            return None if name else {}
        if self.state.kind in {"generator", "subtitle", "audio"}:
            return None
        found = transforms.defaults() | self.state.properties
        return found.get(text(name)) if name else found

    def SetProperty(self, name: Any, value: Any) -> bool:
        """Clips what is out of range; False for an unknown name."""
        need(self.state.kind in {"video", "title"})
        settings = self.project.settings if self.project else {}
        size = (int(settings["timelineResolutionWidth"]), int(settings["timelineResolutionHeight"]))
        kept = transforms.fitted(text(name), value, size)
        self.state.properties[name] = kept
        ganged = (transforms.defaults() | self.state.properties)["ZoomGang"]
        if ganged and name in {"ZoomX", "ZoomY"}:
            self.state.properties |= {"ZoomX": kept, "ZoomY": kept}
        return True

    def GetProperties(self) -> dict[str, Any]:
        return self.GetProperty() or {}

    def SetProperties(self, properties: Any) -> bool:
        need(isinstance(properties, dict) and properties)
        done = [self._set_quietly(name, value) for name, value in properties.items()]
        return all(done)

    def GetSpeed(self) -> dict[str, Any]:
        return {
            "Percentage": float(self.state.speed * 100),
            "PitchCorrection": False,
            "StretchKeyframesToFit": False,
            "RippleTimeline": False,
        }

    def SetSpeed(self, options: Any) -> bool:
        """Keeps the duration unless the timeline ripples, as a live build was seen to do."""
        percentage = Fraction(number(options["Percentage"])).limit_denominator(10000)
        need(self.state.clip and self.state.kind in {"video", "audio"} and not self._place()[2].locked)
        old, new = self.state.speed, percentage / 100
        if options.get("RippleTimeline") and old > 0 and new > 0:
            self._ripple_to(Fraction(int(self.state.duration * old / new)))
        self.state.speed = new
        return True

    def GetFades(self) -> dict[str, int]:
        return dict(zip(("FadeIn", "FadeOut"), self.state.fades, strict=True))

    def SetFades(self, fades: Any) -> bool:
        first, last = fades.get("FadeIn", self.state.fades[0]), fades.get("FadeOut", self.state.fades[1])
        need(number(first) >= 0 and number(last) >= 0)
        self.state.fades = (int(first), int(last))
        return True

    def AddTransition(self, options: Any) -> Item:
        """None without frames to spare on both sides of the cut."""
        need(isinstance(options, dict) and self.state.kind == "video")
        at_end = options.get("position", "end") == "end"
        cut = self.state.end if at_end else self.state.start
        track = self._place()[2]
        edge = "start" if at_end else "end"
        other = next((item for item in track.items if item.clip and getattr(item, edge) == cut), None)
        duration = int(number(options.get("duration") or 8))
        need(other and not track.locked and duration > 0)
        before, after = (self.state, other) if at_end else (other, self.state)
        need(spans.right_offset(before, self._rate()) >= duration // 2)  # type: ignore[arg-type]
        need(spans.left_offset(after, self._rate()) >= duration - duration // 2)  # type: ignore[arg-type]
        lead = {"left": duration, "center": duration // 2, "right": 0}[options.get("alignment", "center")]
        made = Item(
            id=self.app.new_id(),
            kind="transition",
            name=text(options.get("type", "Cross Dissolve")),
            clip=None,
            start=cut - lead,
            duration=Fraction(duration),
        )
        track.items.append(made)
        track.items.sort(key=lambda item: item.start)
        return made

    def CopyGrades(self, targets: Any) -> bool:
        chosen = listed(targets, Item)
        need(self.state.clip and all(item.clip for item in chosen))
        for item in chosen:
            item.grade = self.state.grade
        return True

    def UpdateSidecar(self) -> bool:
        return False

    def _frames(self, value: Fraction, subframe: Any) -> float:
        return float(value) if subframe else int(value)

    def _set_quietly(self, name: Any, value: Any) -> bool:
        try:
            return self.SetProperty(name, value)
        except Refused:
            return False

    def _ripple_to(self, duration: Fraction) -> None:
        shift = duration - self.state.duration
        for item in self._place()[2].items:
            if item.start >= self.state.end:
                item.start += shift
        self.state.duration = duration

    def _rate(self) -> Fraction:
        return self._timeline().rate

    def _timeline(self) -> Timeline:
        return self.app.timeline_of(self.state)

    def _place(self) -> tuple[str, int, Track]:
        for kind, index, track in self._timeline().all_tracks():
            if self.state in track.items:
                return kind, index, track
        raise Refused
