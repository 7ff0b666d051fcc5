"""What each command of the command line does. Heavy modules are imported by the command that needs them."""
# ruff: noqa: PLC0415  `snapupscale --help` must not wait for av, cv2 or torch

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapupscale import console, files
from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from snapupscale.media.source import Source
    from snapupscale.progress import Progress
    from snapupscale.scenes.methods import Detection
    from snapupscale.scenes.signal import Signal

SUFFIXES = ("json", "csv", "edl", "otio", "fcpxml")
DETECTION_FORMATS = (*SUFFIXES, "pyscenedetect-csv", "pyscenedetect-stats", "chapters", "ffmetadata")
DEMO_CLIP = Path(__file__).parent / "data" / "bbb480_30s.mp4"


def demo(options: Namespace) -> None:
    """The main job on the clip that ships with the program."""
    from snapupscale.job import Settings, run

    with console.showing(options.progress) as progress:
        outcome = run(DEMO_CLIP, options.output, Settings(), progress=progress, say=console.say)
    console.say(f"{len(outcome.stills)} stills and {len(outcome.timelines)} timelines in {outcome.folder}")
    _print(str(outcome.report))


def probe(options: Namespace) -> None:
    """What a clip holds, as text or JSON."""
    from snapupscale.media.facts import facts
    from snapupscale.media.source import probe as probe_source

    rows = facts(probe_source(options.clip, rate=options.rate))
    if options.json:
        _print(json.dumps(rows, indent=1))
        return
    for name, value in rows.items():
        for line in value if isinstance(value, list) else [value]:
            _print(f"{name.replace('_', ' ') + ':':<18}{'unknown' if line is None else line}")


def detect(options: Namespace) -> None:
    """The cuts of a clip, found or given, in the format asked for."""
    from snapupscale.heap import give_back_large_blocks
    from snapupscale.media.source import probe as probe_source

    give_back_large_blocks()
    source = probe_source(options.clip, rate=options.rate)
    name = _format_for(options, source)
    signal, found = _found(options, source)
    for warning in signal.warnings:
        console.say(f"warning: {warning}")
    text = _as_text(name, source, signal, found)
    if options.output:
        files.make_folder(options.output.absolute().parent)
        files.write_text(options.output, text)
    else:
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))


def _found(options: Namespace, source: Source) -> tuple[Signal, Detection]:
    """The cuts: from packets for a draft, from a list where one is given, else from the pictures."""
    from snapupscale.scenes import methods
    from snapupscale.scenes.signal import analyse

    chosen = _chosen(options)
    settings: dict[str, Any] = {
        "method": methods.DEFAULT_METHOD,
        "threshold": methods.DEFAULT_THRESHOLD,
        "min_shot": methods.DEFAULT_MIN_SHOT,
    }
    settings |= chosen
    methods.check_settings(**settings)
    if options.draft:
        from snapupscale.scenes.draft import drafted

        return drafted(source)
    listing = None
    if options.shots is not None:
        from snapupscale.timeline.reading import read_list

        listing = read_list(options.shots)
    with console.showing(options.progress) as progress:
        signal = analyse(
            source,
            **methods.needs(settings["method"]),
            progress=lambda done, total: progress("analyse", done, total),
        )
    if listing is None:
        return signal, methods.find_cuts(signal, **settings)
    from snapupscale.findings import given

    return given(source, signal, listing)


def stills(options: Namespace) -> None:
    """The main job on a clip of the user's."""
    from snapupscale.job import Settings, run

    settings = Settings(
        **_chosen(options),
        shots=options.shots,
        pick=options.pick,
        model=options.model,
        backend=options.backend,
        scale=options.scale,
        precision=options.precision,
        format=options.format,
        limit=options.limit,
        rate=options.rate,
    )
    with console.showing(options.progress) as progress:
        outcome = run(options.clip, options.output, settings, progress=progress, say=console.say)
    kept = f", {outcome.kept} of them finished before" if outcome.kept else ""
    console.say(f"{len(outcome.stills)} stills{kept}; report: {outcome.report}")
    for path in (*outcome.stills, *outcome.timelines, outcome.report):
        _print(str(path))


def upscale(options: Namespace) -> None:
    """Upscale pictures, one after the other."""
    from snapupscale.upscale import ahead

    ahead.begin(options.backend, options.model, options.precision, reference=options.reference)
    from snapupscale.stills.images import read_image, require_size, write_image
    from snapupscale.stills.names import picture_name
    from snapupscale.upscale.engine import Upscaler

    tile = options.tile if options.tile == "auto" else _whole_number(options.tile)
    files.make_folder(options.output)
    with (
        Upscaler(
            model=options.model,
            backend=options.backend,
            scale=options.scale,
            precision=options.precision,
            tile=tile,
            denoise=options.denoise,
            reference=options.reference,
        ) as upscaler,
        console.showing(options.progress) as progress,
    ):
        console.say(upscaler.choice)
        targets = [
            options.output / picture_name(path.stem, upscaler.scale, f".{options.format}") for path in options.images
        ]
        twice = [path.name for path, count in Counter(targets).items() if count > 1]
        if twice:
            raise SettingError(f"two pictures would be written to {twice[0]}", hint="Upscale them into two folders.")
        for number, (path, target) in enumerate(zip(options.images, targets, strict=True)):
            picture, tags = read_image(path)
            require_size(picture.shape, upscaler.scale, target.suffix)
            if picture.dtype == "float32" and options.format != "exr":
                raise SettingError(f"{path} holds float samples", hint="Add --format exr, which can hold them.")
            result = upscaler.upscale(picture, progress=_from(number, len(targets), progress))
            write_image(target, result, tags=tags)
            _print(str(target))


def list_models(options: Namespace) -> None:
    """A line for each model of the catalog."""
    from snapupscale.upscale.catalog import catalog
    from snapupscale.upscale.weights import installed

    for model in catalog().values():
        state = "installed" if installed(model) else f"snapupscale models fetch {model.name}"
        _print(f"{model.name:<16}x{model.scale}  {model.licence:<14}{state}")


def fetch_model(options: Namespace) -> None:
    """Download the weights of one model."""
    from snapupscale.upscale.fetch import fetch

    with console.showing(options.progress) as progress:
        paths = fetch(options.name, progress=lambda done, total: progress("fetch", done, total))
    for path in paths:
        _print(str(path))


def verify_models(options: Namespace) -> int:
    """Check the hashes of what is installed; 1 when a file is not what it should be."""
    from snapupscale.errors import ModelError
    from snapupscale.upscale.catalog import catalog
    from snapupscale.upscale.weights import installed, verify

    faults = 0
    for model in catalog().values():
        if not installed(model):
            _print(f"{model.name:<16}not installed")
            continue
        try:
            verify(model)
            _print(f"{model.name:<16}ok")
        except ModelError as error:
            faults += 1
            _print(f"{model.name:<16}{error}")
    return 1 if faults else 0


def doctor(options: Namespace) -> int:
    """What this machine has; 1 when the main job can't be done here."""
    from snapupscale.doctor import examine
    from snapupscale.sidecar import condition

    checks = [*examine(), *condition.examine()]
    if options.json:
        _print(json.dumps([asdict(check) for check in checks], indent=1))
    else:
        for check in checks:
            _print(f"{'ok  ' if check.ok else 'FAIL' if check.needed else 'no  '}  {check.name:<14}{check.found}")
            if not check.ok and check.hint:
                _print(f"{'':20}{check.hint}")
            for line in check.details:
                _print(f"{'':20}{line}")
    return 0 if all(check.ok or not check.needed for check in checks) else 1


def sidecar_serve(options: Namespace) -> None:
    """Run the local service."""
    from snapupscale.sidecar.commands import serve

    serve(options)


def sidecar_status(options: Namespace) -> None:
    """Where the local service runs."""
    from snapupscale.sidecar.commands import status

    status(options)


def sidecar_stop(options: Namespace) -> None:
    """Stop the local service."""
    from snapupscale.sidecar.commands import stop

    stop(options)


def sidecar_worker(options: Namespace) -> None:
    """Be the worker of a sidecar: how a frozen program starts one."""
    from snapupscale.sidecar.worker import main

    main()


def sidecar_frame_worker(options: Namespace) -> None:
    """Be the process that makes frames for effects: how a frozen program starts it."""
    from snapupscale.sidecar.frames.worker import main

    main()


def install(options: Namespace) -> None:
    """Put the menu scripts in their places."""
    from snapupscale.installing.install import install as install_at
    from snapupscale.installing.payload import payload, program, scripts
    from snapupscale.installing.places import places

    source, command = scripts(), program()
    for place in places(sys.platform, os.environ, everybody=options.all):
        if not place.editor.is_dir():
            console.say(f"DaVinci Resolve has no folder {place.editor} yet; the scripts wait for it there")
        content = payload(place, source, command)
        for step in install_at(place, content, everybody=options.all, dry_run=options.dry_run):
            _print(str(step))
    if not options.dry_run:
        console.say("installed: choose Workspace > Scripts > SnapUpscale in DaVinci Resolve")


def uninstall(options: Namespace) -> None:
    """Take the menu scripts away."""
    from snapupscale.installing.install import uninstall as uninstall_at
    from snapupscale.installing.places import places

    found = False
    for place in places(sys.platform, os.environ, everybody=options.all):
        steps = uninstall_at(place, everybody=options.all, dry_run=options.dry_run)
        found = found or steps is not None
        for step in steps or ():
            _print(str(step))
    if not found:
        console.say(f"nothing is installed for {'all users' if options.all else 'this user'}")


def _chosen(options: Namespace) -> dict[str, Any]:
    """The settings of the detection that were given. Raises SettingError where there is none to be made."""
    names = ("method", "threshold", "min_shot")
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    others = [flag for flag in ("shots", "draft") if getattr(options, flag, None)]
    if others and (chosen or len(others) > 1):
        flag = next(iter(chosen), others[-1]).replace("_", "-")
        raise SettingError(f"--{flag} does not go with --{others[0]}", hint="Leave out one of them.")
    return chosen


def _as_text(form: str, source: Source, signal: Signal, found: Detection) -> str:
    from snapupscale.scenes.results import as_json
    from snapupscale.timeline.conform import to_edit_list
    from snapupscale.timeline.exports import export
    from snapupscale.timeline.pyscenedetect import to_stats

    match form:
        case "json":
            return as_json(source, signal, found)
        case "pyscenedetect-stats":
            return to_stats(signal, found)
    return export(to_edit_list(source, signal, found), form)


def _format_for(options: Namespace, source: Source) -> str:
    """The format to write: as asked, else by the suffix of the file. Never over the footage itself."""
    if options.output is None:
        return str(options.format or "json")
    if options.output.exists() and any(options.output.samefile(file) for file in source.files):
        raise SettingError(f"{options.output} is the footage itself", hint="Give another file with -o.")
    if options.shots is not None and options.output.exists() and options.output.samefile(options.shots):
        raise SettingError(f"{options.output} is the list of shots itself", hint="Give another file with -o.")
    suffix = options.output.suffix[1:].lower()
    if options.format is None and suffix not in SUFFIXES:
        raise SettingError(
            f"no format is known by the suffix of {options.output.name}",
            hint=f"Add --format, or use one of: {', '.join(SUFFIXES)}.",
        )
    return str(options.format or suffix)


def _from(done: int, total: int, progress: Progress) -> Callable[[float], None]:
    return lambda part: progress("upscale", done + part, total)


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) < 1:
        raise SettingError(f"the tile must be auto or a number of pixels, not {text!r}")
    return int(text)


def _print(line: str) -> None:
    print(line)  # noqa: T201
