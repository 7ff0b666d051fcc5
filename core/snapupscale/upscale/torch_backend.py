"""Real-ESRGAN by torch: tiles sized by free memory, and every tile checked before it counts."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from snapupscale.errors import ImplausibleResult, KernelUnavailable
from snapupscale.upscale import devices, failures, levels, plausibility, torch_levels
from snapupscale.upscale.failures import memory_errors
from snapupscale.upscale.layers import ENLARGE
from snapupscale.upscale.networks import Network
from snapupscale.upscale.picture import whole_cells
from snapupscale.upscale.resize import resized
from snapupscale.upscale.tiles import Tiles
from snapupscale.upscale.tiling import Box, blocks, by_area
from snapupscale.upscale.torch_job import Job, means, part, samples, upload
from snapupscale.upscale.torch_network import load, pace_on, whole_cells_of_planes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from snapupscale.upscale.catalog import ModelSpec
    from snapupscale.upscale.kernels.levelling import Levelling
    from snapupscale.upscale.kernels.networks import KernelNetwork
    from snapupscale.upscale.resize import Window

    Floats = NDArray[np.float32]

Kernels = Literal["auto", "generic", "none"]
"""Hand-written kernels: the best for the card, those that run on most cards, or torch alone."""

_TAIL_CELLS = {"cuda": 1 << 17, "mps": 1 << 15, "cpu": 1 << 14}
"""Most cells of a piece of the tail: enough to keep the device busy."""

_MOST_VALUES = {"mps": 2**30}
"""Most values in one tensor, where it is not the 2**31 - 1 that a 32-bit index reaches."""

_AGREEMENT = 0.02
_HOST = torch.device("cpu")


class TorchBackend:
    """One model on one device.

    The network runs in `precision` ('fp16' or 'fp32'), its first layer always in float32: there the pixels are exact at
    any depth, and pixels rounded to half precision are most of what fp16 loses. With `faithful` the first layer is
    halved too, as in the official program. `tile`: the edge of a tile in pixels, or None to plan by free memory.
    On CUDA in fp16 hand-written kernels do the work, unless they can't be had, or `kernels` says 'none'.
    """

    device: torch.device
    """Where its tensors are."""
    kernels: str
    """The family of hand-written kernels in use; or why there are none, or nothing where they were not asked for."""

    def __init__(
        self,
        spec: ModelSpec,
        parameters: dict[str, Floats],
        *,
        device: torch.device,
        precision: str,
        tile: int | None = None,
        faithful: bool = False,
        kernels: Kernels = "auto",
    ) -> None:
        self._spec = spec
        self._parameters = parameters
        self.device = device
        self._half = precision == "fp16"
        self._faithful = faithful
        self._exact: Network | None = None
        self.kernels = ""
        self._levelling: Levelling | None = None
        with memory_errors():
            fast = device.type == "cuda" and self._half and not faithful and kernels != "none"
            network = (self._fast(kernels) if fast else None) or self._made(half=self._half)
            self._network: Network | KernelNetwork = network
        self.tiles = Tiles(
            network=self._network,
            free_memory=self._free_memory,
            release=partial(devices.release, device),
            model=spec.name,
            device=device.type,
            value_bytes=2 if self._half else 4,
            context=self._network.halo + (0 if faithful else levels.CONTEXT),
            edge=tile,
            most_values=_MOST_VALUES.get(device.type, 2**31 - 1),
            tail_cells=_TAIL_CELLS[device.type],
        )

    def enlarge(self, pixels: NDArray[Any], dtype: np.dtype[Any], report: Callable[[float], None]) -> NDArray[Any]:
        """`pixels` (HxW or HxWx3) at the network's scale, with as many channels, as samples of `dtype`.

        `report` is called with 0 to 1 and may raise. Raises OutOfMemory, DeviceLost or ImplausibleResult.
        """
        cell, scale = self._network.cell, self._spec.scale
        height, width = pixels.shape[:2]
        with torch.inference_mode(), exact_float32(), memory_errors():
            job = Job.start(whole_cells(pixels, cell), dtype, cell, scale, self.device, report)
            self.tiles.each(job.whole, partial(self._do, job))
            return job.result()[: height * scale, : width * scale]

    def enlarge_planes(self, planes: Tensor, report: Callable[[float], None]) -> Tensor:
        """`planes` (1x3xHxW float32 in [0, 1], on the device) at the network's scale, without a round trip to the host.

        The result is on the device, or, complete, on the host where the device has no room for it. `report` is called
        with 0 to 1 and may raise. Raises OutOfMemory or ImplausibleResult, and torch's own error when there is no
        memory for more than the tiles.
        """
        cell, scale = self._network.cell, self._spec.scale
        height, width = planes.shape[2:]
        with torch.inference_mode(), exact_float32():
            job = Job.of_planes(whole_cells_of_planes(planes, cell), cell, scale, report)
            self.tiles.each(job.whole, partial(self._do, job))
            return job.canvas[:, :, : height * scale, : width * scale]

    def enlarge_resized(
        self,
        planes: Tensor,
        width: int,
        height: int,
        report: Callable[[float], None],
        window: Window | None = None,
    ) -> Tensor:
        """`enlarge_planes`, and what `window` of that shows, or all, at width x height, on the device, in [0, 1].

        window: in pixels of `planes`. Where memory for resampling runs out on the device, the host does it.
        """
        with torch.inference_mode(), exact_float32():
            large = self.enlarge_planes(planes, report)
            seen = window and window.times(self._spec.scale)
            result = self._resized(large, width, height, seen)
            if result is None:
                devices.release(self.device)
                result = resized(large.cpu(), width, height, seen)
            return result.to(self.device).clamp_(0, 1)

    def enlarge_picture(
        self, pixels: NDArray[Any], width: int, height: int, report: Callable[[float], None]
    ) -> NDArray[Any]:
        """`enlarge` to the type of `pixels`, brought to width x height by Lanczos before samples are rounded."""
        with torch.inference_mode(), exact_float32(), memory_errors():
            values = self.enlarge_resized(upload(pixels, self.device), width, height, report)
            return samples(values, pixels.dtype, grey=pixels.ndim == 2).cpu().numpy().view(pixels.dtype)

    def close(self) -> None:
        """Let go of the model and of the memory that torch keeps for it."""
        library = None if isinstance(self._network, Network) else self._network.library
        del self._network, self.tiles
        self._exact = None
        # A GPU that was lost has nothing to give back, and who closes knows.
        with suppress(RuntimeError):
            devices.release(self.device)
            if library:
                library.memory.release()

    def _fast(self, kernels: Kernels) -> KernelNetwork | None:
        """The network by hand-written kernels, or None where they can't be had."""
        from snapupscale.upscale.kernels import levelling, networks  # noqa: PLC0415 - nothing to do on other devices
        from snapupscale.upscale.kernels.gpu import gpu  # noqa: PLC0415 - likewise
        from snapupscale.upscale.kernels.torch_memory import TorchMemory  # noqa: PLC0415 - likewise

        try:
            own, memory = gpu(self.device.index or 0), TorchMemory(self.device)
            with networks.loading():
                network = networks.build(self._spec, self._parameters, own, memory, generic=kernels == "generic")
                self._levelling = levelling.Levelling(own, memory)
        except KernelUnavailable as error:
            self.kernels = str(error)
            return None
        self.kernels = network.family
        return network

    def _made(self, *, half: bool) -> Network:
        """The network without hand-written kernels."""
        return load(self._spec, self._parameters, self.device, half=half, faithful=half and self._faithful)

    def _free_memory(self) -> int:
        return devices.free_memory(self.device)

    def _resized(self, large: Tensor, width: int, height: int, seen: Window | None) -> Tensor | None:
        """None when memory ran out."""
        try:
            return resized(large, width, height, seen)
        except Exception as error:
            if large.device == _HOST or not failures.ran_out(error):
                raise
            return None

    def _do(self, job: Job, core: Box) -> None:
        """Do one tile and believe it only if it looks like the picture, or a second computation says the same."""
        job.meter.begin(core.area * self._network.cell**2)
        region = core if self._faithful else levels.region(core, job.whole)
        output = self._run(self._network, job, region)
        fault = plausibility.fault(*self._means(job, region, output))
        if fault and self._half:
            del output
            self._exact = self._exact or self._made(half=False)
            output = self._run(self._exact, job, region)
            fault = plausibility.fault(*self._means(job, region, output))
        if fault and not self._confirmed(job, region, output):
            raise ImplausibleResult(f"{self._spec.name} gave {fault} on the {self.tiles.device} device")
        self._write(job, core, region, output.clamp_(0, 1))
        job.meter.finish()

    def _run(self, network: Network | KernelNetwork, job: Job, region: Box) -> Tensor:
        """What `network` makes of `region`, 1x3 float32 on the device."""
        cell, padded = network.cell, region.grown(network.halo, job.whole)
        # The tail by kernels keeps its short-lived memory small by itself.
        most = self.tiles.tail_most if isinstance(network, Network) else float("inf")
        pieces = by_area(region, halo=network.reach, most=most)
        around = [piece.grown(network.reach, padded) for piece in pieces]
        tail = network.tail_operations() * sum(box.area for box in around)
        job.meter.expect(network.body_operations() * padded.area + tail)
        pace = pace_on(job.meter.tick, self.device)
        picture = part(job.source, padded.times(cell))
        if isinstance(network, Network):
            picture = picture.to(network.entrance_dtype())
        features = network.features(picture, pace)
        shape = (1, 3, region.height * ENLARGE, region.width * ENLARGE)
        output: Tensor | None = None
        for piece, box in zip(pieces, around, strict=True):
            inside = box.seen_from(padded)
            values = network.tail(part(features, inside), part(picture, inside.times(cell)), pace)
            values = part(values, piece.seen_from(box).times(ENLARGE))
            if len(pieces) == 1:
                return values
            if output is None:
                output = torch.empty(shape, device=self.device, memory_format=pace.layout)
            part(output, piece.seen_from(region).times(ENLARGE)).copy_(values)
        assert output is not None
        return output

    def _write(self, job: Job, core: Box, region: Box, output: Tensor) -> None:
        """Write `core` to the canvas, with the levels of the picture."""
        picture = part(job.source, region.times(self._network.cell))
        if self._levelling:
            shift = self._levelling.fitted(picture, output, region)
            job.put_by(core.times(ENLARGE), partial(self._levelling.write, shift, output, picture, core))
            job.meter.tick(0)
            job.settle()
            return
        fitted = None if self._faithful else torch_levels.fitted(picture, output, region)
        for piece in by_area(core, halo=0, most=self.tiles.tail_most):
            if fitted is None:
                values = part(output, piece.seen_from(region).times(ENLARGE))
            else:
                values = torch_levels.taken_off(fitted, output, picture, piece)
            job.put(piece.times(ENLARGE), values)
            job.meter.tick(0)
        job.settle()

    def _means(self, job: Job, region: Box, output: Tensor) -> tuple[Floats, Floats]:
        """The means of the blocks of `region`, before and after."""
        cell = self._network.cell
        pooled = self._levelling.means if self._levelling else means
        before = pooled(part(job.source, region.times(cell)), plausibility.BLOCK * cell)
        return _listed(before), _listed(pooled(output, plausibility.BLOCK * ENLARGE))

    def _confirmed(self, job: Job, region: Box, output: Tensor) -> bool:
        """Whether the CPU, in float32 and by other routines, finds the same for the block that changed most.

        Noise and pixel patterns can come out far brighter or darker than they went in: that is the model, no fault.
        """
        before, after = self._means(job, region, output)
        if not np.isfinite(after).all():
            return False
        worst = plausibility.worst(before, after)
        block = blocks(region, plausibility.BLOCK)[worst]
        padded = block.grown(self._network.halo, job.whole)
        network = load(self._spec, self._parameters, _HOST, layout=torch.contiguous_format)
        pace = pace_on(lambda _: job.meter.tick(0), _HOST, torch.contiguous_format)
        picture = part(job.source, padded.times(network.cell)).cpu()
        values = network.tail(network.features(picture, pace), picture, pace)
        again = _listed(means(part(values, block.seen_from(padded).times(ENLARGE)), plausibility.BLOCK * ENLARGE))
        return bool(np.abs(again - after[worst]).max() < _AGREEMENT)


def _listed(values: Tensor) -> Floats:
    """The means of blocks, blocks x channels."""
    listed: Floats = values[0].flatten(1).T.cpu().numpy()
    return listed


@contextmanager
def exact_float32() -> Iterator[None]:
    """Keep cuDNN from rounding float32 to TF32, which it does unless told, and products of matrices likewise."""
    products = torch.backends.cuda.matmul
    before = products.fp32_precision
    products.fp32_precision = "ieee"
    try:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield
    finally:
        products.fp32_precision = before
