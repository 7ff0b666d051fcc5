"""The tiles of one picture: planned by the memory that is free, and halved when it runs out after all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from snapupscale.errors import OutOfMemory
from snapupscale.upscale import failures
from snapupscale.upscale.tiling import by_area, by_edge

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.upscale.tiling import Box

_PLANNED = 128
"""Edge in cells of the smallest tile that is planned: the halos of smaller ones would be most of the work."""

_SMALLEST = 64
"""Edge in cells of a tile that is not cut again when memory runs out."""

_USABLE = 0.8
"""Share of the free memory that is planned with; the rest is for what libraries take without saying."""

_TAIL_SHARE = 0.25


class Sizes(Protocol):
    """What a network says of itself: see networks.Network."""

    @property
    def cell(self) -> int: ...
    @property
    def widest(self) -> int: ...
    @property
    def body_values(self) -> int: ...
    @property
    def tail_values(self) -> int: ...


@dataclass(kw_only=True)
class Tiles:
    """How pictures are cut for `network`.

    free_memory: in bytes. release: gives unused memory back. value_bytes: of a value of the network's precision.
    context: cells that a tile is given on each side. edge: that of a tile in pixels, or None to plan by free memory.
    most_values: in one tensor. tail_cells: most cells of a piece of the tail. model, device: for errors.
    """

    network: Sizes
    free_memory: Callable[[], int]
    release: Callable[[], None]
    model: str
    device: str
    value_bytes: int
    context: int
    edge: int | None = None
    most_values: int = 2**31 - 1
    tail_cells: float = float("inf")

    def __post_init__(self) -> None:
        self._most = float("inf")
        self.tail_most = self.tail_cells

    def each(self, whole: Box, work: Callable[[Box], None]) -> None:
        """`work` on each tile of `whole`; those for which memory runs out are halved. Raises OutOfMemory."""
        pending = self.plan(whole)[::-1]
        while pending:
            core = pending.pop()
            if self._too_large(core, whole):
                pending.extend(reversed(core.halves()))
            elif not _fits(work, core):
                self._lower(core, whole)
                pending.extend(reversed(core.halves()))

    def plan(self, whole: Box) -> list[Box]:
        """Tiles for the memory that is free now; sets `tail_most`."""
        network, free = self.network, _USABLE * self.free_memory()
        tail = _TAIL_SHARE * free / (self.value_bytes * network.tail_values)
        self.tail_most = min(self.tail_cells, max(tail, _SMALLEST**2))
        if self.edge is not None:
            return by_edge(whole, max(1, self.edge // network.cell))
        # Beside the body's values, the pixels of the tile in float32, once as they are and once rearranged.
        body = (1 - _TAIL_SHARE) * free / (self.value_bytes * network.body_values + 2 * 3 * 4 * network.cell**2)
        by_index = self.most_values / network.widest
        most = min(self._most, by_index, max(body, self._area_of(_PLANNED)))
        return by_area(whole, halo=self.context, most=most)

    def _area_of(self, edge: int) -> int:
        return (edge + 2 * self.context) ** 2

    def _too_large(self, core: Box, whole: Box) -> bool:
        return core.grown(self.context, whole).area > self._most and max(core.width, core.height) > _SMALLEST

    def _lower(self, core: Box, whole: Box) -> None:
        """From now on take half of what `core` took. Raises OutOfMemory when it is one of the smallest."""
        self.release()
        if max(core.width, core.height) <= _SMALLEST:
            raise OutOfMemory(f"{self.model} does not fit on the {self.device} device even in small tiles")
        self._most = max(core.grown(self.context, whole).area // 2, self._area_of(_SMALLEST))
        self.tail_cells = self.tail_most = max(self.tail_most / 2, _SMALLEST**2)


def _fits(work: Callable[[Box], None], core: Box) -> bool:
    """Do one tile; False when memory ran out."""
    try:
        work(core)
    except Exception as error:
        if not failures.ran_out(error):
            raise
        # The traceback holds the tensors of the attempt, which are free only once this block is left.
        return False
    return True
