"""Workers end after their GPU was lost: the next process may find it in order."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from snapupscale.sidecar import contained

JOB = """
from snapupscale.errors import DeviceLost, SettingError
from snapupscale.sidecar import worker
errors = [SettingError("odd"), DeviceLost("CUDA error: unspecified launch failure"), SettingError("never told")]
def probe(source, rate):
    raise errors.pop(0)
worker.probe = probe
worker.main()
"""
FRAMES = """
from snapupscale.errors import DeviceLost, SettingError
from snapupscale.sidecar.frames import worker
errors = [SettingError("odd"), DeviceLost("CUDA error: unspecified launch failure"), SettingError("never told")]
def model(self, params):
    raise errors.pop(0)
worker.Worker._model = model
worker.main()
"""
PICTURE = {
    "offset": 0,
    "size": 48,
    "width": 4,
    "height": 4,
    "depth": "byte",
    "components": 3,
    "premultiplied": False,
    "top_down": True,
}
PARAMS = {
    "mode": "restore",
    "factor": 2,
    "zoom": 1,
    "centre_x": 0.5,
    "centre_y": 0.5,
    "model": "animevideov3",
    "strength": 1,
    "denoise": 1,
}


@pytest.mark.parametrize(
    ("program", "request_of"),
    [
        (JOB, lambda id: {"id": id, "kind": "probe", "params": {"source": "/a"}}),
        (FRAMES, lambda id: {"render": id, "client": 1, "picture": PICTURE, "params": PARAMS}),
    ],
    ids=["job", "frames"],
)
def test_a_worker_answers_and_ends(program: str, request_of: Any) -> None:
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.writelines(json.dumps(request_of(id)) + "\n" for id in range(3))
        process.stdin.flush()
        codes = [reply["error"]["code"] for reply in map(json.loads, process.stdout) if "error" in reply]
        assert process.wait(10) == 1
    assert codes == ["bad-setting", "device-lost"]


@pytest.mark.parametrize("code", ["internal", "out-of-memory"])
@pytest.mark.parametrize("broken", [False, True])
def test_after_other_errors_it_ends_if_the_gpu_is_gone(
    code: str, broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def synchronize() -> None:
        if broken:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    ends: list[int] = []
    torch = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: True, synchronize=synchronize))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(contained.os, "_exit", ends.append)
    contained.end_if_broken(code)
    assert ends == ([1] if broken and code == "internal" else [])
