"""What the result of a job says about a source, as plans need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snapupscale.scenes.shots import Transition
from snapupscale.timecode import exact_rate
from snapupscale.timeline.found import Found

if TYPE_CHECKING:
    from collections.abc import Mapping

CUTS_OPTIONS = ("method", "threshold", "min_shot")
"""The options of an action that are those of its jobs."""


def found_in(job: Mapping[str, Any]) -> Found | str:
    """What the job, of the kind `cuts`, found, on the frame numbers that an editor counts; or why there is nothing."""
    if job["state"] != "done":
        return reason(job["error"] or {})
    try:
        return _found(job["result"])
    except (KeyError, TypeError):
        # The sidecar was updated after the job was done.
        return reason({"message": "its cuts were found by another version", "hint": "Run it again."})


def _found(result: Mapping[str, Any]) -> Found:
    length = result["length"]
    # Frames that follow each other faster than the rate share a number.
    cuts = sorted({number for number in result["numbers"] if 0 < number < length})
    certain = dict(zip(result["numbers"], result.get("certainty", ()), strict=False))
    return Found(
        rate=exact_rate(result["rate"]),
        frames=length,
        cuts=tuple(cuts),
        confidences=tuple(certain[cut] for cut in cuts) if certain else (),
        transitions=tuple(
            Transition(kind=transition["kind"], **transition["numbers"]) for transition in result["transitions"]
        ),
        variable=result["variable"],
    )


def reason(error: Mapping[str, str]) -> str:
    """Why a source is left out, as a sentence for an editor."""
    message = error.get("message", "the job was forgotten")
    return f"Its source could not be used: {message}. {error.get('hint', '')}".strip()
