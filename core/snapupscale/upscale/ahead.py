"""What takes its time before the first picture, begun while modules are being imported and weights read."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from snapupscale.errors import SnapUpscaleError
from snapupscale.upscale.kernels.gpu import gpu

if TYPE_CHECKING:
    from snapupscale.upscale.kernels.gpu import Gpu


def begin(backend: str, model: str = "auto", precision: str = "auto", *, reference: bool = False) -> None:
    """Have the driver set up the first NVIDIA GPU, on a thread, if `backend` may want one, which is then ready sooner.

    Beside that the kernels are compiled that Upscaler, given the same, would compile. What fails fails again there,
    and is told.
    """
    if backend in {"auto", "cuda"} and "torch" not in sys.modules:
        # The driver reads it when it is set up; torch would set the same, but later.
        os.environ.setdefault("CUDA_MODULE_LOADING", "LAZY")
        wanted = "" if precision == "fp32" or reference else model
        # No daemon: the process must not end in the midst of the driver.
        threading.Thread(target=_set_up, args=(wanted,), name="cuda").start()


def _set_up(model: str) -> None:
    """Make the context that torch, and all else in this process, share.

    model: whose kernels are compiled; empty for none.
    """
    # RuntimeError: the driver fails, or the program ends already, and no thread can begin.
    with suppress(SnapUpscaleError, RuntimeError):
        own = gpu()
        if model:
            threading.Thread(target=_compile, args=(own, model), name="kernels").start()
        own.activate()


def _compile(own: Gpu, model: str) -> None:
    """Compile the kernels that `model` takes on the GPU, where they are not kept from before."""
    from snapupscale.upscale import catalog  # noqa: PLC0415 - only with a GPU
    from snapupscale.upscale.kernels import compiler, source  # noqa: PLC0415 - likewise

    with suppress(SnapUpscaleError, RuntimeError):
        spec = catalog.find(catalog.auto_model("cuda")[0] if model == "auto" else model)
        if family := source.choose(own.card):
            layers = source.COMPACT if spec.architecture == "compact" else source.RRDB
            compiler.all_compiled([*family.programs(layers).values(), *source.beside(own.card.capability)])
