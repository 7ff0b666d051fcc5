"""A model on a device, as asked for or as it suits the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snapupscale.upscale import catalog, devices, weights
from snapupscale.upscale.torch_backend import TorchBackend

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """`network`, the `model` it is, its own `scale`, and what else there is to say about it (see Upscaler)."""

    network: TorchBackend
    model: str
    scale: int
    device: torch.device
    precision: str
    weights_sha256: str
    choice: str


def load(
    model: str, backend: str, precision: str, *, tile: int | None = None, denoise: float = 1.0, faithful: bool = False
) -> Loaded:
    """Choose device and model and load it; the settings are those of Upscaler.

    Raises SettingError, WeightsMissing, WeightsCorrupt, BackendUnavailable or OutOfMemory.
    """
    device = devices.choose(backend)
    name, reason = (model, f"{model}, as asked.") if model != "auto" else catalog.auto_model(device.type)
    spec = catalog.find(name)
    loaded = weights.load(spec, denoise=denoise)
    if precision == "auto":
        precision = "fp16" if device.type == "cuda" else "fp32"
    return Loaded(
        network=TorchBackend(
            spec, loaded.parameters, device=device, precision=precision, tile=tile, faithful=faithful
        ),
        model=name,
        scale=spec.scale,
        device=device,
        precision=precision,
        weights_sha256=loaded.sha256,
        choice=f"{reason} It runs on {devices.describe(device)} in {precision}.",
    )
