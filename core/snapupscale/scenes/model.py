"""Small fitted networks: from features of a place in the footage to the odds that a cut or a transition is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Model:
    """One hidden layer of rectified units over features that are shifted and scaled."""

    shift: NDArray[np.float32]
    scale: NDArray[np.float32]
    hidden: NDArray[np.float32]
    """Features x units."""
    bias: NDArray[np.float32]
    out: NDArray[np.float32]
    offset: float

    def odds(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logarithm of the odds for each row of `features`: N."""
        scaled = np.clip((features - self.shift) * self.scale, -_MOST, _MOST)
        units = np.maximum(0, scaled @ self.hidden + self.bias)
        odds: NDArray[np.float32] = units @ self.out + np.float32(self.offset)
        return odds


_MOST = 6.0
"""Standard deviations beyond which a feature is taken to be no further from the mean."""


@cache
def mark() -> str:
    """Another one for every fit: what is kept of odds goes by it."""
    return f"{crc32(_fitted('cut') + _fitted('transition')):08x}"


@cache
def load(name: str) -> Model:
    """The model `name`, as tests/fitting wrote it: `cut` or `transition`."""
    data = json.loads(_fitted(name))
    offset = data.pop("offset")
    data.pop("fitted")
    return Model(offset=offset, **{key: np.array(value, dtype=np.float32) for key, value in data.items()})


def _fitted(name: str) -> bytes:
    return resources.files("snapupscale.scenes").joinpath(f"fitted_{name}.json").read_bytes()
