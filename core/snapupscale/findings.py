"""What is known of a source before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snapupscale.timeline.conform import to_edit_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snapupscale.media.source import Source
    from snapupscale.scenes.methods import Detection
    from snapupscale.scenes.signal import Signal
    from snapupscale.stills.pick import Pick
    from snapupscale.timeline.editlist import EditList, Still


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
