"""Memory for the kernels from torch, where pictures are its tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


class TorchMemory:
    """See planes.Memory. device: of CUDA."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def halves(self, *shape: int) -> Tensor:
        return torch.empty(shape, dtype=torch.float16, device=self._device)

    def floats(self, *shape: int) -> Tensor:
        return torch.empty(shape, device=self._device)
