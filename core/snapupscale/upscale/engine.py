"""The upscaler: pictures in, larger pictures out, by Real-ESRGAN or by interpolation."""

from __future__ import annotations

import math
import operator
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np

from snapupscale.errors import BackendUnavailable, SettingError
from snapupscale.upscale import catalog, direct, fleet, gpus
from snapupscale.upscale.interpolation import resample, resample_as_reference
from snapupscale.upscale.picture import Picture, bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from types import TracebackType

    from numpy.typing import NDArray

    from snapupscale.upscale.direct import DirectBackend
    from snapupscale.upscale.interpolation import Kernel
    from snapupscale.upscale.loaded import Loaded
    from snapupscale.upscale.torch_backend import TorchBackend

    Pixels = NDArray[Any]
    Report = Callable[[float], None]

INTERPOLATIONS = ("bicubic", "lanczos")
BACKENDS = ("auto", "cuda", "mps", "ncnn", "cpu", *INTERPOLATIONS)
PRECISIONS = ("auto", "fp32", "fp16")

_DEFAULT_SCALE = 4
_REFERENCE_PADDING = 10
_MOST_ALONE = 16
"""Of so few pictures one GPU makes more than others do while their processes start."""
_NETWORK_SHARE = 0.95
"""Share of the progress that is the network, where resampling follows."""


class Upscaler:
    """A model loaded on a device, or an interpolation, for any number of pictures. A context manager.

    model: a name of the catalog, or 'auto': x4plus on a GPU, animevideov3 on a CPU.
    backend: one of BACKENDS. 'auto' is the first of cuda, mps, ncnn (a GPU by Vulkan), cpu that works; interpolations
    need no model, no torch.
    scale: 1 to 8, whole or not; None is the model's own. For others the result is resampled by Lanczos.
    precision: one of PRECISIONS; 'auto' is fp16 on cuda and fp32 elsewhere.
    tile: the edge of a tile in pixels, or 'auto' for as much at once as free memory allows.
    denoise: 0 (keeps noise) to 1, for models that have it.
    reference: go the way of the official program (RealESRGANer) in every step, to compare with.

    Raises SettingError, WeightsMissing, WeightsCorrupt, BackendUnavailable or OutOfMemory.
    """

    model: str
    """The model in use, or the interpolation."""
    backend: str
    """The backend in use, never 'auto'."""
    precision: str
    """'fp32' or 'fp16'."""
    scale: float
    """The factor between the sizes of result and picture, an int where it is whole."""
    choice: str
    """A sentence that says which model runs where, and why."""
    weights_sha256: str
    """The sha256 of the file of weights (two, joined by '+', when mixed); empty for an interpolation."""

    def __init__(
        self,
        model: str = "auto",
        *,
        backend: str = "auto",
        scale: float | Fraction | None = None,
        precision: str = "auto",
        tile: int | Literal["auto"] = "auto",
        denoise: float = 1.0,
        reference: bool = False,
    ) -> None:
        known("backend", backend, BACKENDS)
        known("precision", precision, PRECISIONS)
        factor = None if scale is None else _factor(scale)
        if tile != "auto" and tile < 1:
            raise SettingError(f"the tile is {tile}", hint="Give 'auto', or the edge of a tile in pixels.")
        if model != "auto":
            catalog.find(model)
        self._reference = reference
        self._rest = {"tile": tile, "denoise": denoise, "reference": reference}
        self._network: TorchBackend | DirectBackend | None = None
        if backend in INTERPOLATIONS:
            self.model, self.backend, self.precision, self.weights_sha256 = backend, backend, "fp32", ""
            self.choice = f"{backend}, an interpolation without a model."
            own = _DEFAULT_SCALE
        else:
            own = self._load(model, backend, precision, factor, None if tile == "auto" else tile, denoise)
        self._own = Fraction(own)
        self._factor = self._own if factor is None else factor
        self.scale = int(self._factor) if self._factor.denominator == 1 else float(self._factor)
        self._closed = False

    def upscale(self, image: Pixels, *, progress: Report | None = None) -> Pixels:
        """`image` at `scale` times its size, rounded down to whole pixels, with the same type and channels.

        image: HxW (grey), HxWx3 (RGB) or HxWx4 (RGB and alpha, not premultiplied); uint8, uint16, or float32 in [0, 1].
        The type alone says what the values mean. Grey goes through the network as RGB and comes back as BT.601 luma; so
        does alpha, unless it is the same everywhere and stays as it is.

        progress: called often with 0 to 1; what it raises ends the work, and the upscaler can be used again.

        Raises SettingError, OutOfMemory, DeviceLost or ImplausibleResult.
        """
        self._check_open()
        report: Report = progress or (lambda _: None)
        picture = Picture.of(image)
        if self._reference and picture.dtype == np.float32:
            hint = "Give 8 or 16 bit, or leave out the reference."
            raise SettingError("the official program takes no float pictures", hint=hint)
        alpha = picture.alpha
        through = alpha is not None and (self._reference or bool((alpha != alpha[0, 0]).any()))
        passes = 2 if through else 1
        colour = self._plane(picture.colour, lambda share: report(share / passes))
        if alpha is None:
            result = colour
        elif through:
            matte = self._plane(alpha, lambda share: report((1 + share) / passes))
            result = np.dstack((colour, matte if self._reference else bounded(matte, alpha)))
        else:
            result = np.dstack((colour, np.full(colour.shape[:2], alpha[0, 0])))
        report(1.0)
        return result

    def upscale_all(self, images: Iterable[Pixels], *, progress: Report | None = None) -> Generator[Pixels]:
        """The pictures of `images` upscaled one by one, in order, each as by `upscale`.

        Where there are several NVIDIA GPUs and it runs on one, all that CUDA_VISIBLE_DEVICES shows are kept busy, each
        by a process of its own. They start with the first result and end with the last, or when the iterator is closed.
        What a process or GPU that fails leaves undone is done by others.

        images: taken only as far ahead as keeps the GPUs busy; an array may be written to once the next is asked for.
        Fewer than 17 of known number stay in this process. progress: called often with the number of pictures that are
        done, partly too where there is one GPU; what it raises ends the work.

        Raises what `upscale` raises, with the number of the picture, in the place of its result, and nothing follows.
        """
        self._check_open()
        report: Report = progress or (lambda _: None)
        found = () if operator.length_hint(images, sys.maxsize) <= _MOST_ALONE else self._gpus()
        if len(found) < 2:
            return fleet.alone(self.upscale, images, report)
        settings = {"model": self.model, "backend": self.backend, "scale": str(self._factor), **self._rest}
        workers = fleet.Fleet(found, {**settings, "precision": self.precision}, self._enlarged)
        return workers.upscaled(images, report)

    def close(self) -> None:
        """Let go of the model and its memory."""
        self._closed = True
        if self._network is not None:
            self._network.close()
            self._network = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the upscaler is closed")

    def _gpus(self) -> tuple[Mapping[str, str], ...]:
        """For each GPU that pictures can be spread over, the variables that show it alone."""
        # A frozen program has no interpreter that could start another process with a module of ours.
        return () if self.backend != "cuda" or getattr(sys, "frozen", False) else gpus.find()

    def _enlarged(self, *lengths: int) -> tuple[int, ...]:
        """Height and width of a result for those of its picture."""
        return tuple(int(length * self._factor) for length in lengths)

    def _load(
        self, model: str, backend: str, precision: str, factor: Fraction | None, tile: int | None, denoise: float
    ) -> int:
        """Choose device and model and load it; the model's own scale."""
        loaded: Loaded[TorchBackend | DirectBackend] | None = None
        if not self._reference:
            loaded = direct.load(model, backend, precision, scale=factor, tile=tile, denoise=denoise)
        if loaded is None:
            try:
                from snapupscale.upscale import loading  # noqa: PLC0415 - imports torch
            except ImportError as error:
                hint = "Run `pip install torch`, or use --backend lanczos."
                raise BackendUnavailable(f"torch cannot be imported: {error}", hint=hint) from error
            loaded = loading.load(model, backend, precision, tile=tile, denoise=denoise, faithful=self._reference)
        self.model, self.backend, self.precision = loaded.model, loaded.backend, loaded.precision
        self.choice, self.weights_sha256 = loaded.choice, loaded.weights_sha256
        self._network = loaded.network
        return loaded.scale

    def _plane(self, pixels: Pixels, report: Report) -> Pixels:
        """The colour or the alpha of a picture, upscaled."""
        height, width = self._enlarged(*pixels.shape[:2])
        if self._network is None:
            report(0.0)
            result = resample(pixels, width, height, cast("Kernel", self.backend))
            return np.clip(result, 0, 1) if result.dtype == np.float32 else result
        if self._reference:
            return self._as_reference(cast("TorchBackend", self._network), pixels, report)
        if self._factor == self._own:
            return self._network.enlarge(pixels, pixels.dtype, report)
        network = cast("TorchBackend", self._network)
        return network.enlarge_picture(pixels, width, height, lambda share: report(share * _NETWORK_SHARE))

    def _as_reference(self, network: TorchBackend, pixels: Pixels, report: Report) -> Pixels:
        """The steps of RealESRGANer: reflected at the right and bottom, rounded, and only then resampled."""
        height, width = pixels.shape[:2]
        margin = [(0, _REFERENCE_PADDING), (0, _REFERENCE_PADDING)] + [(0, 0)] * (pixels.ndim - 2)
        values = network.enlarge(np.pad(pixels, margin, mode="reflect"), pixels.dtype, report)
        values = values[: height * int(self._own), : width * int(self._own)]
        if self._factor == self._own:
            return values.copy()
        return resample_as_reference(values, int(width * self._factor), int(height * self._factor))


def known(kind: str, value: str, values: tuple[str, ...]) -> None:
    """Raise SettingError unless `value` is one of `values`."""
    if value not in values:
        raise SettingError(f"no {kind} is called {value!r}", hint=f"The values are: {', '.join(values)}.")


def _factor(scale: float | Fraction) -> Fraction:
    """`scale` as the simple fraction that is meant: 1.1 is 11/10, not the nearest binary fraction."""
    if not (math.isfinite(scale) and 1 <= scale <= 8):
        raise SettingError(f"the scale is {scale}", hint="It goes from 1 to 8, and need not be whole.")
    return Fraction(scale).limit_denominator(1000)
