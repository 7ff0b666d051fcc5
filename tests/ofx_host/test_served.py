"""With a stand-in for the sidecar that answers well: what is asked of it, and what becomes of its pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from ofx_host import abi
from ofx_host.host import Host
from ofx_host.images import DEPTHS, Picture
from ofx_host.profiles import BACKGROUND, NUKE, PROFILES, RESOLVE, Profile
from ofx_host.samples import complement, picture, same
from openfx.fake_sidecar import RENDER, WARM, FakeSidecar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

hosts = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
LAYOUTS: list[dict[str, Any]] = [
    {},
    {"padding": 48},
    {"flipped": True},
    {"padding": 64, "flipped": True},
    {"origin": (-17, 9), "padding": 8, "flipped": True},
]


@pytest.fixture
def sidecar(runtime: Path) -> Iterator[FakeSidecar]:
    """One that turns colours into their complements."""
    with FakeSidecar("good", runtime) as running:
        yield running


@pytest.fixture
def nuke(bundle: Path, sidecar: FakeSidecar) -> Iterator[Host]:
    with Host(bundle, NUKE) as host:
        yield host


def asked(sidecar: FakeSidecar) -> Any:
    """The last frame that was asked for."""
    return next(each for each in reversed(sidecar.requests) if each.op == RENDER)


@hosts
def test_every_format(bundle: Path, sidecar: FakeSidecar, profile: Profile) -> None:
    with Host(bundle, profile) as host, host.instance() as instance:
        for depth in profile.depths:
            for components in set(profile.components) - {"Alpha"}:
                pixels = picture(depth, components)
                rendered = instance.render(pixels)
                assert rendered.status in {abi.OK, abi.REPLY_DEFAULT}
                assert same(rendered.pixels, complement(pixels)), (depth, components)
                number = list(DEPTHS).index(depth) + 1
                assert asked(sidecar).format == number | len(components) << 8
        assert host.messages == []


@pytest.mark.parametrize("source", range(len(LAYOUTS)))
@pytest.mark.parametrize("target", range(len(LAYOUTS)))
def test_every_layout(nuke: Host, source: int, target: int) -> None:
    pixels = picture("Short", "RGBA")
    origin = LAYOUTS[source].get("origin", (0, 0))
    with nuke.instance() as instance:
        rendered = instance.render(
            Picture.of(pixels, **LAYOUTS[source]),
            target=Picture(pixels.shape, pixels.dtype, **{**LAYOUTS[target], "origin": origin}),
        )
        assert same(rendered.pixels, complement(pixels))


@pytest.mark.parametrize("window", [(0, 0, 21, 13), (3, 2, 20, 11), (0, 0, 1, 1), (20, 12, 21, 13)])
def test_of_a_window_no_more_is_written_but_the_whole_picture_is_asked(
    nuke: Host, sidecar: FakeSidecar, window: tuple[int, int, int, int]
) -> None:
    pixels = picture("Float", "RGB")
    x1, y1, x2, y2 = window
    with nuke.instance() as instance:
        target = Picture(pixels.shape, pixels.dtype, padding=12, flipped=True)
        rendered = instance.render(pixels, target=target, window=window)
        assert same(rendered.pixels[y1:y2, x1:x2], complement(pixels)[y1:y2, x1:x2])
        assert (asked(sidecar).width, asked(sidecar).height) == (21, 13)


def test_parts_make_the_whole(nuke: Host) -> None:
    pixels = picture("Byte", "RGBA", 40, 60)
    target = Picture(pixels.shape, pixels.dtype)
    with nuke.instance() as instance:
        for x in range(0, 60, 20):
            for y in range(0, 40, 10):
                part = Picture(pixels.shape, pixels.dtype)
                instance.render(pixels, target=part, window=(x, y, x + 20, y + 10))
                target.pixels[y : y + 10, x : x + 20] = part.pixels[y : y + 10, x : x + 20]
    assert same(target.pixels, complement(pixels))


def test_the_default_look(nuke: Host, sidecar: FakeSidecar) -> None:
    with nuke.instance() as instance:
        instance.render(picture("Float", "RGBA"))
    assert asked(sidecar).json == {
        "mode": "restore", "factor": 2, "zoom": 2, "centre_x": 0.5, "centre_y": 0.5, "model": "auto", "strength": 1,
        "denoise": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"sourceFactor": 3.25}, {"factor": 3.25}),
        ({"strength": 0.125, "denoise": 0.0}, {"strength": 0.125, "denoise": 0.0}),
        ({"mode": "Punch-in", "zoom": 7.5}, {"mode": "punch-in", "zoom": 7.5}),
        ({"mode": "Punch-in", "centreX": 0.25, "centreY": 0.125}, {"centre_x": 0.25, "centre_y": 0.875}),
        ({"model": "x4plus-anime"}, {"model": "x4plus-anime"}),
        ({"model": "general"}, {"model": "general-x4v3"}),
    ],
)
def test_a_look(nuke: Host, sidecar: FakeSidecar, values: dict[str, Any], expected: dict[str, Any]) -> None:
    with nuke.instance(**values) as instance:
        instance.render(picture("Float", "RGBA"))
    assert {name: asked(sidecar).json[name] for name in expected} == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_nonsense_is_asked_within_the_ranges(nuke: Host, sidecar: FakeSidecar, bad: float) -> None:
    names = ("sourceFactor", "zoom", "centreX", "centreY", "denoise", "timeLimit")
    values: dict[str, Any] = dict.fromkeys(names, bad)
    with nuke.instance(**values) as instance:
        rendered = instance.render(picture("Float", "RGBA"), ask_identity=False)
    assert rendered.status == abi.OK
    look = asked(sidecar).json
    assert 1 <= look["factor"] <= 4
    assert 1 <= look["zoom"] <= 8
    assert all(0 <= look[name] <= 1 for name in ("centre_x", "centre_y", "denoise", "strength"))


@pytest.mark.parametrize(("scale", "factor"), [(1.0, 4.0), (0.5, 2.0), (0.125, 1.0), (0.0, None), (math.nan, None)])
def test_a_proxy_was_enlarged_less(nuke: Host, sidecar: FakeSidecar, scale: float, factor: float | None) -> None:
    with nuke.instance(sourceFactor=4.0) as instance:
        instance.render(picture("Float", "RGBA"), scale=(scale, scale))
    assert asked(sidecar).json["factor"] == factor or (factor is None and 1 <= asked(sidecar).json["factor"] <= 4)


def test_flags(nuke: Host, sidecar: FakeSidecar) -> None:
    with nuke.instance() as instance:
        for alpha in ("OfxImageAlphaPremultiplied", "OfxImageAlphaUnPremultiplied", "OfxImageOpaque"):
            for interactive in (True, False):
                instance.render(picture("Float", "RGBA"), premultiplication=alpha, interactive=interactive)
                premultiplied = alpha == "OfxImageAlphaPremultiplied"
                assert asked(sidecar).flags == premultiplied << 1 | interactive << 2, (alpha, interactive)


def test_final_frames_are_not_interactive(bundle: Path, sidecar: FakeSidecar) -> None:
    with Host(bundle, BACKGROUND) as host, host.instance() as instance:
        instance.render(picture("Float", "RGBA"), absent=("OfxImageEffectPropInteractiveRenderStatus",))
        assert not asked(sidecar).flags & 4


@pytest.mark.parametrize(("field", "asks"), [("None", True), ("Both", True), ("Lower", False), ("Upper", False)])
def test_single_fields_are_not_restored(nuke: Host, sidecar: FakeSidecar, field: str, asks: bool) -> None:
    pixels = picture("Byte", "RGBA")
    with nuke.instance(onFailure="Pass") as instance:
        rendered = instance.render(pixels, field=f"OfxField{field}")
        assert same(rendered.pixels, complement(pixels) if asks else pixels)
    assert sidecar.count(RENDER) == asks


@pytest.mark.parametrize("name", ["Cuda", "OpenCL", "Metal"])
def test_pictures_on_a_gpu_are_refused(nuke: Host, name: str) -> None:
    pixels = picture("Byte", "RGBA")
    with nuke.instance() as instance:
        target = Picture(pixels.shape, pixels.dtype)
        rendered = instance.render(pixels, target=target, more={f"OfxImageEffectProp{name}Enabled": 1})
        assert rendered.status == abi.GPU_RENDER_FAILED
        assert target.untouched().all()


def test_identity_asks_nothing(nuke: Host, sidecar: FakeSidecar) -> None:
    with nuke.instance(strength=0.0) as instance:
        instance.render(picture("Float", "RGBA"))
        instance.render(picture("Float", "RGBA"), ask_identity=False)
        instance.render(picture("Float", "Alpha"), ask_identity=False)
    assert sidecar.count(RENDER) == 0


def test_the_model_is_announced(nuke: Host, sidecar: FakeSidecar) -> None:
    with nuke.instance(model="x2plus") as instance:
        instance.render(picture("Float", "RGBA"))
    announced = [each.json["model"] for each in sidecar.requests if each.op == WARM]
    assert set(announced) <= {"x2plus"}


def test_connections_and_mappings_are_used_again(nuke: Host, sidecar: FakeSidecar) -> None:
    with nuke.instance() as instance:
        for size in ((90, 160), (9, 16), (90, 160), (45, 80), (1, 1), (90, 160)):
            pixels = picture("Byte", "RGBA", *size)
            assert same(instance.render(pixels).pixels, complement(pixels))
    # The model may be announced on another connection than the first frame's.
    assert sidecar.connections <= 2
    assert len(sidecar.names) <= 2


def test_reconnect_says_that_all_is_well(bundle: Path, sidecar: FakeSidecar) -> None:
    with Host(bundle, RESOLVE) as host, host.instance() as instance:
        instance.change("reconnect")
        assert instance.value("revision") == 1
        assert [kind for _, kind, _ in host.messages] == ["OfxMessageMessage"]
