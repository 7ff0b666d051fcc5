"""What the tests of the upscaler share: a real picture, models made up on the spot, and a folder of their own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
import torch

from snapupscale.upscale import catalog, networks, weights
from snapupscale.upscale.catalog import ModelFile, ModelSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CLIP = Path(weights.__file__).parents[1] / "data" / "bbb480_30s.mp4"


@pytest.fixture(scope="session")
def frame() -> NDArray[np.uint8]:
    """A frame of the footage that ships with the project: sky, leaves, sharp edges. 480x854x3."""
    with av.open(str(CLIP)) as clip:
        for index, picture in enumerate(clip.decode(video=0)):
            if index == 200:
                return picture.to_ndarray(format="rgb24").astype(np.uint8)
    raise AssertionError("the clip is shorter than it was")


@pytest.fixture(scope="session")
def crop(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """64x64x3 of it: a dark tree against a bright sky."""
    return np.ascontiguousarray(frame[40:104, 530:594])


@pytest.fixture
def user_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's folder of models, empty; nothing outside is looked at."""
    folder = tmp_path / "user" / "models"
    monkeypatch.setattr(weights, "user_folder", lambda: folder)
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    return folder


@pytest.fixture
def make_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user_folder: Path
) -> Callable[..., tuple[ModelSpec, Any]]:
    """Make a small model with random weights: its .pth files lie in the folder of SNAPUPSCALE_MODELS.

    Gives the spec and, for each role, the tensors.
    """
    folder = tmp_path / "own models"
    folder.mkdir()
    made: dict[str, ModelSpec] = dict(catalog.catalog())
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(folder))
    monkeypatch.setattr(catalog, "catalog", lambda: MappingProxyType(made))

    def make(
        name: str, *, architecture: str = "compact", blocks: int = 2, scale: int = 4, partner: bool = False
    ) -> tuple[ModelSpec, dict[str, dict[str, torch.Tensor]]]:
        fields = {"name": name, "purpose": "", "licence": "", "architecture": architecture}
        bare = ModelSpec(**fields, blocks=blocks, scale=scale, files=())  # type: ignore[arg-type]
        tensors: dict[str, dict[str, torch.Tensor]] = {}
        files: list[ModelFile] = []
        for role in ("weights", "undenoised") if partner else ("weights",):
            tensors[role] = random_tensors(bare, seed=len(files))
            path = folder / f"{name}-{role}.pth"
            torch.save({"params_ema": tensors[role]}, path)
            data = path.read_bytes()
            file = ModelFile(
                name=path.name,
                role=role,  # type: ignore[arg-type]
                format="pth",
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                urls=(f"https://localhost/{path.name}",),
            )
            files.append(file)
        made[name] = ModelSpec(**{**fields, "blocks": blocks, "scale": scale, "files": tuple(files)})  # type: ignore[arg-type]
        return made[name], tensors

    return make


def random_tensors(spec: ModelSpec, *, seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {name: tensor.shape for name, tensor in networks.build(spec).state_dict().items()}
    return {name: torch.randn(shape, generator=generator) * 0.05 for name, shape in shapes.items()}
