"""What a client asks for when it begins a session, and which of its options are for whom."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapupscale import protocol
from snapupscale.errors import SettingError
from snapupscale.sidecar.analysis import CUTS_OPTIONS
from snapupscale.sidecar.messages import Upscale
from snapupscale.sidecar.messages import decode as decode_request
from snapupscale.timeline.options import Options, read_options

if TYPE_CHECKING:
    from collections.abc import Mapping

UPSCALE_OPTIONS = ("pick", "model", "backend", "scale", "precision", "format")
"""The options of the action that are those of the jobs that upscale."""
FOLDER = "folder"
"""The option that says where the stills of all projects are kept."""
_OPTIONS = (*CUTS_OPTIONS, *UPSCALE_OPTIONS, FOLDER, *(each.name for each in fields(Options)))


def read_request(data: object) -> tuple[str, dict[str, Any], object]:
    """The action, the options and the snapshot, undecoded, that a client sends. Raises SettingError."""
    if not isinstance(data, dict):
        raise SettingError("a session is a JSON object", hint='Send {"action", "snapshot", "options"}.')
    action, options = data.get("action"), data.get("options", {})
    if action not in protocol.ACTIONS:
        raise SettingError(
            f"action: {str(action)[:40]!r} is no action", hint=f"Actions: {', '.join(protocol.ACTIONS)}."
        )
    if not isinstance(options, dict):
        raise SettingError("options: is no object")
    if unknown := sorted(str(name) for name in options.keys() - set(_OPTIONS)):
        raise SettingError(f"options: {unknown[0][:40]!r} is no option", hint=f"Options: {', '.join(_OPTIONS)}.")
    read_options({name: value for name, value in options.items() if name not in CUTS_OPTIONS})
    decode_request(Upscale, {"source": "", **of_cuts(options), **of_upscale(options)})
    folder = options.get(FOLDER, "/")
    if not isinstance(folder, str) or not Path(folder).is_absolute():
        raise SettingError("folder: it is no absolute path")
    return action, options, data.get("snapshot")


def of_cuts(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the jobs that find cuts."""
    return {name: options[name] for name in CUTS_OPTIONS if name in options}


def of_upscale(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the jobs that upscale."""
    return {name: options[name] for name in UPSCALE_OPTIONS if name in options}
