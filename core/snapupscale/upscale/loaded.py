"""A model on a device, ready for pictures, and what there is to say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Backend_co = TypeVar("Backend_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Loaded(Generic[Backend_co]):
    """`network`, the `model` it is, its own `scale`, and what else there is to say about it (see Upscaler)."""

    network: Backend_co
    model: str
    scale: int
    backend: str
    precision: str
    weights_sha256: str
    choice: str
