"""A mapping as the process that computes sees it: pictures in it as tensors, its pages locked where that is of use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snapupscale.sidecar.frames.mapping import close_mapping

if TYPE_CHECKING:
    import mmap

    from torch import Tensor


class Shared:
    """A mapping that is open, until `close`. torch is imported by the first `view` alone."""

    def __init__(self, opened: mmap.mmap) -> None:
        self._opened = opened
        self._tried = False
        self._locked = 0

    def view(self, offset: int, size: int) -> Tensor:
        """`size` bytes from `offset` on, uint8 with one axis; what is written to it is in the mapping."""
        import torch  # noqa: PLC0415  slow to load

        return torch.frombuffer(self._opened, dtype=torch.uint8, count=size, offset=offset)

    def lock_pages(self) -> None:
        """Have CUDA copy straight from and to the mapping; without it, it is slower and nothing else."""
        if self._tried:
            return
        self._tried = True
        import torch  # noqa: PLC0415  slow to load

        runtime = torch.cuda.cudart()  # type: ignore[no-untyped-call]
        address = self.view(0, len(self._opened)).data_ptr()
        if int(runtime.cudaHostRegister(address, len(self._opened), 0)) == 0:
            self._locked = address
        else:
            _forget_error()

    def close(self) -> None:
        """Unmap it. No picture in it may be used any longer."""
        if self._locked:
            import torch  # noqa: PLC0415  slow to load

            runtime = torch.cuda.cudart()  # type: ignore[no-untyped-call]
            if int(runtime.cudaHostUnregister(self._locked)) != 0:
                _forget_error()
            self._locked = 0
        close_mapping(self._opened)


def _forget_error() -> None:
    """CUDA keeps the error of a call that failed, and torch would report it with the next kernel as its own."""
    import torch  # noqa: PLC0415  slow to load

    try:
        torch.empty(1, device="cuda").fill_(0)
    except RuntimeError:
        return
