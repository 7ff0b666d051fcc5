"""Which items of a timeline an action works on, and why the others are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snapupscale.timeline.mapping import FrameMap, map_item
from snapupscale.timeline.memory import is_own_overlay, own_paths, shows_own_media
from snapupscale.timeline.plan import Skipped
from snapupscale.timeline.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from snapupscale.timeline.memory import Remembered
    from snapupscale.timeline.snapshot import Item, Media, Snapshot

NO_FILE = "It has no source file: a title, a generator or a transition."
TAKE = "It shows a still of SnapUpscale as a take; choose its first take, or undo, to make it anew."


@dataclass(frozen=True, kw_only=True)
class Target:
    """An item to work on, its media, and which source frames it shows where."""

    item: Item
    media: Media
    frames: FrameMap


@dataclass(frozen=True, kw_only=True)
class Scoped:
    """The items in scope, overlays of our own left out; those of them to work on, and the others with the reasons."""

    items: tuple[Item, ...]
    targets: tuple[Target, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A source to analyse; `ranges` are the source frames that are used, ascending and apart, each end exclusive."""

    media: str
    path: str
    ranges: tuple[tuple[int, int], ...]


def scoped(snapshot: Snapshot, memory: Iterable[Remembered] = ()) -> Scoped:
    """The items that the editor's scope means, each either a target or skipped with a reason."""
    paths = own_paths(memory)
    items = _items(snapshot, paths)
    targets, skips = [], []
    for item in items:
        target = _target(item, snapshot, paths)
        if isinstance(target, Target):
            targets.append(target)
        else:
            skips.append(skipped(snapshot, item, target))
    return Scoped(items=items, targets=tuple(targets), skipped=tuple(skips))


def skipped(snapshot: Snapshot, item: Item, reason: str, record: int | None = None) -> Skipped:
    """That `item`, or its part at `record`, is left out."""
    at = snapshot.timeline.timecode(item.start if record is None else record)
    return Skipped(item=printable(item.name), track=item.track, at=at, reason=reason)


def wanted(snapshot: Snapshot, action: str, memory: Iterable[Remembered] = ()) -> tuple[Wanted, ...]:
    """The sources that must be analysed before `action` can be planned."""
    if action not in {"mark", "stills"}:
        return ()
    ranges: dict[str, list[tuple[int, int]]] = {}
    for target in scoped(snapshot, memory).targets:
        ranges.setdefault(target.media.id, []).append(target.frames.used)
    return tuple(
        Wanted(media=media, path=snapshot.media_by_id[media].path, ranges=_merged(used))
        for media, used in ranges.items()
    )


def _merged(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _items(snapshot: Snapshot, paths: frozenset[str]) -> tuple[Item, ...]:
    """The items in scope; an overlay of our own stands for what lies under it, since the editor sees it there."""
    chosen: dict[int, Item] = {}
    for number, item in enumerate(snapshot.items):
        if not item.in_scope:
            continue
        if is_own_overlay(item, snapshot, paths):
            chosen |= _under(item, snapshot, paths)
        else:
            chosen[number] = item
    return tuple(chosen[number] for number in sorted(chosen))


def _under(overlay: Item, snapshot: Snapshot, paths: frozenset[str]) -> dict[int, Item]:
    if snapshot.scope == "timeline":
        return {}  # what lies under it is in scope itself
    below = {
        number: item
        for number, item in enumerate(snapshot.items)
        if item.overlaps(overlay.start, overlay.end)
        and item.track < overlay.track
        and item.enabled
        and snapshot.track_by_index[item.track].enabled
        and not is_own_overlay(item, snapshot, paths)
    }
    top = max((item.track for item in below.values()), default=0)
    return {number: item for number, item in below.items() if item.track == top}


def _target(item: Item, snapshot: Snapshot, paths: frozenset[str]) -> Target | str:
    for applies, reason in _ITEM_REASONS:
        if applies(item):
            return reason
    if not snapshot.track_by_index[item.track].enabled:
        return "Its track is disabled."
    media = snapshot.media_by_id.get(item.media)
    if media is None:
        return NO_FILE
    if shows_own_media(item, snapshot, paths):
        return TAKE
    for unfit, reason in _MEDIA_REASONS:
        if unfit(media):
            return reason
    frames = map_item(item, media, snapshot.timeline.rate)
    return frames if isinstance(frames, str) else Target(item=item, media=media, frames=frames)


def _kind(*words: str) -> Callable[[Media], bool]:
    return lambda media: any(word in media.type.lower() for word in words)


_ITEM_REASONS: tuple[tuple[Callable[[Item], bool], str], ...] = (
    (lambda item: item.type == "transition", "It is a transition."),
    (lambda item: item.type == "generator", "It is a title or a generator: it has no source file."),
    (lambda item: item.type == "audio", "It is sound alone."),
    (lambda item: not item.id, "DaVinci Resolve gives it no id, so that it could not be found again."),
    (lambda item: not item.enabled, "It is disabled."),
    (lambda item: item.length < 1, "It has no length."),
    (lambda item: item.fusion_comps > 0, "It has a Fusion composition: its picture is not that of its source."),
)

# The editor's language may turn these words into others; what they say then shows in the path or the rate.
_MEDIA_REASONS: tuple[tuple[Callable[[Media], bool], str], ...] = (
    (_kind("compound"), "It is a compound clip; open it in its own timeline and run SnapUpscale there."),
    (_kind("multicam"), "It is a multicam clip; flatten it first (right-click, Flatten Multicam Clip)."),
    (_kind("timeline"), "It is a nested timeline; open it and run SnapUpscale there."),
    (_kind("fusion"), "It is a Fusion clip: its picture is not that of a source file."),
    (_kind("generator", "title"), "It is a title or a generator: it has no source file."),
    (lambda media: media.type.lower() == "audio", "It is sound alone."),
    (_kind("still"), "Its source is a still picture: there is nothing to cut."),
    (lambda media: not media.online, "Its source is offline; relink it in the media pool."),
    (lambda media: not media.path, "It has no source file."),
    (lambda media: media.rate is None, "Its source has no frame rate: it holds no video."),
    (lambda media: media.frames == 0, "Its source holds no frame."),
)
