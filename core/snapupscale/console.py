"""What the command line shows while it works, on standard error."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from snapupscale.progress import Meter, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snapupscale.progress import Progress

KINDS = ("auto", "json", "none")
_UNITS = {"analyse": "frames", "pick": "frames", "upscale": "stills", "fetch": "bytes"}
_TITLES = {"analyse": "Reading", "pick": "Choosing frames", "upscale": "Upscaling", "fetch": "Fetching"}
_INTERVAL = 0.1


def say(sentence: str) -> None:
    """One line on standard error."""
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def showing(kind: str) -> Iterator[Progress]:
    """A progress function: `auto` draws a bar on a terminal and nothing elsewhere, `json` writes a JSON object a line
    with `stage`, `done`, `total`, `unit`, `rate` (units a second) and `eta` (seconds)."""
    if kind == "json":
        yield _Lines()
    elif kind == "auto" and sys.stderr.isatty():
        with _bars() as progress:
            yield progress
    else:
        yield silent


class _Lines:
    """Writes a line at most every tenth of a second, and the first and last of every stage."""

    def __init__(self) -> None:
        self._stage = ""
        self._meter = Meter(0)
        self._written = 0.0

    def __call__(self, stage: str, done: float, total: float | None) -> None:
        if stage != self._stage:
            self._stage, self._meter, self._written = stage, Meter(done), 0.0
        now = time.monotonic()
        if now - self._written < _INTERVAL and done != total:
            return
        self._written = now
        line: dict[str, Any] = {
            "stage": stage,
            "done": round(done, 3),
            "total": total,
            "unit": _UNITS.get(stage, ""),
            "rate": _rounded(self._meter.rate(done)),
            "eta": _rounded(self._meter.remaining(done, total)),
        }
        say(json.dumps(line))


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console  # noqa: PLC0415  rich is slow to load
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (
        TextColumn("{task.description:<16}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeRemainingColumn(),
    )
    meters: dict[str, Meter] = {}
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def show(stage: str, done: float, total: float | None) -> None:
            if stage not in tasks:
                meters[stage] = Meter(done)
                tasks[stage] = bars.add_task(_TITLES.get(stage, stage), count="")
            rate = meters[stage].rate(done)
            speed = f" · {rate:.3g} {_UNITS.get(stage, '')}/s" if rate else ""
            of = f"{done:.3g}" if total is None else f"{done:.4g} of {total:.4g}"
            bars.update(tasks[stage], completed=done, total=total, count=of + speed)

        yield show


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
