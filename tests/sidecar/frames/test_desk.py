from __future__ import annotations

import logging
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from sidecar.frames.effects import PARAMS, Door, mappings, pid, runs, said, serving, took
from snapupscale.processes import start_time
from snapupscale.sidecar.frames import wire
from snapupscale.sidecar.frames.wire import Op, Status
from waiting import until

if TYPE_CHECKING:
    from sidecar.frames.effects import Effect

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and files of POSIX")


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
                effect.made(pixels, 4, flags=wire.PREMULTIPLIED),
                effect.made(pixels, 4, model="other"),
            )
        ]
    assert cached == [False, True, True, False, False, False, False, True, True, False, False]
    until(lambda: len(said(caplog, "renders")) == 7)
    until(lambda: said(caplog, "loads") == ["loads invert", "loads other"])


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
        until(lambda: said(caplog, "registers") == [f"registers {wire.FIRST_PIXEL + 64}"])


def test_two_models_stay_loaded(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        for turn, model in enumerate(("invert", "slow-1", "invert", "slow-2", "invert", "slow-1")):
            effect.made(bytes([turn]) * 64, 4, model=model)
    until(lambda: said(caplog, "loads") == ["loads invert", "loads slow-1", "loads slow-2", "loads slow-1"])


def test_a_model_takes_the_room_of_others_if_need_be(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
        effect.made(bytes([1]) * 64, 4, model="crowded")
    until(lambda: said(caplog, "loads") == ["loads invert", "loads crowded", "loads crowded"])
    until(lambda: said(caplog, "closes") == ["closes invert"])


def test_a_denoise_that_the_model_has_not_is_left_out(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        for turn, denoise in enumerate((1.0, 0.5, 0.0)):
            effect.made(bytes([turn]) * 64, 4, denoise=denoise)
            effect.made(bytes([turn, 1]) * 32, 4, denoise=denoise, model="general-x4v3")
        assert effect.made(bytes(64), 4, denoise=0.3).flags & wire.CACHED, "nor does it tell results apart"
        assert not effect.made(bytes([0, 1]) * 32, 4, denoise=0.3, model="general-x4v3").flags & wire.CACHED
    until(lambda: said(caplog, "loads") == ["loads invert", *["loads general-x4v3"] * 4])


def test_interactive_frames_go_first(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as running:
        first = running.start(4, 4, model="slow-9000")
        runs(caplog)
        effects = [door.effect(4 * 4 * 10) for _ in range(4)]
        for number, (effect, flags) in enumerate(zip(effects, (0, 0, wire.INTERACTIVE, wire.INTERACTIVE), strict=True)):
            effect.start(number + 5, 1, flags=flags)
            effect.ask(Op.PING)
        running.cancelled(first)
        for effect in effects:
            assert effect.receive()[0].status == Status.OK
            effect.close()
    until(lambda: [int(line.split()[1]) for line in said(caplog, "renders")] == [4, 7, 8, 5, 6])


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
        number = effect.start(4, 4, model="loads-900")
        until(lambda: said(caplog, "loads"))
        effect.cancelled(number)
        assert not said(caplog, "has loaded")
        effect.made(bytes(64), 4, model="loads-900")
    until(lambda: said(caplog, "loads") == ["loads loads-900"])
    until(lambda: len(said(caplog, "renders")) == 1)


def test_who_leaves_takes_the_frame_along(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as other:
        with door.effect(64) as effect:
            effect.start(4, 4, model="slow-9000")
            runs(caplog)
            begun = time.monotonic()
        other.made(bytes(64), 4)
        assert took(begun) < 1
        until(lambda: mappings(pid(door)) == 1 or None, 5)
    until(lambda: mappings(pid(door)) == 0 or None, 5)


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
    until(lambda: said(caplog, "loads") == ["loads invert"])


def test_a_mapping_can_be_replaced(door: Door) -> None:
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)
        assert effect.map(1024)[0].status == Status.OK
        effect.made(bytes(range(256)) * 4, 16)
        until(lambda: mappings(pid(door)) == 1 or None)


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


def test_when_nothing_is_asked_for_it_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with serving(idle=0.2) as door:
        with door.effect(64) as effect:
            effect.made(bytes(64), 4)
            before = pid(door)
            until(lambda: said(caplog, "closes"))
            effect.made(bytes(64), 4)
            assert pid(door) == before, "a mapping that is open keeps the process, without its models"
            until(lambda: said(caplog, "renders") == ["renders 4 1.0"] * 2)  # and without results
        until(lambda: door.desk.worker_pid is None or None)
        until(lambda: start_time(before) is None or None)
        with door.effect(64) as effect:
            effect.made(bytes(64), 4)


def test_it_tells_when_somebody_waits_for_a_frame(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with door.effect(64) as effect:
        number = effect.start(4, 4, flags=0, model="slow-9000")
        runs(caplog)
        assert not door.desk.interactive
        effect.cancelled(number)
        number = effect.start(4, 4, model="slow-9000")
        until(lambda: door.desk.interactive or None)
        effect.cancelled(number)
        begun = time.monotonic()
        assert door.desk.interactive
        until(lambda: not door.desk.interactive or None)
        assert 0.3 < took(begun) < 1


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_effects_that_come_and_go_leave_nothing_open(door: Door) -> None:
    def opened() -> list[int]:
        return [len(os.listdir(f"/proc/{process}/fd")) for process in (os.getpid(), pid(door))]  # noqa: PTH208

    def visit() -> None:
        with door.effect(4096) as effect:
            effect.made(bytes(64), 4)

    visit()
    until(lambda: mappings(pid(door)) == 0 or None, 5)
    # The first connection may still be about to close its side, so it is a bound.
    before = opened()
    for _ in range(100):
        visit()
    until(lambda: all(now <= then for now, then in zip(opened(), before, strict=True)) or None)
    assert mappings(pid(door)) == 0
