"""Aborting, draining, and the rest that the link takes after failures."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from openfx.fake_sidecar import CANCEL, HELLO, MAP, RENDER, WARM, FakeSidecar
from openfx.link_library import ABORTED, DONE, FAILED, Link, inverted, picture
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _after(ready: Callable[[], bool], moments: list[float]) -> Callable[[], bool]:
    """Wants to stop once `ready`, and notes when it first said so."""

    def aborted() -> bool:
        if ready() and not moments:
            moments.append(time.monotonic())
        return bool(moments)

    return aborted


@pytest.mark.parametrize("at", [HELLO, MAP, RENDER])
def test_an_abort_is_heeded_at_once_wherever_it_comes(link: Link, runtime: Path, at: int) -> None:
    source = picture("uint8")
    moments: list[float] = []
    target = np.full_like(source, 9)

    with FakeSidecar("hang", runtime, at=at) as sidecar:
        result = link.render(source, target=target, aborted=_after(lambda: sidecar.count(at) == 1, moments))
        ended = time.monotonic()
        if at == RENDER:
            until(lambda: sidecar.count(CANCEL) == 1)
            asked = [message.seq for message in sidecar.requests if message.op in {RENDER, CANCEL}]
            assert asked[0] == asked[1]

    assert result.outcome == ABORTED
    assert ended - moments[0] < 0.06
    assert (target == 9).all()


def test_the_host_is_asked_every_20_ms(link: Link, runtime: Path) -> None:
    moments: list[float] = []

    def aborted() -> bool:
        moments.append(time.monotonic())
        return len(moments) > 15

    with FakeSidecar("hang", runtime):
        link.render(picture(), aborted=aborted)

    assert np.median(np.diff(moments[5:])) == pytest.approx(0.02, abs=0.005)
    assert np.quantile(np.diff(moments), 0.8) < 0.04


def test_a_channel_is_used_again_once_its_late_reply_was_read(link: Link, runtime: Path) -> None:
    source = picture("uint8")
    moments: list[float] = []

    with FakeSidecar("late", runtime, delay=0.2) as sidecar:
        link.render(source, aborted=_after(lambda: sidecar.count(RENDER) == 1, moments))
        until(lambda: sidecar.count(CANCEL) == 1)
        sidecar.behaviour = "good"
        np.testing.assert_array_equal(link.render(source).target, inverted(source))

    assert sidecar.connections == 1


def test_frames_go_on_elsewhere_while_channels_drain(link: Link, runtime: Path) -> None:
    source = picture("uint8")

    with FakeSidecar("hang", runtime) as sidecar:
        for count in (1, 2):
            link.render(source, aborted=_after(lambda count=count: sidecar.count(RENDER) == count, []))
        sidecar.behaviour = "good"
        start = time.monotonic()
        np.testing.assert_array_equal(link.render(source).target, inverted(source))

    assert time.monotonic() - start < 0.3
    assert sidecar.connections == 3


def test_a_channel_that_never_drains_is_closed(link: Link, runtime: Path) -> None:
    source = picture("uint8")

    with FakeSidecar("hang", runtime) as sidecar:
        for count in (1, 2, 3):
            link.render(source, aborted=_after(lambda count=count: sidecar.count(RENDER) == count, []))
        sidecar.behaviour = "good"
        busy = link.render(source, seconds=0.1)
        link.advance(2.0)
        assert link.render(source).outcome == DONE

    assert (busy.outcome, busy.why) == (FAILED, "The sidecar is still busy with what it was asked before")
    assert sidecar.connections == 4


def test_memory_whose_reply_came_after_an_abort_is_used(link: Link, runtime: Path) -> None:
    source = picture("uint8")

    with FakeSidecar("late", runtime, at=MAP, delay=0.2) as sidecar:
        assert link.render(source, aborted=_after(lambda: sidecar.count(MAP) == 1, [])).outcome == ABORTED
        np.testing.assert_array_equal(link.render(source).target, inverted(source))

    assert (sidecar.connections, sidecar.count(MAP)) == (1, 1)


def test_a_reply_after_the_time_is_over_is_of_no_effect(link: Link, runtime: Path) -> None:
    source = picture("uint8")

    with FakeSidecar("late", runtime, delay=0.2) as sidecar:
        assert link.render(source, seconds=0.1).outcome == FAILED
        sidecar.behaviour = "good"
        link.advance(1.01)
        result = link.render(source)

    np.testing.assert_array_equal(result.target, inverted(source))
    assert sidecar.connections == 2


def _failures(link: Link, sidecar: FakeSidecar) -> tuple[int, float]:
    """Connections and seconds of one frame that fails."""
    before, start = sidecar.connections, time.monotonic()
    assert link.render(picture()).outcome == FAILED
    return sidecar.connections - before, time.monotonic() - start


def test_the_rest_doubles_from_one_to_thirty_seconds(link: Link, runtime: Path) -> None:
    with FakeSidecar("garbage", runtime, at=HELLO) as sidecar:
        assert _failures(link, sidecar)[0] == 1
        for rest in (1, 2, 4, 8, 16, 30, 30, 30):
            link.advance(rest - 0.3)
            connections, took = _failures(link, sidecar)
            assert (connections, took < 0.1) == (0, True)
            link.advance(0.31)
            assert _failures(link, sidecar)[0] == 1


def test_the_reason_of_the_failure_is_told_again(link: Link, runtime: Path) -> None:
    with FakeSidecar("refuses-token", runtime, at=HELLO):
        assert [link.render(picture()).why for _ in range(3)] == ["the token is wrong"] * 3


def test_a_success_ends_the_doubling(link: Link, runtime: Path) -> None:
    with FakeSidecar("garbage", runtime) as sidecar:
        for rest in (1.01, 2.01):
            _failures(link, sidecar)
            link.advance(rest)
        sidecar.behaviour = "good"
        assert link.render(picture()).outcome == DONE
        sidecar.behaviour = "garbage"
        _failures(link, sidecar)
        link.advance(1.01)
        sidecar.behaviour = "good"
        assert link.render(picture()).outcome == DONE


def test_another_link_file_ends_the_rest(link: Link, runtime: Path) -> None:
    with FakeSidecar("garbage", runtime):
        assert link.render(picture()).outcome == FAILED
    with FakeSidecar("good", runtime):
        assert link.render(picture()).outcome == DONE


def test_a_link_file_that_appears_ends_the_rest(link: Link, runtime: Path) -> None:
    assert link.render(picture()).outcome == FAILED
    with FakeSidecar("good", runtime):
        assert link.render(picture()).outcome == DONE


def test_frames_that_fail_together_count_as_one_failure(link: Link, runtime: Path) -> None:
    with FakeSidecar("hang", runtime) as sidecar:
        threads = [threading.Thread(target=link.render, args=(picture(),), kwargs={"seconds": 0.2}) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        link.advance(1.01)
        sidecar.behaviour = "good"
        assert link.render(picture()).outcome == DONE


def test_reconnecting_ends_the_rest(link: Link, runtime: Path) -> None:
    with FakeSidecar("garbage", runtime) as sidecar:
        assert link.render(picture()).outcome == FAILED
        sidecar.behaviour = "good"
        assert link.render(picture()).outcome == FAILED
        assert link.reconnect() == (True, "")
        assert link.render(picture()).outcome == DONE

    assert sidecar.connections == 2


def test_reconnecting_says_what_is_wrong(link: Link, runtime: Path) -> None:
    assert link.reconnect() == (False, "The sidecar of SnapUpscale isn't running")
    with FakeSidecar("refuses-token", runtime, at=HELLO):
        assert link.reconnect() == (False, "the token is wrong")


def test_reconnecting_frees_frames_that_hang(link: Link, runtime: Path) -> None:
    source = picture()
    results = []

    with FakeSidecar("hang", runtime) as sidecar:
        threads = [threading.Thread(target=lambda: results.append(link.render(source, seconds=60))) for _ in range(3)]
        for thread in threads:
            thread.start()
        until(lambda: sidecar.count(RENDER) == 3)
        sidecar.behaviour = "good"
        start = time.monotonic()
        assert link.reconnect() == (True, "")
        for thread in threads:
            thread.join()

    assert time.monotonic() - start < 0.5
    assert all((result.target == inverted(source)).all() for result in results)
    assert sidecar.connections == 7


@pytest.mark.parametrize("call", ["reconnect", "warm"])
def test_a_sidecar_that_hangs_holds_nobody_up(link: Link, runtime: Path, call: str) -> None:
    with FakeSidecar("hang", runtime, at=HELLO):
        start = time.monotonic()
        getattr(link, call)()
        assert time.monotonic() - start < {"reconnect": 2.0, "warm": 0.3}[call]
        start = time.monotonic()
        link.warm()
        assert time.monotonic() - start < 0.3


def test_a_sidecar_that_hangs_while_it_is_warmed_is_a_failure(link: Link, runtime: Path) -> None:
    with FakeSidecar("hang", runtime, at=WARM) as sidecar:
        link.warm()
        first = link.render(picture(), seconds=2)
        connections, took = _failures(link, sidecar)

    assert (first.outcome, first.why) == (FAILED, "The sidecar did not answer in time")
    assert (connections, took < 0.1) == (0, True)


def test_many_instances_wait_for_a_hanging_sidecar_once(link: Link, runtime: Path) -> None:
    with FakeSidecar("hang", runtime, at=HELLO) as sidecar:
        start = time.monotonic()
        for _ in range(20):
            link.warm()
        assert time.monotonic() - start < 0.35
        sidecar.behaviour = "good"
        # What was tried in so little time isn't held against a frame.
        assert link.render(picture()).outcome == DONE
