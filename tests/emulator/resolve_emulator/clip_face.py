"""The class MediaPoolItem: a clip of the media pool."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resolve_emulator import assets, sequences, spans
from resolve_emulator.clip_properties import SETTABLE, clip_properties
from resolve_emulator.face import Refused, need, number, text
from resolve_emulator.markers import ColourFace, MarkerFace, MarkFace
from resolve_emulator.settings import own_rate, read_rate
from snapupscale.timecode import Timecode

if TYPE_CHECKING:
    from resolve_emulator.state import Asset, Clip, Timeline


class ClipFace(MarkerFace, MarkFace, ColourFace):
    kind = "MediaPoolItem"
    label = "Media pool item"
    state: Clip

    def GetName(self) -> str:
        return self.state.name

    def SetName(self, name: Any) -> bool:
        need(text(name))
        self.state.name = name
        return True

    def GetUniqueId(self) -> str:
        return self.state.id

    def GetMediaId(self) -> str:
        return self.state.media_id

    def GetTimeline(self) -> Timeline | None:
        """The timeline that the clip is; None for a compound clip (facts 5)."""
        return self.state.timeline if self.state.asset.kind == "timeline" else None

    def GetMetadata(self, name: Any = None) -> Any:
        return self.state.metadata.get(text(name), "") if name else dict(self.state.metadata)

    def SetMetadata(self, name: Any, value: Any = None) -> bool:
        return _set_texts(self.state.metadata, name, value)

    def GetThirdPartyMetadata(self, name: Any = None) -> Any:
        return self.state.third_party.get(text(name), "") if name else dict(self.state.third_party)

    def SetThirdPartyMetadata(self, name: Any, value: Any = None) -> bool:
        return _set_texts(self.state.third_party, name, value)

    def GetClipProperty(self, name: Any = None) -> Any:
        """All of them for no name or an empty one; '' for a name that is none (facts 1.4)."""
        sequences.refresh(self.state)
        found = clip_properties(self.app, self.state)
        return found.get(text(name), "") if name else found

    def SetClipProperty(self, name: Any, value: Any, *more: Any) -> bool:
        """Takes `Super Scale` as 1 to 4, or as 2 with sharpness and noise reduction from 0 to 1."""
        if name == "Reel Name":
            return True
        need(name in SETTABLE)
        if name == "Super Scale":
            need(self.app.profile.studio and value in (1, 2, 3, 4))
            need(not more or (value == 2 and len(more) == 2 and all(0 <= number(part) <= 1 for part in more)))
            value = int(value)
        if name in {"FPS", "Start TC"}:
            self.state.asset = self._with_clock(name, value)
            return True
        self.state.properties[name] = value
        return True

    def LinkProxyMedia(self, path: Any) -> bool:
        self._asset_at(path)
        self.state.proxy = path
        return True

    def UnlinkProxyMedia(self) -> bool:
        need(self.state.proxy)
        self.state.proxy = ""
        return True

    def LinkFullResolutionMedia(self, path: Any) -> bool:
        """The clip becomes the proxy of the file, which must be as long."""
        new = self._asset_at(path)
        need(new.frames == self.state.asset.frames and new.rate == self.state.asset.rate)
        self.state.proxy = self.state.asset.path
        self.state.asset = new
        return True

    def ReplaceClip(self, path: Any) -> bool:
        """Every item of the project that shows the clip changes, and its metadata is lost. False for media shorter
        than what an item shows of it (reported by one user alone)."""
        new = self._asset_at(path)
        need(all(end <= new.frames for end in self._used_ends()))
        old = self.state.asset
        self.state.asset = new
        self.state.metadata.clear()
        self.state.offline = False
        if self.state.name == old.file_name:
            self.state.name = new.file_name
        return True

    def ReplaceClipPreserveSubClip(self, path: Any) -> bool:
        return self.ReplaceClip(path)

    def GetAudioMapping(self) -> str:
        channels = self.state.asset.audio_channels
        return f'{{"embedded_audio_channels": {channels}, "linked_audio": {{}}, "track_mapping": {{}}}}'

    def MonitorGrowingFile(self) -> bool:
        return False

    def _with_clock(self, name: str, value: Any) -> Asset:
        """The asset with another rate or start timecode."""
        old = self.state.asset
        if name == "Start TC":
            start = Timecode.parse(text(value), old.rate)
            return replace(old, start=start.frame, drop=start.drop)
        read = read_rate(value)
        if read is None:
            raise Refused
        return replace(old, rate=read[0], drop=read[1])

    def _asset_at(self, path: Any) -> Asset:
        need(Path(text(path)).is_absolute())
        rate = own_rate(self.app.project.settings)
        for asset in assets.find_assets(Path(path), still_rate=rate):
            return asset
        raise Refused

    def _used_ends(self) -> list[float]:
        return [
            float(spans.source_out(item, timeline.rate))
            for timeline in self.app.project.timelines
            for item in timeline.items()
            if item.clip is self.state and item.span_known and self.state.asset.kind != "still"
        ]


def _set_texts(texts: dict[str, str], name: Any, value: Any) -> bool:
    new = name if isinstance(name, dict) else {name: value}
    need(new and all(isinstance(part, str) for pair in new.items() for part in pair))
    texts.update({key: part for key, part in new.items() if key != "Reel Name"})
    return True
