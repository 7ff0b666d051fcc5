"""What a frame that the sidecar doesn't deliver becomes: by the choice, and by whether the render is final."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ofx_host import abi
from ofx_host.host import Host
from ofx_host.images import DEPTHS, Picture
from ofx_host.profiles import BACKGROUND, MINIMAL, NUKE, PROFILES, RESOLVE, Profile
from ofx_host.samples import noise, same

if TYPE_CHECKING:
    from pathlib import Path

    from ofx_host.images import Pixels

STATUS = "OfxImageEffectPropInteractiveRenderStatus"
hosts = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


def render(bundle: Path, profile: Profile, word: str, *, interactive: bool | None = None, absent: bool = False) -> str:
    """'passed' or 'failed', or 'marked'."""
    pixels = noise("Float", "RGBA", 60, 90)
    with Host(bundle, profile) as host, host.instance(onFailure=word) as instance:
        rendered = instance.render(pixels, interactive=interactive, absent=(STATUS,) if absent else ())
        if rendered.status == abi.FAILED:
            return "failed"
        assert rendered.status in {abi.OK, abi.REPLY_DEFAULT}
        return "passed" if same(rendered.pixels, pixels) else "marked"


@hosts
@pytest.mark.parametrize("interactive", [True, False])
@pytest.mark.parametrize(("word", "outcome"), [("Pass", "passed"), ("Fail", "failed"), ("Mark", "marked")])
def test_what_was_chosen(bundle: Path, profile: Profile, word: str, outcome: str, interactive: bool) -> None:
    assert render(bundle, profile, word, interactive=interactive) == outcome


@pytest.mark.parametrize(
    ("profile", "interactive", "absent", "outcome"),
    [
        (RESOLVE, True, False, "passed"),
        (RESOLVE, False, False, "failed"),
        (RESOLVE, None, True, "passed"),
        (NUKE, True, False, "passed"),
        (NUKE, False, False, "failed"),
        (BACKGROUND, None, False, "failed"),
        (BACKGROUND, True, False, "passed"),
        (BACKGROUND, None, True, "failed"),
        (MINIMAL, None, True, "passed"),
        (MINIMAL, False, True, "passed"),
    ],
)
def test_automatic(bundle: Path, profile: Profile, interactive: bool | None, absent: bool, outcome: str) -> None:
    assert render(bundle, profile, "Automatic", interactive=interactive, absent=absent) == outcome


def marked(bundle: Path, pixels: Pixels, **how: object) -> Pixels:
    with Host(bundle, NUKE) as host, host.instance(onFailure="Mark") as instance:
        target = Picture(pixels.shape, pixels.dtype, padding=32)
        rendered = instance.render(pixels, target=target, **how)  # type: ignore[arg-type]
        assert rendered.status == abi.OK
        return rendered.pixels


@pytest.mark.parametrize("components", ["RGBA", "RGB"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_mark_is_a_corner(bundle: Path, depth: str, components: str) -> None:
    pixels = np.zeros_like(noise(depth, components, 120, 200))
    differs = (marked(bundle, pixels) != pixels).any(axis=2)
    rows, columns = np.nonzero(differs)
    assert 0.001 < differs.mean() < 0.1
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert tall <= 60
    assert wide <= 100
    assert rows.min() == 0 or rows.max() == 119
    assert columns.min() == 0 or columns.max() == 199


def test_the_mark_is_seen_on_every_ground(bundle: Path) -> None:
    for ground in (0.0, 0.5, 1.0, 40.0, -3.0):
        pixels = np.full((120, 200, 4), ground, np.float32)
        pixels[..., 3] = 1
        result = marked(bundle, pixels)
        assert np.abs(result - pixels).max() > 0.2
        assert np.isfinite(result).all()


def test_the_mark_grows_with_the_picture(bundle: Path) -> None:
    def share(height: int, width: int) -> float:
        pixels = np.full((height, width, 4), 3, np.uint8)
        return float((marked(bundle, pixels) != pixels).any(axis=2).mean())

    small, large = share(90, 160), share(720, 1280)
    assert 0.4 < small / large < 2.5


def test_the_mark_keeps_premultiplied_alpha_valid(bundle: Path) -> None:
    pixels = np.zeros((60, 90, 4), np.float32)
    for kind in ("OfxImageAlphaPremultiplied", "OfxImageAlphaUnPremultiplied"):
        result = marked(bundle, pixels, premultiplication=kind)
        assert (result[..., 3] <= 1).all()
        assert result[..., 3].max() > 0, "a mark on nothing must be seen"
        if kind == "OfxImageAlphaPremultiplied":
            assert (result[..., :3] <= result[..., 3:]).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 100), (8, 8)])
def test_small_pictures_are_marked_too(bundle: Path, size: tuple[int, int]) -> None:
    pixels = np.zeros((*size, 4), np.uint8)
    assert (marked(bundle, pixels) != pixels).any()


def test_the_mark_lies_where_it_does_whatever_the_window(bundle: Path) -> None:
    pixels = np.zeros((60, 90, 4), np.uint8)
    whole = marked(bundle, pixels)
    for window in ((0, 0, 45, 30), (45, 30, 90, 60), (3, 1, 5, 59), (0, 55, 90, 60), (0, 0, 90, 5)):
        x1, y1, x2, y2 = window
        part = marked(bundle, pixels, window=window)
        assert np.array_equal(part[y1:y2, x1:x2], whole[y1:y2, x1:x2])


@pytest.mark.parametrize("profile", [RESOLVE, BACKGROUND], ids=["resolve", "background"])
def test_why_is_told_once_and_in_the_log(bundle: Path, profile: Profile) -> None:
    with Host(bundle, profile) as host, host.instance() as instance:
        for moment in range(5):
            instance.render(noise("Float", "RGBA"), time=float(moment))
        told = [message for message in host.messages if message[0] == "OfxImageEffectActionRender"]
        assert {kind for _, kind, _ in told} <= {"OfxMessageLog"}
        assert 1 <= len(told) <= 2
        assert all(len(text) > 10 for _, _, text in told)


@pytest.mark.parametrize("profile", [RESOLVE, NUKE, MINIMAL], ids=["resolve", "nuke", "minimal"])
def test_reconnect_without_a_sidecar(bundle: Path, profile: Profile) -> None:
    with Host(bundle, profile) as host, host.instance() as instance:
        before = instance.value("revision")
        statuses = instance.change("reconnect")
        assert statuses[1] in {abi.OK, abi.REPLY_DEFAULT}
        assert instance.value("revision") == before + 1
        told = [message for message in host.messages if message[0] == "OfxActionInstanceChanged"]
        assert len(told) == (0 if profile is MINIMAL else 1)
        assert all("\xdd" not in text for _, _, text in told)


def test_other_changes_bump_nothing(bundle: Path) -> None:
    with Host(bundle, NUKE) as host, host.instance() as instance:
        for name, value in (("strength", 0.5), ("mode", 1), ("timeLimit", 5.0)):
            assert set(instance.change(name, value)) <= {abi.OK, abi.REPLY_DEFAULT}
        assert instance.value("revision") == 0
        assert host.messages == []
