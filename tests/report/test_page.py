from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from itertools import islice
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

from snapupscale.report.page import Report, ShotEntry, render
from snapupscale.report.preview import encode_preview

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

HOSTILE = "</script><img src=x onerror=alert(1)>&amp;{{js}}\u2028\"'\udcff"
VOID = {"meta", "img", "input", "link", "br", "wbr"}


class Outline(HTMLParser):
    """The elements of a page, with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, str]] = []
        self.stack: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] in {"script", "style", "title"}:
            self.raw.append((self.stack[-1], data))

    def text(self, tag: str) -> str:
        return "".join(data for name, data in self.raw if name == tag)


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_the_page_is_well_formed_and_labelled(make_report: Callable[..., Report]) -> None:
    page = Outline(render(make_report()))

    assert page.stack == []
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for name in ("aria-labelledby", "aria-describedby", "for"):
        assert {attrs[name] for _, attrs in page.elements if name in attrs} <= set(ids)
    assert ("html", {"lang": "en"}) in page.elements
    assert page.text("title") == "CLIP · SnapUpscale"
    assert all(attrs.get("type") == "button" for tag, attrs in page.elements if tag == "button")


def test_the_page_refers_to_nothing_outside(make_report: Callable[..., Report]) -> None:
    text = render(make_report())
    page = Outline(text)

    assert not {"link", "iframe", "object", "base", "form"} & {tag for tag, _ in page.elements}
    links = [(tag, name) for tag, attrs in page.elements for name in ("src", "srcset", "action") if name in attrs]
    assert links == []
    assert [attrs["href"] for _, attrs in page.elements if "href" in attrs] == ["#shots"]
    assert not re.search(r"https?:|@import|url\(", text)
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)


def test_the_policy_allows_this_script_and_this_style_alone(make_report: Callable[..., Report]) -> None:
    page = Outline(render(make_report()))
    policies = [attrs["content"] for _, attrs in page.elements if "http-equiv" in attrs]

    style = base64.b64encode(hashlib.sha256(page.text("style").encode()).digest()).decode()
    assert len(policies) == 1
    assert str(policies[0]).startswith("default-src 'none'; img-src data:; ")
    assert f"style-src 'sha256-{style}'" in str(policies[0])
    assert "unsafe" not in str(policies[0])


def test_no_text_is_ever_read_as_markup(make_report: Callable[..., Report]) -> None:
    scripts = Outline(render(make_report())).text("script")

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", scripts)


def test_hostile_names_stay_data(make_report: Callable[..., Report]) -> None:
    report = make_report(
        title=HOSTILE, source_name=HOSTILE, settings=[(HOSTILE, HOSTILE)], warnings=[HOSTILE], method=HOSTILE
    )

    text = render(report)

    assert not [tag for tag, attrs in Outline(text).elements if "onerror" in attrs]
    assert data_of(text)["title"] == HOSTILE
    assert data_of(text)["warnings"] == [HOSTILE]
    assert text.count("</script>") == render(make_report()).count("</script>")
    assert Outline(text).text("title") == f"{HOSTILE} · SnapUpscale"


def test_the_data_are_those_of_the_report(make_report: Callable[..., Report]) -> None:
    report = make_report(transitions=[(10, 20, "dissolve")])

    data = data_of(render(report))

    steps = struct.unpack(f"<{report.frames}H", base64.b64decode(data["distance"]))
    assert np.allclose(np.array(steps) / 65535, report.distance, atol=1e-5)
    assert data["cuts"] == [100]
    assert data["transitions"] == [[10, 20, "dissolve"]]
    assert [shot["number"] for shot in data["shots"]] == [1, 2]
    assert base64.b64decode(data["shots"][0]["after"]) == report.shots[0].after


def test_numbers_of_numpy_are_taken(make_report: Callable[..., Report]) -> None:
    report = make_report(cuts=np.array([100]), distance=np.zeros(240, np.float32), threshold=0.5)

    assert data_of(render(report))["cuts"] == [100]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_an_error_not_a_broken_page(make_report: Callable[..., Report], value: float) -> None:
    with pytest.raises(ValueError, match=r"NaN|nan|JSON|range|inf"):
        render(make_report(duration_s=value))


def film_frames() -> list[NDArray[np.uint8]]:
    """Twenty frames of the footage that ships with the project."""
    with av.open(str(resources.files("snapupscale").joinpath("data/bbb480_30s.mp4"))) as container:
        frames = islice(container.decode(video=0), 100, 500, 20)
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames]


def test_twenty_shots_stay_under_fifteen_megabytes(make_report: Callable[..., Report]) -> None:
    base = make_report(frames=2000, cuts=tuple(range(100, 2000, 100)))
    shots = []
    for shot, frame in zip(base.shots, film_frames(), strict=True):
        large = cv2.resize(frame, (1600, 900), interpolation=cv2.INTER_CUBIC)
        sharp = cv2.addWeighted(large, 2.2, cv2.GaussianBlur(large, (0, 0), 2), -1.2, 0)
        candidate = replace(shot.candidates[0], thumbnail=encode_preview(frame, 320))
        before, after = encode_preview(large, 1600), encode_preview(np.asarray(sharp, np.uint8), 1600)
        shots.append(replace(shot, candidates=(candidate,) * 5, before=before, after=after))

    text = render(replace(base, shots=shots))

    assert 2_000_000 < len(text.encode()) < 15_000_000


def luminance(colour: str) -> float:
    levels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("ink", "paper", 7.0),
        ("soft", "paper", 4.5),
        ("soft", "wash", 4.5),
        ("soft", "line", 4.5),
        ("accent", "paper", 4.5),
        ("accent-ink", "accent", 4.5),
        ("bar", "wash", 3.0),
        ("accent", "wash", 3.0),
    ],
)
def test_contrast_meets_wcag_aa(
    make_report: Callable[..., Report], scheme: int, front: str, back: str, least: float
) -> None:
    style = Outline(render(make_report())).text("style")
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", style.split(":root {")[1 + scheme]))

    light, dark = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)

    assert (light + 0.05) / (dark + 0.05) >= least


def test_a_shot_without_a_still_is_complete() -> None:
    shot = ShotEntry(number=1, start=0, end=5, start_timecode="00:00:00:00", end_timecode="00:00:00:05", note="black")

    assert (shot.picked, shot.before, shot.after, shot.candidates, shot.still_name) == (None, None, None, (), None)
