"""Colour tags of ITU-T H.273, as decoders and encoders name them."""

from __future__ import annotations

from dataclasses import dataclass

UNSPECIFIED = 2


@dataclass(frozen=True, kw_only=True)
class ColourTags:
    """Code points of ITU-T H.273 (2 = unspecified) and whether the samples use the full range."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    full_range: bool = False

    def as_rgb(self) -> ColourTags:
        """The tags of the same picture as full-range RGB: matrix 0, primaries and transfer unchanged."""
        return ColourTags(primaries=self.primaries, transfer=self.transfer, matrix=0, full_range=True)
