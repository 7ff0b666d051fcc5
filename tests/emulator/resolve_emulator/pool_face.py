"""The class MediaPool: bins, clips, import, and timelines made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resolve_emulator import conforming, editing, importing, placing, sequences
from resolve_emulator.face import Face, Refused, listed, need, text
from resolve_emulator.state import Bin, Clip, Item, Pool, Timeline


class PoolFace(Face):
    kind = "MediaPool"
    label = "Media pool"
    state: Pool

    def GetUniqueId(self) -> str:
        return self.state.project.pool_id

    def GetRootFolder(self) -> Bin:
        return self.state.project.root

    def GetCurrentFolder(self) -> Bin:
        return self.state.project.folder

    def SetCurrentFolder(self, folder: Any) -> bool:
        need(folder in self.state.project.bins())
        self.state.project.folder = folder
        return True

    def AddSubFolder(self, folder: Any, name: Any) -> Bin:
        """The new bin becomes the current one; there may be several of one name (facts 1.4)."""
        need(folder in self.state.project.bins() and text(name))
        new = Bin(id=self.app.new_id(), name=name)
        folder.folders.append(new)
        self.state.project.folder = new
        return new

    def RefreshFolders(self) -> bool:
        return True

    def DeleteFolders(self, folders: Any) -> bool:
        """With all they hold; the current bin falls back to the root when it goes."""
        going = listed(folders, Bin)
        need(self.state.project.root not in going)
        for parent in self.state.project.bins():
            parent.folders = [folder for folder in parent.folders if folder not in going]
        for folder in going:
            self._bury(folder)
        return True

    def MoveFolders(self, folders: Any, target: Any) -> bool:
        moving = listed(folders, Bin)
        need(isinstance(target, Bin) and self.state.project.root not in moving and target not in moving)
        for parent in self.state.project.bins():
            parent.folders = [folder for folder in parent.folders if folder not in moving]
        target.folders.extend(moving)
        return True

    def MoveClips(self, clips: Any, target: Any) -> bool:
        moving = listed(clips, Clip)
        need(isinstance(target, Bin))
        for parent in self.state.project.bins():
            parent.clips = [clip for clip in parent.clips if clip not in moving]
        target.clips.extend(moving)
        return True

    def DeleteClips(self, clips: Any) -> bool:
        """Their items leave the timelines with them; the clip of a timeline takes the timeline along."""
        going = listed(clips, Clip)
        for clip in going:
            if clip.timeline in self.state.project.timelines:
                sequences.remove(self.state.project, clip.timeline)
        for parent in self.state.project.bins():
            parent.clips = [clip for clip in parent.clips if clip not in going]
        for timeline in self.state.project.timelines:
            lost = [item for item in timeline.items() if item.clip in going]
            editing.delete(timeline, lost, ripple=False)
        for clip in going:
            clip.gone = True
        return True

    def ImportMedia(self, items: Any) -> list[Clip]:
        """Always into the current bin."""
        need(isinstance(items, list) and items)
        return importing.import_media(self.app, items)

    def CreateEmptyTimeline(self, name: Any) -> Timeline:
        return sequences.create(self.app, self._new_name(name))

    def CreateTimelineFromClips(self, name: Any, clips: Any = None, *more: Any) -> Timeline:
        """None unless the current bin is that of the clips; takes no track."""
        given = clips if isinstance(clips, list) else [clips, *more]
        wishes = [self._wish(entry) for entry in given]
        need(wishes and all(wish.clip in self.state.project.folder.clips for wish in wishes))
        timeline = sequences.create(self.app, self._new_name(name), locked=False)
        for wish in wishes:
            placing.place(self.app, timeline, wish)
        sequences.lock_if_asked(self.app, timeline)
        return timeline

    def AppendToTimeline(self, clips: Any, *more: Any) -> list[Item]:
        """The items that were made, in order; those of dropped pieces have no id. Stops at what is refused."""
        timeline = self.state.project.timeline
        need(timeline)
        given = clips if isinstance(clips, list) else [clips, *more]
        made: list[Item] = []
        for entry in given:
            try:
                made += placing.place(self.app, timeline, self._wish(entry))  # type: ignore[arg-type]
            except Refused:
                break
        return made

    def ImportTimelineFromFile(self, path: Any, options: Any = None) -> Timeline:
        """None for a name that is there."""
        return conforming.import_timeline(self.app, path, conforming.read_options(options))

    def DeleteTimelines(self, timelines: Any) -> bool:
        going = listed(timelines, Timeline)
        for timeline in going:
            sequences.remove(self.state.project, timeline)
        return True

    def RelinkClips(self, clips: Any, folder: Any) -> bool:
        found = listed(clips, Clip)
        places = {clip: Path(text(folder)) / clip.asset.file_name for clip in found}
        need(all(path.is_file() for path in places.values()))
        for clip, path in places.items():
            importing.relink(clip, path)
        return True

    def UnlinkClips(self, clips: Any) -> bool:
        for clip in listed(clips, Clip):
            clip.offline = True
        return True

    def GetSelectedClips(self) -> list[Clip]:
        return [clip for clip in self.state.project.selected_clips if not clip.gone]

    def SetSelectedClip(self, clip: Any) -> bool:
        need(clip in self.state.project.clips())
        self.state.project.selected_clips = [clip]
        return True

    def GetClipMatteList(self, _clip: Any) -> list[str]:
        return []

    def GetTimelineMatteList(self, _folder: Any) -> list[Clip]:
        return []

    def _wish(self, given: Any) -> placing.Wish:
        wish = placing.read_wish(self.app, given)
        sequences.refresh(wish.clip)
        return wish

    def _new_name(self, name: Any) -> str:
        need(text(name) and name not in [timeline.name for timeline in self.state.project.timelines])
        return str(name)

    def _bury(self, folder: Bin) -> None:
        folder.gone = True
        if folder is self.state.project.folder:
            self.state.project.folder = self.state.project.root
        for child in folder.folders:
            self._bury(child)
        if folder.clips:
            self.DeleteClips(folder.clips[:])
        for clip in folder.clips:
            clip.gone = True
