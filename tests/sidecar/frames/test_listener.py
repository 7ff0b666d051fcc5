from __future__ import annotations

import random
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from sidecar.frames.effects import PARAMS, Door, Effect, serving, took
from snapupscale.sidecar.frames import connection, link, listener, wire
from snapupscale.sidecar.frames.knock import knock
from snapupscale.sidecar.frames.link import Link
from snapupscale.sidecar.frames.wire import Header, Op, Status
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def door() -> Iterator[Door]:
    with serving() as opened:
        yield opened


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & {"effect", "effects", "frames"}


def test_it_is_found_and_lets_effects_in() -> None:
    with serving() as door:
        found = link.read()
        assert found
        assert (found.port, found.token) == (door.port, door.keys.token)
        assert knock(found, 5) == ""
        with door.effect() as effect:
            header, message = effect.ask(Op.PING, slot=9, width=3)
            assert (header.status, header.slot, header.width, message) == (Status.OK, 9, 3, "")
            assert effect.ask(Op.WARM, PARAMS)[0].status == Status.OK
            effect.send(Op.BYE)
            assert effect.closed()
    assert link.read() is None
    assert not threads()
    assert knock(found, 5) == "Connection refused"


def test_without_the_token_nobody_comes_in(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    for token in ("", "t" * 43, door.keys.token[:-1], door.keys.token + "x", "é"):
        with Effect(door.port) as effect:
            header, message = effect.hello(token=token)
            assert (header.status, message) == (Status.BAD_TOKEN, "The token is wrong. Read the link file again.")
            assert effect.closed()
    assert knock(Link(pid=1, port=door.port, token="t" * 43), 5) == "bad_token"
    assert door.keys.token not in caplog.text


@pytest.mark.parametrize("op", [op for op in Op if op != Op.HELLO])
def test_nothing_is_done_before_hello(door: Door, op: Op) -> None:
    with Effect(door.port) as effect:
        effect.send(op, PARAMS)
        assert effect.closed()
    assert door.desk.worker_pid is None


def test_another_version_is_told_so(door: Door) -> None:
    with Effect(door.port) as effect:
        effect.socket.sendall(Header(op=Op.HELLO, seq=1, version=2, tail=4096).pack() + b"x" * 4096)
        header, message = effect.receive()
        assert header.status == Status.BAD_VERSION
        assert "version 1" in message
        assert effect.closed()


@pytest.mark.parametrize("sent", [b"", b"SNUF", Header(op=Op.HELLO, tail=10).pack() + b"{"])
def test_a_hello_must_come_soon(door: Door, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(connection, "HELLO_SECONDS", 0.15)
    begun = time.monotonic()
    with Effect(door.port) as effect:
        effect.socket.sendall(sent)
        assert effect.closed(3)
    assert 0.1 < took(begun) < 3


def test_half_a_message_is_not_waited_for_for_ever(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MESSAGE_SECONDS", 0.2)
    with door.effect() as idle, door.effect() as slow, door.effect() as slower:
        slow.socket.sendall(b"SNUF")
        slower.socket.sendall(Header(op=Op.WARM, tail=5).pack())
        assert slow.closed(3)
        assert slower.closed(3)
        assert idle.ask(Op.PING)[0].status == Status.OK


def test_messages_may_come_in_pieces_and_together(door: Door) -> None:
    with door.effect() as effect:
        data = b"".join(Header(op=Op.PING, seq=number).pack() for number in range(2, 22))
        for begin in range(0, len(data), 7):
            effect.socket.sendall(data[begin : begin + 7])
        assert [effect.receive()[0].seq for _ in range(20)] == list(range(2, 22))


@pytest.mark.parametrize(
    "data",
    [
        *(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 3, b"\0" * 64, Header(op=9).pack(), Header(op=0).pack()),
        *(Header(op=Op.PING, tail=4097).pack(), Header(op=Op.PING, status=1).pack(), Header(op=Op.HELLO).pack()),
    ],
)
def test_garbage_closes_the_connection_that_it_came_from(door: Door, data: bytes) -> None:
    with door.effect() as other, door.effect() as effect, Effect(door.port) as stranger:
        effect.socket.sendall(data)
        stranger.socket.sendall(data)
        assert effect.closed()
        assert stranger.closed()
        assert other.ask(Op.PING)[0].status == Status.OK


def test_random_bytes_change_nothing_for_others(door: Door) -> None:
    chance = random.Random(5)
    with door.effect(64) as other:
        for turn in range(60):
            with door.effect() as effect:
                header = bytearray(Header(op=chance.choice(list(Op)), seq=turn, tail=chance.randrange(60)).pack())
                for _ in range(chance.randrange(4)):
                    header[chance.randrange(8, 64)] = chance.randrange(256)
                effect.socket.sendall(bytes(header) + chance.randbytes(chance.randrange(100)))
        other.made(bytes(range(64)), 4)
    assert until(lambda: sum(thread.name == "effect" for thread in threading.enumerate()) == 0 or None)


@pytest.mark.parametrize("tail", [b"", b"{}", b"[1]", b"\xff\xff", b'{"name": "/x", "cookie": "00"}'])
def test_what_makes_no_sense_is_refused_and_the_connection_stays(door: Door, tail: bytes) -> None:
    with door.effect(64) as effect:
        for op in (Op.MAP, Op.RENDER, Op.WARM):
            header, message = effect.ask(op, tail, size=8192)
            assert header.status == Status.BAD_REQUEST
            assert message
        effect.made(bytes(64), 4)


def test_a_frame_needs_a_mapping_that_holds_it(door: Door) -> None:
    with door.effect() as effect:
        header, message = effect.render(4, 4)
        assert (header.status, message) == (
            *(Status.BAD_REQUEST, "a frame needs a mapping first. Send MAP before RENDER."),
        )
        effect.map(64)
        assert effect.render(4, 5)[0].status == Status.BAD_REQUEST
        effect.made(bytes(64), 4)


def test_one_frame_at_a_time_on_a_connection(door: Door) -> None:
    with door.effect(64) as effect:
        first = effect.start(4, 4, model="slow-150")
        second = effect.start(4, 4)
        third = effect.send(Op.PING)
        fourth = effect.send(Op.MAP, {"name": "/x", "cookie": "0" * 32}, size=8192)
        replies = [effect.receive()[0] for _ in range(4)]
        assert [(reply.seq, reply.status) for reply in replies] == [
            *((second, Status.BUSY), (third, Status.OK), (fourth, Status.BUSY), (first, Status.OK)),
        ]
        assert replies[-1].elapsed > 150_000


def test_so_many_and_no_more_are_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(listener, "_MOST_KNOCKING", 2)
    with serving() as door:
        effects = [door.effect() for _ in range(3)]
        with Effect(door.port) as late:
            assert late.hello(token=door.keys.token)[0].status == Status.BUSY
            assert late.closed()
        until(lambda: sum(thread.name == "effect" for thread in threading.enumerate()) == 3 or None)
        knocking = [Effect(door.port) for _ in range(2)]
        with Effect(door.port) as crowd:
            assert crowd.closed()
        effects.pop().close()
        knocking.pop().close()
        until(lambda: sum(thread.name == "effect" for thread in threading.enumerate()) == 3 or None)
        effects.append(door.effect())
        for effect in (*effects, *knocking):
            effect.close()


def test_an_effect_keeps_the_sidecar_alive(door: Door) -> None:
    door.lifetime._idle = 0.0
    assert door.lifetime.idle
    with door.effect(), Effect(door.port):
        assert not door.lifetime.idle
    until(lambda: door.lifetime.idle or None)


def test_at_the_end_a_frame_that_runs_is_told_so() -> None:
    with serving() as door:
        idle, busy = door.effect(), door.effect(64)
        number = busy.start(4, 4, model="slow-9000")
        until(lambda: door.desk.interactive or None)
        begun = time.monotonic()
    assert took(begun) < 2
    header, message = busy.receive()
    assert (header.seq, header.status, "about to end" in message) == (number, Status.ENDING, True)
    for effect in (idle, busy):
        assert effect.closed(1)
        effect.close()
    assert not threads()


def test_one_that_reads_nothing_holds_up_nobody(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MESSAGE_SECONDS", 0.3)
    with door.effect() as deaf, door.effect(64) as other:
        deaf.socket.settimeout(3)
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises((TimeoutError, ConnectionError)):
            deaf.socket.sendall((Header(op=Op.WARM, tail=2).pack() + b"{}") * 400_000)
        other.made(bytes(range(64)), 4)


def test_a_door_that_has_no_more_files_goes_on(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "Connection", _no_files)
    with Effect(door.port) as effect:
        assert effect.closed()
    monkeypatch.undo()
    with door.effect(64) as effect:
        effect.made(bytes(64), 4)


def _no_files(*arguments: object, **options: object) -> None:
    raise OSError(24, "Too many open files")


def test_an_answer_says_how_long_it_took(door: Door) -> None:
    with door.effect(64) as effect:
        begun = time.monotonic()
        header = effect.made(bytes(64), 4, model="slow-200")
        assert 200_000 <= header.elapsed <= took(begun) * 1e6
        assert header.flags == wire.INTERACTIVE


def test_the_socket_is_for_this_machine_alone(door: Door) -> None:
    found = link.read()
    assert found
    name = socket.gethostname()
    addresses = {info[4][0] for info in socket.getaddrinfo(name, None, socket.AF_INET)} - {"127.0.0.1"}
    for address in addresses:
        with pytest.raises(OSError), socket.create_connection((address, found.port), timeout=1):  # noqa: PT011
            pass
