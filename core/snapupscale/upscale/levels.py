"""Keep the local levels of the picture: the networks shift flat areas by up to 19 of 255, which a timeline shows.

The shift (output averaged over small squares, minus input averaged likewise) is fitted around each place as a linear
function of the input, and that smooth function is taken off the output. Detail stays as the network made it, and edges
get no halo, as the fit follows them. Method: He and Sun, Fast Guided Filter, arXiv 1505.00996.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from snapupscale.upscale.tiling import Box

Held = TypeVar("Held")

SQUARE = 4
"""Edge in cells of the squares that are averaged."""

RADIUS = 2
"""Squares to each side that a fit takes in."""

SMOOTHING = 1e-3
"""Variance of the picture below which a place counts as flat, white being 1."""

_MARGIN = (2 * RADIUS + 2) * SQUARE

CONTEXT = _MARGIN + SQUARE - 1
"""The most cells that `region` adds on a side."""


def region(core: Box, whole: Box) -> Box:
    """The cells that the levels of `core` depend on, in whole squares counted from the corner of `whole`."""
    return core.grown(_MARGIN, whole).covered(SQUARE).times(SQUARE).grown(0, whole)


@dataclass(frozen=True, kw_only=True)
class Shift(Generic[Held]):
    """slope * picture + offset for each square of `region`, 1x3x(squares). `smooth` holds the means of the squares."""

    slope: Held
    offset: Held
    smooth: Held
    region: Box
