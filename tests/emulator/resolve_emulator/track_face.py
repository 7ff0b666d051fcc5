"""The part of the class Timeline that is about its tracks."""

from __future__ import annotations

from typing import Any

from resolve_emulator import editing
from resolve_emulator.face import Face, Refused, by_number, need, text, whole
from resolve_emulator.state import TRACK_TYPES, Item, Timeline, Track

SUB_TYPES = frozenset(
    [
        *(
            "mono", "stereo", "lrc", "lcr", "lrcs", "lcrs", "quad", "5.0", "5.0film", "5.1", "5.1film",
            "7.0", "7.0film", "7.1", "7.1film",
        ),
        *(f"adaptive{number}" for number in range(1, 37)),
    ]
)


class TrackFace(Face):
    """Tracks are named by their type and their number from 1."""

    state: Timeline

    def GetTrackCount(self, kind: Any) -> int:
        return len(self._tracks(kind))

    def AddTrack(self, kind: Any, options: Any = None) -> bool:
        """`options` is the form of an audio track; from 19.0 also a dict with audioType and index."""
        tracks = self._tracks(kind)
        given = options if isinstance(options, dict) else {"audioType": options}
        need(not isinstance(options, dict) or self.app.profile.version >= (19, 0, 0))
        sub_type = given.get("audioType", given.get("audiotype")) or "mono"
        need(kind != "audio" or sub_type in SUB_TYPES)
        index = given.get("index", 0)
        position = whole(index) - 1 if 1 <= whole(index) <= len(tracks) else len(tracks)
        tracks.insert(position, Track(sub_type=sub_type if kind == "audio" else ""))
        return True

    def DeleteTrack(self, kind: Any, index: Any) -> bool:
        """With the items on it."""
        track = self._track(kind, index)
        need(not track.locked)
        editing.delete(self.state, list(track.items), ripple=False)
        self._tracks(kind).remove(track)
        return True

    def GetTrackSubType(self, kind: Any, index: Any) -> str:
        return self._track(kind, index).sub_type

    def SetTrackEnable(self, kind: Any, index: Any, enabled: Any) -> bool:
        self._track(kind, index).enabled = bool(enabled)
        return True

    def GetIsTrackEnabled(self, kind: Any, index: Any) -> bool:
        return self._track(kind, index).enabled

    def SetTrackLock(self, kind: Any, index: Any, locked: Any) -> bool:
        self._track(kind, index).locked = bool(locked)
        return True

    def GetIsTrackLocked(self, kind: Any, index: Any) -> bool:
        return self._track(kind, index).locked

    def GetTrackName(self, kind: Any, index: Any) -> str:
        return self._track(kind, index).name or f"{kind.capitalize()} {whole(index)}"

    def SetTrackName(self, kind: Any, index: Any, name: Any) -> bool:
        need(text(name))
        self._track(kind, index).name = name
        return True

    def GetItemListInTrack(self, kind: Any, index: Any) -> list[Item]:
        """In the order of time; transitions are among them (facts 1.2)."""
        return list(self._track(kind, index).items)

    def GetItemsInTrack(self, kind: Any, index: Any) -> dict[float, Item]:
        return by_number(self._track(kind, index).items)

    def _tracks(self, kind: Any) -> list[Track]:
        need(kind in TRACK_TYPES)
        return self.state.tracks[kind]

    def _track(self, kind: Any, index: Any) -> Track:
        tracks, number = self._tracks(kind), whole(index)
        need(1 <= number <= len(tracks))
        return tracks[number - 1]

    def _track_of(self, item: Item) -> Track:
        for _, _, track in self.state.all_tracks():
            if item in track.items:
                return track
        raise Refused
