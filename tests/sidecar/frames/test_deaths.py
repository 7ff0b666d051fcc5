"""The process that makes frames dies, hangs, or talks nonsense."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
import time

import pytest

from sidecar.frames.effects import PARAMS, PROGRAM, Door, halt, pid, runs, said, serving, took
from snapupscale.processes import start_time
from snapupscale.sidecar.frames import desk as module
from snapupscale.sidecar.frames import wire
from snapupscale.sidecar.frames.wire import Header, Op, Status
from waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and files of POSIX")


def test_one_that_will_not_be_cancelled_is_ended(
    door: Door, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE", 0.2)
    with door.effect(64) as effect, door.effect(64) as other:
        number = effect.start(4, 4, model="deaf-9000")
        runs(caplog)
        before = pid(door)
        effect.cancelled(number)
        assert effect.closed()
        assert other.closed()
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
    assert start_time(before) is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_its_death_closes_the_connections_that_had_a_mapping(
    door: Door, caplog: pytest.LogCaptureFixture, number: signal.Signals
) -> None:
    with door.effect(64) as effect, door.effect(64) as idle, door.effect() as bare:
        effect.start(4, 4, model="slow-9000")
        runs(caplog)
        os.kill(pid(door), number)
        assert effect.closed()
        assert idle.closed()
        assert bare.ask(Op.PING)[0].status == Status.OK
        assert bare.map(64)[0].status == Status.OK
        bare.made(bytes(64), 4)


def test_one_that_dies_while_it_loads_is_followed_by_another(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        effect.start(4, 4, model="loads-9000")
        until(lambda: said(caplog, "loads"))
        os.kill(pid(door), signal.SIGKILL)
        assert effect.closed()
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
        assert door.desk._loading == math.inf


def test_one_that_cannot_load_torch_says_so_and_stays() -> None:
    broken = PROGRAM.replace('.live"] = live', '.live"] = None')
    with serving((sys.executable, "-P", "-c", broken)) as door, door.effect(64) as effect:
        before = pid(door)
        for _ in range(2):
            header, message = effect.render(4, 4)
            assert header.status == Status.FAILED
            assert message.startswith("torch cannot be imported: ")
            assert "pip install torch" in message
        assert pid(door) == before


def test_one_that_hangs_is_ended_when_its_frame_is_given_up(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        number = effect.start(4, 4, model="slow-9000")
        runs(caplog)
        before, begun = pid(door), time.monotonic()
        halt(before)
        effect.send(Op.CANCEL, seq=number)
        assert effect.receive()[0].status == Status.CANCELLED
        assert took(begun) < 1.1
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
    assert start_time(before) is None


def test_one_that_hangs_opens_no_mapping_and_is_ended(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    with door.effect(64) as effect, door.effect() as other:
        effect.made(bytes(64), 4)
        halt(pid(door))
        monkeypatch.setattr(module, "MAP_SECONDS", 0.3)
        header, message = other.map(64)
        assert (header.status, "ended" in message) == (Status.FAILED, True)
        assert effect.closed()
        monkeypatch.undo()
        assert other.map(64)[0].status == Status.OK
        other.made(bytes(64), 4)


def test_one_that_hangs_is_ended_also_when_those_who_wait_for_it_leave(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An effect waits for its mapping for a shorter time than the desk."""
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
    before = pid(door)
    halt(before)
    monkeypatch.setattr(module, "MAP_SECONDS", 0.4)
    for _ in range(2):
        with door.effect() as effect:
            effect.send(Op.MAP, effect.make(64), size=wire.FIRST_PIXEL + 64)
            time.sleep(0.1)
    until(lambda: start_time(before) is None or None, 10)
    monkeypatch.undo()
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)


def test_one_that_hangs_may_be_asked_for_more_than_a_pipe_holds(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", 0.2)
    with door.effect(64) as effect, door.effect(64) as other:
        effect.made(bytes(64), 4)
        halt(pid(door))
        asked = json.dumps(PARAMS).encode()
        message = Header(op=Op.WARM, tail=len(asked)).pack() + asked
        for _ in range(20):
            effect.socket.sendall(message * 50)
            for _ in range(50):
                assert effect.receive()[0].status == Status.OK
        other.cancelled(other.start(4, 4))
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)


def test_a_frame_that_kills_again_and_again_costs_itself_alone(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.desk._pause = 0.3
    for pause in (0.3, 0.6):
        with door.effect(64) as effect:
            effect.start(4, 4, model="dies")
            assert effect.closed()
        until(lambda pause=pause: door.desk._pause > pause or None)  # type: ignore[misc]
    with door.effect() as effect:
        monkeypatch.setattr(module, "_LONGEST_WAIT", 0.0)
        header, message = effect.map(64)
        assert (header.status, "started anew" in message) == (Status.BUSY, True)
        monkeypatch.undo()
        assert effect.map(64)[0].status == Status.OK
        effect.made(bytes(64), 4)
    assert door.desk._pause == module._FIRST_PAUSE


def test_a_mapping_cut_off_later_costs_the_process_alone(door: Door) -> None:
    with door.effect() as effect:
        offer = effect.make(64)
        assert effect.ask(Op.MAP, offer, size=wire.FIRST_PIXEL + 64)[0].status == Status.OK
        assert effect.path
        before = pid(door)
        os.truncate(effect.path, 0)
        effect.start(4, 4)
        assert effect.closed()
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
        assert pid(door) != before


def test_a_process_that_cannot_be_started_is_told_of() -> None:
    with serving(("/nowhere/at/all",)) as door, door.effect() as effect:
        header, message = effect.map(64)
        assert (header.status, message) == (
            *(Status.FAILED, "The process that makes frames cannot be started: No such file or directory."),
        )
        assert effect.ask(Op.PING)[0].status == Status.OK


def test_one_that_talks_nonsense_is_ended() -> None:
    program = "import time; print('{\"mapped\": 1, \"error\": 5}', flush=True); time.sleep(60)"
    with serving((sys.executable, "-c", program)) as door, door.effect() as effect:
        assert effect.map(64)[0].status == Status.FAILED
        assert effect.ask(Op.PING)[0].status == Status.OK


def test_nothing_is_left_of_it(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    effect = door.effect(64)
    effect.start(4, 4, model="deaf-9000")
    runs(caplog)
    before, begun = pid(door), time.monotonic()
    door.desk.close()
    assert took(begun) < 2
    assert start_time(before) is None
    assert "frames" not in {thread.name for thread in threading.enumerate()}
    effect.close()
