"""The command line: what can be asked for, and how errors and cancelling end."""

from __future__ import annotations

import argparse
import io
import os
import re
import signal
import sys
import traceback
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from snapupscale import __version__, commands, console
from snapupscale.errors import Cancelled, SettingError, SnapUpscaleError
from snapupscale.timecode import exact_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    Kinds = argparse._SubParsersAction[argparse.ArgumentParser]

DONE, FAILED, USAGE, CANCELLED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code: 0 done, 1 failed, 2 wrong usage, 130 cancelled."""
    signal.signal(signal.SIGTERM, _interrupt)
    _mend_streams()
    options = _parser().parse_args(arguments)
    try:
        command: Callable[[argparse.Namespace], int | None] = options.command
        code = command(options) or DONE
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled):
        console.say("cancelled; the same command goes on where this one stopped")
        return CANCELLED
    except BrokenPipeError:
        _abandon_output()
        return FAILED
    except OSError as error:
        _abandon_output()
        hint = "Check where standard output goes to."
        return _failed(f"the result cannot be written: {error.strerror}", hint, "output-unwritable", FAILED)
    except SnapUpscaleError as error:
        return _failed(str(error), error.hint, error.code, USAGE if isinstance(error, SettingError) else FAILED)
    except Exception as error:
        if os.environ.get("SNAPUPSCALE_TRACEBACK"):
            traceback.print_exc()
        hint = "This is a fault of SnapUpscale. Set SNAPUPSCALE_TRACEBACK=1, run it again, and report what it prints."
        return _failed(f"{type(error).__name__}: {error}", hint, "internal", FAILED)
    return code


def _mend_streams() -> None:
    """Standard streams that are closed, or can't hold a file's name, are no reason to lose the work."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  open to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _abandon_output() -> None:
    """Let the interpreter's last flush go nowhere: it would fail again, and change the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(message: str, hint: str, code: str, exit_code: int) -> int:
    console.say(f"error: {message}\nhint: {hint}\ncode: {code}")
    return exit_code


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="snapupscale",
        description="Find the scene cuts in footage and bring the best frame of each shot back, upscaled.",
    )
    parser.add_argument("--version", action="version", version=f"snapupscale {__version__}")
    kinds = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(kinds)
    _add_probe(kinds)
    _add_detect(kinds)
    _add_stills(kinds)
    _add_upscale(kinds)
    _add_models(kinds)
    _add_doctor(kinds)
    _add_sidecar(kinds)
    _add_install(kinds)
    return parser


def _add_demo(kinds: Kinds) -> None:
    parser = _command(kinds, "demo", commands.demo, "the main job on the footage that ships with SnapUpscale")
    parser.add_argument("-o", "--output", type=Path, default=Path("snapupscale-demo"), metavar="DIR")
    _progress(parser)


def _add_probe(kinds: Kinds) -> None:
    parser = _command(kinds, "probe", commands.probe, "what a clip holds")
    _clip(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_detect(kinds: Kinds) -> None:
    parser = _command(kinds, "detect", commands.detect, "find the cuts of a clip")
    _clip(parser)
    _detection(parser)
    parser.add_argument("--draft", action="store_true", help="a first look from packets alone, thirty times as quick")
    parser.add_argument("--format", choices=commands.DETECTION_FORMATS, help="default: the suffix of FILE, else json")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    _progress(parser)


def _add_stills(kinds: Kinds) -> None:
    parser = _command(kinds, "stills", commands.stills, "upscale the best frame of each shot of a clip")
    _clip(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    _detection(parser)
    parser.add_argument("--pick", choices=("best", "first", "middle"), default="best", help="which frame of a shot")
    _upscaling(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="make N stills at most")
    _progress(parser)


def _add_upscale(kinds: Kinds) -> None:
    parser = _command(kinds, "upscale", commands.upscale, "upscale pictures")
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    _upscaling(parser)
    parser.add_argument("--tile", default="auto", help="auto, or the side of a tile in pixels")
    parser.add_argument("--denoise", type=float, default=1.0, metavar="0..1", help="for general-x4v3 alone")
    parser.add_argument("--reference", action="store_true", help="the official order of operations, to compare with")
    _progress(parser)


def _add_models(kinds: Kinds) -> None:
    parser = _command(kinds, "models", commands.list_models, "the models, and which of them are installed")
    actions = parser.add_subparsers(metavar="ACTION")
    _command(actions, "list", commands.list_models, "the models, and which of them are installed")
    fetch = _command(actions, "fetch", commands.fetch_model, "download a model that doesn't come with the program")
    fetch.add_argument("name", metavar="NAME")
    _progress(fetch)
    _command(actions, "verify", commands.verify_models, "check the files of all installed models")


def _add_doctor(kinds: Kinds) -> None:
    parser = _command(kinds, "doctor", commands.doctor, "what this machine has, and what doesn't work")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_sidecar(kinds: Kinds) -> None:
    parser = kinds.add_parser("sidecar", help="the local service that owns the jobs, the models and the GPU")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    serve = _command(actions, "serve", commands.sidecar_serve, "run the service until it is stopped or idle")
    serve.add_argument("--idle", type=float, default=15.0, metavar="MINUTES", help="stop when idle so long; default 15")
    status = _command(actions, "status", commands.sidecar_status, "where the service runs; fails when none does")
    status.add_argument("--json", action="store_true", help="print JSON")
    _command(actions, "stop", commands.sidecar_stop, "stop the service")
    # Not for people, so not in the list.
    actions.add_parser("worker").set_defaults(command=commands.sidecar_worker)
    actions.add_parser("frame-worker").set_defaults(command=commands.sidecar_frame_worker)


def _add_install(kinds: Kinds) -> None:
    for name, function, summary in (
        ("install", commands.install, "put the menu scripts where DaVinci Resolve looks for them"),
        ("uninstall", commands.uninstall, "remove the menu scripts, and put back what was there before"),
    ):
        parser = _command(kinds, name, function, summary)
        who = parser.add_mutually_exclusive_group()
        who.add_argument("--user", action="store_true", help="for this user; the default")
        who.add_argument("--all", action="store_true", help="for all users; needs an administrator's rights")
        parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")


def _command(
    kinds: Kinds,
    name: str,
    function: Callable[[argparse.Namespace], int | None],
    summary: str,
) -> argparse.ArgumentParser:
    parser = kinds.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    parser.set_defaults(command=function)
    return parser


def _clip(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", metavar="CLIP", help="a movie, or an image sequence: name.%%04d.png")
    parser.add_argument("--rate", type=_rate, help="frames per second, such as 24000/1001; sequences default to 24")


def _detection(parser: argparse.ArgumentParser) -> None:
    # None for what wasn't asked for: the defaults are those of `scenes.methods`, and --shots goes with none of them.
    parser.add_argument("--method", metavar="NAME", help="adaptive (default), neural, combined or histogram")
    parser.add_argument(
        "--threshold", type=float, metavar="0.1..0.8", help="more cuts below, fewer above; default 0.4"
    )
    parser.add_argument("--min-shot", type=float, metavar="SECONDS", help="no shot is shorter; default 0")
    parser.add_argument(
        "--shots", type=Path, metavar="FILE", help="take the shots of an EDL, OTIO or CSV file, and detect nothing"
    )


def _upscaling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="auto", metavar="NAME", help="see `snapupscale models`; auto: by device")
    parser.add_argument("--scale", type=_scale, metavar="N", help="default: that of the model")
    parser.add_argument(
        "--backend", default="auto", metavar="NAME", help="auto, cuda, mps, ncnn (Vulkan), cpu, bicubic or lanczos"
    )
    parser.add_argument("--precision", choices=("auto", "fp32", "fp16"), default="auto")
    parser.add_argument("--format", choices=("png", "tiff", "exr"), default="png", help="default: %(default)s")


def _progress(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--progress", choices=console.KINDS, default="auto", help="auto: on a terminal; json: a line an event"
    )


def _rate(text: str) -> Fraction:
    try:
        return exact_rate(text)
    except SettingError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _scale(text: str) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6}|/[1-9][0-9]{0,3})?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number such as 2, 1.5 or 4/3")
    return Fraction(text)


