"""What is known of a source before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from snapupscale.scenes.methods import DEFAULT_THRESHOLD, Detection
from snapupscale.timeline.conform import decoded_frames, to_edit_list, uncut
from snapupscale.timeline.fitting import fit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snapupscale.media.source import Source
    from snapupscale.scenes.signal import Signal
    from snapupscale.stills.pick import Pick
    from snapupscale.timeline.editlist import EditList, Still
    from snapupscale.timeline.listing import Listing

GIVEN = "given"
"""Stands for the method where the shots were given, and nothing was detected."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """A source, its signal, the cuts in it, and a pick for each shot."""

    source: Source
    signal: Signal
    detection: Detection
    picks: tuple[Pick, ...]

    def edit_list(self, stills: Iterable[Still] = ()) -> EditList:
        """The shots, and `stills` where they were made, ready for export."""
        return to_edit_list(self.source, self.signal, self.detection, stills)


def given(source: Source, signal: Signal, listing: Listing) -> tuple[Signal, Detection]:
    """The shots that `listing` divides `source` into, as if they had been detected, and `signal` with what there is to
    know of them among its warnings. Raises ListMismatch."""
    found = fit(listing, uncut(source, signal))
    detection = Detection(
        method=GIVEN,
        threshold=DEFAULT_THRESHOLD,
        cuts=tuple(cut for cut in decoded_frames(signal, found.cuts) if 0 < cut < len(signal)),
        transitions=(),
        distance=signal.distance,
    )
    return replace(signal, warnings=(*signal.warnings, *found.notes)), detection
