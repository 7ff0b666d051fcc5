"""One run over a plan: what its operations share, what they made, and how that is taken back."""

import unicodedata
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from snapupscale.protocol import Object
from snapupscale_resolve import items as api

if TYPE_CHECKING:
    from fusionscript import Folder, MediaPoolItem, TimelineItem

    from snapupscale_resolve.editor import Editor

BUSY = "DaVinci Resolve does not answer: close its open dialogs and messages"


class Failed(Exception):
    """An operation whose result does not read back right. `found` is what is there instead."""

    def __init__(self, message: str, found: Optional[Object] = None) -> None:
        super(Failed, self).__init__(message)
        self.found = found or {}


class Spoiled(Failed):
    """A failure after which nothing more must be done."""


class Made(NamedTuple):
    """Something that the run makes: `what` it is, for the user, and `take_back`, which removes what is there of it and
    says whether it is gone."""

    operation: str
    what: str
    take_back: Callable[[], bool]


class Standing(NamedTuple):
    """An item of the timeline and its video track."""

    item: "TimelineItem"
    track: int


class Run(object):
    """The state of a run. References of the plan lead to the editor's objects."""

    def __init__(self, editor: "Editor") -> None:
        self.editor = editor
        self.media: "Dict[str, Tuple[MediaPoolItem, str]]" = {}
        """The imported movies with their paths, by reference."""
        self.tracks: "Dict[str, int]" = {}
        self.placed: "Dict[str, TimelineItem]" = {}
        self.made: "List[Made]" = []
        self.bin: "Optional[Folder]" = None
        self.in_bin: "Optional[List[Tuple[MediaPoolItem, Dict[str, str]]]]" = None
        """What is in the bin, with what the editor tells of it."""
        self.on_tracks: Dict[int, Dict[str, Object]] = {}
        """By track, the items that were placed, by their ids with the operations."""
        self.inclusive = 0
        """How many frames too long the editor places a clip: 1 where it counts the end in."""
        self.properties: "Dict[str, Dict[str, Any]]" = {}
        """Those of items of the user, by id; they don't change meanwhile."""
        self._standing: "Optional[Dict[str, Standing]]" = None

    def standing(self, item_id: str) -> Optional[Standing]:
        """The item with that id, when it is on the timeline; all are looked up once."""
        if self._standing is None:
            self._standing = {}
            for track in range(1, self.editor.track_count() + 1):
                for item in self.editor.on_track(track):
                    self._standing[api.id_of(item)] = Standing(item, track)
        return self._standing.get(item_id) if item_id else None

    def item(self, item_id: str) -> Standing:
        """The item with that id. Raises Failed."""
        found = self.standing(item_id)
        if found is None:
            raise Failed("the clip is no longer on the timeline")
        return found

    def forget(self, item_ids: List[str]) -> None:
        """These items are gone."""
        for item_id in item_ids:
            if self._standing is not None:
                self._standing.pop(item_id, None)

    def unlocked(self, track: int) -> None:
        """Raise Failed when the track is locked."""
        if self.editor.is_locked(track):
            name = self.editor.track_name(track)
            raise Failed("video track %d (%s) is locked: unlock it and run again" % (track, name))

    def remember(self, operation: Object, what: str, take_back: Callable[[], bool]) -> None:
        """That the operation is about to make something; before, since the script may be ended in between."""
        self.made.append(Made(operation["id"], what, take_back))

    def take_back(self, but: str = "") -> List[Made]:
        """Take back what was made, the last first, `but` for what one operation made; what else stays."""
        going = [made for made in reversed(self.made) if made.operation != but]
        left = [made for made in going if not (self._is_taken_back(made) or self._is_taken_back(made))]
        self.made = left[::-1]
        return self.made

    def _is_taken_back(self, made: Made) -> bool:
        # While a dialog is open, everything seems to be gone.
        return made.take_back() and self.editor.answers()


def ids_on(editor: "Editor", track: int) -> Dict[str, "TimelineItem"]:
    """The items of a track by their ids."""
    return {api.id_of(item): item for item in editor.on_track(track)}


def delete(editor: "Editor", item: "TimelineItem", item_id: str, track: int) -> bool:
    """Delete one item; whether it is gone. The first attempt is known to fail at times."""
    for _ in range(2):
        if item_id not in ids_on(editor, track):
            return True
        editor.delete_items([item])
    return item_id not in ids_on(editor, track)


def same_path(one: str, other: str) -> bool:
    """Whether two texts name one file: editors turn slashes, and systems decompose letters."""
    return _plain(one) == _plain(other)


def _plain(path: str) -> str:
    return unicodedata.normalize("NFC", path).replace("\\", "/").rstrip("/")
