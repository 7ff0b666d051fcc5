"""The NVIDIA GPUs that processes can have one each of, found without the libraries that compute on them."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECONDS = 5.0
"""The longest that the driver's tool is waited for."""
_KILL_SECONDS = 0.5
_TOOL = "nvidia-smi"
_PLACES = {
    "win32": (r"System32\nvidia-smi.exe", r"..\Program Files\NVIDIA Corporation\NVSMI\nvidia-smi.exe"),
    "linux": ("/usr/bin/nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi", "/usr/local/bin/nvidia-smi"),
}
_GPU = re.compile(r"GPU \d+: .*\(UUID: (GPU-[^)\s]+)\)\s*")
_PART = re.compile(r"\s+MIG .*\(UUID: (MIG-[^)\s]+)\)\s*")
_log = logging.getLogger(__name__)


def find(environment: Mapping[str, str] = os.environ) -> tuple[dict[str, str], ...]:
    """For each GPU that torch here can use, the variables that show a process this one alone; at most 5 seconds.

    None where there is no such GPU, or it can't be told: a process then does best with the environment as it is.
    """
    tool = _tool() if _torch_has_cuda() else None
    listed = _listed(tool) if tool else ()
    return masks(listed, environment.get("CUDA_VISIBLE_DEVICES"))


def masks(listed: Sequence[Sequence[str]], wanted: str | None) -> tuple[dict[str, str], ...]:
    """For each usable device, the variables that show it alone.

    listed: for each GPU, in the order of the bus, its UUID and then those of the parts it is divided into, if it is.
    wanted: CUDA_VISIBLE_DEVICES as it is set, read as CUDA does: the list ends at the first device that isn't there.
    """
    if wanted is None:
        devices = [uuid for gpu in listed for uuid in (gpu[1:] or gpu)]
    else:
        devices = []
        known = [uuid for gpu in listed for uuid in gpu]
        for device in (entry.strip() for entry in wanted.split(",")):
            if not _there(device, known, len(listed)):
                break
            devices.append(device)
    return tuple(_mask(device) for device in dict.fromkeys(devices))


def parse(text: str) -> tuple[tuple[str, ...], ...]:
    """What `nvidia-smi -L` prints: for each GPU its UUID, then those of its parts."""
    gpus: list[list[str]] = []
    for line in text.splitlines():
        if found := _GPU.fullmatch(line):
            gpus.append([found[1]])
        elif gpus and (found := _PART.fullmatch(line)):
            gpus[-1].append(found[1])
    return tuple(map(tuple, gpus))


def _there(device: str, known: Sequence[str], count: int) -> bool:
    if device.isascii() and device.isdigit():
        return int(device) < count
    return device.startswith(("GPU-", "MIG-")) and any(uuid.startswith(device) for uuid in known)


def _mask(device: str) -> dict[str, str]:
    """A number keeps the order that it was given for; a UUID means the same in every order."""
    order = {} if device.isdigit() else {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return {"CUDA_VISIBLE_DEVICES": device, **order}


def _torch_has_cuda() -> bool:
    """Whether the torch that is installed was built for NVIDIA GPUs. Importing it to ask takes a second or more."""
    found = find_spec("torch")
    folders = found.submodule_search_locations if found else None
    return any(any(Path(folder, "lib").glob("*torch_cuda*")) for folder in folders or ())


def _tool() -> str | None:
    # The known places come first, and on Windows alone: a search there begins in the current folder.
    root = os.environ.get("SYSTEMROOT", r"C:\Windows") if sys.platform == "win32" else ""
    for place in _PLACES.get(sys.platform, ()):
        path = Path(root, place)
        if path.is_file():
            return str(path)
    return None if sys.platform in {"win32", "darwin"} else shutil.which(_TOOL)


def _listed(tool: str) -> tuple[tuple[str, ...], ...]:
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    try:
        process = subprocess.Popen(
            [tool, "-L"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=flags,
        )
    except OSError as error:
        _log.warning("%s cannot be run: %s", tool, error)
        return ()
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        if process.stdout:
            process.stdout.close()
        with suppress(subprocess.TimeoutExpired):
            # No longer: with a driver that hangs, it can't even be killed.
            process.wait(_KILL_SECONDS)
        _log.warning("%s gave no answer in %g seconds", tool, SECONDS)
        return ()
    return parse(output.decode("utf-8", "replace")) if process.returncode == 0 else ()
