from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from signals import make_odds, make_signal, make_stretches
from snapupscale.scenes.methods import find_cuts
from snapupscale.scenes.results import as_json

SOURCE: Any = SimpleNamespace(path=Path("/footage/film.mov"))


def told(method: str = "adaptive", **changes: Any) -> dict[str, Any]:
    """The JSON of a signal of 200 frames: a cut, a flash, and whatever `changes` of the signal bring."""
    distance, reasons = np.zeros(200, dtype=np.float32), np.zeros(200, dtype=np.uint8)
    distance[[40, 90]], reasons[[40, 90]] = 0.8, (2, 1)
    fields = {"odds": make_odds(200, f40=3), "reasons": reasons, **changes}
    signal = make_signal(distance, **fields)
    text = as_json(SOURCE, signal, find_cuts(signal, method=method))
    assert text.endswith("}\n")
    result: dict[str, Any] = json.loads(text)
    return result


def test_its_keys_and_their_order() -> None:
    keys = ["source", "rate", "frames", "method", "threshold", "cuts", "confidence", "transitions", "shots"]
    assert list(told()) == [*keys, "rejected", "warnings"]
    assert list(told("histogram")) == list(told())


def test_cuts_with_their_confidence() -> None:
    found = told()
    assert (found["source"], found["rate"], found["frames"]) == ("/footage/film.mov", "24", 200)
    assert (found["method"], found["threshold"]) == ("adaptive", 0.4)
    assert (found["cuts"], found["confidence"]) == ([40], [0.953])
    assert found["shots"] == [{"start": 0, "end": 40}, {"start": 40, "end": 200}]
    assert found["rejected"] == [{"frame": 90, "reason": "flash"}]


def test_transitions_divide_shots_in_their_middle() -> None:
    found = told(stretches=make_stretches((100, 121, 2, "dissolve"), (150, 160, -5, "wipe")))
    assert found["transitions"] == [{"start": 100, "end": 121, "kind": "dissolve", "confidence": 0.881}]
    assert [shot["start"] for shot in found["shots"]] == [0, 40, 110]


def test_a_method_that_gives_no_confidence() -> None:
    found = told("histogram")
    assert (found["cuts"], found["confidence"], found["rejected"]) == ([40, 90], [], [])


def test_warnings() -> None:
    assert told(warnings=("one", "two"))["warnings"] == ["one", "two"]
