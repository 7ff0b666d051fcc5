"""What this machine has that the work needs. No private path is named, so that the result can be shown around."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
from platformdirs import user_cache_path, user_data_path

from snapupscale import __version__
from snapupscale.errors import BackendUnavailable, KernelUnavailable, ModelError
from snapupscale.upscale import cpu, memory, vulkan, weights
from snapupscale.upscale.catalog import auto_model, catalog, find
from snapupscale.upscale.kernels import compiler, source
from snapupscale.upscale.kernels.gpu import gpu

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snapupscale.upscale.kernels.source import Card

_GIB = 1 << 30
_LEAST_DISK = 2 * _GIB
_CODECS = ("h264", "hevc", "prores", "dnxhd", "av1", "vp9", "mpeg2video", "mjpeg", "png", "exr")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at. Without a `needed` one the main job can't be done."""

    name: str
    found: str
    ok: bool = True
    needed: bool = False
    hint: str = ""
    details: tuple[str, ...] = ()
    """Lines below it."""


def examine() -> list[Check]:
    """Look at everything; a thing that is missing is a check that is not ok, never an exception."""
    return [
        Check(name="snapupscale", found=__version__),
        Check(name="python", found=f"{platform.python_version()} on {platform.platform()}"),
        Check(name="libraries", found=f"av {av.__version__}, opencv {cv2.__version__}"),
        *_torch(),
        *_vulkan(),
        _memory(),
        *_models(),
        _codecs(),
        *_disks(),
    ]


def _torch() -> Iterator[Check]:
    try:
        import torch  # noqa: PLC0415  slow to load, and may be broken
    except (ImportError, OSError) as error:
        yield Check(name="torch", found=str(error), ok=False, needed=True, hint="Install SnapUpscale again.")
        return
    yield Check(name="torch", found=f"{torch.__version__}, {torch.get_num_threads()} threads", needed=True)
    light, _ = auto_model("cpu")
    yield Check(name="cpu", found=f"{light} by {cpu.library(find(light))}")
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(number)
            name = torch.cuda.get_device_name(number)
            yield Check(name="cuda", found=f"{name}, CUDA {torch.version.cuda}, {_gib(free)} of {_gib(total)} free")
            yield kernels(gpu(number).card)
    else:
        yield Check(name="cuda", found="no device", ok=False, hint="Without a GPU the light models are used.")
    has_mps = torch.backends.mps.is_available()
    yield Check(name="mps", found="available" if has_mps else "no device", ok=has_mps)


def kernels(found: Card) -> Check:
    """Which kernels of our own compute on a card of CUDA; without any, torch does."""
    slow = "Results are the same, only slower."
    family = source.choose(found)
    if family is None:
        major, minor = found.capability
        return Check(name="kernels", found=f"none for CUDA {major}.{minor}; torch computes", ok=False, hint=slow)
    try:
        compiler.nvrtc()
    except KernelUnavailable as error:
        return Check(name="kernels", found=f"none: {error}; torch computes", ok=False, hint=slow)
    return Check(name="kernels", found=f"{family.name}, for {family.architecture}")


def _vulkan() -> Iterator[Check]:
    try:
        devices = vulkan.devices()
    except BackendUnavailable as error:
        yield Check(name="vulkan", found=str(error), ok=False, hint=error.hint)
        return
    if not devices:
        yield Check(name="vulkan", found="no device", ok=False)
    for device in devices:
        software = device.kind == "software"
        yield Check(
            name="vulkan",
            found=f"{device.name} ({device.kind}), {_gib(device.memory)}",
            ok=not software,
            hint=f"No GPU; used only when {vulkan.DEVICE_VARIABLE} names it." if software else "",
        )


def _memory() -> Check:
    free = memory.available()
    return Check(name="memory", found=f"{_gib(free)} free", ok=free > 2 * _GIB, hint="Large stills need 2 GiB.")


def _models() -> Iterator[Check]:
    for model in catalog().values():
        hint = f"snapupscale models fetch {model.name}"
        if not weights.installed(model):
            yield Check(name=model.name, found="not installed", ok=False, hint=hint)
            continue
        try:
            weights.verify(model)
        except ModelError as error:
            yield Check(name=model.name, found=error.code, ok=False, needed=True, hint=error.hint)
        else:
            yield Check(name=model.name, found="weights are whole", needed=True)


def _codecs() -> Check:
    missing = [name for name in _CODECS if name not in av.codecs_available]
    found = f"FFmpeg {'.'.join(map(str, av.library_versions['libavcodec']))}"
    return Check(
        name="codecs",
        found=f"{found}; missing: {', '.join(missing)}" if missing else found,
        ok=not missing,
        needed=True,
        hint="Install the package `av` again from its wheel.",
    )


def _disks() -> Iterator[Check]:
    for name, path in (
        ("cache disk", user_cache_path("snapupscale")),
        ("data disk", user_data_path("snapupscale")),
        ("current disk", Path.cwd()),
    ):
        place = next(folder for folder in (path, *path.parents) if folder.exists())
        free = shutil.disk_usage(place).free
        yield Check(name=name, found=f"{_gib(free)} free", ok=free > _LEAST_DISK, hint="A still of 8K takes 100 MB.")


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB"
