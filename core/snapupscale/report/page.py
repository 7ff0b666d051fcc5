"""The report: one HTML file that needs nothing else, with the signal, the shots and each still beside its source."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import struct
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCRIPTS = ("strip.js", "compare.js", "page.js")
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_STEPS = 65535


@dataclass(frozen=True, kw_only=True)
class CandidateEntry:
    """A frame that was measured; the score and its parts run from 0 to 1, 1 the best. `thumbnail` is a JPEG file."""

    frame: int
    timecode: str
    score: float
    sharpness: float
    stillness: float
    exposure: float
    thumbnail: bytes


@dataclass(frozen=True, kw_only=True)
class ShotEntry:
    """A shot: frames `start` up to, not including, `end`, and the timecodes of both.

    `before` and `after` are JPEG files of one size: the picked frame enlarged plainly, and the still. `note` says
    whatever the reader should know, above all why there is no still.
    """

    number: int
    start: int
    end: int
    start_timecode: str
    end_timecode: str
    picked: int | None = None
    candidates: tuple[CandidateEntry, ...] = ()
    before: bytes | None = None
    after: bytes | None = None
    still_name: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the page shows. `rate` is `24000/1001` or `24`; `distance` has one number from 0 to 1 for each frame.

    `settings` are rows of label and value; `transitions` are (start, end, kind), `end` exclusive.
    """

    title: str
    source_name: str
    rate: str
    frames: int
    duration_s: float
    method: str
    threshold: float
    distance: Sequence[float]
    cuts: Sequence[int]
    transitions: Sequence[tuple[int, int, str]]
    shots: Sequence[ShotEntry]
    settings: Sequence[tuple[str, str]]
    warnings: Sequence[str]


def render(report: Report) -> str:
    """The page as text. Names are data in it, never markup; its policy allows its own script and style, and no load."""
    filled = {
        "csp": policy(),
        "title": html.escape(f"{report.title} · SnapUpscale"),
        "css": _part("page.css"),
        "js": _script(),
        "data": _json(report),
    }
    return _SLOT.sub(lambda slot: filled[slot[1]], _part("page.html"))


def policy() -> str:
    """The Content-Security-Policy that every report of this version declares: its own script and style, by hash."""
    return "; ".join(
        [
            "default-src 'none'",
            "img-src data:",
            f"style-src {_hashed(_part('page.css'))}",
            f"script-src {_hashed(_script())}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _script() -> str:
    return "\n" + "\n".join(_part(name) for name in _SCRIPTS)


def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(report: Report) -> str:
    data = {
        "title": report.title,
        "source": report.source_name,
        "rateText": report.rate,
        "frames": report.frames,
        "duration": report.duration_s,
        "method": report.method,
        "threshold": report.threshold,
        "distance": _distance(report.distance),
        "cuts": list(report.cuts),
        "transitions": [list(transition) for transition in report.transitions],
        "shots": [_shot(shot) for shot in report.shots],
        "settings": [list(row) for row in report.settings],
        "warnings": list(report.warnings),
    }
    # Inside a script element only `<` can end or nest one.
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, default=_number)
    return text.replace("<", "\\u003c")


def _number(value: Any) -> float:
    """A NumPy number as Python has it."""
    return cast("float", value.item())


def _distance(values: Sequence[float]) -> str:
    """The distances as base64 of little-endian 16-bit numbers: 200,000 frames stay under a megabyte."""
    steps = [round(min(1.0, max(0.0, float(value))) * _STEPS) for value in values]
    return base64.b64encode(struct.pack(f"<{len(steps)}H", *steps)).decode("ascii")


def _shot(shot: ShotEntry) -> dict[str, Any]:
    return {
        "number": shot.number,
        "start": shot.start,
        "end": shot.end,
        "startTimecode": shot.start_timecode,
        "endTimecode": shot.end_timecode,
        "picked": shot.picked,
        "candidates": [_candidate(candidate) for candidate in shot.candidates],
        "before": _image(shot.before),
        "after": _image(shot.after),
        "still": shot.still_name,
        "note": shot.note,
    }


def _candidate(candidate: CandidateEntry) -> dict[str, Any]:
    return {
        "frame": candidate.frame,
        "timecode": candidate.timecode,
        "marks": [
            ["Score", candidate.score],
            ["Sharpness", candidate.sharpness],
            ["Stillness", candidate.stillness],
            ["Exposure", candidate.exposure],
        ],
        "thumbnail": _image(candidate.thumbnail),
    }


def _image(data: bytes | None) -> str | None:
    return base64.b64encode(data).decode("ascii") if data else None
