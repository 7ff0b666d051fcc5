"""The markers and the marks in and out that timelines, their items and clips have alike (facts 1.1)."""

from __future__ import annotations

from typing import Any

from resolve_emulator.face import Face, Refused, by_number, need, number, text, whole

COLOURS = frozenset(
    (
        "Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia", "Rose", "Lavender", "Sky",
        "Mint", "Lemon", "Sand", "Cocoa", "Cream",
    )
)
_MARK_TYPES = {"all": ("video", "audio"), "video": ("video",), "audio": ("audio",)}


class MarkerFace(Face):
    """AddMarker and what belongs to it. Frames count from the start of the owner, and are not checked against it."""

    def AddMarker(
        self, frame: Any, color: Any, name: Any, note: Any, duration: Any, custom: Any = ""
    ) -> bool:
        """False for a frame that has a marker, and for a colour that is none; any other frame is taken."""
        key = int(number(frame))
        need(color in COLOURS and number(duration) >= 1 and key >= 0)
        need(key not in self.state.markers)
        self.state.markers[key] = {
            "color": color,
            "duration": int(duration),
            "note": text(note),
            "name": text(name),
            "customData": text("" if custom is None else custom),
        }
        return True

    def GetMarkers(self) -> dict[float, dict[str, Any]]:
        """By frame, ascending. Numbers are floats before 21.1 and whole from it on, as the references print them."""
        return {self._number(frame): self._shown(marker) for frame, marker in sorted(self.state.markers.items())}

    def GetMarkerByCustomData(self, custom: Any) -> dict[str, Any]:
        return self._shown(self.state.markers[self._frame_of(custom)])

    def UpdateMarkerCustomData(self, frame: Any, custom: Any) -> bool:
        self._marker(frame)["customData"] = text(custom)
        return True

    def GetMarkerCustomData(self, frame: Any) -> str:
        return str(self._marker(frame)["customData"])

    def DeleteMarkersByColor(self, color: Any) -> bool:
        going = [frame for frame, marker in self.state.markers.items() if color in ("All", marker["color"])]
        need(going)
        for frame in going:
            del self.state.markers[frame]
        return True

    def DeleteMarkerAtFrame(self, frame: Any) -> bool:
        self._marker(frame)
        del self.state.markers[int(frame)]
        return True

    def DeleteMarkerByCustomData(self, custom: Any) -> bool:
        """Deletes the first alone."""
        del self.state.markers[self._frame_of(custom)]
        return True

    def _marker(self, frame: Any) -> dict[str, Any]:
        key = int(number(frame))
        need(key in self.state.markers)
        found: dict[str, Any] = self.state.markers[key]
        return found

    def _frame_of(self, custom: Any) -> int:
        for frame, marker in sorted(self.state.markers.items()):
            if marker["customData"] == text(custom):
                return int(frame)
        raise Refused

    def _number(self, value: int) -> float:
        return value if self.app.profile.version >= (21, 1, 0) else float(value)

    def _shown(self, marker: dict[str, Any]) -> dict[str, Any]:
        return marker | {"duration": self._number(marker["duration"])}


class MarkFace(Face):
    """GetMarkInOut and its setters; both ends are part of the range."""

    def GetMarkInOut(self) -> dict[str, dict[str, int]]:
        return {kind: {"in": first, "out": last} for kind, (first, last) in sorted(self.state.marks.items())}

    def SetMarkInOut(self, first: Any, last: Any, kind: Any = "all") -> bool:
        start, end = whole(first), whole(last)
        need(kind in _MARK_TYPES and 0 <= start <= end)
        self.state.marks |= dict.fromkeys(_MARK_TYPES[kind], (start, end))
        return True

    def ClearMarkInOut(self, kind: Any = "all") -> bool:
        need(kind in _MARK_TYPES)
        for each in _MARK_TYPES[kind]:
            self.state.marks.pop(each, None)
        return True


class ColourFace(Face):
    """Clip colours, of which there are 16 other ones than for markers, and flags, which have those of markers."""

    def GetClipColor(self) -> str:
        return str(self.state.color)

    def SetClipColor(self, name: Any) -> bool:
        need(name in CLIP_COLOURS)
        self.state.color = name
        return True

    def ClearClipColor(self) -> bool:
        self.state.color = ""
        return True

    def AddFlag(self, color: Any) -> bool:
        flags = self._flags()
        need(color in COLOURS)
        if color not in flags:
            flags.append(color)
        return True

    def GetFlagList(self) -> list[str]:
        return list(self._flags())

    def GetFlags(self) -> dict[float, str]:
        return by_number(self._flags())

    def ClearFlags(self, color: Any) -> bool:
        flags = self._flags()
        need(color == "All" or color in flags)
        flags[:] = [] if color == "All" else [flag for flag in flags if flag != color]
        return True

    def _flags(self) -> list[str]:
        """Those of the clip for an item too: a flag shows on every item of the clip, as recorded on 19.1.3."""
        flags: list[str] = (getattr(self.state, "clip", None) or self.state).flags
        return flags


CLIP_COLOURS = frozenset(
    (
        "Orange", "Apricot", "Yellow", "Lime", "Olive", "Green", "Teal", "Navy", "Blue", "Purple", "Violet",
        "Pink", "Tan", "Beige", "Brown", "Chocolate",
    )
)
