from __future__ import annotations

import pytest
import torch

from snapupscale.errors import BackendUnavailable
from snapupscale.upscale import devices


def test_the_cpu_is_always_there() -> None:
    assert devices.choose("cpu") == torch.device("cpu")
    assert "CPU" in devices.describe(torch.device("cpu"))
    assert 1 << 26 < devices.free_memory(torch.device("cpu")) <= 8 << 30


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(BackendUnavailable, match=name) as caught:
        devices.choose(name)
    assert "--backend auto" in caught.value.hint
    assert devices.choose("auto") == torch.device("cpu")


def test_a_gpu_too_old_for_this_torch_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    ones = torch.ones

    def fail(*args: object, device: str) -> torch.Tensor:
        if device == "cuda":
            raise RuntimeError("no kernel image is available\nmore text")
        return ones(*args, device=device)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", fail)
    assert devices.choose("auto").type in ("mps", "cpu")
    with pytest.raises(BackendUnavailable, match=r"no kernel image is available$"):
        devices.choose("cuda")


def test_running_out_of_memory_is_recognised() -> None:
    assert devices.ran_out(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert devices.ran_out(MemoryError())
    assert devices.ran_out(RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"))
    assert devices.ran_out(RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"))
    assert not devices.ran_out(RuntimeError("shapes do not match"))
    assert not devices.ran_out(ValueError("out of memory"))


def test_what_the_cpu_says_when_it_runs_out() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert devices.ran_out(caught.value)


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
    assert devices.lost(RuntimeError(text))
    assert devices.lost(torch.AcceleratorError(text))
    assert not devices.lost(ValueError(text))


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
    assert not devices.lost(RuntimeError(text))
