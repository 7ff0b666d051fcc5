"""What MediaPoolItem.GetClipProperty tells of a clip (facts 1.4), probed from its file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resolve_emulator.settings import rate_number, rate_text
from snapupscale.timecode import Timecode, can_drop

if TYPE_CHECKING:
    from resolve_emulator.application import Application
    from resolve_emulator.state import Asset, Clip

_KINDS = {
    "audio": "Audio",
    "still": "Still",
    "timeline": "Timeline",
    "compound": "Compound",
    "fusion": "Fusion",
    "multicam": "Multicam",
}
SETTABLE = frozenset(
    (
        "Super Scale", "SuperScale Sharpness", "SuperScale Noise Reduction", "Input Color Space", "Data Level",
        "Alpha mode", "PAR", "Field Dominance", "Clip Name", "FPS", "Start TC", "Enable Deinterlacing", "Input LUT",
    )
)  # fmt: skip


def is_online(clip: Clip) -> bool:
    """Whether the media is there: what lives in the project always is, a sequence while its first picture is."""
    if clip.offline:
        return False
    if clip.asset.kind in {"timeline", "compound", "fusion", "multicam"} or not clip.asset.path:
        return True
    return _first_file(clip.asset).exists()


def clip_properties(app: Application, clip: Clip) -> dict[str, Any]:
    """All properties; numbers where the editor gives numbers, texts elsewhere."""
    asset = clip.asset
    rate: Any = rate_number(asset.rate) if app.profile.version >= (19, 0, 0) else rate_text(asset.rate)
    path = Path(asset.path) if asset.path else None
    found: dict[str, Any] = {
        "Alpha mode": asset.alpha,
        "Audio Bit Depth": "16" if asset.has_audio else "",
        "Audio Ch": str(asset.audio_channels) if asset.has_audio else "",
        "Audio Codec": asset.audio_codec,
        "Audio Offset": "",
        "Bit Depth": str(asset.bit_depth) if asset.has_video else "",
        "Clip Color": clip.color,
        "Clip Directory": str(path.parent) if path else "",
        "Clip Name": clip.name,
        "Cloud Sync": "",
        "Data Level": "Auto",
        "Drop frame": "1" if asset.drop else "0",
        "Duration": _label(asset, asset.frames, zero=True),
        "Enable Deinterlacing": "0",
        "End": str(asset.frames - 1),
        "End TC": _label(asset, asset.start + asset.frames),
        "FPS": rate,
        "Field Dominance": asset.field_order if asset.has_video else "",
        "File Name": asset.file_name,
        "File Path": asset.path,
        "Flags": ", ".join(clip.flags),
        "Format": asset.container,
        "Frames": str(asset.frames),
        "IDT": "",
        "In": _mark(asset, clip, 0),
        "Input Color Space": "Project",
        "Input LUT": "",
        "Noise Reduction": "",
        "Online Status": "Online" if is_online(clip) else "Offline",
        "Out": _mark(asset, clip, 1),
        "PAR": asset.pixel_aspect if asset.has_video else "",
        "Proxy": _proxy(asset) if clip.proxy else "None",
        "Proxy Media Path": clip.proxy,
        "Reel Name": "",
        "Resolution": f"{asset.width}x{asset.height}" if asset.width else "",
        "Sample Rate": "48000" if asset.has_audio else "",
        "Sharpness": "",
        "Start": "0",
        "Start TC": _label(asset, asset.start),
        "Super Scale": 1,
        "SuperScale Noise Reduction": "Medium",
        "SuperScale Sharpness": "Medium",
        "Synced Audio": "",
        "Type": kind_of(asset),
        "Usage": str(usage(app, clip)),
        "Video Codec": asset.codec,
    }
    return found | clip.properties


def kind_of(asset: Asset) -> str:
    """The value of 'Type'."""
    if asset.kind == "video":
        return "Video + Audio" if asset.has_audio else "Video"
    return _KINDS[asset.kind]


def usage(app: Application, clip: Clip) -> int:
    """How many items of all timelines show the clip."""
    return sum(item.clip is clip for timeline in app.project.timelines for item in timeline.items())


def _label(asset: Asset, frame: int, *, zero: bool = False) -> str:
    drop = asset.drop and can_drop(asset.rate) and not zero
    return str(Timecode(frame=frame, rate=asset.rate, drop=drop))


def _mark(asset: Asset, clip: Clip, side: int) -> str:
    kind = "video" if asset.has_video else "audio"
    return _label(asset, asset.start + clip.marks[kind][side]) if kind in clip.marks else ""


def _proxy(asset: Asset) -> str:
    return f"{asset.width}x{asset.height}"


def _first_file(asset: Asset) -> Path:
    path = Path(asset.path)
    if "[" not in path.name:
        return path
    prefix, rest = path.name.split("[", 1)
    numbers, suffix = rest.split("]", 1)
    return path.with_name(prefix + numbers.split("-")[0] + suffix)
