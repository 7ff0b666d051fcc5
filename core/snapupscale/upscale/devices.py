"""The devices that torch can compute on here: how much memory is free, what running out looks like."""

from __future__ import annotations

import torch

from snapupscale.errors import BackendUnavailable
from snapupscale.upscale import memory

NAMES = ("cuda", "mps", "cpu")
"""In the order of preference."""

_HOST_MOST = 8 << 30


def choose(name: str) -> torch.device:
    """The device called `name`, or the best for 'auto'. Raises BackendUnavailable."""
    wanted = NAMES if name == "auto" else (name,)
    reasons = []
    for candidate in wanted:
        reason = _obstacle(candidate)
        if reason is None:
            return torch.device(candidate)
        reasons.append(reason)
    raise BackendUnavailable(f"the backend {name} cannot be used: {'; '.join(reasons)}")


def describe(device: torch.device) -> str:
    """The device by the name that its maker gave it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "the Apple GPU" if device.type == "mps" else f"the CPU ({torch.get_num_threads()} threads)"


def free_memory(device: torch.device) -> int:
    """Bytes that can be allocated on `device`; on the CPU at most half of what is free, and 8 GiB."""
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + cached
    if device.type == "mps":
        return max(0, torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return min(memory.available() // 2, _HOST_MOST)


def synchronise(device: torch.device) -> None:
    """Wait until all that was asked of `device` is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def release(device: torch.device) -> None:
    """Give unused cached memory back to the system."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _obstacle(name: str) -> str | None:
    """Why the device called `name` cannot be used, or None."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if not present[name]:
        return f"torch {torch.__version__} finds no {name} device"
    try:
        # A GPU can be there and still be too old for this torch, which shows with the first computation.
        if torch.ones(1, device=name).add(1).item() == 2:
            return None
    except RuntimeError as error:
        return f"{name}: {str(error).splitlines()[0]}"
    return f"{name} computes wrong results"
