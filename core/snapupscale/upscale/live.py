"""One frame after another as an editor plays them: bytes in, bytes of the same layout out, all on the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import torch

from snapupscale.errors import SettingError
from snapupscale.upscale import layouts
from snapupscale.upscale.digest import fingerprint
from snapupscale.upscale.engine import PRECISIONS, known
from snapupscale.upscale.failures import memory_errors
from snapupscale.upscale.layouts import Layout
from snapupscale.upscale.loading import load
from snapupscale.upscale.ranges import split, usable
from snapupscale.upscale.resize import Window, bounded, nearest, resized, whole
from snapupscale.upscale.tiling import Box
from snapupscale.upscale.torch_backend import exact_float32
from snapupscale.upscale.torch_job import part

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from torch import Tensor

    Report = Callable[[float], None]

__all__ = ["Layout", "Live", "Look"]

MODES = ("restore", "punch-in")
BACKENDS = ("auto", "cuda", "mps", "cpu")

_MARGIN = 32
"""Pixels that the network sees around the region of a punch-in."""

_GRID = 8
"""Edge of the blocks that the region is cut out in, so that they stay where they are while it moves."""

_NETWORK_SHARE = 0.95
_NO_ROOM = "Close other programs that use the GPU, or choose a lower resolution for the timeline."


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is made of a frame.

    mode: 'restore' shrinks the frame by `factor` (1 to 4) and lets the model enlarge it again; 'punch-in' enlarges the
    part around the centre by `zoom` (1 to 8). centre_x, centre_y: shares of the frame from the left and the top; the
    part is moved inside the frame. strength: 0 (the frame, or the part enlarged by Lanczos alone) to 1.

    Raises SettingError for values out of their range.
    """

    mode: Literal["restore", "punch-in"] = "restore"
    factor: float = 2.0
    zoom: float = 2.0
    centre_x: float = 0.5
    centre_y: float = 0.5
    strength: float = 1.0

    def __post_init__(self) -> None:
        known("mode", self.mode, MODES)
        _within("factor", self.factor, 1, 4)
        _within("zoom", self.zoom, 1, 8)
        _within("centre_x", self.centre_x, 0, 1)
        _within("centre_y", self.centre_y, 0, 1)
        _within("strength", self.strength, 0, 1)


class Live:
    """A model loaded on a device, for any number of frames. A context manager; for one thread at a time.

    The settings and errors are those of Upscaler; interpolations are no backends here.

    A frame goes through `upload`, `render` and `download`; between them its bytes are a tensor on the device, uint8
    with one axis. On CUDA nothing of this waits for the GPU but `digest`, `download`, and the network now and then.
    """

    choice: str
    """A sentence that says which model runs where, and why."""
    weights_sha256: str
    """The sha256 of the file of weights (two, joined by '+', when mixed, whatever the denoise strength)."""

    def __init__(
        self, model: str = "auto", *, backend: str = "auto", precision: str = "auto", denoise: float = 1.0
    ) -> None:
        known("backend", backend, BACKENDS)
        known("precision", precision, PRECISIONS)
        loaded = load(model, backend, precision, denoise=denoise)
        self.choice, self.weights_sha256 = loaded.choice, loaded.weights_sha256
        self.model, self.backend, self.precision = loaded.model, loaded.backend, loaded.precision
        self._network, self._device = loaded.network, loaded.network.device
        self._closed = False

    def upload(self, source: Tensor) -> Tensor:
        """A copy of `source` (uint8, one axis, on the host) on the device.

        Page-locked memory may still be read when this returns; it must not change before `digest` or `download` has.
        """
        self._check()
        with memory_errors(_NO_ROOM):
            return source.to(self._device, non_blocking=True, copy=True)

    def digest(self, raw: Tensor) -> bytes:
        """16 bytes that are the same for the same content and in this process alone."""
        self._check()
        with torch.inference_mode(), memory_errors(_NO_ROOM):
            return fingerprint(raw)

    def render(self, raw: Tensor, layout: Layout, look: Look, *, progress: Report | None = None) -> Tensor:
        """The frame in `raw`, as `look` says, in the same layout, on the device. It can be `raw` itself.

        Restored frames keep alpha bit by bit, and at strength 0 everything; a punch-in enlarges alpha by Lanczos,
        without ringing. float and half samples outside 0 to 1 are kept, and those that are not finite stay where they
        were.

        progress: called often with 0 to 1; what it raises ends the work, and the object can be used again.

        Raises SettingError, OutOfMemory or ImplausibleResult.
        """
        self._check()
        report: Report = progress or (lambda _: None)
        report(0.0)
        with torch.inference_mode(), exact_float32(), memory_errors(_NO_ROOM):
            layouts.check(raw, layout)
            untouched = look.mode == "restore" and look.strength == 0
            result = raw if untouched else self._rendered(raw, layout, look, report)
        report(1.0)
        return result

    def download(self, result: Tensor, into: Tensor) -> None:
        """Copy `result` to `into` (uint8, one axis, on the host), and wait until it is there."""
        self._check()
        with memory_errors(_NO_ROOM):
            into.copy_(result)

    def close(self) -> None:
        """Let go of the model and its memory."""
        if not self._closed:
            self._closed = True
            self._network.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        if self._closed:
            raise ValueError("the model is closed")

    def _rendered(self, raw: Tensor, layout: Layout, look: Look, report: Report) -> Tensor:
        crop, window = _region(layout, look)
        planes = part(layouts.decoded(raw, layout), crop)
        report(0.0)
        sound = usable(planes) if layout.unbounded else planes
        alpha = bounded(sound[:, 3:], layout.width, layout.height, window) if layout.components == 4 else None
        colour = self._colour(sound, window, layout, look, report)
        report(_NETWORK_SHARE)
        result = colour if alpha is None else torch.cat((colour, alpha), 1)
        if layout.unbounded:
            finite, before = (
                nearest(each, layout.width, layout.height, window) for each in (planes.isfinite(), planes)
            )
            result = torch.where(finite, result, before)
            report(_NETWORK_SHARE)
        frame = layouts.encoded(result, layout)
        if look.mode == "restore":
            layouts.keep_alpha(frame, raw, layout)
        return frame

    def _colour(self, sound: Tensor, window: Window, layout: Layout, look: Look, report: Report) -> Tensor:
        """The colour of the result, 1x3xHxW. `sound`: the region, with finite values."""
        colour, size = sound[:, :3], (layout.width, layout.height)
        if look.strength == 0:
            return resized(colour, *size, window)
        if layout.unbounded or layout.matted:
            values, remainder = split(colour, sound[:, 3:] if layout.matted else None)
            report(0.0)
            remainder = remainder.resized(*size, window)
            result = self._enlarged(values, window, layout, look, report)
            report(_NETWORK_SHARE)
            result = remainder.joined(result)
        else:
            result = self._enlarged(colour, window, layout, look, report)
        return result if look.strength == 1 else torch.lerp(resized(colour, *size, window), result, look.strength)

    def _enlarged(self, values: Tensor, window: Window, layout: Layout, look: Look, report: Report) -> Tensor:
        """What the network makes of `values`, 1x3xHxW in [0, 1], in the size of the frame."""
        if look.mode == "restore":
            width, height = (max(1, round(length / look.factor)) for length in (layout.width, layout.height))
            values, window = resized(values, width, height).clamp(0, 1), whole(width, height)
        report(0.0)
        return self._network.enlarge_resized(
            values, layout.width, layout.height, lambda share: report(share * _NETWORK_SHARE), window
        )


def _region(layout: Layout, look: Look) -> tuple[Box, Window]:
    """The pixels that count for the result, and the window in them that it shows."""
    frame = Box(0, 0, layout.width, layout.height)
    if look.mode == "restore":
        return frame, whole(layout.width, layout.height)
    width, height = layout.width / look.zoom, layout.height / look.zoom
    left = min(max(look.centre_x * layout.width - width / 2, 0.0), layout.width - width)
    top = min(max(look.centre_y * layout.height - height / 2, 0.0), layout.height - height)
    touched = Box(int(left), int(top), int(left + width) + 1, int(top + height) + 1)
    crop = touched.grown(_MARGIN, frame).covered(_GRID).times(_GRID).grown(0, frame)
    return crop, Window(left=left - crop.left, top=top - crop.top, width=width, height=height)


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise SettingError(f"the {name} is {value}", hint=f"It goes from {least} to {most}.")
