"""A detection as the JSON that the command line prints."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TYPE_CHECKING

from snapupscale.scenes.shots import to_shots
from snapupscale.timecode import format_rate

if TYPE_CHECKING:
    from snapupscale.media.source import Source
    from snapupscale.scenes.methods import Detection
    from snapupscale.scenes.signal import Signal


def as_json(source: Source, signal: Signal, detection: Detection) -> str:
    """One JSON object and a line end; frames are counted as decoded, from 0, and every `end` is exclusive.

    `confidence` has a probability for each of `cuts`, or nothing where the method gives none.
    """
    data = {
        "source": str(source.path),
        "rate": format_rate(signal.rate),
        "frames": len(signal),
        "method": detection.method,
        "threshold": detection.threshold,
        "cuts": list(detection.cuts),
        "confidence": list(detection.confidence),
        "transitions": [
            {"start": one.start, "end": one.end, "kind": one.kind} | ({} if sure is None else {"confidence": sure})
            for one, sure in zip_longest(detection.transitions, detection.transition_confidence)
        ],
        "shots": [{"start": shot.start, "end": shot.end} for shot in to_shots(detection.boundaries, len(signal))],
        "rejected": [{"frame": one.frame, "reason": one.reason} for one in detection.rejected],
        "warnings": list(signal.warnings),
    }
    return json.dumps(data, indent=1) + "\n"
