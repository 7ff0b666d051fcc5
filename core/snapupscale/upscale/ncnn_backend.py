"""Real-ESRGAN by ncnn, on whatever GPU has a Vulkan driver: tiles, guards and levels are those of TorchBackend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from snapupscale.upscale.ncnn_network import NcnnNetwork
from snapupscale.upscale.torch_backend import TorchBackend

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    from snapupscale.upscale.catalog import ModelSpec
    from snapupscale.upscale.networks import Network
    from snapupscale.upscale.vulkan import VulkanDevice

_MOST_BYTES = 1 << 30
"""Most of one tensor: drivers need not allow more in one piece."""


class NcnnBackend(TorchBackend):
    """One model on one Vulkan device, or with None on the CPU by ncnn's routines.

    Pictures stay on the host, which also keeps their levels; the network alone runs on the device. A driver that fails
    can end the process, which only the worker of a sidecar contains.
    """

    def __init__(
        self,
        spec: ModelSpec,
        parameters: dict[str, NDArray[float32]],
        *,
        device: VulkanDevice | None,
        precision: str,
        tile: int | None = None,
        faithful: bool = False,
    ) -> None:
        self._vulkan = device
        super().__init__(
            spec, parameters, device=torch.device("cpu"), precision=precision, tile=tile, faithful=faithful
        )
        self.tiles.device = "ncnn" if device else "cpu"
        self.tiles.most_values = _MOST_BYTES // (2 if precision == "fp16" else 4)

    def _made(self, *, half: bool) -> Network:
        return NcnnNetwork(self._spec, self._parameters, self._vulkan, half=half)

    def _free_memory(self) -> int:
        free = super()._free_memory()
        return min(free, self._vulkan.memory) if self._vulkan else free
