from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from snapupscale.report.page import Report, render
from snapupscale.timecode import Timecode

if TYPE_CHECKING:
    from numpy.typing import NDArray

Make = Any
Show = Any
HOSTILE = "<img src=x onerror=\"window.hit=1\"><script>window.hit=1</script>{{js}} & 'quoted'"
STAGE, CANVAS = ".stage", "#strip canvas"
TIP = "document.querySelector('.tip').textContent"
RED, BLUE = (220, 20, 20), (20, 20, 220)


def assert_quiet(page: Any) -> None:
    """Nothing was loaded but the page and its data, and nothing went wrong."""
    assert page.named("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled") == []
    urls = [event["request"]["url"] for event in page.named("Network.requestWillBeSent")]
    assert [url for url in urls if not url.startswith("data:")] == [page.evaluate("location.href")]


def share_of(image: NDArray[np.uint8], colour: tuple[int, int, int]) -> float:
    return float((np.abs(image.astype(int) - colour).max(axis=2) < 12).mean())


def labels(report: Report, frame: int) -> str:
    return str(Timecode.parse(report.shots[0].start_timecode, Fraction(30000, 1001)).shifted(frame))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 420])
def test_the_page_draws_itself_from_disk(make_report: Make, shown: Show, width: int, dark: bool) -> None:
    page = shown(render(make_report()), width=width, dark=dark)

    assert page.evaluate("location.protocol") == "file:"
    page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
    assert page.evaluate("document.images.length") == 2 * 2 + 2 * 2
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0 && image.alt)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("document.querySelectorAll('.shot').length") == 2
    assert page.evaluate("document.querySelector('#figures').innerText").split()[:4] == ["Shots", "2", "Cuts", "1"]
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(21, 20, 18)" if dark else "rgb(251, 250, 247)")
    assert_quiet(page)


def test_hostile_names_are_shown_as_text(make_report: Make, shown: Show) -> None:
    report = make_report(title=HOSTILE, source_name=HOSTILE + "2", method=HOSTILE, settings=[(HOSTILE, HOSTILE)])
    shots = [
        replace(
            shot,
            still_name=HOSTILE,
            note=HOSTILE,
            start_timecode=shot.start_timecode,
            candidates=tuple(replace(candidate, timecode=HOSTILE) for candidate in shot.candidates),
        )
        for shot in report.shots
    ]
    page = shown(render(replace(report, shots=shots, warnings=[HOSTILE])))

    assert page.evaluate("window.hit") is None
    for place in ("h1", "#warnings li", "#settings dt", "#settings dd", ".still .name", ".note", ".candidate button"):
        assert page.evaluate(f"document.querySelector('{place}').textContent") == HOSTILE, place
    assert page.evaluate("document.title") == f"{HOSTILE} · SnapUpscale"
    assert page.evaluate("document.images.length") == 8
    assert_quiet(page)


def test_the_slider_moves_from_before_to_after(make_report: Make, shown: Show) -> None:
    page = shown(render(make_report()))

    assert share_of(page.picture(STAGE)[:, :300], RED) > 0.9
    assert share_of(page.picture(STAGE)[:, -300:], BLUE) > 0.9
    page.evaluate("document.querySelector('.slide input').focus()")
    page.key("Home")
    assert share_of(page.picture(STAGE), BLUE) > 0.9
    page.key("End")
    assert share_of(page.picture(STAGE), RED) > 0.9
    assert page.evaluate("document.querySelector('.slide input').getAttribute('aria-valuetext')") == "100 % before"


def test_dragging_in_the_picture_moves_the_divider(make_report: Make, shown: Show) -> None:
    page = shown(render(make_report()))
    page.picture(STAGE)
    left, top, width, height = page.box(STAGE)

    page.mouse("mousePressed", left + width / 2, top + height / 2, button="left", buttons=1, clickCount=1)
    page.mouse("mouseMoved", left + width * 0.9, top + height / 2, button="left", buttons=1)
    page.mouse("mouseReleased", left + width * 0.9, top + height / 2, button="left", clickCount=1)

    assert float(page.evaluate("document.querySelector('.slide input').value")) == pytest.approx(90, abs=0.6)
    assert share_of(page.picture(STAGE)[:, : int(width * 0.85)], RED) > 0.9


def test_both_pictures_zoom_and_pan_as_one(make_report: Make, shown: Show) -> None:
    page = shown(render(make_report()), width=420)
    images = "[...document.querySelector('.stage').querySelectorAll('img')]"
    transforms = f"{images}.map((image) => image.style.transform)"
    widths = f"{images}.map((image) => image.getBoundingClientRect().width)"
    page.picture(STAGE)

    page.evaluate("document.querySelector('[data-zoom=\"2\"]').click()")
    assert page.evaluate(widths) == [pytest.approx(1280), pytest.approx(1280)]
    page.evaluate("document.querySelector('[data-zoom=\"1\"]').click()")
    assert page.evaluate(widths) == [pytest.approx(640), pytest.approx(640)]
    before = page.evaluate(transforms)
    left, top, width, height = page.box(STAGE)
    page.mouse("mousePressed", left + width * 0.3, top + height / 2, button="left", buttons=1, clickCount=1)
    page.mouse("mouseMoved", left + width * 0.2, top + height / 2, button="left", buttons=1)
    page.mouse("mouseReleased", left + width * 0.2, top + height / 2, button="left", clickCount=1)
    after = page.evaluate(transforms)

    assert after[0] == after[1] != before[0]
    assert page.evaluate("document.querySelector('.slide input').value") == "50"
    page.evaluate("document.querySelector('.stage').focus()")
    for _ in range(40):
        page.key("ArrowRight")
    right = page.evaluate("document.querySelector('.stage img').getBoundingClientRect().right")
    assert right == pytest.approx(left + width, abs=1)
    page.key("0", text="0")
    assert page.evaluate(transforms) == ["", ""]


def test_the_strip_names_frames_by_their_exact_timecode(make_report: Make, shown: Show) -> None:
    report = make_report(frames=4000, cuts=(59, 60, 61, 1857, 1858, 3655, 3656, 3657))
    page = shown(render(report))
    page.evaluate(f"document.querySelector('{CANVAS}').focus()")

    page.key("Home")
    seen = [page.evaluate(TIP)]
    for _ in report.cuts:
        page.key("ArrowDown")
        seen.append(page.evaluate(TIP))
    page.key("ArrowRight")
    seen.append(page.evaluate(TIP))

    frames = [0, *report.cuts, report.cuts[-1] + 1]
    assert [int(text.split("frame ")[1].split()[0]) for text in seen] == frames
    assert all(labels(report, frame) in text for frame, text in zip(frames, seen, strict=True))
    assert "01:00:00;00" in labels(report, 60)
    assert page.evaluate(f"document.querySelector('{CANVAS}').ariaValueText") == seen[-1]


def test_a_report_of_a_part_names_the_frames_around_it(make_report: Make, shown: Show) -> None:
    report = make_report(frames=4000, cuts=(59, 1857, 3656))
    page = shown(render(replace(report, shots=report.shots[1:3])))
    page.evaluate(f"document.querySelector('{CANVAS}').focus()")

    for key, frame in (("Home", 0), ("ArrowDown", 59), ("End", 3999)):
        page.key(key)
        assert labels(report, frame) in page.evaluate(TIP)
    page.key("Enter")
    assert_quiet(page)


def test_a_click_on_the_strip_goes_to_the_shot(make_report: Make, shown: Show) -> None:
    page = shown(render(make_report()))
    left, top, width, height = page.box(CANVAS)

    page.mouse("mouseMoved", left + width * 0.75, top + height / 2)
    assert page.evaluate(TIP).startswith("Shot 2")
    page.mouse("mousePressed", left + width * 0.75, top + height / 2, button="left", buttons=1, clickCount=1)
    page.mouse("mouseReleased", left + width * 0.75, top + height / 2, button="left", clickCount=1)

    page.wait("Math.abs(document.querySelector('#shot-2').getBoundingClientRect().top) < 40")
    assert page.evaluate("document.activeElement.closest('.shot').id") == "shot-2"


def test_the_strip_zooms_and_moves(make_report: Make, shown: Show) -> None:
    report = make_report(frames=20_000, cuts=(10_000,))
    page = shown(render(report))
    left, top, width, height = page.box(CANVAS)

    def frame_at(share: float) -> int:
        page.mouse("mouseMoved", left + width * share, top + height / 2)
        return int(page.evaluate(TIP).split("frame")[1].split()[0])

    assert frame_at(0) == 0
    centre = frame_at(0.5)
    page.mouse("mouseWheel", left + width * 0.5, top + height / 2, deltaX=0, deltaY=-800)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    first, last = frame_at(0), frame_at(0.999)
    assert abs(frame_at(0.5) - centre) <= 20
    assert 4000 < last - first < 8000
    page.mouse("mousePressed", left + width * 0.5, top + height / 2, button="left", buttons=1, clickCount=1)
    page.mouse("mouseMoved", left + width * 0.75, top + height / 2, button="left", buttons=1)
    page.mouse("mouseReleased", left + width * 0.75, top + height / 2, button="left", clickCount=1)
    assert frame_at(0) == pytest.approx(first - (last - first) / 4, abs=60)
    assert page.evaluate("scrollY") == 0
    page.evaluate("document.getElementById('zoom-fit').click()")
    assert frame_at(0) == 0


def test_one_frame_of_200_000_is_still_seen(make_report: Make, shown: Show) -> None:
    distance = np.full(200_000, 0.03)
    distance[123_457] = 0.9
    report = make_report(frames=200_000, cuts=(100_000,), distance=distance.tolist())
    page = shown(render(report))

    picture = page.picture(CANVAS)

    column = int(123_457 / 200_000 * picture.shape[1])
    upper = picture[60:100].astype(int)
    accent = (np.abs(upper - (166, 61, 23)).max(axis=2) < 40).all(axis=0)
    assert accent[column - 1 : column + 2].any()
    assert accent.sum() <= 3
    assert_quiet(page)


def test_the_threshold_is_tried_live(make_report: Make, shown: Show) -> None:
    distance = np.full(240, 0.02)
    distance[[50, 100, 150]] = 0.3, 0.6, 0.75
    page = shown(render(make_report(distance=distance.tolist())))
    count = "document.getElementById('count').textContent"
    slider = "document.getElementById('threshold')"
    move = f"(value) => {{ {slider}.value = value; {slider}.dispatchEvent(new Event('input')); }}"

    assert page.evaluate(count) == "2 peaks above the line. This report has 1 cut."
    page.evaluate(f"({move})('0.2')")
    assert page.evaluate(count) == "3 peaks above the line. This report was made at 0.35, with 1 cut."
    page.evaluate(f"({move})('0.7')")
    assert page.evaluate(count).startswith("1 peak above the line.")


def test_a_timecode_is_copied(make_report: Make, shown: Show) -> None:
    page = shown(render(make_report()))

    page.evaluate("document.querySelector('.shot .start').click()")

    page.wait("document.getElementById('said').textContent === 'Copied 00:59:58;00'")
    assert_quiet(page)


def test_shots_without_a_still_say_why(make_report: Make, shown: Show) -> None:
    report = make_report()
    shot = report.shots[0]
    empty = replace(shot, picked=None, candidates=(), before=None, after=None, still_name=None, note="all black")
    page = shown(render(replace(report, shots=[empty, *report.shots[1:]])))

    assert page.evaluate("document.querySelector('#shot-1 .note').innerText") == "all black"
    assert page.evaluate("document.querySelector('#shot-1 .compare')") is None
    assert page.evaluate("document.querySelectorAll('#shot-2 .picked:not([hidden])').length") == 1


def test_uneven_frames_make_labels_approximate(make_report: Make, shown: Show) -> None:
    report = make_report()
    longer = replace(report.shots[1], end_timecode=labels(report, 300))
    page = shown(render(replace(report, shots=[report.shots[0], longer])))
    left, top, width, height = page.box(CANVAS)

    page.mouse("mouseMoved", left + width / 2, top + height / 2)

    assert "≈ 01:00:02;00" in page.evaluate(TIP)


@pytest.mark.parametrize("frames", [1, 2, 30])
def test_the_shortest_footage_is_drawn(make_report: Make, shown: Show, frames: int) -> None:
    page = shown(render(make_report(frames=frames, cuts=())))
    left, top, width, height = page.box(CANVAS)

    page.mouse("mouseMoved", left + width * 0.99, top + height / 2)
    assert f"frame {frames - 1}" in page.evaluate(TIP)
    page.mouse("mouseWheel", left + width / 2, top + height / 2, deltaX=0, deltaY=-500)
    page.evaluate("document.getElementById('zoom-in').click()")
    assert_quiet(page)


def test_no_shot_at_all_is_drawn(make_report: Make, shown: Show) -> None:
    page = shown(render(make_report(shots=(), cuts=())))

    assert page.evaluate("document.querySelectorAll('.shot').length") == 0
    assert_quiet(page)
