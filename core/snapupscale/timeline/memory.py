"""What earlier sessions did to a timeline: the plan of each, and what the client read back."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any

from snapupscale.timeline.operations import AddMarker, ImportMedia, OwnTrack, Place, Require, Take, flat
from snapupscale.timeline.wire import decode, read_shown, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from snapupscale.timeline.plan import Plan
    from snapupscale.timeline.snapshot import Item, Snapshot

TRACK = "SnapUpscale"
"""The name of the track that stills are placed on; `SnapUpscale 2` and on where it is taken."""
BIN = "SnapUpscale"
"""The bin that stills are imported into."""
HELD_SUFFIX = ".snapupscale.mov"
"""How the name of each movie of a still ends, so that it is known again when all else is forgotten."""
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|[\\/]{2}")
_OWN_TRACK = re.compile(rf"{TRACK}(?: [1-9][0-9]*)?")


def _read_found(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(place, "is no object")
    return value


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was read back after the operation with this id."""

    id: str
    ok: bool
    found: dict[str, Any] = field(metadata={"read": _read_found})
    message: str = field(metadata={"read": read_shown})


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a client posts once it has made the edits of a plan, as far as it came."""

    results: tuple[Result, ...] = field(metadata={"most": 1_000_000})


def read_results(data: object) -> tuple[Result, ...]:
    """The results in `{"results": [...]}`. Raises SettingError as `wire.decode` does."""
    return decode(Results, data).results


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """One earlier session; `results` may be incomplete, when the client was stopped half-way."""

    plan: Plan
    results: tuple[Result, ...] = ()

    @cached_property
    def found(self) -> dict[str, dict[str, Any]]:
        """What was read back, under the ids of the operations; a failed one may have left something too."""
        return {result.id: result.found for result in self.results}

    @cached_property
    def paths(self) -> dict[str, str]:
        """The path of each movie that was to be imported, under its reference."""
        return {operation.ref: operation.path for operation in self._operations(ImportMedia)}

    @cached_property
    def placed(self) -> frozenset[str]:
        """The ids of the items that were read back after they were placed."""
        return frozenset(self._texts(Place, "item"))

    @cached_property
    def takes(self) -> tuple[tuple[str, str], ...]:
        """Each item that a take was added to, with the path of the take."""
        return tuple((take.item, self.paths.get(take.media, "")) for take in self._operations(Take))

    @cached_property
    def markers(self) -> dict[str, tuple[Any, ...]]:
        """The name, note and colour of each marker that was to be added, as it was read back where it was, under its
        hidden data."""
        return {
            marker.custom: tuple(
                self.found.get(marker.id, {}).get(name, getattr(marker, name)) for name in ("name", "note", "color")
            )
            for marker in self._operations(AddMarker)
        }

    @cached_property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """The record frames that the editor's items stood on that it worked on, under their ids; the ends exclusive."""
        return {item.id: (item.start, item.end) for require in self._operations(Require) for item in require.items}

    @cached_property
    def made_tracks(self) -> frozenset[str]:
        """The names of the tracks that were added; those that were there before are not among them."""
        return frozenset(
            track.name for track in self._operations(OwnTrack) if self.found.get(track.id, {}).get("made") is True
        )

    def _operations(self, kind: type[Any]) -> Iterator[Any]:
        return (operation for operation in flat(self.plan.operations) if isinstance(operation, kind))

    def _texts(self, kind: type[Any], name: str) -> Iterator[str]:
        for operation in self._operations(kind):
            value = self.found.get(operation.id, {}).get(name)
            if isinstance(value, str) and value:
                yield value


def is_own_track(name: str) -> bool:
    """Whether a track of that name is one of ours."""
    return _OWN_TRACK.fullmatch(name) is not None


def path_key(path: str) -> str:
    """What is the same for all spellings of a path that an editor may give back: the accents of names may be characters
    of their own, and on Windows the slashes and the case may be others."""
    plain = unicodedata.normalize("NFC", path)
    return plain.replace("/", "\\").casefold() if _WINDOWS.match(plain) else plain


def own_paths(memory: Iterable[Remembered]) -> frozenset[str]:
    """The keys of the paths of all movies that earlier sessions imported; see `path_key`."""
    return frozenset(path_key(path) for session in memory for path in session.paths.values())


def shows_own_media(item: Item, snapshot: Snapshot, paths: frozenset[str]) -> bool:
    """Whether the item shows a movie that was made of a still; `paths` are keys."""
    media = snapshot.media_by_id.get(item.media)
    if media is None:
        return False
    return path_key(media.path) in paths or PureWindowsPath(media.path).name.lower().endswith(HELD_SUFFIX)


def is_own_overlay(item: Item, snapshot: Snapshot, paths: frozenset[str]) -> bool:
    """Whether the item was placed by SnapUpscale: one of its movies on one of its tracks, and no take of a clip that
    the editor put there."""
    on_own_track = is_own_track(snapshot.track_by_index[item.track].name)
    return on_own_track and item.takes == 0 and shows_own_media(item, snapshot, paths)
