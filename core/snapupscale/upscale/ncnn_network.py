"""A Real-ESRGAN network computed by ncnn, on a Vulkan device or on the CPU; pictures come and go as torch tensors."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import ncnn
import numpy as np
import torch
from torch.nn import functional as F

from snapupscale.errors import BackendUnavailable, DeviceLost
from snapupscale.upscale import ncnn_graph, vulkan
from snapupscale.upscale.layers import ENLARGE
from snapupscale.upscale.networks import Network, build

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from snapupscale.upscale.catalog import ModelSpec
    from snapupscale.upscale.ncnn_graph import Graph
    from snapupscale.upscale.networks import Pace
    from snapupscale.upscale.vulkan import VulkanDevice

    Floats = NDArray[np.float32]

_NO_MEMORY = -100
_WORKSPACE = 2
"""What ncnn takes beside the values themselves, as a factor: Winograd's transform, and joined tensors as copies."""

_HALF = ("fp16_packed", "fp16_storage")
_NEVER = ("fp16_arithmetic", "bf16_packed", "bf16_storage", "int8_inference")
"""Sums in half precision bring x4plus-anime down to 51 dB."""

_GLANCE_S = 0.2
"""How often progress is told while a step runs: what it raises ends the wait, and the step ends by itself."""

_lost: set[int] = set()
"""The devices of ncnn, by number, that failed. It makes each once a process, and one that is lost stays lost, even if
the driver then reports no more errors: what lay in its memory may be gone."""

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)


class NcnnNetwork(Network):
    """The network of `spec` on `device`, or with None on the CPU. Takes and gives float32 on the host.

    half: values lie in memory in half precision; sums are float32. The CPU of a PC has no such mode, and is exact.

    A driver of Vulkan can end the process when it fails. Inside the sidecar that is a worker, which is started again.
    """

    def __init__(
        self, spec: ModelSpec, parameters: dict[str, Floats], device: VulkanDevice | None, *, half: bool = False
    ) -> None:
        super().__init__()
        self._sizes = build(spec)
        self.cell, self.halo, self.widest = self._sizes.cell, self._sizes.halo, _WORKSPACE * self._sizes.widest
        self.body_values = _WORKSPACE * self._sizes.body_values
        self.tail_values = _WORKSPACE * self._sizes.tail_values
        # What a compact network does after its last convolution is done here, in float32.
        compact = spec.architecture == "compact"
        self.reach = 0 if compact else self._sizes.reach
        self._half = half = half and device is not None
        self._body = _Runner(ncnn_graph.body(spec, parameters, fine=half), device, half=half)
        self._tail = None if compact else _Runner(ncnn_graph.tail(spec, parameters), device, half=half)

    def features(self, picture: Tensor, pace: Pace) -> Tensor:
        planes = F.pixel_unshuffle(picture, self.cell)
        return self._body.run(_in_parts(planes) if self._half else planes, pace.tick)

    def tail(self, features: Tensor, picture: Tensor, pace: Pace) -> Tensor:
        if self._tail is not None:
            return self._tail.run(features, pace.tick)
        return F.pixel_shuffle(features, ENLARGE) + F.interpolate(picture, scale_factor=ENLARGE, mode="nearest")

    def entrance(self) -> list[nn.Module]:
        return []

    def entrance_dtype(self) -> torch.dtype:
        return torch.float32

    def body_operations(self) -> int:
        return sum(self._body.graph.operations)

    def tail_operations(self) -> int:
        return sum(self._tail.graph.operations) if self._tail else 0


class _Runner:
    """`graph` loaded on `device`. Raises BackendUnavailable or DeviceLost."""

    def __init__(self, graph: Graph, device: VulkanDevice | None, *, half: bool) -> None:
        self.graph = graph
        self._device = device
        self._net = _net(graph, device, half=half)
        self._thread = ThreadPoolExecutor(1, "ncnn")

    def run(self, planes: Tensor, tick: Callable[[float], None]) -> Tensor:
        """OUTPUT for `planes`, 1xCxHxW; `tick` as in Pace, and with 0 meanwhile. Raises MemoryError, DeviceLost
        or BackendUnavailable."""
        _check_kept(self._device)
        _, channels, height, width = planes.shape
        # Vulkan reads arrays that lie in memory as ncnn lays them out, each channel aligned; numpy's are not.
        source = ncnn.Mat(width, height, channels)
        np.asarray(source)[...] = planes[0].numpy()
        extractor = self._net.create_extractor()
        extractor.input(ncnn_graph.INPUT, source)
        for blob, operations in zip((*self.graph.steps, ncnn_graph.OUTPUT), self.graph.operations, strict=True):
            step = self._thread.submit(self._step, extractor, blob)
            while not wait([step], _GLANCE_S).done:
                tick(0)
            values = _checked(*step.result(), self._device)
            tick(operations * height * width)
        return torch.from_numpy(np.array(values))[None]

    def _step(self, extractor: Any, blob: str) -> tuple[int, Any]:
        # As a method, so that the net lives until a step that nobody waits for has ended.
        code, values = extractor.extract(blob)
        return code, values


class _Reader(ncnn.DataReader):  # type: ignore[misc] # ncnn has no types
    """Bytes as ncnn reads them."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data
        self.at = 0

    def read(self, buffer: Any, size: int) -> int:
        """Copy `size` bytes to the address in the capsule `buffer`; the number of bytes that there were."""
        chunk = self._data[self.at : self.at + size]
        ctypes.memmove(_pointer(buffer, None), chunk, len(chunk))
        self.at += len(chunk)
        return len(chunk)


def _net(graph: Graph, device: VulkanDevice | None, *, half: bool) -> Any:
    """`graph` loaded on `device`. Raises BackendUnavailable or DeviceLost."""
    _check_kept(device)
    net = ncnn.Net()
    net.opt.num_threads = torch.get_num_threads()
    net.opt.use_vulkan_compute = device is not None
    for name in _HALF + _NEVER:
        setattr(net.opt, f"use_{name}", half and name in _HALF)
    with vulkan.quiet():
        if device is not None:
            _check_device(device)
            net.set_vulkan_device(device.number)
        reader = _Reader(graph.weights)
        failed = net.load_param_mem(graph.text) or net.load_model(reader)
    if failed or reader.at != len(graph.weights):
        if device is None:
            raise BackendUnavailable("ncnn cannot load the model", hint="Install the package ncnn again.")
        raise BackendUnavailable(f"ncnn cannot load the model on {device.name}", hint="Use --backend cpu.")
    return net


def _check_kept(device: VulkanDevice | None) -> None:
    if device and device.number in _lost:
        raise DeviceLost(f"the GPU {device.name} has failed before")


def _check_device(device: VulkanDevice) -> None:
    """That `device` is what ncnn, which aborts when it is not there, finds in this process too."""
    count = ncnn.get_gpu_count()
    if device.number >= count or ncnn.get_gpu_info(device.number).device_name() != device.name:
        raise BackendUnavailable(f"the Vulkan device {device.name} is gone")


def _checked(code: int, values: Any, device: VulkanDevice | None) -> Any:
    """`values`, which ncnn gave with `code`. Raises MemoryError, DeviceLost or BackendUnavailable."""
    if code == _NO_MEMORY or (code == 0 and values.empty()):
        raise MemoryError("ncnn finds no memory")
    if code and device:
        # ncnn tells no more: the driver refused work, or never ended it.
        _lost.add(device.number)
        raise DeviceLost(f"the GPU {device.name} has failed: ncnn gives the code {code}")
    if code:
        raise BackendUnavailable(f"ncnn fails with code {code}", hint="Install the package ncnn again.")
    return values


def _in_parts(planes: Tensor) -> Tensor:
    """`planes` rounded to half precision, and after them the remainders times FINE, as float32."""
    rounded = planes.half().float()
    return torch.cat((rounded, (planes - rounded).mul_(ncnn_graph.FINE)), 1)
