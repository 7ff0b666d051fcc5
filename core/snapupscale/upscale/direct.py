"""A model on an NVIDIA GPU by the kernels alone, without torch, whose import is most of the wait for a first still."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from snapupscale.errors import KernelUnavailable
from snapupscale.upscale import catalog, levels, plausibility, weights
from snapupscale.upscale.failures import memory_errors
from snapupscale.upscale.kernels import networks
from snapupscale.upscale.kernels.convolution import planes_of
from snapupscale.upscale.kernels.gpu import gpu
from snapupscale.upscale.kernels.gpu_memory import GpuMemory
from snapupscale.upscale.kernels.levelling import Levelling
from snapupscale.upscale.layers import ENLARGE
from snapupscale.upscale.loaded import Loaded
from snapupscale.upscale.meter import Meter
from snapupscale.upscale.picture import whole_cells
from snapupscale.upscale.tiles import Tiles
from snapupscale.upscale.tiling import Box

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    from snapupscale.upscale.catalog import ModelSpec
    from snapupscale.upscale.kernels.gpu import Gpu
    from snapupscale.upscale.kernels.gpu_memory import Array
    from snapupscale.upscale.torch_backend import TorchBackend

    Pixels = NDArray[Any]
    Report = Callable[[float], None]


def load(
    model: str, backend: str, precision: str, *, scale: Fraction | None, tile: int | None, denoise: float
) -> Loaded[DirectBackend] | None:
    """The model, or None where kernels alone can't do what is asked for. The settings are those of Upscaler.

    Raises SettingError, WeightsMissing, WeightsCorrupt or OutOfMemory.
    """
    if backend not in {"auto", "cuda"} or precision == "fp32":
        return None
    name, reason = (model, f"{model}, as asked.") if model != "auto" else catalog.auto_model("cuda")
    spec = catalog.find(name)
    if scale not in {None, spec.scale}:
        return None
    try:
        own = gpu()
        parameters = weights.load(spec, denoise=denoise)
        with memory_errors():
            network = DirectBackend(spec, parameters.parameters, own, tile=tile)
    except KernelUnavailable:
        return None
    return Loaded(
        network=network,
        model=name,
        scale=spec.scale,
        backend="cuda",
        precision="fp16",
        weights_sha256=parameters.sha256,
        choice=f"{reason} It runs on {own.name} in fp16.",
    )


class DirectBackend:
    """One model on one GPU. A result that looks wrong is made again by torch, which is imported only then.

    `tile`: the edge of a tile in pixels, or None to plan by free memory. Raises KernelUnavailable.
    """

    def __init__(self, spec: ModelSpec, parameters: dict[str, NDArray[np.float32]], own: Gpu, *, tile: int | None):
        self._spec, self._parameters, self._gpu, self._tile = spec, parameters, own, tile
        self._memory = GpuMemory()
        with networks.loading():
            self._network = networks.build(spec, parameters, own, self._memory)
            self._levelling = Levelling(own, self._memory)
        self._torch: TorchBackend | None = None
        self._size: tuple[int, ...] = ()
        self.tiles = Tiles(
            network=self._network,
            free_memory=lambda: own.free_memory() + self._memory.unused(),
            release=self._memory.release,
            model=spec.name,
            device="cuda",
            value_bytes=2,
            context=self._network.halo + levels.CONTEXT,
            edge=tile,
        )

    def enlarge(self, pixels: Pixels, dtype: np.dtype[Any], report: Report) -> Pixels:
        """As TorchBackend.enlarge."""
        with memory_errors():
            self._gpu.activate()
            if pixels.shape != self._size:
                # What was kept fits no array of this picture.
                self._memory.release()
                self._size = pixels.shape
            done = 0.0

            def forward(share: float) -> None:
                nonlocal done
                done = max(done, share)
                report(done)

            with suppress(_Doubtful):
                return self._enlarged(pixels, dtype, forward)
            # Only here, where what the attempt held is free again.
            self._memory.release()
            return self._by_torch().enlarge(pixels, dtype, forward)

    def close(self) -> None:
        """Let go of the model and its memory."""
        library = self._network.library
        del self._network, self.tiles
        if self._torch:
            self._torch.close()
        # A GPU that was lost has nothing to give back, and who closes knows.
        with suppress(RuntimeError):
            self._gpu.activate()
            self._memory.release()
            library.memory.release()

    def _enlarged(self, pixels: Pixels, dtype: np.dtype[Any], report: Report) -> Pixels:
        height, width = pixels.shape[:2]
        cell, scale = self._network.cell, self._spec.scale
        job = self._job(whole_cells(pixels, cell), dtype, report)
        self.tiles.each(job.whole, partial(self._do, job))
        return job.canvas[: height * scale, : width * scale]

    def _job(self, pixels: Pixels, dtype: np.dtype[Any], report: Report) -> _Job:
        height, width = pixels.shape[:2]
        cell, scale = self._network.cell, self._spec.scale
        samples = self._memory.uploaded(pixels)
        return _Job(
            source=planes_of(self._network.library, self._memory, samples, pixels.dtype.name),
            whole=Box(0, 0, width // cell, height // cell),
            canvas=self._memory.page_locked((height * scale, width * scale, *pixels.shape[2:]), dtype),
            meter=Meter(report, self._gpu.synchronise, height * width),
        )

    def _do(self, job: _Job, core: Box) -> None:
        """Do one tile. Raises _Doubtful when it does not look like the picture."""
        cell, memory = self._network.cell, self._memory
        job.meter.begin(core.area * cell**2)
        region = levels.region(core, job.whole)
        picture = _part(job.source, region.times(cell))
        output = self._run(job, region)
        before = self._levelling.means(picture, plausibility.BLOCK * cell)
        after = self._levelling.means(output, plausibility.BLOCK * ENLARGE)
        if plausibility.fault(*(memory.downloaded(each).reshape(3, -1).T for each in (before, after))):
            raise _Doubtful
        target = core.times(ENLARGE)
        seen = job.canvas[target.top : target.bottom, target.left : target.right]
        made = memory.array(seen.shape, seen.dtype)
        self._levelling.write(self._levelling.fitted(picture, output, region), output, picture, core, made, seen.dtype)
        memory.fill(seen, made)
        job.meter.tick(0)
        self._gpu.synchronise()
        job.meter.finish()

    def _run(self, job: _Job, region: Box) -> Array:
        """What the network makes of `region`, 1x3 float32."""
        network, padded = self._network, region.grown(self._network.halo, job.whole)
        around = region.grown(network.reach, padded)
        operations = network.body_operations() * padded.area + network.tail_operations() * around.area
        job.meter.expect(operations)
        picture = _part(job.source, padded.times(network.cell))
        features = network.features(picture, job.meter)
        inside = around.seen_from(padded)
        values = network.tail(_part(features, inside), _part(picture, inside.times(network.cell)), job.meter)
        return _part(values, region.seen_from(around).times(ENLARGE))

    def _by_torch(self) -> TorchBackend:
        from snapupscale.upscale import devices  # noqa: PLC0415 - imports torch
        from snapupscale.upscale.torch_backend import TorchBackend  # noqa: PLC0415 - likewise

        if self._torch is None:
            device = devices.choose("auto")
            precision = "fp16" if device.type == "cuda" else "fp32"
            self._torch = TorchBackend(
                self._spec, self._parameters, device=device, precision=precision, tile=self._tile
            )
        return self._torch


@dataclass(frozen=True, kw_only=True)
class _Job:
    """`source`: 1x3xHxW float32; `whole`: its area in cells; `canvas`: HxW or HxWx3, page-locked."""

    source: Array
    whole: Box
    canvas: Pixels
    meter: Meter


class _Doubtful(Exception):
    """A tile does not look like the picture that it came from."""


def _part(values: Array, box: Box) -> Array:
    """The rows and columns of `box` in `values` (1xCxHxW), without a copy."""
    return values[:, :, box.top : box.bottom, box.left : box.right]
