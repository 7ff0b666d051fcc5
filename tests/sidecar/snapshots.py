"""What a menu script sends of a timeline, and what it makes of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snapshots import make_item, make_json, make_media

if TYPE_CHECKING:
    from pathlib import Path


def of_clips(*paths: Path | str) -> dict[str, Any]:
    """A timeline of clips that follow each other, each 60 frames of one of the files, named `i1` and on."""
    items = [
        make_item(f"i{number}", 86340 + 60 * number, 86400 + 60 * number, source_start=0, media=f"m{number}")
        for number in range(1, len(paths) + 1)
    ]
    media = [make_media(f"m{number}", path=str(path), frames="60") for number, path in enumerate(paths, start=1)]
    return make_json(*items, media=media)


def applied(plan: dict[str, Any]) -> dict[str, Any]:
    """What a client posts that could make every edit of `plan`."""
    return {"results": [{"id": each["id"], "ok": True, "found": {}, "message": ""} for each in plan["operations"]]}


def markers(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The markers that `plan` adds, as the next snapshot holds them."""
    hidden = {"id", "op"}
    return [
        {name: value for name, value in each.items() if name not in hidden}
        for each in plan["operations"]
        if each["op"] == "add_marker"
    ]
