"""The hosts that are played: what they offer, and where they differ from the specification."""

from __future__ import annotations

from dataclasses import dataclass

from ofx_host.abi import REQUIRED

_OPTIONAL = (
    ("OfxMultiThreadSuite", 1), ("OfxMessageSuite", 1), ("OfxMessageSuite", 2), ("OfxProgressSuite", 1),
    ("OfxMemorySuite", 1), ("OfxTimeLineSuite", 1),
)  # fmt: skip
_LATER = (
    "OfxPropAPIVersion", "OfxPropVersion", "OfxPropVersionLabel", "OfxPropPluginDescription", "OfxPluginPropFilePath",
    "OfxImageEffectPropNoSpatialAwareness", "OfxImageEffectPropSequentialRenderStatus",
    "OfxImageEffectPropInteractiveRenderStatus", "OfxImageEffectPropRenderQualityDraft",
    "OfxImageEffectPropThumbnailRender", "OfxImageEffectHostPropIsBackground", "OfxParamPropShowTimeMarker",
)  # fmt: skip
_BARE_IMAGES = ("OfxImageEffectPropRenderScale", "OfxImagePropField", "OfxImagePropUniqueIdentifier")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A host."""

    name: str
    """What it calls itself."""
    contexts: tuple[str, ...] = ("Filter", "General")
    depths: tuple[str, ...] = ("Byte", "Short", "Float")
    components: tuple[str, ...] = ("RGBA", "Alpha")
    suites: tuple[tuple[str, int], ...] = REQUIRED + _OPTIONAL
    tiles: bool = False
    multi_resolution: bool = False
    absent: frozenset[str] = frozenset()
    """Properties that no set of this host has."""
    bare_images: bool = False
    """Images have no more than data, bounds and format."""
    final: bool = False
    """It renders for good: not interactive, in the background."""
    strings_expire: bool = False
    """A string that the effect got is gone at its next call."""
    sets_in_render: bool = True
    """paramSetValue is possible in render."""
    same_names: bool = True
    """Two parameters may have one name."""
    hollow_messages: bool = False
    """Version 2 of the message suite is there, but its functions are not."""
    asks_region: bool = True
    """getRegionOfDefinition and getRegionsOfInterest are called."""
    clip_thumbnail: bool = False
    """Clips say whether their frames are thumbnails."""


RESOLVE = Profile(
    name="DaVinciResolve",
    bare_images=True,
    strings_expire=True,
    hollow_messages=True,
    asks_region=False,
    clip_thumbnail=True,
)
NUKE = Profile(
    name="uk.co.thefoundry.nuke",
    depths=("Byte", "Short", "Half", "Float"),
    components=("RGBA", "RGB", "Alpha"),
    tiles=True,
    multi_resolution=True,
    sets_in_render=False,
    same_names=False,
)
MINIMAL = Profile(
    name="minimal",
    contexts=("Filter",),
    suites=REQUIRED,
    absent=frozenset(_LATER),
    bare_images=True,
    strings_expire=True,
    sets_in_render=False,
    same_names=False,
)
BACKGROUND = Profile(
    name="net.sf.background",
    depths=("Byte", "Short", "Half", "Float"),
    components=("RGBA", "RGB", "Alpha"),
    final=True,
    strings_expire=True,
    sets_in_render=False,
    same_names=False,
)
PROFILES = {"resolve": RESOLVE, "nuke": NUKE, "minimal": MINIMAL, "background": BACKGROUND}
