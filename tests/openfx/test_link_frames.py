"""Frames that go well: every layout, any window, growth, many threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from openfx.fake_sidecar import BYE, HELLO, MAP, PING, RENDER, WARM, FakeSidecar
from openfx.link_library import ABORTED, DEPTHS, DONE, FAILED, Link, inverted, look, picture
from waiting import until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("components", [3, 4])
@pytest.mark.parametrize("kind", DEPTHS)
def test_every_layout_arrives_and_comes_back(link: Link, runtime: Path, kind: str, components: int) -> None:
    source = picture(kind, components=components)

    with FakeSidecar("good", runtime) as sidecar:
        result = link.render(source, premultiplied=True, interactive=True)

    assert (result.outcome, result.why) == (DONE, "")
    np.testing.assert_array_equal(result.target, inverted(source))
    request = next(message for message in sidecar.requests if message.op == RENDER)
    assert (request.width, request.height, request.format) == (64, 48, DEPTHS[kind] | components << 8)
    assert (request.flags, request.offset, request.bytes) == (6, 4096, source.nbytes)
    assert [message.seq for message in sidecar.requests] == [1, 2, 3]


def test_the_flags_say_what_the_frame_is(link: Link, runtime: Path) -> None:
    with FakeSidecar("good", runtime) as sidecar:
        for flags in ({}, {"premultiplied": True}, {"interactive": True}):
            link.render(picture(), **flags)

    assert [message.flags for message in sidecar.requests if message.op == RENDER] == [0, 2, 4]


@pytest.mark.parametrize("padding", [0, 5, 64])
@pytest.mark.parametrize("flipped", [False, True])
def test_rows_may_be_padded_and_run_backwards(link: Link, runtime: Path, padding: int, flipped: bool) -> None:
    source = picture("uint8")
    buffers = [np.full((48, 64 + padding, 4), 9, np.uint8) for _ in range(2)]
    order = slice(None, None, -1 if flipped else 1)
    given, target = (buffer[order, :64] for buffer in buffers)
    given[:] = source

    with FakeSidecar("good", runtime):
        result = link.render(given, target=target)

    assert result.outcome == DONE
    np.testing.assert_array_equal(target, inverted(source))
    assert (buffers[1][:, 64:] == 9).all()


def test_source_and_target_may_be_one(link: Link, runtime: Path) -> None:
    source = picture()
    wanted = inverted(source)

    with FakeSidecar("good", runtime):
        link.render(source, target=source)

    np.testing.assert_array_equal(source, wanted)


@pytest.mark.parametrize("window", [(0, 0, 1, 1), (3, 5, 40, 31), (63, 47, 64, 48), (0, 10, 64, 11)])
def test_the_window_alone_is_written(link: Link, runtime: Path, window: tuple[int, int, int, int]) -> None:
    source = picture("uint16", components=3)
    target = np.full_like(source, 9)
    x1, y1, x2, y2 = window
    wanted = target.copy()
    wanted[y1:y2, x1:x2] = inverted(source)[y1:y2, x1:x2]

    with FakeSidecar("good", runtime):
        link.render(source, target=target, window=window)

    np.testing.assert_array_equal(target, wanted)


@pytest.mark.parametrize("window", [(0, 0, 0, 1), (-1, 0, 4, 4), (0, 0, 65, 4), (5, 5, 4, 9), (0, 0, 4, 49)])
def test_a_window_that_makes_no_sense_is_refused(
    link: Link, runtime: Path, window: tuple[int, int, int, int]
) -> None:
    with FakeSidecar("good", runtime) as sidecar:
        result = link.render(picture(), window=window)

    assert (result.outcome, result.why) == (FAILED, "The picture makes no sense")
    assert sidecar.connections == 0


def test_rows_that_overlap_are_refused(link: Link, runtime: Path) -> None:
    flat = np.zeros(64 * 48 * 4, np.uint8)
    overlapping = np.lib.stride_tricks.as_strided(flat, (48, 64, 4), (200, 4, 1))

    with FakeSidecar("good", runtime):
        assert link.render(overlapping).outcome == FAILED
        assert link.render(picture("uint8"), target=overlapping).outcome == FAILED


def test_a_connection_is_used_again_and_its_memory_grows(link: Link, runtime: Path) -> None:
    sizes = [(64, 48), (16, 9), (300, 200), (64, 48), (640, 360), (184, 92)]

    with FakeSidecar("good", runtime) as sidecar:
        for width, height in sizes:
            source = picture(width=width, height=height)
            np.testing.assert_array_equal(link.render(source).target, inverted(source))

    assert (sidecar.connections, sidecar.count(HELLO), sidecar.count(MAP)) == (1, 1, 3)


def test_one_pixel_is_a_picture(link: Link, runtime: Path) -> None:
    source = picture("float16", width=1, height=1, components=3)

    with FakeSidecar("good", runtime):
        np.testing.assert_array_equal(link.render(source).target, inverted(source))


def test_four_threads_of_a_hundred_frames(link: Link, runtime: Path) -> None:
    wrong: list[Any] = []

    def work(thread: int) -> None:
        for number in range(100):
            source = picture("uint8", width=16 + 40 * (number % 3) + thread, height=9 + thread)
            result = link.render(source, seconds=30)
            if result.outcome != DONE or not (result.target == inverted(source)).all():
                wrong.append((thread, number, result))

    with FakeSidecar("good", runtime) as sidecar:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert not wrong
    assert sidecar.count(RENDER) == 400
    assert sidecar.connections <= 3


def test_a_fourth_frame_waits_for_its_turn_and_can_be_given_up(link: Link, runtime: Path) -> None:
    with FakeSidecar("slow", runtime, delay=0.5) as sidecar:
        threads = [threading.Thread(target=link.render, args=(picture(),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        until(lambda: sidecar.count(RENDER) == 3)
        late = link.render(picture(), seconds=0.05)
        given_up = link.render(picture(), aborted=lambda: True)
        patient = link.render(picture())
        for thread in threads:
            thread.join()

    assert (late.outcome, late.why) == (FAILED, "Other frames took all the time that there was for this one")
    assert given_up.outcome == ABORTED
    assert patient.outcome == DONE
    assert sidecar.connections == 3


def test_warming_names_the_model_and_waits_for_nothing(link: Link, runtime: Path) -> None:
    with FakeSidecar("hang", runtime, at=WARM) as sidecar:
        link.warm()
        request = until(lambda: next((each for each in sidecar.requests if each.op == WARM), None))

    assert request.json["model"] == "auto"


def test_a_warm_connection_is_the_one_that_renders(link: Link, runtime: Path) -> None:
    with FakeSidecar("good", runtime) as sidecar:
        link.warm()
        link.warm()
        assert link.render(picture()).outcome == DONE

    assert (sidecar.connections, sidecar.count(WARM)) == (1, 2)


def test_trimming_closes_and_says_so(link: Link, runtime: Path) -> None:
    with FakeSidecar("good", runtime) as sidecar:
        link.render(picture())
        link.trim()
        until(lambda: sidecar.count(BYE) == 1)
        assert link.render(picture()).outcome == DONE

    assert sidecar.connections == 2
    assert sidecar.count(PING) == 0


def test_the_look_goes_along(link: Link, runtime: Path) -> None:
    chosen = look(mode=1, factor=3.5, zoom=2.25, centre_x=0.25, centre_y=0.1, strength=0.5, model=b"x4plus")

    with FakeSidecar("good", runtime) as sidecar:
        link.render(picture(), chosen=chosen)

    assert next(each for each in sidecar.requests if each.op == RENDER).json == {
        "mode": "punch-in",
        "factor": 3.5,
        "zoom": 2.25,
        "centre_x": 0.25,
        "centre_y": 0.9,
        "model": "x4plus",
        "strength": 0.5,
        "denoise": 1,
    }
