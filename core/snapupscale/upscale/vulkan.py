"""The devices that Vulkan finds here, as ncnn numbers them; run as a program it prints them.

They are listed by another process, so that a driver that crashes takes nothing along.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from snapupscale.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Kind = Literal["discrete", "integrated", "virtual", "software"]

DEVICE_VARIABLE = "SNAPUPSCALE_VULKAN_DEVICE"
"""Names the device to use by a part of its name; software devices are used only when it does."""

_KINDS: tuple[Kind, ...] = ("discrete", "integrated", "virtual", "software")
"""As ncnn numbers them."""

_PREFERENCE: tuple[Kind, ...] = ("discrete", "integrated", "virtual", "software")
_PATIENCE_S = 60.0
_HINT = 'Run `pip install "snapupscale[vulkan]"`, or use --backend auto.'


@dataclass(frozen=True, kw_only=True)
class VulkanDevice:
    """`number` is that of ncnn; `memory`: bytes that this process may take."""

    number: int
    name: str
    kind: Kind
    memory: int


def installed() -> bool:
    """Whether the package ncnn is; it is not imported."""
    return find_spec("ncnn") is not None


@cache
def devices() -> tuple[VulkanDevice, ...]:
    """Every device, the best first; none without a Vulkan driver. Raises BackendUnavailable without ncnn."""
    if not installed():
        raise BackendUnavailable("the package ncnn is not installed", hint=_HINT)
    program = (sys.executable, "-P", "-m", __name__)
    try:
        done = subprocess.run(
            program, capture_output=True, timeout=_PATIENCE_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unlisted("no answer") from error
    try:
        found = [VulkanDevice(**fields) for fields in json.loads(done.stdout.splitlines()[-1])]
    except (ValueError, TypeError, IndexError) as error:
        raise _unlisted(f"exit code {done.returncode}") from error
    if done.returncode:
        raise _unlisted(f"exit code {done.returncode}")
    return tuple(sorted(found, key=lambda device: (_PREFERENCE.index(device.kind), device.number)))


def choose(among: Sequence[VulkanDevice] | None = None) -> VulkanDevice:
    """The device that DEVICE_VARIABLE names, or the best GPU of `among` (all of them). Raises BackendUnavailable."""
    found = devices() if among is None else among
    wanted = os.environ.get(DEVICE_VARIABLE, "")
    names = ", ".join(device.name for device in found) or "none"
    if wanted:
        named = [device for device in found if wanted.lower() in device.name.lower()]
        hint = f"The devices are: {names}. Set or unset {DEVICE_VARIABLE}."
        problem = f"no Vulkan device is called {wanted!r}"
    else:
        named = [device for device in found if device.kind != "software"]
        hint = "Install the Vulkan driver of the GPU, or use --backend cpu."
        problem = f"Vulkan finds no GPU (devices: {names})"
    if not named:
        raise BackendUnavailable(problem, hint=hint)
    return named[0]


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that native code of this process writes to stderr appears: ncnn describes every device there."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a program without a console has no stderr
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - it is no path of this system's kind
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _unlisted(why: str) -> BackendUnavailable:
    hint = "Install the driver of the GPU again, or use --backend cpu."
    return BackendUnavailable(f"the devices of Vulkan cannot be listed: {why}", hint=hint)


def _listed() -> list[VulkanDevice]:
    import ncnn  # noqa: PLC0415 - optional, and it looks for drivers

    found = []
    for number in range(ncnn.get_gpu_count()):
        info = ncnn.get_gpu_info(number)
        memory = ncnn.get_gpu_device(number).get_heap_budget() << 20
        found.append(
            VulkanDevice(number=number, name=info.device_name(), kind=_KINDS[info.type()], memory=memory)
        )
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(device) for device in _listed()]) + "\n")
