"""Import into the media pool: always into the current bin."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from resolve_emulator import assets
from resolve_emulator.face import text, whole
from resolve_emulator.settings import own_rate
from resolve_emulator.state import Asset, Clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resolve_emulator.application import Application

_PATTERN = re.compile(r"%0?(\d*)d")


def import_media(app: Application, entries: list[Any]) -> list[Clip]:
    """The new clips; nothing for what can't be read. An entry is a path, or FilePath with StartIndex and EndIndex."""
    rate = own_rate(app.project.settings)
    found: list[Asset] = []
    for entry in entries:
        for asset in _described(app, entry, rate) if isinstance(entry, dict) else _at(text(entry), rate):
            if asset.path not in {other.path for other in found}:
                found.append(asset)
    return [add_clip(app, asset) for asset in found]


def add_clip(app: Application, asset: Asset, name: str = "") -> Clip:
    """A new entry of the media pool in the current bin."""
    clip = Clip(id=app.new_id(), media_id=app.new_id(), name=name or asset.file_name, asset=asset)
    app.project.folder.clips.append(clip)
    return clip


def _at(path: str, rate: Any) -> Iterator[Asset]:
    yield from assets.find_assets(assets.absolute(path), still_rate=rate)


def _described(app: Application, entry: dict[str, Any], rate: Any) -> Iterator[Asset]:
    """A sequence by its pattern; before 21.1 the form imports nothing else."""
    pattern = text(entry["FilePath"])
    match = _PATTERN.search(pattern)
    if not match:
        yield from _at(pattern, rate) if app.profile.version >= (21, 1, 0) else ()
        return
    first, last = whole(entry["StartIndex"]), whole(entry["EndIndex"])
    numbers = list(range(first, last + 1))
    path = assets.absolute(pattern[: match.start()] + str(first).zfill(int(match[1] or 1)) + pattern[match.end() :])
    if path.is_file():
        yield from assets.find_sequence(path, numbers, rate)


def relink(clip: Clip, path: Any) -> None:
    """Point a clip to its file at another place."""
    clip.asset = replace(clip.asset, path=str(path))
    clip.offline = False
