from __future__ import annotations

import pytest
import torch

from snapupscale.upscale import failures


def test_running_out_of_memory_is_recognised() -> None:
    assert failures.ran_out(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert failures.ran_out(MemoryError())
    assert failures.ran_out(RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"))
    assert failures.ran_out(RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"))
    assert not failures.ran_out(RuntimeError("shapes do not match"))
    assert not failures.ran_out(ValueError("out of memory"))


def test_what_the_cpu_says_when_it_runs_out() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert failures.ran_out(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "CUDA error: unspecified launch failure\nCUDA kernel errors might be reported at some other call",
        "CUDA error: uncorrectable ECC error encountered",
        "CUDA error in cuLaunchKernel: CUDA_ERROR_ILLEGAL_ADDRESS",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
    ],
)
def test_a_gpu_that_failed_is_told_from_all_else(text: str) -> None:
    assert failures.lost(RuntimeError(text))
    assert failures.lost(torch.AcceleratorError(text))
    assert not failures.lost(ValueError(text))


@pytest.mark.parametrize(
    "text",
    [
        "CUDA error: out of memory",
        "CUDA error in cuLaunchKernel: out of memory",
        "CUDA error in cuTensorMapEncodeTiled: CUDA_ERROR_INVALID_VALUE",
        "CUDA error: invalid argument",
        "shapes do not match",
    ],
)
def test_a_gpu_that_goes_on_is_not_lost(text: str) -> None:
    assert not failures.lost(RuntimeError(text))
