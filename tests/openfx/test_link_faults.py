"""Sidecars that misbehave: no byte of what they left is shown, and the host is told why."""

from __future__ import annotations

import itertools
import socket
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from openfx.fake_sidecar import HELLO, MAP, RENDER, FakeSidecar
from openfx.link_library import DONE, FAILED, Link, inverted, picture

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = {
    "garbage": "something else",
    "random": "something else",
    "huge-tail": "something else",
    "wrong-seq": "wasn't asked",
    "wrong-op": "wasn't asked",
    "wrong-slot": "wasn't asked",
    "other-version": "another version",
    "bad-version": "another version",
    "refuses-token": "the token is wrong",
    "ending": "the sidecar stops",
}
"""Answers that end the connection, at any request."""
BROKEN_FRAMES = {"wrong-size": "wasn't asked", "wrong-format": "wasn't asked", "wrong-bytes": "wasn't asked"}
DECLINED = {
    "failed": "The model is missing Run snapupscale models",
    "bad-request": "the size makes no sense",
    "busy": "too many frames",
    "cancelled": "The sidecar refused without a reason",
}


def _untouched(link: Link, behaviour: str, runtime: Path, at: int) -> tuple[FakeSidecar, str]:
    source = picture("uint8")
    target = np.full_like(source, 9)

    with FakeSidecar(behaviour, runtime, at=at) as sidecar:
        result = link.render(source, target=target)
        again = link.render(source, target=target)

    assert result.outcome == again.outcome == FAILED
    assert (target == 9).all()
    return sidecar, result.why


@pytest.mark.parametrize("at", [HELLO, MAP, RENDER])
@pytest.mark.parametrize("behaviour", BROKEN)
def test_an_answer_that_makes_no_sense_ends_the_connection(
    link: Link, runtime: Path, behaviour: str, at: int
) -> None:
    sidecar, why = _untouched(link, behaviour, runtime, at)

    assert BROKEN[behaviour] in why
    # Not tried again, neither at once nor by the second frame, which comes within the rest.
    assert sidecar.connections == 1


@pytest.mark.parametrize("behaviour", BROKEN_FRAMES)
def test_an_answer_about_another_picture_ends_the_connection(link: Link, runtime: Path, behaviour: str) -> None:
    sidecar, why = _untouched(link, behaviour, runtime, RENDER)

    assert BROKEN_FRAMES[behaviour] in why
    assert sidecar.connections == 1


@pytest.mark.parametrize(
    ("behaviour", "at"),
    [("dies", RENDER), *itertools.product(("truncated-header", "truncated-tail"), (HELLO, MAP, RENDER))],
)
def test_a_lost_connection_is_tried_once_more(link: Link, runtime: Path, behaviour: str, at: int) -> None:
    sidecar, why = _untouched(link, behaviour, runtime, at)

    assert why == "The sidecar closed the connection"
    assert sidecar.connections == 2


def test_a_sidecar_that_accepts_and_closes(link: Link, runtime: Path) -> None:
    sidecar, why = _untouched(link, "accept-and-close", runtime, RENDER)

    assert why == "The sidecar closed the connection"
    assert sidecar.connections == 2


@pytest.mark.parametrize("behaviour", DECLINED)
def test_a_frame_that_is_declined_leaves_the_connection(link: Link, runtime: Path, behaviour: str) -> None:
    source = picture("uint8")
    target = np.full_like(source, 9)

    with FakeSidecar(behaviour, runtime) as sidecar:
        results = [link.render(source, target=target) for _ in range(2)]
        assert (target == 9).all()
        sidecar.behaviour = "good"
        assert link.render(source).outcome == DONE

    assert [(result.outcome, result.why) for result in results] == [(FAILED, DECLINED[behaviour])] * 2
    assert sidecar.connections == 1
    assert sidecar.count(RENDER) == 3


@pytest.mark.parametrize("behaviour", ["busy", "failed"])
def test_memory_that_is_declined_is_offered_again(link: Link, runtime: Path, behaviour: str) -> None:
    with FakeSidecar(behaviour, runtime, at=MAP) as sidecar:
        assert link.render(picture()).why == DECLINED[behaviour]
        sidecar.behaviour = "good"
        assert link.render(picture()).outcome == DONE

    assert (sidecar.connections, sidecar.count(MAP)) == (1, 2)


def test_a_full_house_is_no_failure(link: Link, runtime: Path) -> None:
    with FakeSidecar("busy", runtime, at=HELLO) as sidecar:
        assert link.render(picture()).why == "too many frames"
        sidecar.behaviour = "good"
        assert link.render(picture()).outcome == DONE


def test_a_wrong_token_is_told(link: Link, runtime: Path) -> None:
    with FakeSidecar("good", runtime, published_token="x" * 32):
        result = link.render(picture())

    assert result.outcome == FAILED
    assert result.why == "The sidecar refused without a reason"


def test_a_slow_drip_is_an_answer(link: Link, runtime: Path) -> None:
    source = picture()

    with FakeSidecar("slow-drip", runtime):
        np.testing.assert_array_equal(link.render(source).target, inverted(source))


@pytest.mark.parametrize("behaviour", ["hang", "half-header"])
@pytest.mark.parametrize("at", [MAP, RENDER])
def test_no_answer_ends_with_the_time_that_was_given(link: Link, runtime: Path, behaviour: str, at: int) -> None:
    with FakeSidecar(behaviour, runtime, at=at) as sidecar:
        start = time.monotonic()
        result = link.render(picture(), seconds=0.3)
        took = time.monotonic() - start

    assert (result.outcome, result.why) == (FAILED, "The sidecar did not answer in time")
    assert 0.29 < took < 0.6
    assert sidecar.connections == 1


def test_the_greeting_has_a_second(link: Link, runtime: Path) -> None:
    with FakeSidecar("hang", runtime, at=HELLO):
        start = time.monotonic()
        assert link.render(picture()).outcome == FAILED
        assert 0.9 < time.monotonic() - start < 1.5


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_without_time_nothing_is_done(link: Link, runtime: Path, seconds: float) -> None:
    with FakeSidecar("good", runtime):
        assert link.render(picture(), seconds=seconds).outcome == FAILED


def test_with_hardly_any_time_nothing_is_waited_for(link: Link, runtime: Path) -> None:
    """An answer that is there already, since something else took its time, would do."""
    with FakeSidecar("hang", runtime):
        start = time.monotonic()
        assert link.render(picture(), seconds=1e-9).outcome == FAILED
        assert time.monotonic() - start < 0.5


def test_endless_time_is_a_time(link: Link, runtime: Path) -> None:
    with FakeSidecar("good", runtime):
        assert link.render(picture(), seconds=float("inf")).outcome == DONE


def test_nobody_there(link: Link) -> None:
    start = time.monotonic()

    result = link.render(picture())

    assert (result.outcome, result.why) == (FAILED, "The sidecar of SnapUpscale isn't running")
    assert time.monotonic() - start < 0.05


def test_the_reason_is_cut_between_letters(link: Link, runtime: Path) -> None:
    whole = link.render(picture()).why

    for room in (1, 2, 10):
        assert link.render(picture(), room=room).why == whole[: room - 1]


def test_a_restart_is_not_noticed(link: Link, runtime: Path) -> None:
    source = picture()

    with FakeSidecar("good", runtime) as first:
        assert link.render(source).outcome == DONE
        first.stop()
        with FakeSidecar("good", runtime) as second:
            np.testing.assert_array_equal(link.render(source).target, inverted(source))

    assert second.connections == 1


def test_a_frame_worker_that_died_between_frames_is_not_noticed(link: Link, runtime: Path) -> None:
    with FakeSidecar("good", runtime) as sidecar:
        assert link.render(picture()).outcome == DONE
        sidecar.hang_up()
        assert link.render(picture()).outcome == DONE

    assert sidecar.connections == 2


def test_a_frame_worker_that_dies_in_a_frame_costs_no_frame(link: Link, runtime: Path) -> None:
    with FakeSidecar("dies-often", runtime) as sidecar:
        for number in range(40):
            source = picture("uint8", width=8 + number)
            np.testing.assert_array_equal(link.render(source).target, inverted(source))

    assert sidecar.connections > 3


def test_a_socket_that_the_system_connected_with_itself_is_no_sidecar(link: Link) -> None:
    with socket.socket() as alone, socket.socket() as listener, socket.socket() as other:
        alone.bind(("127.0.0.1", 0))
        alone.connect(alone.getsockname())
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        other.connect(listener.getsockname())

        found = [link.library.su_socket_connected(each.fileno(), each.getpeername()[1]) for each in (alone, other)]

    assert found == [False, True]
