"""DaVinci Resolve, as far as SnapUpscale uses it. No other file but `items` touches its API."""

from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple, TypeVar

from snapupscale_resolve import door
from snapupscale_resolve.door import agreed, facts, text, thing, things, truth, whole
from snapupscale_resolve.editor_faults import NotAnswering, NothingOpen, TooOld, Unreadable
from snapupscale_resolve.items import Span

if TYPE_CHECKING:
    from fusionscript import Folder, MediaPoolItem, Resolve, Timeline, TimelineItem

OLDEST = (18, 5)
"""The first version that places clips on a chosen track at a chosen frame."""
EDIT = "edit"
WITH_PLAYHEAD = ("cut", "edit", "color", "fairlight", "deliver")
"""The pages on which the playhead can be read and moved."""
_SILENT = "DaVinci Resolve does not answer: a dialog of it may be open"
_VIDEO = "video"  # type: Any  # the stubs spell it as a literal
_VIDEO_ALONE = 1

T = TypeVar("T")


class Marker(NamedTuple):
    """A marker of the timeline; `frame` counts from the timeline's start."""

    frame: int
    color: str
    name: str
    note: str
    duration: int
    custom: str


class Editor(object):
    """The open project and its current timeline."""

    def __init__(self, resolve: "Resolve") -> None:
        """Raises TooOld, NotAnswering, or NothingOpen."""
        self._resolve = resolve
        self.product = text(resolve.GetProductName)
        self.version = text(resolve.GetVersionString)
        if not self.product:
            raise NotAnswering(_SILENT)
        if _version(door.ask(resolve.GetVersion), self.version) < OLDEST:
            raise TooOld("SnapUpscale needs DaVinci Resolve %d.%d or later; this is %s" % (*OLDEST, self.version))
        self.refresh()

    def answers(self) -> bool:
        """Whether calls that can't fail don't: they do while a dialog is open."""
        return bool(text(self._resolve.GetProductName)) and bool(text(self._project.GetUniqueId))

    def refresh(self) -> None:
        """Go on with the project and the timeline that are open now. Raises NothingOpen or NotAnswering."""
        manager = self._there("project manager", thing(self._resolve.GetProjectManager))
        self._project = self._there("project", thing(manager.GetCurrentProject))
        self._pool = self._there("media pool", thing(self._project.GetMediaPool))
        self._timeline = self._there("timeline", thing(self._project.GetCurrentTimeline))

    def _there(self, what: str, found: Optional[T]) -> T:
        """`found`, unless it is None. Raises NothingOpen or NotAnswering."""
        if found is not None:
            return found
        if text(self._resolve.GetProductName):
            raise NothingOpen("no %s is open in DaVinci Resolve" % what)
        raise NotAnswering(_SILENT)

    # The project and the timeline

    def project_id(self) -> str:
        """The id of the open project."""
        return text(self._project.GetUniqueId)

    def project_name(self) -> str:
        """The name of the open project."""
        return text(self._project.GetName)

    def timeline_id(self) -> str:
        """The id of the timeline in hand."""
        return text(self._timeline.GetUniqueId)

    def timeline_name(self) -> str:
        """The name of the timeline in hand."""
        return text(self._timeline.GetName)

    def timeline_setting(self, name: str) -> str:
        """A setting of the timeline, or of the project where the timeline has none."""
        return text(self._timeline.GetSetting, name) or text(self._project.GetSetting, name)

    def timeline_span(self) -> Span:
        """From the first frame of the timeline on. Raises Unreadable."""
        start, end = whole(self._timeline.GetStartFrame), whole(self._timeline.GetEndFrame)
        if start is None:
            raise Unreadable("DaVinci Resolve does not tell where the timeline starts")
        return Span(start, start if end is None else max(start, end))

    def start_timecode(self) -> str:
        """The timecode of the timeline's first frame."""
        return text(self._timeline.GetStartTimecode)

    def duplicate(self, name: str) -> "Optional[Timeline]":
        """Copy the timeline under `name`; the copy, or None when there is none. The copy may be open then."""
        answer = door.ask(self._timeline.DuplicateTimeline, name)
        return self._timeline_called(name) if answer is None or isinstance(answer, (bool, str)) else answer

    def come_back(self) -> bool:
        """Open the timeline in hand again if another is; whether it is open."""
        current = thing(self._project.GetCurrentTimeline)
        if current is not None and text(current.GetUniqueId) == self.timeline_id():
            return True
        agreed(self._project.SetCurrentTimeline, self._timeline)
        current = thing(self._project.GetCurrentTimeline)
        return current is not None and text(current.GetUniqueId) == self.timeline_id()

    def id_of_timeline(self, timeline: "Timeline") -> str:
        """The id of a timeline."""
        return text(timeline.GetUniqueId)

    def delete_timeline(self, name: str) -> bool:
        """Delete the timeline of that name, which must not be open; whether it is gone."""
        timeline = self._timeline_called(name)
        if timeline is not None:
            agreed(self._pool.DeleteTimelines, [timeline])
        return timeline is None or self._timeline_called(name) is None

    def _timeline_called(self, name: str) -> "Optional[Timeline]":
        for index in range(1, (whole(self._project.GetTimelineCount) or 0) + 1):
            timeline = thing(self._project.GetTimelineByIndex, index)
            if timeline is not None and text(timeline.GetName) == name:
                return timeline
        return None

    # What the user looks at

    def page(self) -> str:
        """The page that is shown."""
        return text(self._resolve.GetCurrentPage)

    def open_page(self, name: str) -> bool:
        """Show a page; whether it is shown."""
        page = name  # type: Any
        agreed(self._resolve.OpenPage, page)
        return self.page() == name

    def playhead(self) -> str:
        """The timecode under the playhead; empty on pages without one."""
        return text(self._timeline.GetCurrentTimecode)

    def move_playhead(self, timecode: str) -> bool:
        """Put the playhead back."""
        return agreed(self._timeline.SetCurrentTimecode, timecode)

    def under_playhead(self) -> "Optional[TimelineItem]":
        """The topmost video item under the playhead."""
        return thing(self._timeline.GetCurrentVideoItem)

    def can_tell_selection(self) -> bool:
        """Whether this version tells which clips are selected: from 21.0.4 on."""
        return door.can(self._timeline, "GetSelectedClips")

    def selected(self) -> "List[TimelineItem]":
        """The selected items; they include sound."""
        timeline = self._timeline  # type: Any  # later than the stubs
        return things(timeline.GetSelectedClips)

    # Tracks

    def track_count(self) -> int:
        """Number of video tracks. Raises Unreadable."""
        count = whole(self._timeline.GetTrackCount, _VIDEO)
        if count is None:
            raise Unreadable("DaVinci Resolve does not tell how many video tracks there are")
        return count

    def track_name(self, index: int) -> str:
        """The name of a video track, counted from 1."""
        return text(self._timeline.GetTrackName, _VIDEO, index)

    def is_locked(self, index: int) -> bool:
        """Whether a video track is locked."""
        return truth(self._timeline.GetIsTrackLocked, _VIDEO, index) is True

    def is_enabled(self, index: int) -> bool:
        """Whether a video track is shown; so it is where nothing else is told."""
        if truth(self._timeline.GetIsTrackEnabled, _VIDEO, index) is not False:
            return True
        return truth(self._timeline.GetIsTrackEnabled, _VIDEO, index) is not False

    def on_track(self, index: int) -> "List[TimelineItem]":
        """The items of a video track."""
        return things(self._timeline.GetItemListInTrack, _VIDEO, index)

    def add_track(self) -> None:
        """Add a video track on top."""
        add = self._timeline.AddTrack  # type: Any  # what the stubs ask for beside it is for sound
        agreed(add, _VIDEO)

    def name_track(self, index: int, name: str) -> bool:
        """Name a video track; whether it is called so now."""
        agreed(self._timeline.SetTrackName, _VIDEO, index, name)
        return self.track_name(index) == name

    def delete_track(self, index: int) -> None:
        """Delete a video track with all that is on it."""
        agreed(self._timeline.DeleteTrack, _VIDEO, index)

    def append(
        self, media: "MediaPoolItem", start: int, end: int, track: int, record: int
    ) -> "Optional[TimelineItem]":
        """Place the picture of source frames `start` up to, not including, `end` at absolute frame `record`."""
        append = self._pool.AppendToTimeline  # type: Any  # the stubs know the first of three forms alone
        placed = {
            "mediaPoolItem": media,
            "startFrame": start,
            "endFrame": end,
            "mediaType": _VIDEO_ALONE,
            "trackIndex": track,
            "recordFrame": record,
        }
        answer = door.ask(append, [placed])
        items = [each for each in answer if each is not None] if isinstance(answer, (list, tuple)) else []
        return items[0] if items else None

    def delete_items(self, items: "List[TimelineItem]") -> None:
        """Delete items and leave gaps; works on the Edit page alone."""
        agreed(self._timeline.DeleteClips, items, False)

    # Markers

    def markers(self) -> List[Marker]:
        """All markers of the timeline, by frame."""
        found = []
        for frame, marker in facts(self._timeline.GetMarkers).items():
            at = door.as_number(frame)
            if at is not None and isinstance(marker, dict):
                found.append(_marker(int(at), marker))
        return sorted(found)

    def add_marker(self, marker: Marker) -> None:
        """Add a marker. The answer means nothing: look at the markers."""
        colour = marker.color  # type: Any
        agreed(
            self._timeline.AddMarker, marker.frame, colour, marker.name, marker.note, marker.duration, marker.custom
        )

    def delete_marker(self, custom: str) -> None:
        """Delete the first marker with that hidden data."""
        agreed(self._timeline.DeleteMarkerByCustomData, custom)

    # The media pool

    def bin(self) -> "Optional[Folder]":
        """The current bin."""
        return thing(self._pool.GetCurrentFolder)

    def bin_id(self, folder: "Folder") -> str:
        """The id of a bin."""
        return text(folder.GetUniqueId)

    def go_to_bin(self, folder: "Folder") -> bool:
        """Make a bin current; whether it is."""
        agreed(self._pool.SetCurrentFolder, folder)
        current = self.bin()
        return current is not None and self.bin_id(current) == self.bin_id(folder)

    def find_bin(self, name: str) -> "Optional[Folder]":
        """The bin of that name in the root."""
        root = thing(self._pool.GetRootFolder)
        folders = things(root.GetSubFolderList) if root is not None else []
        return next((folder for folder in folders if text(folder.GetName) == name), None)

    def add_bin(self, name: str) -> None:
        """Add a bin to the root."""
        root = thing(self._pool.GetRootFolder)
        if root is not None:
            door.ask(self._pool.AddSubFolder, root, name)

    def delete_bin(self, folder: "Folder") -> None:
        """Delete a bin with all that is in it."""
        agreed(self._pool.DeleteFolders, [folder])

    def clips_in(self, folder: "Folder") -> "List[MediaPoolItem]":
        """The media in a bin."""
        return things(folder.GetClipList)

    def import_file(self, path: str) -> "Optional[MediaPoolItem]":
        """Import one file into the current bin."""
        answer = door.ask(self._pool.ImportMedia, [path])
        return answer[0] if isinstance(answer, (list, tuple)) and len(answer) == 1 else None

    def delete_media(self, media: "List[MediaPoolItem]") -> None:
        """Delete media, and with them every item that shows them."""
        agreed(self._pool.DeleteClips, media)


def _version(answer: object, told: str) -> Tuple[int, ...]:
    """The first two numbers of the version: from the list that the editor gives, else from the text."""
    if isinstance(answer, dict):
        answer = [answer[key] for key in sorted(answer)]
    parts = answer[:2] if isinstance(answer, (list, tuple)) and answer else told.split(".")[:2]
    numbers = [str(part) for part in parts]
    return tuple(int(part) for part in numbers if part.isdigit())


def _marker(frame: int, marker: Dict[str, Any]) -> Marker:
    return Marker(
        frame=frame,
        color=door.as_text(marker.get("color")),
        name=door.as_text(marker.get("name")),
        note=door.as_text(marker.get("note")),
        duration=int(door.as_number(marker.get("duration")) or 1),
        custom=door.as_text(marker.get("customData")),
    )
