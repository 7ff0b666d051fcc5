"""Clips, the images that are fetched from them, and the frame that is rendered."""

from __future__ import annotations

import dataclasses
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ofx_host import abi
from ofx_host.properties import PropertySet, many, single

if TYPE_CHECKING:
    from ofx_host.images import Picture
    from ofx_host.ledger import Ledger
    from ofx_host.profiles import Profile

OF_DESCRIPTORS: dict[str, Any] = {
    "OfxImageEffectPropSupportedComponents": many("string"),
    "OfxImageEffectPropTemporalClipAccess": 0,
    "OfxImageClipPropOptional": 0,
    "OfxImageClipPropIsMask": 0,
    "OfxImageClipPropFieldExtraction": "OfxImageFieldDoubled",
    "OfxImageEffectPropSupportsTiles": 1,
}


class Clip:
    """A clip of a descriptor or an instance."""

    def __init__(self, ledger: Ledger, name: str, profile: Profile, *, described: Clip | None = None) -> None:
        """described: the clip of the descriptor, for one of an instance."""
        self.name = name
        self.profile = profile
        values: dict[str, Any] = {"OfxPropType": "OfxTypeClip", "OfxPropName": name}
        values |= {f"OfxProp{key}": name for key in ("Label", "ShortLabel", "LongLabel")}
        values |= {key: single(value) for key, value in OF_DESCRIPTORS.items()}
        writable: set[str] = values.keys() - {"OfxPropType", "OfxPropName"}
        if described:
            values |= {name: each.copy() for name, each in described.properties.properties.items()}
            values |= _of_instance(profile)
            writable = set()
        values = {key: value for key, value in values.items() if key not in profile.absent}
        self.properties: PropertySet = PropertySet(ledger, f"clip {name}", values, writable=writable)
        self.handle = ledger.issue(self)

    def __str__(self) -> str:
        return f"clip {self.name}"

    def show(self, picture: Picture, premultiplication: str, *, thumbnail: bool) -> None:
        """Say of which format the frames are."""
        news = {
            "OfxImageEffectPropPixelDepth": f"OfxBitDepth{picture.depth}",
            "OfxImageEffectPropComponents": f"OfxImageComponent{picture.components}",
            "OfxImageClipPropUnmappedPixelDepth": f"OfxBitDepth{picture.depth}",
            "OfxImageClipPropUnmappedComponents": f"OfxImageComponent{picture.components}",
            "OfxImageEffectPropPreMultiplication": premultiplication,
            "kOfxImageClipPropThumbnail": int(thumbnail),
        }
        for name, value in news.items():
            if name in self.properties.properties:
                self.properties.properties[name].values = [value]


def _of_instance(profile: Profile) -> dict[str, Any]:
    thumbnail = {"kOfxImageClipPropThumbnail": 0} if profile.clip_thumbnail else {}
    return thumbnail | {
        "OfxImageClipPropConnected": 1,
        "OfxImageEffectPropPixelDepth": "OfxBitDepthFloat",
        "OfxImageEffectPropComponents": "OfxImageComponentRGBA",
        "OfxImageClipPropUnmappedPixelDepth": "OfxBitDepthFloat",
        "OfxImageClipPropUnmappedComponents": "OfxImageComponentRGBA",
        "OfxImageEffectPropPreMultiplication": "OfxImageAlphaPremultiplied",
        "OfxImagePropPixelAspectRatio": 1.0,
        "OfxImageEffectPropFrameRate": 24.0,
        "OfxImageEffectPropFrameRange": (0.0, 100.0),
        "OfxImageEffectPropUnmappedFrameRate": 24.0,
        "OfxImageEffectPropUnmappedFrameRange": (0.0, 100.0),
        "OfxImageClipPropFieldOrder": "OfxFieldNone",
        "OfxImageClipPropContinuousSamples": 0,
    }


class Image(PropertySet):
    """An image that the effect holds."""

    def __init__(self, ledger: Ledger, name: str, frame: Frame, values: dict[str, Any]) -> None:
        super().__init__(ledger, f"image of {name}", values)
        self.frame = frame


@dataclass
class Frame:
    """One render: what the effect gets to read and write, and whether it is still wanted."""

    ledger: Ledger
    profile: Profile
    source: Picture
    target: Picture
    time: float = 0.0
    premultiplication: str = "OfxImageAlphaPremultiplied"
    scale: tuple[float, float] = (1.0, 1.0)
    abort_at: float | None = None
    """Of the monotonic clock."""
    field: str = "OfxFieldNone"
    """Which lines the images hold."""
    source_fails: str = ""
    """How there is no source: 'status', 'handle' or 'data'."""
    unsaid: tuple[str, ...] = ()
    """Properties that the images leave to their clips."""
    held: list[Image] = dataclasses.field(default_factory=list)
    polls: list[float] = dataclasses.field(default_factory=list)
    """When the effect asked whether to go on."""
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def fetch(self, name: str) -> tuple[int | None, int]:
        """The handle of an image and the status, of clip `name`."""
        if name not in {"Source", "Output"}:
            return None, abi.FAILED
        fails = self.source_fails if name == "Source" else ""
        if fails in {"status", "handle"}:
            return None, abi.FAILED if fails == "status" else abi.OK
        picture = self.source if name == "Source" else self.target
        image = Image(self.ledger, name, self, self._values(name, picture))
        image.properties["OfxImagePropData"].values = [None if fails == "data" else picture.address]
        with self.lock:
            self.held.append(image)
        return image.handle, abi.OK

    def release(self, image: Image) -> None:
        with self.lock:
            self.held.remove(image)
        self.ledger.drop(image.handle)

    def is_aborted(self) -> bool:
        now = time.monotonic()
        self.polls.append(now)
        return self.abort_at is not None and now >= self.abort_at

    def _values(self, name: str, picture: Picture) -> dict[str, Any]:
        values: dict[str, Any] = {
            "OfxPropType": "OfxTypeImage",
            "OfxImagePropData": None,
            "OfxImagePropBounds": picture.bounds,
            "OfxImagePropRegionOfDefinition": picture.bounds,
            "OfxImagePropRowBytes": picture.row_bytes,
            "OfxImageEffectPropPixelDepth": f"OfxBitDepth{picture.depth}",
            "OfxImageEffectPropComponents": f"OfxImageComponent{picture.components}",
            "OfxImageEffectPropPreMultiplication": self.premultiplication,
            "OfxImagePropPixelAspectRatio": 1.0,
        }
        if not self.profile.bare_images:
            values["OfxImageEffectPropRenderScale"] = self.scale
            values["OfxImagePropField"] = self.field
            values["OfxImagePropUniqueIdentifier"] = f"{name} {self.time}"
        absent = {*self.profile.absent, *self.unsaid}
        return {key: value for key, value in values.items() if key not in absent}
