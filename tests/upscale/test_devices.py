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
