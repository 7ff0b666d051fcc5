"""A network on a torch device: loaded, in the order of values that is fast there, fed with whole cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from snapupscale.upscale.networks import Network, Pace, build

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from snapupscale.upscale.catalog import ModelSpec

_VALUES_PER_CALL = {"cpu": 6e6}


def pace_on(tick: Callable[[float], None], device: torch.device, layout: torch.memory_format | None = None) -> Pace:
    """How the network is to go about its work on `device`; `tick` is told of each piece."""
    most = _VALUES_PER_CALL.get(device.type, float("inf"))
    return Pace(tick=tick, most=most, layout=layout or layout_on(device))


def load(
    spec: ModelSpec,
    parameters: dict[str, NDArray[np.float32]],
    device: torch.device,
    *,
    half: bool = False,
    faithful: bool = False,
    layout: torch.memory_format | None = None,
) -> Network:
    """The network of `spec` on `device`, its first layer in float32 even with `half`, unless `faithful`."""
    network = build(spec)
    network.load_state_dict({name: torch.tensor(values) for name, values in parameters.items()}, assign=True)
    network.requires_grad_(requires_grad=False)
    if half:
        network.half()
        for layer in [] if faithful else network.entrance():
            layer.float()
    network.to(device)
    network.to(memory_format=layout or layout_on(device))  # type: ignore[call-overload] # missing in torch's own types
    return network


def layout_on(device: torch.device) -> torch.memory_format:
    """Channels last is the faster order on CUDA and, by a factor of 1.1 to 2.5, on the CPU."""
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def whole_cells_of_planes(planes: Tensor, cell: int) -> Tensor:
    """`picture.whole_cells` for planes, 1xCxHxW."""
    for axis in (2, 3):
        length = planes.shape[axis]
        if length % cell:
            places = np.pad(np.arange(length), (0, -length % cell), mode="reflect")
            planes = planes.index_select(axis, torch.from_numpy(places).to(planes.device))
    return planes
