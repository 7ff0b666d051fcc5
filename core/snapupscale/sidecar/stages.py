"""The stages of a session that makes stills: which jobs upscale, which hold, and what they left for the plan."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_videos_path

from snapupscale.errors import OutputUnwritable, SettingError, SourceError
from snapupscale.sidecar.messages import fault
from snapupscale.stills.names import safe_stem
from snapupscale.timeline.found import Found
from snapupscale.timeline.pieces import Held, pieces
from snapupscale.timeline.wire import decode, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from snapupscale.timeline.memory import Remembered
    from snapupscale.timeline.pieces import Piece
    from snapupscale.timeline.plan import Plan
    from snapupscale.timeline.snapshot import Snapshot

UPSCALE, HOLD = "upscale", "hold"
"""The stages after the cuts, in their order."""


def _read_object(value: object, place: str) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise wrong(place, "is no object")
    return value


@dataclass(frozen=True, kw_only=True)
class Task:
    """One job of a stage: what is asked for, the job's id once it is handed in, and how it ended."""

    request: dict[str, Any] = field(metadata={"read": _read_object})
    job: str = ""
    result: dict[str, Any] | None = field(default=None, metadata={"read": _read_object})
    error: dict[str, Any] | None = field(default=None, metadata={"read": _read_object})

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.result is not None or self.error is not None


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the stages after the cuts have come to: the tasks of each, empty before it is reached."""

    upscale: tuple[Task, ...] = field(default=(), metadata={"most": 1_000_000})
    hold: tuple[Task, ...] = field(default=(), metadata={"most": 1_000_000})

    def with_tasks(self, stage: str, tasks: Iterable[Task]) -> Work:
        """The same with other tasks of one stage."""
        return replace(self, upscale=tuple(tasks)) if stage == UPSCALE else replace(self, hold=tuple(tasks))

    def tasks(self, stage: str) -> tuple[Task, ...]:
        """The tasks of one stage; none of the cuts, which are the session's own."""
        return {UPSCALE: self.upscale, HOLD: self.hold}.get(stage, ())


def read_work(data: object) -> Work:
    """The work in a JSON object. Raises SettingError."""
    return decode(Work, data or {})


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the stages after the cuts start from. `folder` is the one for the stills of the project."""

    snapshot: Snapshot
    findings: Mapping[str, Found | str]
    memory: Sequence[Remembered]
    options: Mapping[str, Any]
    folder: Path


def upscale_tasks(known: Known) -> tuple[Task, ...]:
    """One task for each range of frames that items use of their sources; each gives a still for each shot in it."""
    ranges = {_key(request): request for request, _ in _ranges(known)}
    return tuple(Task(request=request) for request in ranges.values())


def hold_tasks(known: Known, upscaled: Iterable[Task]) -> tuple[Task, ...]:
    """One task for each still and length that pieces need."""
    requests = {_key(request): request for request in _holds(known, upscaled).values()}
    return tuple(Task(request=request) for request in requests.values())


def held(known: Known, upscaled: Iterable[Task], holds: Iterable[Task]) -> dict[Piece, Held]:
    """The movies that were made, under the pieces that they are for."""
    made = {_key(task.request): task.result for task in holds if task.result is not None}
    found = {}
    for piece, request in _holds(known, upscaled).items():
        result = made.get(_key(request))
        if result is not None:
            path = Path(request["source"]).with_name(result["movie"])
            found[piece] = Held(path=str(path), frames=result["frames"])
    return found


def unfit(known: Known, upscaled: Iterable[Task]) -> dict[Piece, str]:
    """The pieces whose frames were looked at and of which none was picked, each with the reason."""
    seen = tuple(task for task in upscaled if task.result is not None)
    requests, fit = {_key(task.request) for task in seen}, _holds(known, seen)
    looked_at = (piece for request, parts in _ranges(known) if _key(request) in requests for piece in parts)
    return {piece: _UNFIT for piece in looked_at if piece not in fit}


def first_fault(work: Work) -> dict[str, Any] | None:
    """Why stills could not be made: the first reason, as errors go over the wire; None where all could."""
    return next((task.error for task in (*work.upscale, *work.hold) if task.error), None)


def with_faults(plan: Plan, work: Work) -> Plan:
    """`plan` with a warning for each reason why stills could not be made."""
    errors = [task.error for task in (*work.upscale, *work.hold) if task.error]
    sentences = [f"Some stills could not be made: {each['message']}. {each['hint']}" for each in errors]
    warnings = tuple(dict.fromkeys([*plan.summary.warnings, *sentences]))
    return replace(plan, summary=replace(plan.summary, warnings=warnings))


def own_folder() -> Path:
    """The folder for the stills of all projects: among the user's films, where editors look for media."""
    return user_videos_path() / "SnapUpscale"


def project_folder(base: Path, snapshot: Snapshot) -> Path:
    """The folder under `base` for all stills of the project: the same each time."""
    return base / safe_stem(snapshot.project.name)


def _ranges(known: Known) -> list[tuple[dict[str, Any], list[Piece]]]:
    """For each item what is to be asked for, and the pieces that it is for."""
    items: dict[str, list[Piece]] = {}
    for piece in pieces(known.snapshot, known.findings, known.memory):
        items.setdefault(piece.item, []).append(piece)
    return [(_upscale(known, parts), parts) for parts in items.values()]


def _upscale(known: Known, parts: Sequence[Piece]) -> dict[str, Any]:
    media = known.snapshot.media_by_id[parts[0].media]
    found = known.findings[media.id]
    assert isinstance(found, Found)
    ratio = found.rate / (media.rate or found.rate) if found.variable else Fraction(1)
    first = round(min(piece.source_start for piece in parts) * ratio)
    name = Path(media.path)
    mark = hashlib.sha256(media.path.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return {
        "kind": "upscale",
        "source": media.path,
        "first": first,
        "end": max(first + 1, round(max(piece.source_end for piece in parts) * ratio)),
        "counted": "times" if found.variable else "frames",
        # Clips of one name from different folders must not share one.
        "folder": str(known.folder / f"{safe_stem(name.stem)}-{mark}"),
        **known.options,
    }


def _holds(known: Known, upscaled: Iterable[Task]) -> dict[Piece, dict[str, Any]]:
    """What is to be asked for each piece that has a still."""
    made = {_key(task.request): task.result for task in upscaled if task.result is not None}
    found = {}
    for request, parts in _ranges(known):
        result = made.get(_key(request))
        if result is None:
            continue
        for piece in parts:
            hold = _hold(known, piece, request["folder"], result)
            if hold is not None:
                found[piece] = hold
    return found


def _hold(known: Known, piece: Piece, folder: str, result: Mapping[str, Any]) -> dict[str, Any] | None:
    media, finding = known.snapshot.media_by_id[piece.media], known.findings[piece.media]
    assert isinstance(finding, Found)
    rate = media.rate or finding.rate
    for still in result["made"]:
        number = round(still["number"] * rate / finding.rate) if finding.variable else still["number"]
        # Of a source with a variable rate both ends are rounded; of any, no range holds two parts of one shot.
        within = finding.variable or piece.source_start <= number < piece.source_end
        if still["shot"] == piece.shot and within:
            return {
                "kind": "hold",
                "source": str(Path(folder) / still["name"]),
                "rate": str(known.snapshot.timeline.rate),
                "frames": piece.frames,
                "start": media.timecode(number),
                "start_rate": str(rate),
            }
    return None


def _key(request: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in request.items()))


def advanced(
    tasks: Iterable[Task],
    submit: Callable[[Mapping[str, Any]], str | None],
    look: Callable[[str], Mapping[str, Any] | None],
) -> tuple[Task, ...]:
    """The tasks as they are by now: what has ended is noted, what waits is handed in.

    `submit` gives the id of the job, or None when there is no room yet; a SourceError, SettingError or OutputUnwritable
    of it ends the task, others, which pass, are passed on. `look` gives the job when it has
    ended, also `{"state": "failed", "error": ...}` for one that was forgotten; None while it goes on.
    """
    now = []
    for task in tasks:
        if task.ended:
            now.append(task)
        elif not task.job:
            try:
                now.append(replace(task, job=submit(task.request) or ""))
            except (SourceError, SettingError, OutputUnwritable) as error:
                now.append(replace(task, error=fault(error)))
        else:
            job = look(task.job)
            if job is None:
                now.append(task)
            elif job["state"] == "done" and job["result"] is not None:
                now.append(replace(task, result=dict(job["result"])))
            else:
                now.append(replace(task, error=dict(job["error"] or _LOST)))
    return tuple(now)


_UNFIT = "None of its frames is worth a still: each is black, white, flat or part of a transition."
_LOST = {"code": "failed", "message": "a job was forgotten", "hint": "Choose it from the menu again."}
