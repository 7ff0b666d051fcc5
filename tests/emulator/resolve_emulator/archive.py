"""Projects as JSON: what the database keeps, and what two runs are compared by."""

from __future__ import annotations

import re
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from resolve_emulator.state import Album, Asset, Bin, Clip, Group, Item, Project, Still, Take, Timeline, Track

_ID = re.compile(r"[0-9a-f]{8}-0000-4000-8000-[0-9a-f]{12}")


def encoded(project: Project) -> dict[str, Any]:
    """A project in JSON types; clips are referred to by their ids."""
    return {
        "id": project.id,
        "name": project.name,
        "pool_id": project.pool_id,
        "settings": dict(project.settings),
        "root": _bin(project.root),
        "folder": project.folder.id,
        "timelines": [_timeline(timeline) for timeline in project.timelines],
        "timeline": project.timeline.id if project.timeline else None,
        "albums": [_album(album) for album in project.albums],
        "power_albums": [_album(album) for album in project.power_albums],
        "groups": [group.name for group in project.groups],
        "render_jobs": [dict(job) for job in project.render_jobs],
    }


def decoded(saved: dict[str, Any]) -> Project:
    """The project that `encoded` was given."""
    clips: dict[str, Clip] = {}
    root = _read_bin(saved["root"], clips)
    albums = [_read_album(album) for album in saved["albums"]]
    project = Project(
        id=saved["id"],
        name=saved["name"],
        root=root,
        folder=root,
        settings=dict(saved["settings"]),
        pool_id=saved["pool_id"],
        timelines=[_read_timeline(timeline, clips) for timeline in saved["timelines"]],
        albums=albums,
        album=albums[0] if albums else None,
        power_albums=[_read_album(album) for album in saved["power_albums"]],
        groups=[Group(name=name) for name in saved["groups"]],
        render_jobs=[dict(job) for job in saved["render_jobs"]],
        saved=True,
    )
    project.folder = next(folder for folder in project.bins() if folder.id == saved["folder"])
    project.timeline = next((each for each in project.timelines if each.id == saved["timeline"]), None)
    return project


def encoded_timeline(timeline: Timeline, clips: list[Clip]) -> dict[str, Any]:
    """One timeline with the clips that it shows."""
    return {"timeline": _timeline(timeline), "clips": [_clip(clip) for clip in clips]}


def decoded_clips(saved: dict[str, Any]) -> list[Clip]:
    """The clips that `encoded_timeline` was given."""
    return [_read_clip(clip) for clip in saved["clips"]]


def decoded_timeline(saved: dict[str, Any], clips: dict[str, Clip]) -> Timeline:
    """The timeline that `encoded_timeline` was given, on these clips by their old ids."""
    return _read_timeline(saved["timeline"], clips)


def numbered(value: Any) -> Any:
    """The same with every id as its number in the order of appearance, so that ids given away in vain don't count."""
    seen: dict[str, str] = {}

    def walk(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: walk(each) for key, each in part.items()}
        if isinstance(part, list):
            return [walk(each) for each in part]
        if isinstance(part, str) and _ID.fullmatch(part):
            return seen.setdefault(part, f"#{len(seen) + 1}")
        return part

    return walk(value)


def _bin(folder: Bin) -> dict[str, Any]:
    return {
        "id": folder.id,
        "name": folder.name,
        "clips": [_clip(clip) for clip in folder.clips],
        "folders": [_bin(child) for child in folder.folders],
    }


def _read_bin(saved: dict[str, Any], clips: dict[str, Clip]) -> Bin:
    found = Bin(id=saved["id"], name=saved["name"])
    for each in saved["clips"]:
        clip = _read_clip(each)
        clips[clip.id] = clip
        found.clips.append(clip)
    found.folders = [_read_bin(child, clips) for child in saved["folders"]]
    return found


def _marked(owner: Any) -> dict[str, Any]:
    return {
        "markers": [{"frame": frame, **marker} for frame, marker in sorted(owner.markers.items())],
        "marks": {kind: list(span) for kind, span in sorted(owner.marks.items())},
    }


def _read_marks(owner: Any, saved: dict[str, Any]) -> None:
    for marker in saved["markers"]:
        owner.markers[marker["frame"]] = {key: value for key, value in marker.items() if key != "frame"}
    owner.marks.update({kind: (span[0], span[1]) for kind, span in saved["marks"].items()})


def _clip(clip: Clip) -> dict[str, Any]:
    return {
        "id": clip.id,
        "media_id": clip.media_id,
        "name": clip.name,
        "asset": asdict(clip.asset) | {"rate": str(clip.asset.rate)},
        "color": clip.color,
        "flags": list(clip.flags),
        "metadata": dict(clip.metadata),
        "third_party": dict(clip.third_party),
        "properties": dict(clip.properties),
        "proxy": clip.proxy,
        "offline": clip.offline,
        **_marked(clip),
    }


def _read_clip(saved: dict[str, Any]) -> Clip:
    plain = ("id", "media_id", "name", "color", "flags", "metadata", "third_party", "properties", "proxy", "offline")
    asset = Asset(**(saved["asset"] | {"rate": Fraction(saved["asset"]["rate"])}))
    clip = Clip(asset=asset, **{key: saved[key] for key in plain})
    _read_marks(clip, saved)
    return clip


def _timeline(timeline: Timeline) -> dict[str, Any]:
    return {
        "id": timeline.id,
        "name": timeline.name,
        "rate": str(timeline.rate),
        "drop": timeline.drop,
        "start": timeline.start,
        "playhead": timeline.playhead,
        "clip": timeline.clip.id if timeline.clip else None,
        "settings": dict(timeline.settings),
        "selection": list(timeline.selection),
        "scene_cuts": None if timeline.scene_cuts is None else list(timeline.scene_cuts),
        "tracks": {kind: [_track(track) for track in tracks] for kind, tracks in timeline.tracks.items()},
        **_marked(timeline),
    }


def _read_timeline(saved: dict[str, Any], clips: dict[str, Clip]) -> Timeline:
    plain = ("id", "name", "drop", "start", "playhead", "settings", "selection")
    fields = {key: saved[key] for key in plain}
    timeline = Timeline(rate=Fraction(saved["rate"]), clip=clips.get(saved["clip"]), **fields)
    timeline.scene_cuts = None if saved["scene_cuts"] is None else tuple(saved["scene_cuts"])
    for kind, tracks in saved["tracks"].items():
        timeline.tracks[kind] = [_read_track(track, clips) for track in tracks]
    if timeline.clip:
        timeline.clip.timeline = timeline
    _read_marks(timeline, saved)
    return timeline


def _track(track: Track) -> dict[str, Any]:
    return {
        "name": track.name,
        "sub_type": track.sub_type,
        "enabled": track.enabled,
        "locked": track.locked,
        "items": [_item(item) for item in track.items],
    }


def _read_track(saved: dict[str, Any], clips: dict[str, Clip]) -> Track:
    items = [_read_item(item, clips) for item in saved["items"]]
    return Track(**{key: value for key, value in saved.items() if key != "items"}, items=items)


_PLAIN = (
    "id", "kind", "name", "span_known", "enabled", "linked", "take", "comps", "active_comp", "grade", "versions",
    "version", "group", "color", "flags",
)  # fmt: skip
_EXACT = ("start", "duration", "source_in", "speed")


def _item(item: Item) -> dict[str, Any]:
    return {
        **{key: getattr(item, key) for key in _PLAIN},
        **{key: str(getattr(item, key)) for key in _EXACT},
        "clip": item.clip.id if item.clip else None,
        "properties": dict(item.properties),
        "fades": list(item.fades),
        "takes": [{"clip": take.clip.id, "start": str(take.start), "end": str(take.end)} for take in item.takes],
        **_marked(item),
    }


def _read_item(saved: dict[str, Any], clips: dict[str, Clip]) -> Item:
    item = Item(
        clip=clips.get(saved["clip"]),
        properties=dict(saved["properties"]),
        fades=(saved["fades"][0], saved["fades"][1]),
        takes=[
            Take(clip=clips[take["clip"]], start=Fraction(take["start"]), end=Fraction(take["end"]))
            for take in saved["takes"]
        ],
        start=Fraction(saved["start"]),
        duration=Fraction(saved["duration"]),
        source_in=Fraction(saved["source_in"]),
        speed=Fraction(saved["speed"]),
        **{key: saved[key] for key in _PLAIN},
    )
    _read_marks(item, saved)
    return item


def _album(album: Album) -> dict[str, Any]:
    return {
        "id": album.id,
        "name": album.name,
        "stills": [{"id": still.id, "label": still.label} for still in album.stills],
    }


def _read_album(saved: dict[str, Any]) -> Album:
    stills = [Still(id=still["id"], label=still["label"]) for still in saved["stills"]]
    return Album(id=saved["id"], name=saved["name"], stills=stills)
