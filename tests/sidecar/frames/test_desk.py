from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from sidecar.frames.effects import PARAMS, Door, serving, took
from snapupscale.sidecar.frames import desk as module
from snapupscale.sidecar.frames import wire
from snapupscale.sidecar.frames.wire import Op, Status
from snapupscale.sidecar.processes import start_time
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sidecar.frames.effects import Effect

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and files of POSIX")


@pytest.fixture
def door(caplog: pytest.LogCaptureFixture) -> Iterator[Door]:
    caplog.set_level(logging.INFO)
    with serving() as opened:
        yield opened


def pid(door: Door) -> int:
    found = door.desk.worker_pid
    assert found
    return found


def said(caplog: pytest.LogCaptureFixture, what: str) -> list[str]:
    """The lines of the process that begin so."""
    return [text[8:] for text in caplog.messages if text.startswith(f"worker: {what}")]


def runs(caplog: pytest.LogCaptureFixture) -> None:
    """Wait until a frame is being made."""
    until(lambda: said(caplog, "renders"))


def test_a_frame_is_made_in_place(door: Door) -> None:
    with door.effect(4096) as effect:
        header = effect.made(bytes(range(256)) * 4, 16)
        assert not header.flags & wire.CACHED
        assert effect.mapping
        assert effect.mapping[wire.FIRST_PIXEL + 1024 :] == bytes(3072), "and nothing else is touched"


def test_many_effects_with_frames_of_many_sizes(door: Door) -> None:
    def play(number: int) -> int:
        chance = random.Random(number)
        with door.effect(64 * 64 * 4) as effect:
            for _ in range(25):
                width, height = chance.randint(1, 64), chance.randint(1, 64)
                effect.made(chance.randbytes(width * height * 4), width, flags=chance.choice((0, wire.INTERACTIVE)))
        return number

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(play, range(8))) == list(range(8))


def test_the_same_frame_again_costs_nothing(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    pixels = bytes(range(64))
    with door.effect(64) as effect, door.effect(64) as other:
        cached = [
            bool(each.flags & wire.CACHED)
            for each in (
                effect.made(pixels, 4),
                effect.made(pixels, 4),
                other.made(pixels, 4),
                effect.made(pixels, 2),
                effect.made(pixels[::-1], 4),
                effect.made(pixels, 4, strength=0.5),
                effect.made(pixels, 4, flags=wire.INTERACTIVE | wire.TOP_DOWN),
                effect.made(pixels, 4, flags=0),
                effect.made(pixels, 4, strength=0.5),
            )
        ]
    assert cached == [False, True, True, False, False, False, False, True, True]
    assert len(said(caplog, "renders")) == 5
    assert said(caplog, "loads") == ["loads invert"]


@pytest.mark.parametrize("backend", ["cuda", "mps"])
def test_results_come_back_from_a_gpu(door: Door, caplog: pytest.LogCaptureFixture, backend: str) -> None:
    with door.effect(64) as effect:
        for turn in range(4):
            effect.made(bytes([turn]) * 64, 4, model=backend)
        # What came while the last ones were still on their way is not kept, and made again.
        until(lambda: effect.made(bytes([0]) * 64, 4, model=backend).flags & wire.CACHED or None, 5)
    assert said(caplog, "renders")[0] == "renders 64 1.0", "the first is for nobody"
    if backend == "cuda":
        until(lambda: said(caplog, "unregisters"))
        assert said(caplog, "registers") == [f"registers {wire.FIRST_PIXEL + 64}"]


def test_two_models_stay_loaded(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        for turn, model in enumerate(("invert", "slow-1", "invert", "slow-2", "invert", "slow-1")):
            effect.made(bytes([turn]) * 64, 4, model=model)
    assert said(caplog, "loads") == ["loads invert", "loads slow-1", "loads slow-2", "loads slow-1"]


def test_a_model_takes_the_room_of_others_if_need_be(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
        effect.made(bytes([1]) * 64, 4, model="crowded")
    assert said(caplog, "loads") == ["loads invert", "loads crowded", "loads crowded"]
    assert said(caplog, "closes") == ["closes invert"]


def test_a_denoise_that_the_model_has_not_is_left_out(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        for turn, denoise in enumerate((1.0, 0.5, 0.0)):
            effect.made(bytes([turn]) * 64, 4, denoise=denoise)
            effect.made(bytes([turn, 1]) * 32, 4, denoise=denoise, model="general-x4v3")
    assert said(caplog, "loads") == ["loads invert", *["loads general-x4v3"] * 3]


def test_interactive_frames_go_first(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as running:
        running.start(4, 4, model="slow-600")
        runs(caplog)
        effects = [door.effect(4 * 4 * 10) for _ in range(4)]
        for number, (effect, flags) in enumerate(zip(effects, (0, 0, wire.INTERACTIVE, wire.INTERACTIVE), strict=True)):
            effect.start(number + 5, 1, flags=flags)
            effect.ask(Op.PING)
        for effect in effects:
            assert effect.receive()[0].status == Status.OK
            effect.close()
    assert [int(line.split()[1]) for line in said(caplog, "renders")] == [4, 7, 8, 5, 6]


def test_a_frame_is_cancelled_within_a_second(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect, door.effect(64) as waiting:
        effect.put(b"\7" * 64)
        number = effect.start(4, 4, model="slow-9000")
        runs(caplog)
        second = waiting.start(4, 4)
        begun = time.monotonic()
        waiting.send(Op.CANCEL, seq=second)
        assert waiting.receive()[0].status == Status.CANCELLED
        effect.send(Op.CANCEL, seq=number + 1)
        effect.send(Op.PING)
        assert effect.receive()[0].op == Op.PING
        effect.send(Op.CANCEL, seq=number)
        header, message = effect.receive()
        assert (header.op, header.seq, header.status) == (Op.RENDER, number, Status.CANCELLED)
        assert message == "cancelled."
        assert took(begun) < 0.5
        assert effect.got(64) == b"\7" * 64
        effect.send(Op.CANCEL, seq=number)
        before = pid(door)
        effect.made(bytes(64), 4)
        assert pid(door) == before


def test_a_model_that_loads_is_not_lost_to_a_cancel(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        number = effect.start(4, 4, model="loads-1500")
        until(lambda: said(caplog, "loads"))
        begun = time.monotonic()
        effect.send(Op.CANCEL, seq=number)
        assert effect.receive()[0].status == Status.CANCELLED
        assert took(begun) < 0.5
        effect.made(bytes(64), 4, model="loads-1500")
    assert said(caplog, "loads") == ["loads loads-1500"]
    assert len(said(caplog, "renders")) == 1


def test_one_that_will_not_be_cancelled_is_ended(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect, door.effect(64) as other:
        number = effect.start(4, 4, model="deaf-9000")
        runs(caplog)
        before, begun = pid(door), time.monotonic()
        effect.send(Op.CANCEL, seq=number)
        assert effect.receive()[0].status == Status.CANCELLED
        assert took(begun) < 1.1
        assert effect.closed()
        assert other.closed()
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
    assert start_time(before) is None


def test_who_leaves_takes_the_frame_along(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as other:
        with door.effect(64) as effect:
            effect.start(4, 4, model="slow-9000")
            runs(caplog)
            begun = time.monotonic()
        other.made(bytes(64), 4)
        assert took(begun) < 1
        until(lambda: _mappings(pid(door)) == 1 or None, 5)
    until(lambda: _mappings(pid(door)) == 0 or None, 5)


def _mappings(process: int) -> int:
    with open(f"/proc/{process}/maps", encoding="utf-8") as lines:  # noqa: PTH123
        return sum("snapupscale-test-" in line for line in lines)


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


def test_one_that_hangs_is_ended_when_its_frame_is_given_up(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        number = effect.start(4, 4, model="slow-9000")
        runs(caplog)
        before, begun = pid(door), time.monotonic()
        os.kill(before, signal.SIGSTOP)
        effect.send(Op.CANCEL, seq=number)
        assert effect.receive()[0].status == Status.CANCELLED
        assert took(begun) < 1.1
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
    assert start_time(before) is None


def test_one_that_hangs_opens_no_mapping_and_is_ended(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    with door.effect(64) as effect, door.effect() as other:
        effect.made(bytes(64), 4)
        os.kill(pid(door), signal.SIGSTOP)
        monkeypatch.setattr(module, "MAP_SECONDS", 0.5)
        header, message = other.map(64)
        assert (header.status, "ended" in message) == (Status.FAILED, True)
        assert effect.closed()
        monkeypatch.undo()
        assert other.map(64)[0].status == Status.OK
        other.made(bytes(64), 4)


def test_a_frame_that_kills_again_and_again_costs_itself_alone(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_WAIT", 0.7)
    for pause in (0.25, 0.5, 1.0):
        with door.effect(64) as effect:
            effect.start(4, 4, model="dies")
            assert effect.closed()
        until(lambda pause=pause: door.desk._pause > pause or None)  # type: ignore[misc]
    with door.effect() as effect:
        header, message = effect.map(64)
        assert (header.status, "started anew" in message) == (Status.BUSY, True)
        time.sleep(0.6)
        assert effect.map(64)[0].status == Status.OK
        effect.made(bytes(64), 4)
    assert door.desk._pause == module._FIRST_PAUSE


@pytest.mark.parametrize(
    ("model", "status", "words"),
    [
        ("missing", Status.FAILED, "no such weights. Run `snapupscale models list`"),
        ("unknown", Status.BAD_REQUEST, "no such model."),
        ("full", Status.FAILED, "it does not fit. Close other programs"),
        ("faulty", Status.FAILED, "RuntimeError: a fault. This is a fault of SnapUpscale."),
    ],
)
def test_what_fails_is_told_and_the_process_stays(door: Door, model: str, status: Status, words: str) -> None:
    with door.effect(64) as effect:
        before = pid(door)
        for _ in range(2):
            effect.put(b"\7" * 64)
            header, message = effect.render(4, 4, model=model)
            assert header.status == status
            assert message.startswith(words)
            assert "--help" not in message
            assert effect.got(64) == b"\7" * 64
        effect.made(bytes(64), 4)
        assert pid(door) == before


def test_a_warm_model_is_there_before_the_first_frame(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect() as effect:
        assert effect.ask(Op.WARM, PARAMS)[0].status == Status.OK
        until(lambda: said(caplog, "loads"))
        effect.map(64)
        effect.made(bytes(64), 4)
    assert said(caplog, "loads") == ["loads invert"]


def test_a_mapping_can_be_replaced(door: Door) -> None:
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
        assert effect.map(1024)[0].status == Status.OK
        effect.made(bytes(range(256)) * 4, 16)
        until(lambda: _mappings(pid(door)) == 1 or None)


def refusal(effect: Effect, tail: dict[str, str], size: int = wire.FIRST_PIXEL + 64) -> str:
    header, message = effect.ask(Op.MAP, tail, size=size)
    assert header.status == Status.BAD_REQUEST
    assert effect.render(4, 4)[0].status == Status.BAD_REQUEST, "it has none now"
    return message


def test_a_mapping_that_is_not_what_it_says_is_refused(door: Door) -> None:
    with door.effect() as effect:
        good = effect.make(64)
        assert effect.path
        assert "its cookie is another one" in refusal(effect, {**good, "cookie": "0" * 32})
        assert "bytes, not 4097" in refusal(effect, good, 4097)
        assert "no absolute path" in refusal(effect, {**good, "name": "frames"})
        assert "cannot be opened" in refusal(effect, {**good, "name": "/nowhere/at/all"})
        assert "no regular file" in refusal(effect, {**good, "name": "/dev/zero"})
        beside = effect.path.with_name(f"{effect.path.name}-link")
        beside.symlink_to(effect.path)
        assert "cannot be opened" in refusal(effect, {**good, "name": str(beside)})
        beside.unlink()
        os.mkfifo(beside, 0o600)
        assert "no regular file" in refusal(effect, {**good, "name": str(beside)})
        beside.unlink()
        for mode in (0o644, 0o660, 0o400):
            effect.path.chmod(mode)
            assert "the user's alone" in refusal(effect, good) or mode == 0o400
        effect.path.chmod(0o600)
        if os.getuid() == 0:
            os.chown(effect.path, 12345, 12345)
            assert "the user's alone" in refusal(effect, good)
            os.chown(effect.path, 0, 0)
        assert effect.ask(Op.MAP, good, size=wire.FIRST_PIXEL + 64)[0].status == Status.OK
        effect.made(bytes(64), 4)


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


def test_when_nothing_is_asked_for_it_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with serving(idle=0.3) as door:
        with door.effect(64) as effect:
            effect.made(bytes(64), 4)
            before = pid(door)
            until(lambda: said(caplog, "closes"))
            effect.made(bytes(64), 4)
            assert pid(door) == before, "a mapping that is open keeps the process, without its models"
            assert said(caplog, "renders") == ["renders 4 1.0"] * 2, "and without results"
        until(lambda: door.desk.worker_pid is None or None)
        until(lambda: start_time(before) is None or None)
        with door.effect(64) as effect:
            effect.made(bytes(64), 4)


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


def test_it_tells_when_somebody_waits_for_a_frame(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        effect.start(4, 4, flags=0, model="slow-300")
        runs(caplog)
        assert not door.desk.interactive
        effect.receive()
        effect.start(4, 4, model="slow-300")
        until(lambda: door.desk.interactive or None)
        effect.receive()
        begun = time.monotonic()
        assert door.desk.interactive
        until(lambda: not door.desk.interactive or None)
        assert 0.3 < took(begun) < 1


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


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_effects_that_come_and_go_leave_nothing_open(door: Door) -> None:
    def opened() -> list[int]:
        return [len(os.listdir(f"/proc/{process}/fd")) for process in (os.getpid(), pid(door))]  # noqa: PTH208

    def visit() -> None:
        with door.effect(4096) as effect:
            effect.made(bytes(64), 4)

    visit()
    until(lambda: _mappings(pid(door)) == 0 or None, 5)
    before = opened()
    for _ in range(100):
        visit()
    until(lambda: opened() == before or None, 5)
    assert _mappings(pid(door)) == 0
