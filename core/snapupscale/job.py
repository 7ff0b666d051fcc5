"""One run of the main job: footage in, a folder with stills, timelines and a report out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from snapupscale import files
from snapupscale.errors import OutputBusy, SettingError, SourceChanged
from snapupscale.findings import Findings, given
from snapupscale.media.source import probe
from snapupscale.progress import silent
from snapupscale.report.gather import Previews, gather
from snapupscale.report.page import render
from snapupscale.scenes import cache
from snapupscale.scenes.methods import (
    DEFAULT_METHOD,
    DEFAULT_MIN_SHOT,
    DEFAULT_THRESHOLD,
    check_settings,
    find_cuts,
    needs,
)
from snapupscale.scenes.results import as_json
from snapupscale.scenes.shots import to_shots
from snapupscale.scenes.signal import analyse
from snapupscale.stills.images import FORMATS
from snapupscale.stills.make import make_stills
from snapupscale.stills.names import safe_stem
from snapupscale.stills.pick import PICKS, pick_stills
from snapupscale.timeline import exports
from snapupscale.timeline.conform import frame_numbers, to_edit_list
from snapupscale.timeline.exports import export
from snapupscale.timeline.reading import read_list
from snapupscale.upscale import ahead
from snapupscale.upscale.engine import Upscaler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from fractions import Fraction

    from snapupscale.media.source import Source
    from snapupscale.progress import Progress
    from snapupscale.scenes.methods import Detection
    from snapupscale.scenes.shots import Shot
    from snapupscale.scenes.signal import Signal
    from snapupscale.stills.make import Made
    from snapupscale.timeline.editlist import Still

_LOCK = ".snapupscale.lock"
REPORT = "report.html"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the user chose; the defaults are sensible for all of them."""

    method: str = DEFAULT_METHOD
    threshold: float = DEFAULT_THRESHOLD
    min_shot: float = DEFAULT_MIN_SHOT
    pick: str = "best"
    model: str = "auto"
    backend: str = "auto"
    scale: Fraction | None = None
    precision: str = "auto"
    format: str = "png"
    limit: int | None = None
    rate: Fraction | None = None
    shots: Path | None = None
    """A list of shots that was made elsewhere, to take in place of a detection."""
    first: int | None = None
    """With `end`: make stills of what is in frames `first` up to, not including, `end`, alone."""
    end: int | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run left in its folder."""

    folder: Path
    report: Path
    stills: tuple[Path, ...]
    timelines: tuple[Path, ...]
    kept: int
    """How many of the stills were finished before, by a run that was stopped or had the same settings."""


def load_upscaler(settings: Settings) -> Upscaler:
    """The upscaler that the settings ask for. Raises SettingError, ModelError, BackendUnavailable or OutOfMemory."""
    ahead.begin(settings.backend, settings.model, settings.precision)
    return Upscaler(
        model=settings.model, backend=settings.backend, scale=settings.scale, precision=settings.precision
    )


def run(
    clip: Path | str,
    folder: Path | str,
    settings: Settings | None = None,
    *,
    progress: Progress = silent,
    say: Callable[[str], None] = lambda sentence: None,
    finished: Callable[[Still], None] = lambda still: None,
    upscaler_for: Callable[[Settings], AbstractContextManager[Upscaler]] = load_upscaler,
) -> Outcome:
    """Find the shots of `clip`, pick a frame of each, upscale it, and write everything to `folder`.

    `say` gets a sentence for each warning and each decision that was taken for the user, `finished` each still once it
    is in place. `upscaler_for` may lend an upscaler that was loaded before. Raises any error of the tree; the folder
    then holds whole files alone, and the same call goes on where this one stopped.
    """
    settings = settings or Settings()
    _check(settings)
    folder = Path(folder).absolute()
    source = probe(clip, rate=settings.rate)
    with upscaler_for(settings) as upscaler:
        say(upscaler.choice)
        files.make_folder(folder)
        with _claimed(folder):
            work = partial(_work, settings, upscaler, folder, finished, progress, say)
            try:
                findings, made, previews = work(source)
            except SourceChanged:
                # A stored signal that the footage no longer agrees with is measured again, once.
                if not cache.discard(source):
                    raise
                findings, made, previews = work(probe(clip, rate=settings.rate))
            if made.earlier:
                say(f"{len(made.earlier)} stills of earlier runs, such as {made.earlier[0]}, stay in the folder")
            timelines = _write_timelines(findings, made, folder, say)
            report = folder / REPORT
            files.write_text(report, render(gather(findings, made, upscaler, previews)))
    stills = tuple(still.path for still in made.stills)
    return Outcome(folder=folder, report=report, stills=stills, timelines=timelines, kept=made.kept)


def find(source: Source, settings: Settings, progress: Progress) -> Findings:
    """Analyse `source`, find its cuts or take those given, and pick a frame of each shot, or of the parts of shots that
    are wanted."""
    listing = None if settings.shots is None else read_list(settings.shots)
    signal = analyse(source, **needs(settings.method), progress=partial(progress, "analyse"))
    if listing is None:
        detection = find_cuts(signal, method=settings.method, threshold=settings.threshold, min_shot=settings.min_shot)
    else:
        signal, detection = given(source, signal, listing)
    picks = pick_stills(
        source,
        signal,
        _parts(to_shots(detection.boundaries, len(signal)), settings),
        how=settings.pick,
        transitions=detection.transitions,
        progress=partial(progress, "pick"),
    )
    return Findings(source=source, signal=signal, detection=detection, picks=picks)


def timeline_file(
    source: Source, signal: Signal, detection: Detection, form: str, stills: Iterable[Still] = ()
) -> tuple[str, str]:
    """Name and text of a file with the cuts, and `stills` where the form can hold them: `json` or one of
    `timeline.exports.FORMATS`. Raises SettingError for footage that the form can't describe."""
    if form == "json":
        return f"{safe_stem(source.name)}.cuts.json", as_json(source, signal, detection)
    edit = to_edit_list(source, signal, detection, stills)
    return f"{safe_stem(source.name)}.{form}", export(edit, form)


def _check(settings: Settings) -> None:
    """Refuse at once what would otherwise fail after the footage was decoded."""
    if settings.format not in FORMATS:
        raise SettingError(f"unknown format {settings.format!r}", hint=f"Formats: {', '.join(FORMATS)}.")
    if settings.limit is not None and settings.limit < 1:
        raise SettingError("the limit must be at least 1")
    if settings.pick not in PICKS:
        raise SettingError(f"unknown pick {settings.pick!r}", hint=f"Picks: {', '.join(PICKS)}.")
    if (settings.first is None) != (settings.end is None):
        raise SettingError("a part of the footage needs a first frame and an end")
    if settings.first is not None and settings.end is not None and not 0 <= settings.first < settings.end:
        raise SettingError(f"there are no frames {settings.first} to {settings.end}")
    check_settings(method=settings.method, threshold=settings.threshold, min_shot=settings.min_shot)
    if settings.shots is not None:
        read_list(settings.shots)


def _parts(shots: tuple[Shot, ...], settings: Settings) -> tuple[Shot, ...]:
    """What lies in the wanted part of the footage, each piece under the number of its whole shot."""
    if settings.first is None or settings.end is None:
        return shots
    first, end = settings.first, settings.end
    parts = [replace(shot, start=max(shot.start, first), end=min(shot.end, end)) for shot in shots]
    wanted = tuple(part for part in parts if part.start < part.end)
    if not wanted:
        raise SettingError(f"there are no frames {first} to {end}: the footage has {shots[-1].end}")
    return wanted


def _work(
    settings: Settings,
    upscaler: Upscaler,
    folder: Path,
    finished: Callable[[Still], None],
    progress: Progress,
    say: Callable[[str], None],
    source: Source,
) -> tuple[Findings, Made, Previews]:
    """Find, say what there is to warn of before the long part begins, and make."""
    findings = find(source, settings, progress)
    for warning in findings.signal.warnings:
        say(warning)
    return findings, *_make(findings, settings, upscaler, folder, finished, progress)


def _make(
    findings: Findings,
    settings: Settings,
    upscaler: Upscaler,
    folder: Path,
    finished: Callable[[Still], None],
    progress: Progress,
) -> tuple[Made, Previews]:
    edit = findings.edit_list()
    numbers = frame_numbers(findings.signal)
    picked = [pick for pick in findings.picks if pick.frame is not None][: settings.limit]
    previews = Previews(len(picked))
    made = make_stills(
        findings.source,
        findings.signal,
        {pick.frame: pick.shot for pick in picked if pick.frame is not None},
        upscaler,
        folder,
        suffix=f".{settings.format}",
        timecode=lambda frame: str(edit.timecode(int(numbers[frame]))),
        also={candidate.frame for pick in picked for candidate in pick.candidates},
        show=previews.add,
        finished=finished,
        progress=partial(progress, "upscale"),
    )
    return made, previews


def _write_timelines(
    findings: Findings, made: Made, folder: Path, say: Callable[[str], None]
) -> tuple[Path, ...]:
    """Write every format that can hold this footage; the others are said to be left out, and why."""
    paths = []
    for form in ("json", *exports.FORMATS):
        try:
            name, text = timeline_file(findings.source, findings.signal, findings.detection, form, made.stills)
        except SettingError as error:
            say(f"no {form} file: {error}")
            continue
        paths.append(folder / name)
        files.write_text(paths[-1], text)
    return tuple(paths)


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets it go when the process dies. Raises OutputBusy."""
    lock = FileLock(folder / _LOCK, blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise OutputBusy(f"another run is writing to {folder}") from error
    except OSError as error:
        raise files.output_error(error, folder) from error
    try:
        files.remove_leftovers(folder)
        yield
    finally:
        lock.release()
