from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from snapupscale.upscale import gpus

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = """\
GPU 0: NVIDIA GeForce RTX 4090 (UUID: GPU-1111aaaa-0000-0000-0000-000000000001)
GPU 1: NVIDIA RTX A6000 (Laptop) (UUID: GPU-2222bbbb-0000-0000-0000-000000000002)
"""
DIVIDED = """\
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1111aaaa-0000-0000-0000-000000000001)
  MIG 1g.10gb     Device  0: (UUID: MIG-aaaa)
  MIG 2g.20gb     Device  1: (UUID: MIG-bbbb)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-2222bbbb-0000-0000-0000-000000000002)
"""
FIRST, SECOND = "GPU-1111aaaa-0000-0000-0000-000000000001", "GPU-2222bbbb-0000-0000-0000-000000000002"


def shown(text: str, wanted: str | None) -> list[str]:
    return [mask["CUDA_VISIBLE_DEVICES"] for mask in gpus.masks(gpus.parse(text), wanted)]


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        (PLAIN, [FIRST, SECOND]),
        (DIVIDED, ["MIG-aaaa", "MIG-bbbb", SECOND]),
        (PLAIN.replace("\n", "\r\n"), [FIRST, SECOND]),
        ("", []),
        ("No devices found.\n", []),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", []),
        ("  MIG 1g.10gb     Device  0: (UUID: MIG-aaaa)\n", []),
    ],
)
def test_every_device_that_is_listed(text: str, devices: list[str]) -> None:
    assert shown(text, None) == devices


@pytest.mark.parametrize(
    ("wanted", "devices"),
    [
        ("1", ["1"]),
        ("1,0", ["1", "0"]),
        (" 0 , 1 ", ["0", "1"]),
        ("0,0", ["0"]),
        ("GPU-2222", ["GPU-2222"]),
        (SECOND, [SECOND]),
        ("0,-1,1", ["0"]),
        ("0,7,1", ["0"]),
        ("GPU-3333,0", []),
        ("", []),
        ("-1", []),
        ("none", []),
        ("NoDevFiles", []),
        ("²", []),
    ],
)
def test_the_devices_that_the_user_lets_it_see(wanted: str, devices: list[str]) -> None:
    assert shown(PLAIN, wanted) == devices
    assert shown("", wanted) == []


def test_a_part_of_a_gpu() -> None:
    assert shown(DIVIDED, "MIG-bbbb,MIG-aaaa") == ["MIG-bbbb", "MIG-aaaa"]


def test_a_number_keeps_the_order_it_was_given_for() -> None:
    assert gpus.masks(gpus.parse(PLAIN), "1") == ({"CUDA_VISIBLE_DEVICES": "1"},)
    assert gpus.masks(gpus.parse(PLAIN), SECOND) == (
        {"CUDA_VISIBLE_DEVICES": SECOND, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"},
    )


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tool in the place of nvidia-smi, and a torch built for its GPUs."""
    path = tmp_path / "nvidia-smi"
    monkeypatch.setattr(gpus, "_PLACES", {sys.platform: (str(path),)})
    monkeypatch.setattr(gpus, "_torch_has_cuda", lambda: True)
    monkeypatch.setenv("PATH", "/nonexistent")
    return path


def install(tool: Path, script: str) -> None:
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)


posix = pytest.mark.skipif(sys.platform == "win32", reason="scripts of POSIX")


@posix
def test_asking_the_tool(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tool, f'test "$1" = -L && /bin/cat <<END\n{PLAIN}END')
    assert [mask["CUDA_VISIBLE_DEVICES"] for mask in gpus.find({})] == [FIRST, SECOND]
    assert gpus.find({"CUDA_VISIBLE_DEVICES": "1"}) == ({"CUDA_VISIBLE_DEVICES": "1"},)
    assert gpus.find({"CUDA_VISIBLE_DEVICES": "-1"}) == ()
    monkeypatch.setattr(gpus, "_torch_has_cuda", lambda: False)
    assert gpus.find({}) == ()


@posix
def test_a_tool_on_the_path(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tool, f"/bin/cat <<END\n{PLAIN}END")
    monkeypatch.setattr(gpus, "_PLACES", {})
    assert gpus.find({}) == ()
    monkeypatch.setenv("PATH", str(tool.parent))
    assert len(gpus.find({})) == (2 if sys.platform == "linux" else 0)


@posix
@pytest.mark.parametrize(
    "script", ["exit 9", f"/bin/cat <<END\n{PLAIN}END\nexit 255", "kill -9 $$", "printf '\\377\\n'"]
)
def test_a_tool_that_fails(tool: Path, script: str) -> None:
    install(tool, script)
    assert gpus.find({}) == ()


def test_no_tool(tool: Path) -> None:
    assert gpus.find({}) == ()


@posix
def test_a_tool_that_cannot_be_run(tool: Path) -> None:
    tool.write_text("no program")
    assert gpus.find({}) == ()


@posix
@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
@pytest.mark.filterwarnings("ignore:unclosed file")
def test_a_tool_that_hangs(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tool, "trap '' TERM; exec /bin/sleep 60")
    monkeypatch.setattr(gpus, "SECONDS", 0.2)
    began = time.monotonic()
    assert gpus.find({}) == ()
    assert time.monotonic() - began < 2
