"""A model on a device, as asked for or as it suits the machine."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from snapupscale.errors import BackendUnavailable
from snapupscale.upscale import catalog, cpu, devices, vulkan, weights
from snapupscale.upscale.loaded import Loaded
from snapupscale.upscale.torch_backend import TorchBackend
from snapupscale.upscale.vulkan import VulkanDevice

if TYPE_CHECKING:
    import torch
    from numpy import float32
    from numpy.typing import NDArray

    from snapupscale.upscale.catalog import ModelSpec

def load(
    model: str, backend: str, precision: str, *, tile: int | None = None, denoise: float = 1.0, faithful: bool = False
) -> Loaded[TorchBackend]:
    """Choose device and model and load it; the settings are those of Upscaler.

    Raises SettingError, WeightsMissing, WeightsCorrupt, BackendUnavailable or OutOfMemory.
    """
    place = _place(backend)
    name, reason = (model, f"{model}, as asked.") if model != "auto" else catalog.auto_model(_suits(place))
    spec = catalog.find(name)
    loaded = weights.load(spec, denoise=denoise)
    if precision == "auto":
        # By Vulkan, half precision takes 0.7 of the time on an H200, the only card that it was tried on.
        precision = "fp16" if _suits(place) == "cuda" else "fp32"
    settings = {"precision": precision, "tile": tile, "faithful": faithful}
    network = _network(spec, loaded.parameters, place, **settings)
    return Loaded(
        network=network,
        model=name,
        scale=spec.scale,
        backend="ncnn" if isinstance(place, VulkanDevice) else place.type,
        precision=precision,
        weights_sha256=loaded.sha256,
        choice=f"{reason} It runs on {_description(place)}{_way(network, place)} in {precision}.",
    )


def _network(
    spec: ModelSpec, parameters: dict[str, NDArray[float32]], place: torch.device | VulkanDevice, **settings: Any
) -> TorchBackend:
    if isinstance(place, VulkanDevice):
        from snapupscale.upscale.ncnn_backend import NcnnBackend  # noqa: PLC0415 - optional

        return NcnnBackend(spec, parameters, device=place, **settings)
    if place.type == "cpu" and cpu.library(spec, settings["precision"], faithful=settings["faithful"]) == "ncnn":
        # A package that is damaged is no reason to do without the model.
        with suppress(ImportError):
            from snapupscale.upscale.ncnn_backend import NcnnBackend  # noqa: PLC0415 - optional

            return NcnnBackend(spec, parameters, device=None, **settings)
    return TorchBackend(spec, parameters, device=place, **settings)


def _place(backend: str) -> torch.device | VulkanDevice:
    """Where to compute. Raises BackendUnavailable."""
    if backend == "ncnn":
        return vulkan.choose()
    device = devices.choose(backend)
    if backend == "auto" and device.type == "cpu" and vulkan.installed():
        with suppress(BackendUnavailable):
            found = vulkan.choose()
            return device if found.kind == "software" else found
    return device


def _suits(place: torch.device | VulkanDevice) -> str:
    """The kind of device, as the catalog tells them apart."""
    if isinstance(place, VulkanDevice):
        return {"software": "cpu", "integrated": "integrated"}.get(place.kind, "ncnn")
    return place.type


def _way(network: TorchBackend, place: torch.device | VulkanDevice) -> str:
    """By what, where the device doesn't tell."""
    plain = isinstance(place, VulkanDevice) or type(network) is TorchBackend
    return "" if plain else ", by ncnn,"


def _description(place: torch.device | VulkanDevice) -> str:
    return f"{place.name}, by Vulkan," if isinstance(place, VulkanDevice) else devices.describe(place)
