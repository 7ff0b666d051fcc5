"""A detection as the JSON that the command line prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from snapupscale.scenes.shots import to_shots
from snapupscale.timecode import format_rate

if TYPE_CHECKING:
    from snapupscale.media.source import Source
    from snapupscale.scenes.methods import Detection
    from snapupscale.scenes.signal import Signal


def as_json(source: Source, signal: Signal, detection: Detection) -> str:
    """One JSON object and a line end; frames are counted as decoded, from 0, and every `end` is exclusive."""
    data = {
        "source": str(source.path),
        "rate": format_rate(signal.rate),
        "frames": len(signal),
        "method": detection.method,
        "threshold": detection.threshold,
        "cuts": list(detection.cuts),
        "transitions": [
            {"start": transition.start, "end": transition.end, "kind": transition.kind}
            for transition in detection.transitions
        ],
        "shots": [{"start": shot.start, "end": shot.end} for shot in to_shots(detection.cuts, len(signal))],
        "warnings": list(signal.warnings),
    }
    return json.dumps(data, indent=1) + "\n"
