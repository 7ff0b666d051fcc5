"""An instance of the effect, and what a host does with it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ofx_host import abi
from ofx_host.clips import Frame
from ofx_host.effects import Effect
from ofx_host.images import Picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ofx_host.host import Host
    from ofx_host.images import Pixels

_RENDERED = {abi.OK, abi.REPLY_DEFAULT, abi.FAILED, abi.MEMORY, abi.IMAGE_FORMAT, abi.GPU_RENDER_FAILED}


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a render came to."""

    status: int
    pixels: Pixels
    """The whole target: height x width x channels, row 0 the lowest."""
    identity: bool
    """The effect said that the picture stays as it is, and was not asked to render."""
    seconds: float
    """That the action took."""
    polls: list[float]


class Instance:
    """An instance. Its methods can be called from several threads at once."""

    def __init__(self, host: Host, context: str) -> None:
        self.host = host
        described = host.contexts[context]
        self.effect = Effect(host, f"instance in {context}", host.bundle)
        self.effect.become(described, f"OfxImageEffectContext{context}")

    def value(self, name: str) -> Any:
        return self.effect.parameters.parameters[name].value

    def put(self, name: str, value: Any) -> None:
        """Give a parameter a value, without telling the effect. A choice may be given by how its label begins."""
        parameter = self.effect.parameters.parameters[name]
        if parameter.kind == "OfxParamTypeChoice" and isinstance(value, str):
            options = parameter.properties["OfxParamPropChoiceOption"]
            value = next(index for index, option in enumerate(options) if option.startswith(value))
        assert isinstance(value, type(parameter.value)), f"{name} takes a {type(parameter.value).__name__}"
        parameter.value = value

    def change(self, name: str, value: Any = None) -> list[int]:
        """A user changes a parameter, or presses a button: the statuses of the three actions."""
        if value is not None:
            self.put(name, value)
        reason = {"OfxPropChangeReason": "OfxChangeUserEdited"}
        changed = {"OfxPropType": "OfxTypeParameter", "OfxPropName": name, "OfxPropTime": 0.0}
        changed["OfxImageEffectPropRenderScale"] = (1.0, 1.0)
        return [
            self.host.act("OfxActionBeginInstanceChanged", self.effect, reason),
            self.host.act("OfxActionInstanceChanged", self.effect, changed | reason),
            self.host.act("OfxActionEndInstanceChanged", self.effect, reason),
        ]

    def purge(self) -> int:
        return self.host.act("OfxActionPurgeCaches", self.effect)

    def render(
        self,
        source: Pixels | Picture,
        *,
        target: Picture | None = None,
        window: tuple[int, int, int, int] | None = None,
        thumbnail: bool = False,
        ask_identity: bool = True,
        interactive: bool | None = None,
        absent: tuple[str, ...] = (),
        more: Mapping[str, Any] = MappingProxyType({}),
        **frame: Any,
    ) -> Rendered:
        """Render one frame, as the host does: identity asked for, a sequence of one, guards looked at.

        source: pixels, row 0 the lowest; target: laid as the source unless given; window: x1, y1, x2, y2;
        interactive: against what the host is; absent, more: inputs of the actions to leave out, to add;
        frame: fields of Frame.
        """
        source = source if isinstance(source, Picture) else Picture.of(source)
        target = target or Picture(source.shape, source.dtype, origin=source.origin)
        shot = Frame(self.host.ledger, self.host.profile, source, target, **frame)
        for clip in self.effect.clips.values():
            clip.show(source, shot.premultiplication, thumbnail=thumbnail)
        inputs = self._inputs(shot, window or target.bounds, thumbnail=thumbnail, interactive=interactive)
        inputs = {name: value for name, value in {**inputs, **more}.items() if name not in absent}
        self.host.ledger.local.frame = shot
        try:
            return self._render(shot, inputs, ask_identity=ask_identity)
        finally:
            self.host.ledger.local.frame = None

    def _render(self, shot: Frame, inputs: dict[str, Any], *, ask_identity: bool) -> Rendered:
        host = self.host
        if host.profile.asks_region:
            self._ask_regions(shot)
        if ask_identity and self._is_identity(shot, inputs):
            shot.target.pixels[:] = shot.source.pixels
            return Rendered(status=abi.OK, pixels=shot.target.pixels, identity=True, seconds=0.0, polls=[])
        sequence = self._sequence(shot, inputs)
        host.act("OfxImageEffectActionBeginSequenceRender", self.effect, sequence)
        began = time.monotonic()
        status = host.act("OfxImageEffectActionRender", self.effect, inputs)
        seconds = time.monotonic() - began
        self._judge(shot, inputs.get("OfxImageEffectPropRenderWindow", shot.target.bounds), status)
        host.act("OfxImageEffectActionEndSequenceRender", self.effect, sequence)
        return Rendered(
            status=status, pixels=shot.target.pixels, identity=False, seconds=seconds, polls=shot.polls
        )

    def _is_identity(self, shot: Frame, inputs: dict[str, Any]) -> bool:
        outputs = {"OfxPropName": "", "OfxPropTime": shot.time}
        status, answer = self.host.ask("OfxImageEffectActionIsIdentity", self.effect, inputs, outputs)
        if status == abi.OK:
            if answer.get("OfxPropName") != "Source":
                self.host.ledger.violate(f"identity: the effect names {answer.get('OfxPropName')!r}")
            return True
        if status != abi.REPLY_DEFAULT:
            self.host.ledger.violate(f"identity: status {status}")
        return False

    def _ask_regions(self, shot: Frame) -> None:
        inputs = {"OfxPropTime": shot.time, "OfxImageEffectPropRenderScale": shot.scale}
        box = tuple(map(float, shot.source.bounds))
        region = {"OfxImageEffectPropRegionOfDefinition": box}
        status, answer = self.host.ask("OfxImageEffectActionGetRegionOfDefinition", self.effect, inputs, region)
        given = answer.get("OfxImageEffectPropRegionOfDefinition", list(box))
        if status not in {abi.OK, abi.REPLY_DEFAULT} or given != list(box):
            self.host.ledger.violate(f"region of definition: {status}, {given}")
        interest = {"OfxImageClipPropRoI_Source": box}
        inputs["OfxImageEffectPropRegionOfInterest"] = box
        status, _ = self.host.ask("OfxImageEffectActionGetRegionsOfInterest", self.effect, inputs, interest)
        if status not in {abi.OK, abi.REPLY_DEFAULT}:
            self.host.ledger.violate(f"regions of interest: {status}")

    def _judge(self, shot: Frame, window: tuple[int, int, int, int], status: int) -> None:
        """Book what the render has done to memory and what it holds still."""
        ledger = self.host.ledger
        ledger.local.action = "OfxImageEffectActionRender"
        if status not in _RENDERED:
            ledger.violate(f"status {status}")
        for name, picture in (("source", shot.source), ("target", shot.target)):
            for place in picture.damage():
                ledger.violate(f"written {place}, of the {name}")
        x, y = shot.target.origin
        outside = np.ones(shot.target.shape[:2], np.bool_)
        left, low, right, high = (max(0, edge) for edge in (window[0] - x, window[1] - y, window[2] - x, window[3] - y))
        outside[low:high, left:right] = False
        if outside.any() and not shot.target.untouched()[outside].all():
            ledger.violate("written outside of the render window")
        for image in list(shot.held):
            ledger.violate(f"{image} is not released")
            shot.release(image)
        ledger.local.action = ""

    def _inputs(
        self, shot: Frame, window: tuple[int, int, int, int], *, thumbnail: bool, interactive: bool | None
    ) -> dict[str, Any]:
        final = self.host.profile.final if interactive is None else not interactive
        return {
            "OfxPropTime": shot.time,
            "OfxImageEffectPropFieldToRender": shot.field,
            "OfxImageEffectPropRenderWindow": window,
            "OfxImageEffectPropRenderScale": shot.scale,
            "OfxImageEffectPropSequentialRenderStatus": int(final),
            "OfxImageEffectPropInteractiveRenderStatus": int(not final),
            "OfxImageEffectPropRenderQualityDraft": 0,
            "OfxImageEffectPropThumbnailRender": "true" if thumbnail else "false",
        }

    def _sequence(self, shot: Frame, inputs: dict[str, Any]) -> dict[str, Any]:
        shared = ("RenderScale", "SequentialRenderStatus", "InteractiveRenderStatus")
        names = [f"OfxImageEffectProp{each}" for each in shared]
        sequence: dict[str, Any] = {name: inputs[name] for name in names if name in inputs}
        sequence["OfxImageEffectPropFrameRange"] = (shot.time, shot.time)
        sequence["OfxImageEffectPropFrameStep"] = 1.0
        sequence["OfxPropIsInteractive"] = int(not self.host.profile.final)
        return sequence
