"""What each command of the command line does. Heavy modules are imported by the command that needs them."""
# ruff: noqa: PLC0415  `snapupscale --help` must not wait for av, cv2 or torch

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from snapupscale import console, files
from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from snapupscale.media.source import Source
    from snapupscale.progress import Progress

DETECTION_FORMATS = ("json", "csv", "edl", "otio", "fcpxml")
DEMO_CLIP = Path(__file__).parent / "data" / "bbb480_30s.mp4"


def demo(options: Namespace) -> None:
    """The main job on the clip that ships with the program."""
    from snapupscale.job import Settings, run

    # The clip fades in from black, and a long minimum keeps the plain method from cutting the fade up.
    settings = Settings(min_shot=3.0)
    with console.showing(options.progress) as progress:
        outcome = run(DEMO_CLIP, options.output, settings, progress=progress, say=console.say)
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
    """The cuts of a clip, in the format asked for."""
    from snapupscale.media.source import probe as probe_source
    from snapupscale.scenes.methods import check_settings, find_cuts
    from snapupscale.scenes.results import as_json
    from snapupscale.scenes.signal import analyse
    from snapupscale.timeline.conform import to_edit_list
    from snapupscale.timeline.exports import export

    source = probe_source(options.clip, rate=options.rate)
    check_settings(method=options.method, threshold=options.threshold, min_shot=options.min_shot)
    name = _format_for(options, source)
    with console.showing(options.progress) as progress:
        signal = analyse(source, progress=lambda done, total: progress("analyse", done, total))
    for warning in signal.warnings:
        console.say(f"warning: {warning}")
    found = find_cuts(signal, method=options.method, threshold=options.threshold, min_shot=options.min_shot)
    text = as_json(source, signal, found) if name == "json" else export(to_edit_list(source, signal, found), name)
    if options.output:
        files.make_folder(options.output.absolute().parent)
        files.write_text(options.output, text)
    else:
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))


def stills(options: Namespace) -> None:
    """The main job on a clip of the user's."""
    from snapupscale.job import Settings, run

    settings = Settings(
        method=options.method,
        threshold=options.threshold,
        min_shot=options.min_shot,
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

    ahead.begin(options.backend)
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


def _format_for(options: Namespace, source: Source) -> str:
    """The format to write: as asked, else by the suffix of the file. Never over the footage itself."""
    if options.output is None:
        return str(options.format or "json")
    if options.output.exists() and any(options.output.samefile(file) for file in source.files):
        raise SettingError(f"{options.output} is the footage itself", hint="Give another file with -o.")
    suffix = options.output.suffix[1:].lower()
    if options.format is None and suffix not in DETECTION_FORMATS:
        raise SettingError(
            f"no format is known by the suffix of {options.output.name}",
            hint=f"Add --format, or use one of: {', '.join(DETECTION_FORMATS)}.",
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
