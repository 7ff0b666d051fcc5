"""The models that SnapUpscale knows, read from models/manifest.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

Architecture = Literal["rrdb", "compact"]
Role = Literal["weights", "graph", "undenoised"]
Format = Literal["ncnn", "pth"]


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """One file of a model, and where it comes from: a folder inside an installed package, or https addresses."""

    name: str
    role: Role
    format: Format
    size: int
    sha256: str
    package: str | None = None
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model: its network, the factor it enlarges by, and its files."""

    name: str
    purpose: str
    architecture: Architecture
    blocks: int
    scale: int
    licence: str
    files: tuple[ModelFile, ...]

    def file(self, role: Role) -> ModelFile | None:
        """The file that plays `role`, or None."""
        return next((file for file in self.files if file.role == role), None)


def read_manifest(path: Path) -> Mapping[str, ModelSpec]:
    """The models of the manifest at `path`, by name, in its order."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return MappingProxyType({name: _spec(name, table) for name, table in tables.items()})


@cache
def catalog() -> Mapping[str, ModelSpec]:
    """Every model by name."""
    return read_manifest(manifest_path())


def manifest_path() -> Path:
    """The manifest: beside this module in an installed package, in models/ in a checkout."""
    installed = Path(__file__).with_name("manifest.toml")
    return installed if installed.exists() else Path(__file__).parents[3] / "models" / "manifest.toml"


def find(name: str) -> ModelSpec:
    """The model called `name`. Raises SettingError, which lists the names that exist."""
    try:
        return catalog()[name]
    except KeyError:
        names = ", ".join(catalog())
        raise SettingError(f"no model is called {name!r}", hint=f"The models are: {names}.") from None


def auto_model(device: str) -> tuple[str, str]:
    """The model that suits `device` ('cuda', 'mps', 'ncnn', 'integrated' for such a GPU by ncnn, or 'cpu'), and the
    sentence that says why."""
    if device == "integrated":
        return "animevideov3", (
            "animevideov3, since the GPU is integrated: x4plus keeps more detail, but takes about 25 times as long."
        )
    if device == "cpu":
        return "animevideov3", (
            "animevideov3, since there is no GPU: x4plus keeps more detail, but takes about 25 times as long on a CPU."
        )
    return "x4plus", "x4plus, the model with the most detail, since there is a GPU."


def _spec(name: str, table: dict[str, Any]) -> ModelSpec:
    files = tuple(ModelFile(**{**file, "urls": tuple(file.get("urls", ()))}) for file in table["files"])
    return ModelSpec(name=name, **{**table, "files": files})
