"""Planes of values on a GPU, torch's tensors or ones of our own: what the kernels have to know of them."""

from __future__ import annotations

from typing import Any, Protocol


class Planes(Protocol):
    """An array in GPU memory. Names and meanings are those of torch.Tensor."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def data_ptr(self) -> int: ...

    def stride(self) -> tuple[int, ...]: ...

    def permute(self, *axes: int) -> Any: ...

    def __getitem__(self, index: Any, /) -> Any: ...


class Memory(Protocol):
    """Where planes come from. What is in new ones is not set. All raise what `failures.ran_out` knows."""

    def halves(self, *shape: int) -> Planes:
        """Half precision."""

    def floats(self, *shape: int) -> Planes:
        """float32."""
