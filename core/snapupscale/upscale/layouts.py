"""Frames as an editor holds them, and the planes that are computed on: bytes in, bytes out, on any device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from torch import Tensor

Depth = Literal["byte", "short", "half", "float"]

DEPTHS: dict[str, torch.dtype] = {
    "byte": torch.uint8,
    # torch has next to no uint16, so that its bits are carried as int16.
    "short": torch.int16,
    "half": torch.float16,
    "float": torch.float32,
}
"""The types that samples are held in."""

LEVELS = {"byte": 255, "short": 65535}
"""The value of full white; the other depths hold 1 for it, and any value around."""

_HALF_MOST = 65504.0


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the bytes of a frame are to be read: rows without gaps, samples of a pixel side by side, native byte order.

    components: 3 RGB or 4 RGBA. premultiplied: the colour is multiplied by alpha already. top_down: the first row is
    the uppermost. Raises SettingError for what does not exist.
    """

    width: int
    height: int
    depth: Depth
    components: int
    premultiplied: bool
    top_down: bool

    def __post_init__(self) -> None:
        if self.depth not in DEPTHS:
            raise SettingError(f"no depth is called {self.depth!r}", hint=f"The depths are: {', '.join(DEPTHS)}.")
        if self.components not in (3, 4):
            raise SettingError(f"a frame with {self.components} components", hint="Give 3 (RGB) or 4 (RGBA).")
        if min(self.width, self.height) < 1:
            raise SettingError(f"a frame of {self.width}x{self.height}", hint="Give at least one pixel.")

    @property
    def bytes(self) -> int:
        """The size of the frame."""
        return self.width * self.height * self.components * DEPTHS[self.depth].itemsize

    @property
    def unbounded(self) -> bool:
        """Whether samples can lie outside 0 to 1, or be no numbers."""
        return self.depth not in LEVELS

    @property
    def matted(self) -> bool:
        """Whether the colour has to be divided by alpha."""
        return self.components == 4 and self.premultiplied


def check(raw: Tensor, layout: Layout) -> None:
    """Raise SettingError unless `raw` has the form and size of a frame of `layout`."""
    if raw.dtype != torch.uint8 or raw.dim() != 1 or raw.numel() != layout.bytes:
        raise SettingError(f"{raw.numel()} bytes for a frame of {layout.bytes}", hint="Give the bytes of one frame.")


def decoded(raw: Tensor, layout: Layout) -> Tensor:
    """The frame in `raw` (uint8, one axis) as 1xCxHxW float32, top-down, white being 1: a copy."""
    samples = raw.view(DEPTHS[layout.depth]).view(layout.height, layout.width, layout.components)
    if not layout.top_down:
        samples = samples.flip(0)
    planes = samples.permute(2, 0, 1)[None]
    if layout.depth == "short":
        planes = planes.to(torch.int32).bitwise_and_(0xFFFF)
    values = planes.to(torch.float32, copy=True, memory_format=torch.contiguous_format)
    return values.div_(LEVELS[layout.depth]) if layout.depth in LEVELS else values


def encoded(planes: Tensor, layout: Layout) -> Tensor:
    """`planes` (1xCxHxW float32, top-down) as the bytes of a frame. `planes` may be overwritten.

    Integers are clipped and rounded half to even, once; half samples are kept finite where the planes are.
    """
    if layout.depth in LEVELS:
        planes = planes.clamp_(0, 1).mul_(LEVELS[layout.depth]).round_().to(torch.int32)
    elif layout.depth == "half":
        planes = torch.where(planes.isinf(), planes, planes.clamp(-_HALF_MOST, _HALF_MOST))
    samples = planes[0].to(DEPTHS[layout.depth]).permute(1, 2, 0)
    if not layout.top_down:
        samples = samples.flip(0)
    return samples.contiguous().view(torch.uint8).reshape(-1)


def keep_alpha(result: Tensor, raw: Tensor, layout: Layout) -> None:
    """Copy alpha from the frame `raw` to the frame `result`, bit by bit."""
    if layout.components == 4:
        _bits(result, layout)[:, 3].copy_(_bits(raw, layout)[:, 3])


def _bits(raw: Tensor, layout: Layout) -> Tensor:
    """Pixels x components, as integers, which no copy changes."""
    kind = {1: torch.uint8, 2: torch.int16, 4: torch.int32}[DEPTHS[layout.depth].itemsize]
    return raw.view(kind).view(-1, layout.components)
