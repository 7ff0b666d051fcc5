"""The sidecar as it is started, the process as it is started, and the model as it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sidecar import fakes, real
from sidecar.frames.effects import Effect
from snapupscale.cli import _parser
from snapupscale.processes import start_time
from snapupscale.sidecar import condition, discovery, log
from snapupscale.sidecar.child import worker_command
from snapupscale.sidecar.frames import link, wire
from snapupscale.sidecar.frames.desk import COMMAND
from snapupscale.sidecar.frames.wire import Op, Status
from snapupscale.sidecar.keys import Keys
from waiting import until

if TYPE_CHECKING:
    from snapupscale.doctor import Check
    from snapupscale.sidecar.discovery import Discovery

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of POSIX")


def effect_of(found: Discovery) -> Effect:
    """An effect that found the sidecar by the link file, and was let in."""
    offered = link.read()
    assert offered
    assert (offered.pid, offered.token) == (found.pid, found.token)
    effect = Effect(offered.port)
    assert effect.hello(token=offered.token)[0].status == Status.OK
    return effect


def checks() -> dict[str, Check]:
    return {check.name: check for check in condition.examine()}


def workers(parent: int) -> list[int]:
    command = ["ps", "-A", "-ww", "-o", "ppid=,pid=,args="]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split(maxsplit=2) for line in lines]
    return [int(pid) for ppid, pid, args in rows if int(ppid) == parent and "frames.worker" in args]


def test_a_frame_by_the_model_and_nothing_left_afterwards() -> None:
    import numpy as np

    width, height = 64, 48
    pixels = np.random.default_rng(1).random((height, width, 4), np.float32)
    pixels[..., 3] = 1
    data = pixels.tobytes()
    with real.serving() as sidecar:
        assert checks()["frame worker"].found == "none now"
        with effect_of(sidecar.found) as effect, effect_of(sidecar.found) as other:
            for each in (effect, other):
                assert each.map(len(data))[0].status == Status.OK
            # While the process loads the same.
            import torch

            from snapupscale.upscale.live import Layout, Live, Look

            first = _frame(effect, data, width, height)
            again = _frame(other, data, width, height)
            (pid,) = workers(sidecar.process.pid)
            found = checks()
            assert sidecar.ask("POST", "/v1/stop").status == 202
            assert sidecar.process.wait(5) == 0
            assert effect.closed()
            assert start_time(pid) is None
            assert not link.path().exists()
            assert not discovery.path().exists()
    assert (first[1].flags & wire.CACHED, again[1].flags & wire.CACHED) == (0, wire.CACHED)
    assert first[0] == again[0]
    with Live("animevideov3") as live:
        layout = Layout(width=width, height=height, depth="float", components=4, premultiplied=False, top_down=False)
        raw = live.upload(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        expected = live.render(raw, layout, Look(mode="restore"))
    wanted = np.frombuffer(expected.numpy().tobytes(), np.float32)
    assert np.abs(np.frombuffer(first[0], np.float32) - wanted).max() < 1e-4
    assert (found["link for effects"].found, found["link for effects"].ok) == ("effects are let in, link 1", True)
    assert found["frame worker"].found.endswith(" MiB")
    logged = log.path().read_text()
    assert not [text for text in ("Traceback", "snapupscale-test-", sidecar.found.token) if text in logged]


def _frame(effect: Effect, data: bytes, width: int, height: int) -> tuple[bytes, wire.Header]:
    effect.put(data)
    params: dict[str, Any] = {"mode": "restore", "factor": 2, "zoom": 2, "centre_x": 0.5, "centre_y": 0.5}
    params |= {"model": "animevideov3", "strength": 1, "denoise": 1}
    fields = {"width": width, "height": height, "format": 4 | 4 << 8, "offset": 4096, "flags": 0}
    header, message = effect.ask(Op.RENDER, params, size=len(data), **fields)
    assert header.status == Status.OK, message
    return effect.got(len(data)), header


def test_a_sidecar_that_is_killed_takes_the_process_along_and_the_next_one_is_found() -> None:
    with fakes.sidecar() as (process, found), effect_of(found) as effect:
        assert effect.map(64)[0].status == Status.OK
        (pid,) = workers(process.pid)
        process.kill()
        process.wait()
        assert effect.closed()
        until(lambda: start_time(pid) is None or None, 5)
        with fakes.sidecar() as (_, second), effect_of(second) as next_effect:
            assert next_effect.map(64)[0].status == Status.OK


@pytest.mark.slow
def test_an_effect_keeps_it_alive_and_then_it_ends() -> None:
    with fakes.sidecar("0.5") as (process, found):
        with effect_of(found), pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.7)
        assert process.wait(10) == 0


def test_doctor_tells_when_effects_cannot_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with fakes.sidecar() as (_, found):
        link.path().unlink()
        missing = checks()["link for effects"]
        link.write(link.Link(pid=found.pid, port=9, token=Keys().token))
        deaf = condition._frames(found)
        link.write(link.Link(pid=found.pid, port=found.port, token=Keys().token))
        with monkeypatch.context() as patch:
            patch.setattr(condition, "_ANSWER_SECONDS", 0.3)
            other = condition._frames(found)
        link.write(link.Link(pid=1, port=found.port, token=Keys().token))
        stale = condition._frames(found)
    for check, words in ((missing, "not there"), (deaf, "Connection refused"), (other, "let in"), (stale, "another")):
        assert not check.ok
        assert words in check.found
    assert "link for effects" not in checks()


def test_the_service_loads_nothing_heavy_for_frames() -> None:
    program = "import sys, snapupscale.sidecar.frames.listener, snapupscale.sidecar.frames.desk; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {name.split(".")[0] for name in result.stdout.split()} & {"torch", "numpy", "av", "cv2", "starlette"}


def test_the_process_opens_mappings_before_torch_is_loaded() -> None:
    program = "import sys, snapupscale.sidecar.frames.worker; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {name.split(".")[0] for name in result.stdout.split()} & {"torch", "numpy", "av", "cv2"}


def test_a_frozen_program_is_the_process_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (sys.executable, "-P", "-m", "snapupscale.sidecar.frames.worker") == COMMAND
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert worker_command("frame-worker", "-")[1:] == ("sidecar", "frame-worker")
    options = _parser().parse_args(["sidecar", "frame-worker"])
    assert options.command.__name__ == "sidecar_frame_worker"
    assert "frame-worker" not in _parser().format_help()


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_the_process_is_contained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNAPUPSCALE_MEMORY_SHARE", raising=False)
    with fakes.sidecar() as (process, found), effect_of(found) as effect:
        effect.map(64)
        (pid,) = workers(process.pid)
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:  # noqa: PTH123
            assert file.read().strip() == "500"
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:  # noqa: PTH123
            (core,) = [line.split()[4:6] for line in file if line.startswith("Max core")]
        assert core == ["0", "0"]
        assert os.getsid(pid) == pid
