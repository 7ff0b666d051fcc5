"""Descriptors and instances of an effect, as the host keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ofx_host import abi
from ofx_host.clips import Clip
from ofx_host.ledger import Refusal
from ofx_host.parameters import ParameterSet
from ofx_host.properties import PropertySet, many

if TYPE_CHECKING:
    from pathlib import Path

    from ofx_host.host import Host

_LABELS = {"OfxPropLabel": "", "OfxPropShortLabel": "", "OfxPropLongLabel": ""}
_FIXED = {"OfxPropType", "OfxPluginPropFilePath", "OfxImageEffectPropContext"}


def _of_descriptor(bundle: Path) -> dict[str, Any]:
    return _LABELS | {
        "OfxPropType": "OfxTypeImageEffect",
        "OfxPropName": "",
        "OfxPropVersion": many("int", 0),
        "OfxPropVersionLabel": "",
        "OfxPropPluginDescription": "",
        "OfxPluginPropFilePath": str(bundle),
        "OfxImageEffectPluginPropGrouping": "",
        "OfxImageEffectPropSupportedContexts": many("string"),
        "OfxImageEffectPropSupportedPixelDepths": many("string"),
        "OfxImageEffectPluginPropSingleInstance": 0,
        "OfxImageEffectPluginRenderThreadSafety": "OfxImageEffectRenderInstanceSafe",
        "OfxImageEffectPluginPropHostFrameThreading": 1,
        "OfxImageEffectPluginPropOverlayInteractV1": None,
        "OfxImageEffectPropSupportsMultiResolution": 1,
        "OfxImageEffectPropSupportsTiles": 1,
        "OfxImageEffectPropTemporalClipAccess": 0,
        "OfxImageEffectPluginPropFieldRenderTwiceAlways": 1,
        "OfxImageEffectPropMultipleClipDepths": 0,
        "OfxImageEffectPropSupportsMultipleClipPARs": 0,
        "OfxImageEffectPropClipPreferencesSlaveParam": many("string"),
        "OfxImageEffectPropNoSpatialAwareness": "false",
    }


def _of_instance(size: tuple[int, int], *, final: bool) -> dict[str, Any]:
    box = (float(size[0]), float(size[1]))
    return {
        "OfxPropType": "OfxTypeImageEffectInstance",
        "OfxPropLabel": "",
        "OfxPropInstanceData": None,
        "OfxImageEffectPropContext": "",
        "OfxImageEffectPropPluginHandle": None,
        "OfxImageEffectPropProjectSize": box,
        "OfxImageEffectPropProjectOffset": (0.0, 0.0),
        "OfxImageEffectPropProjectExtent": box,
        "OfxImageEffectPropPixelAspectRatio": 1.0,
        "OfxImageEffectInstancePropEffectDuration": 100.0,
        "OfxImageEffectInstancePropSequentialRender": 0,
        "OfxImageEffectPropSupportsTiles": 0,
        "OfxImageEffectPropFrameRate": 24.0,
        "OfxPropIsInteractive": 0 if final else 1,
    }


class Effect:
    """A descriptor, of the effect or of one context; an instance is a kind of it."""

    def __init__(self, host: Host, name: str, bundle: Path) -> None:
        values = {key: value for key, value in _of_descriptor(bundle).items() if key not in host.profile.absent}
        self.host, self.name = host, name
        self.properties = PropertySet(host.ledger, name, values, writable=values.keys() - _FIXED)
        self.parameters = ParameterSet(host.ledger, name)
        self.clips: dict[str, Clip] = {}
        self.handle = host.ledger.issue(self)

    def __str__(self) -> str:
        return self.name

    def define_clip(self, name: str) -> Clip:
        if self.host.ledger.action != "OfxImageEffectActionDescribeInContext":
            raise Refusal(abi.FAILED, f"clip {name} is defined outside of describeInContext")
        if name in self.clips:
            raise Refusal(abi.EXISTS, f"clip {name} is defined twice")
        self.clips[name] = Clip(self.host.ledger, name, self.host.profile)
        return self.clips[name]

    def become(self, described: Effect, context: str) -> None:
        """Turn into an instance of `described`, before the effect knows of it."""
        host = self.host
        values = {
            key: value
            for key, value in _of_instance(host.size, final=host.profile.final).items()
            if key not in host.profile.absent
        }
        host.ledger.drop(self.properties.handle)
        self.properties = PropertySet(host.ledger, self.name, values, writable={"OfxPropInstanceData"})
        self.properties.properties["OfxImageEffectPropContext"].values = [context]
        for name, parameter in described.parameters.parameters.items():
            self.parameters.parameters[name] = parameter.copy(host.ledger, host.profile.absent)
        for name, clip in described.clips.items():
            self.clips[name] = Clip(host.ledger, name, host.profile, described=clip)

    def drop(self) -> None:
        """All handles of it end."""
        drop = self.host.ledger.drop
        for clip in self.clips.values():
            drop(clip.handle)
            drop(clip.properties.handle)
        for parameter in self.parameters.parameters.values():
            drop(parameter.handle)
            drop(parameter.properties.handle)
        for handle in (self.parameters.handle, self.parameters.properties.handle, self.properties.handle, self.handle):
            drop(handle)
