"""What the failures of a device look like: memory that runs out, a GPU that is lost. Their words alone tell."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from snapupscale.errors import DeviceLost, OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterator

_RAN_OUT = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "could not create a memory",
    "STATUS_ALLOC_FAILED",
    "unable to find an engine",
    "Unable to find a valid cuDNN algorithm",
)

_LOST = ("CUDA error", "CUDA driver error", "CUDNN_STATUS_EXECUTION_FAILED", "CUBLAS_STATUS_EXECUTION_FAILED")
_AS_IT_WAS = ("invalid argument", "INVALID_VALUE", "invalid configuration", "no kernel image")
"""What was asked for was wrong; the device goes on."""


def ran_out(error: BaseException) -> bool:
    """Whether memory ran out."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _RAN_OUT)


def lost(error: BaseException) -> bool:
    """Whether a GPU or its driver failed, so that, as a rule, this process can use it no longer."""
    if not isinstance(error, RuntimeError) or ran_out(error):
        return False
    text = str(error)
    return any(sign in text for sign in _LOST) and not any(sign in text for sign in _AS_IT_WAS)


@contextmanager
def memory_errors(hint: str = "Give a smaller picture, or a smaller --scale.") -> Iterator[None]:
    """What is left of memory errors, raised as OutOfMemory; and what ends the use of a GPU, as DeviceLost."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if lost(error):
            raise DeviceLost(f"the GPU has failed: {str(error).splitlines()[0]}") from error
        if not ran_out(error):
            raise
        raise OutOfMemory("the picture itself does not fit into memory", hint=hint) from error
