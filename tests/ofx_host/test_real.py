"""The effect, the real sidecar and the real model: the picture is what `snapupscale upscale` makes of its pixels."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

import snapupscale
from ofx_host import abi
from ofx_host.host import Host
from ofx_host.images import Picture
from ofx_host.profiles import BACKGROUND, NUKE, RESOLVE
from ofx_host.samples import same
from sidecar import real
from snapupscale.upscale.interpolation import resample
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ofx_host.images import Pixels

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of POSIX")
MODEL = "animevideov3"
CLIP = Path(snapupscale.__file__).parent / "data" / "bbb480_30s.mp4"
LEVEL = 1 / 255
ROUNDING = 1e-3
"""Between the ways of two programs through float32 and a 16 bit file."""


@pytest.fixture(scope="module")
def sidecar() -> Iterator[real.Real]:
    """One for all these tests, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, folder)
        with real.serving() as running:
            yield running


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch, sidecar: real.Real) -> Path:
    """The folder of that sidecar."""
    environment = Path(f"/proc/{sidecar.process.pid}/environ").read_bytes().split(b"\0")
    folder = next(each.decode().split("=", 1)[1] for each in environment if each.startswith(b"XDG_RUNTIME_DIR="))
    monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
    return Path(folder)


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    """96x128x4 of footage, uint8, opaque, row 0 the lowest."""
    with av.open(str(CLIP)) as clip:
        frame = next(each for index, each in enumerate(clip.decode(video=0)) if index == 200)
    colours = frame.to_ndarray(format="rgb24")[30:126, 500:628]
    return np.ascontiguousarray(np.dstack([colours, np.full((96, 128), 255, np.uint8)])[::-1])


@pytest.fixture(scope="module")
def command(pixels: Pixels, tmp_path_factory: pytest.TempPathFactory) -> Pixels:
    """What the command makes of the picture shrunk to its half: 96x128x3, float32, row 0 the lowest."""
    folder = tmp_path_factory.mktemp("command")
    colours = np.ascontiguousarray(pixels[::-1, :, :3]).astype(np.float32) / 255
    half = np.clip(resample(colours, 64, 48), 0, 1)
    cv2.imwrite(str(folder / "half.png"), np.rint(half[..., ::-1] * 65535).astype(np.uint16))
    words = ["upscale", str(folder / "half.png"), "-o", str(folder / "out"), "--model", MODEL, "--scale", "2"]
    subprocess.run(
        [sys.executable, "-m", "snapupscale", *words, "--backend", "cpu", "--progress", "none"],
        check=True, capture_output=True, env={**os.environ, "XDG_CACHE_HOME": str(folder)},
    )  # fmt: skip
    (path,) = (folder / "out").rglob("*.png")
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert read is not None
    assert read.dtype == np.uint16
    return np.ascontiguousarray(read[::-1, :, ::-1]).astype(np.float32) / 65535


def as_float(pixels: Pixels) -> Pixels:
    return pixels.astype(np.float32) / 255


def differences(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max())


def test_bytes_are_those_of_the_command(bundle: Path, pixels: Pixels, command: Pixels) -> None:
    with Host(bundle, RESOLVE) as host, host.instance(model=MODEL, onFailure="Fail") as instance:
        rendered = instance.render(pixels)
    assert rendered.status == abi.OK
    assert differences(as_float(rendered.pixels)[..., :3], command) <= LEVEL / 2 + ROUNDING
    assert same(rendered.pixels[..., 3], pixels[..., 3])
    assert differences(as_float(pixels)[..., :3], command) > 20 * LEVEL, "the model does something"


@pytest.mark.parametrize(("depth", "gate"), [(np.float32, ROUNDING), (np.float16, 2 * ROUNDING)])
@pytest.mark.parametrize("alpha", ["OfxImageAlphaPremultiplied", "OfxImageAlphaUnPremultiplied"])
def test_floats_are_those_of_the_command(
    bundle: Path, pixels: Pixels, command: Pixels, depth: type, gate: float, alpha: str
) -> None:
    with Host(bundle, NUKE) as host, host.instance(model=MODEL, onFailure="Fail") as instance:
        rendered = instance.render(as_float(pixels).astype(depth), premultiplication=alpha)
    assert rendered.status == abi.OK
    assert differences(rendered.pixels[..., :3], command) <= gate


def test_layout_and_channels_change_nothing(bundle: Path, pixels: Pixels) -> None:
    with Host(bundle, NUKE) as host, host.instance(model=MODEL, onFailure="Fail") as instance:
        whole = instance.render(pixels).pixels
        source = Picture.of(pixels, flipped=True, padding=64, origin=(9, -7))
        target = Picture(pixels.shape, pixels.dtype, padding=12, origin=(9, -7))
        assert same(instance.render(source, target=target).pixels, whole)
        opaque = instance.render(np.ascontiguousarray(pixels[..., :3])).pixels
        assert differences(opaque, whole[..., :3]) <= 1
        window = instance.render(pixels, target=Picture(pixels.shape, pixels.dtype), window=(10, 20, 90, 50))
        assert same(window.pixels[20:50, 10:90], whole[20:50, 10:90])


def test_strength_blends(bundle: Path, pixels: Pixels) -> None:
    original = as_float(pixels)
    with Host(bundle, RESOLVE) as host:
        with host.instance(model=MODEL, onFailure="Fail") as instance:
            full = instance.render(original).pixels
        with host.instance(model=MODEL, onFailure="Fail", strength=0.25) as instance:
            part = instance.render(original).pixels
    assert differences(part, original + 0.25 * (full - original)) < ROUNDING


def test_the_centre_is_counted_from_below(bundle: Path, pixels: Pixels) -> None:
    """Punch in on a corner: at no strength of the model's left it is that corner, enlarged by Lanczos."""
    original = as_float(pixels)
    values: dict[str, Any] = {"mode": "Punch-in", "zoom": 2.0, "centreX": 0.0, "centreY": 0.0, "strength": 1e-6}
    with Host(bundle, RESOLVE) as host, host.instance(model=MODEL, onFailure="Fail", **values) as instance:
        rendered = instance.render(original)
    assert rendered.status == abi.OK
    corner = original[:48, :64]
    expected = resample(np.ascontiguousarray(corner), 128, 96)
    # At the inner borders the region sees its surroundings, which the corner by itself lacks.
    assert differences(rendered.pixels[:80, :100, :3], expected[:80, :100, :3]) < 0.02


def test_punch_in_restores_what_the_command_does(bundle: Path, pixels: Pixels, tmp_path: Path) -> None:
    """The whole at zoom 2 round the middle is about the middle of the model's own enlargement."""
    original = as_float(pixels)
    values: dict[str, Any] = {"mode": "Punch-in", "zoom": 2.0}
    with Host(bundle, RESOLVE) as host, host.instance(model=MODEL, onFailure="Fail", **values) as instance:
        rendered = instance.render(original)
    colours = np.ascontiguousarray(pixels[::-1, :, :3])
    cv2.imwrite(str(tmp_path / "whole.png"), np.rint(colours[..., ::-1] * 257.0).astype(np.uint16))
    words = ["upscale", str(tmp_path / "whole.png"), "-o", str(tmp_path / "out"), "--model", MODEL, "--scale", "2"]
    subprocess.run([sys.executable, "-m", "snapupscale", *words, "--progress", "none"], check=True, capture_output=True)
    (path,) = (tmp_path / "out").rglob("*.png")
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert read is not None
    enlarged = np.ascontiguousarray(read[::-1, :, ::-1]).astype(np.float32) / 65535
    assert differences(rendered.pixels[..., :3], enlarged[48:144, 64:192]) < 2 * LEVEL


def test_light_beyond_white_stays(bundle: Path, pixels: Pixels) -> None:
    original = as_float(pixels)
    original[40:60, 50:80, :3] *= 8
    with Host(bundle, NUKE) as host, host.instance(model=MODEL, onFailure="Fail") as instance:
        rendered = instance.render(original).pixels
    assert np.isfinite(rendered).all()
    assert rendered.max() > 0.7 * original.max()
    assert abs(rendered.mean() / original.mean() - 1) < 0.05


def test_scrubbing_back_costs_nothing(bundle: Path, pixels: Pixels) -> None:
    with Host(bundle, RESOLVE) as host, host.instance(model=MODEL, onFailure="Fail", denoise=0.5) as instance:
        first = instance.render(pixels)
        again = [instance.render(pixels, time=float(moment)) for moment in range(5)]
    assert all(same(rendered.pixels, first.pixels) for rendered in again)
    assert min(rendered.seconds for rendered in again) < first.seconds


def test_a_batch_in_the_background(bundle: Path, pixels: Pixels) -> None:
    with Host(bundle, BACKGROUND) as host, host.instance(model=MODEL) as instance:
        assert instance.render(pixels).status == abi.OK


def workers(parent: int) -> list[int]:
    lines = subprocess.run(
        ["ps", "-A", "-ww", "-o", "ppid=,pid=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rows = [line.split(maxsplit=2) for line in lines]
    return [int(pid) for ppid, pid, words in rows if int(ppid) == parent and "frames.worker" in words]


def test_the_frame_worker_is_killed(bundle: Path, pixels: Pixels, sidecar: real.Real) -> None:
    with Host(bundle, RESOLVE) as host, host.instance(model=MODEL, onFailure="Fail") as instance:
        before = instance.render(pixels)
        (pid,) = workers(sidecar.process.pid)
        os.kill(pid, signal.SIGKILL)
        until(lambda: pid not in workers(sidecar.process.pid))
        after = instance.render(pixels)
        assert after.status == abi.OK
        assert same(after.pixels, before.pixels)
        assert host.messages == []


def test_abort_while_the_model_works(bundle: Path, sidecar: real.Real) -> None:
    large = np.random.default_rng(2).integers(0, 256, (720, 1280, 4), np.uint8)
    with Host(bundle, RESOLVE) as host, host.instance(model=MODEL, onFailure="Fail") as instance:
        rendered = instance.render(large, abort_at=time.monotonic() + 0.3)
        assert rendered.seconds < 1
        small = large[:64, :64].copy()
        assert instance.render(small).status == abi.OK


# The last one: it ends the sidecar of this module.
def test_the_sidecar_is_killed_and_another_one_started(bundle: Path, pixels: Pixels, sidecar: real.Real) -> None:
    with Host(bundle, RESOLVE) as host, host.instance(model=MODEL, onFailure="Pass") as instance:
        restored = instance.render(pixels).pixels
        assert not same(restored, pixels)
        sidecar.process.kill()
        sidecar.process.wait()
        assert same(instance.render(pixels).pixels, pixels)
        with real.serving():
            assert same(instance.render(pixels).pixels, restored)
