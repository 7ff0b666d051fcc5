"""Without a sidecar: the picture comes through bit by bit, however it lies in memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ofx_host import abi
from ofx_host.host import Host
from ofx_host.images import DEPTHS, Picture
from ofx_host.profiles import BACKGROUND, MINIMAL, NUKE, PROFILES, RESOLVE, Profile
from ofx_host.samples import noise, same

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

hosts = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
PASS = "Pass"
STRIDES: dict[str, dict[str, Any]] = {"tight": {}, "padded": {"padding": 48}, "flipped": {"flipped": True},
           "both": {"padding": 64, "flipped": True}, "offset": {"origin": (-17, 9), "padding": 8}}  # fmt: skip


@pytest.fixture
def nuke(bundle: Path) -> Iterator[Host]:
    with Host(bundle, NUKE) as host:
        yield host


@hosts
@pytest.mark.parametrize("stride", STRIDES)
def test_every_format(bundle: Path, profile: Profile, stride: str) -> None:
    with Host(bundle, profile) as host, host.instance(onFailure=PASS) as instance:
        for depth in profile.depths:
            for components in profile.components:
                pixels = noise(depth, components)
                source = Picture.of(pixels, **STRIDES[stride])
                target = Picture(pixels.shape, pixels.dtype, origin=source.origin, padding=16)
                rendered = instance.render(source, target=target)
                assert rendered.status in {abi.OK, abi.REPLY_DEFAULT}
                assert same(rendered.pixels, pixels), (depth, components)
                assert rendered.identity == (components == "Alpha")


@pytest.mark.parametrize("stride", STRIDES)
def test_targets_lie_in_any_way(nuke: Host, stride: str) -> None:
    with nuke.instance(onFailure=PASS) as instance:
        pixels = noise("Short", "RGB")
        origin = STRIDES[stride].get("origin", (0, 0))
        source = Picture.of(pixels, origin=origin, flipped=True)
        target = Picture(pixels.shape, pixels.dtype, **STRIDES[stride])
        assert same(instance.render(source, target=target).pixels, pixels)


@pytest.mark.parametrize("window", [(0, 0, 21, 13), (3, 2, 20, 11), (0, 0, 1, 1), (20, 12, 21, 13), (4, 4, 4, 4)])
def test_windows(nuke: Host, window: tuple[int, int, int, int]) -> None:
    pixels = noise("Float", "RGBA")
    x1, y1, x2, y2 = window
    with nuke.instance(onFailure=PASS) as instance:
        target = Picture(pixels.shape, pixels.dtype, padding=16)
        rendered = instance.render(pixels, target=target, window=window)
        assert rendered.status in {abi.OK, abi.REPLY_DEFAULT}
        assert same(rendered.pixels[y1:y2, x1:x2], pixels[y1:y2, x1:x2])


def test_the_rest_of_a_larger_window_is_empty(nuke: Host) -> None:
    pixels = noise("Float", "RGBA")
    with nuke.instance(onFailure=PASS) as instance:
        target = Picture((19, 30, 4), pixels.dtype, origin=(-4, -3))
        rendered = instance.render(pixels, target=target)
        expected = np.zeros((19, 30, 4), np.float32)
        expected[3:16, 4:25] = pixels
        assert same(rendered.pixels, expected)


@pytest.mark.parametrize("window", [(-5, -5, 40, 40), (100, 100, 120, 110), (8, 8, 2, 2)])
def test_windows_that_make_no_sense_write_nothing_outside(nuke: Host, window: tuple[int, int, int, int]) -> None:
    pixels = noise("Byte", "RGBA")
    with nuke.instance(onFailure=PASS) as instance:
        target = Picture(pixels.shape, pixels.dtype, padding=16)
        box = target.bounds
        # The host books what is written outside of the picture itself, so it is told of the whole.
        inside = (max(box[0], window[0]), max(box[1], window[1]), min(box[2], window[2]), min(box[3], window[3]))
        rendered = instance.render(pixels, target=target, window=window, ask_identity=False)
        if inside == box:
            assert same(rendered.pixels, pixels)
        else:
            assert target.untouched().all()


@hosts
@pytest.mark.parametrize("context", ["Filter", "General"])
def test_no_strength_is_identity(bundle: Path, profile: Profile, context: str) -> None:
    if context not in profile.contexts:
        pytest.skip("the host has no such context")
    with Host(bundle, profile) as host, host.instance(context, strength=0.0) as instance:
        assert instance.render(noise("Float", "RGBA")).identity


def test_what_is_no_identity(nuke: Host) -> None:
    for values in ({}, {"mode": "Punch-in"}, {"mode": "Punch-in", "zoom": 1.0}, {"sourceFactor": 1.0}):
        with nuke.instance(onFailure=PASS, **values) as instance:
            assert not instance.render(noise("Float", "RGBA")).identity


def test_alpha_alone_is_identity_and_even_rendered_comes_through(nuke: Host) -> None:
    with nuke.instance(onFailure="Fail") as instance:
        pixels = noise("Float", "Alpha")
        assert instance.render(pixels).identity
        rendered = instance.render(pixels, ask_identity=False)
        assert rendered.status == abi.OK
        assert same(rendered.pixels, pixels)


@pytest.mark.parametrize("profile", [RESOLVE, NUKE], ids=["by the clip", "by the action"])
def test_thumbnails_are_identity(bundle: Path, profile: Profile) -> None:
    with Host(bundle, profile) as host, host.instance() as instance:
        absent = ("OfxImageEffectPropThumbnailRender",) if profile.clip_thumbnail else ()
        assert instance.render(noise("Float", "RGBA"), thumbnail=True, absent=absent).identity
        rendered = instance.render(noise("Float", "RGBA"), thumbnail=True, ask_identity=False, absent=absent)
        assert rendered.status == abi.OK
        assert same(rendered.pixels, noise("Float", "RGBA"))


@pytest.mark.parametrize("interactive", [True, False])
@pytest.mark.parametrize("way", ["status", "handle", "data"])
@hosts
def test_no_source(bundle: Path, profile: Profile, way: str, interactive: bool) -> None:
    pixels = noise("Float", "RGBA")
    with Host(bundle, profile) as host, host.instance() as instance:
        rendered = instance.render(pixels, source_fails=way, interactive=interactive, ask_identity=False)
        assert rendered.status in {abi.OK, abi.FAILED}
        if rendered.status == abi.OK:
            assert not rendered.pixels.any()


@pytest.mark.parametrize(
    ("shape", "depth"), [((13, 21, 3), "Float"), ((13, 21, 4), "Byte"), ((13, 21, 1), "Float"), ((13, 21, 4), "Half")]
)
def test_formats_that_differ_are_refused(nuke: Host, shape: tuple[int, int, int], depth: str) -> None:
    with nuke.instance() as instance:
        target = Picture(shape, DEPTHS[depth])
        rendered = instance.render(noise("Float", "RGBA"), target=target, ask_identity=False)
        assert rendered.status in {abi.FAILED, abi.IMAGE_FORMAT}
        assert target.untouched().all()


INPUTS = (
    "OfxImageEffectPropFieldToRender", "OfxImageEffectPropRenderScale", "OfxImageEffectPropSequentialRenderStatus",
    "OfxImageEffectPropInteractiveRenderStatus", "OfxImageEffectPropRenderQualityDraft",
    "OfxImageEffectPropThumbnailRender",
)  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
@hosts
def test_an_absent_input(bundle: Path, profile: Profile, name: str) -> None:
    pixels = noise("Float", "RGBA")
    with Host(bundle, profile) as host, host.instance(onFailure=PASS) as instance:
        rendered = instance.render(pixels, absent=(name,))
        assert rendered.status in {abi.OK, abi.REPLY_DEFAULT}
        assert same(rendered.pixels, pixels)


def test_all_inputs_absent(bundle: Path) -> None:
    pixels = noise("Float", "RGBA")
    with Host(bundle, MINIMAL) as host, host.instance(onFailure=PASS) as instance:
        rendered = instance.render(pixels, absent=(*INPUTS, "OfxImageEffectPropRenderWindow", "OfxPropTime"))
        assert rendered.status in {abi.OK, abi.REPLY_DEFAULT, abi.FAILED}
        if rendered.status != abi.FAILED:
            assert same(rendered.pixels, pixels)


def test_one_pixel_and_odd_sizes(nuke: Host) -> None:
    with nuke.instance(onFailure=PASS) as instance:
        for size in ((1, 1), (1, 40), (40, 1), (3, 2)):
            pixels = noise("Half", "RGBA", *size)
            assert same(instance.render(pixels).pixels, pixels)


def test_scales_and_times(nuke: Host) -> None:
    with nuke.instance(onFailure=PASS) as instance:
        for scale, moment in (((0.5, 0.5), -3.25), ((0.0, 0.0), 1e9), ((float("nan"), 1.0), float("nan"))):
            pixels = noise("Float", "RGBA")
            assert same(instance.render(pixels, scale=scale, time=moment).pixels, pixels)


def test_values_out_of_range(nuke: Host) -> None:
    nonsense: dict[str, Any] = {"sourceFactor": float("nan"), "zoom": -1e30, "centreX": float("inf"), "denoise": 9.0}
    pixels = noise("Float", "RGBA")
    with nuke.instance(onFailure=PASS, timeLimit=float("nan"), **nonsense) as instance:
        instance.effect.parameters.parameters["mode"].value = 99
        instance.effect.parameters.parameters["model"].value = -7
        rendered = instance.render(pixels, ask_identity=False)
        assert rendered.status == abi.OK
        assert same(rendered.pixels, pixels)


def test_nothing_is_waited_for(bundle: Path) -> None:
    with Host(bundle, BACKGROUND) as host, host.instance(onFailure=PASS) as instance:
        pixels = noise("Float", "RGBA", 48, 64)
        began = time.monotonic()
        for _ in range(20):
            assert same(instance.render(pixels).pixels, pixels)
        assert time.monotonic() - began < 2


def test_all_hosts_get_the_same_bytes(bundle: Path) -> None:
    results = set()
    for profile in PROFILES.values():
        with Host(bundle, profile) as host, host.instance(onFailure="Mark") as instance:
            results.add(instance.render(noise("Float", "RGBA", 60, 80)).pixels.tobytes())
    assert len(results) == 1
