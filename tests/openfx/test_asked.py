"""What the effect asks of the link, and what it makes of each answer."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from ctypes import POINTER, Structure, c_bool, c_char, c_double, c_int
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ofx_host import abi
from ofx_host.clips import Frame as Shot
from ofx_host.host import Host, binary
from ofx_host.images import COMPONENTS, DEPTHS, Picture
from ofx_host.profiles import BACKGROUND, MINIMAL, NUKE, RESOLVE
from ofx_host.suites import ParameterSuite
from openfx.link_library import ABORTED, DONE, FAILED, HERE, PUNCH_IN, RESTORE, SOURCE, WARNINGS, Frame, Look, sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ofx_host.images import Pixels
    from ofx_host.profiles import Profile

LAYOUTS: dict[str, dict[str, Any]] = {
    "tight": {},
    "padded": {"padding": 48},
    "flipped": {"flipped": True, "padding": 8},
    "offset": {"origin": (-17, 9)},
}


class Recorded(Structure):
    """What the stand-in of the link keeps."""

    _fields_ = [
        *((name, c_int) for name in ("opened", "closed", "warmed", "rendered", "trimmed", "reconnected")),
        ("asked_abort", c_bool),
        ("seconds", c_double),
        ("frame", Frame),
        ("look", Look),
        ("resources", c_char * 4096),
    ]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The effect without its link."""
    made = tmp_path_factory.mktemp("asked") / "SnapUpscale.ofx.bundle"
    library = binary(made)
    library.parent.mkdir(parents=True)
    left_out = {*sources(), *sources(windows=True)}
    files = [path for path in SOURCE.glob("*.c") if path not in left_out and not path.stem.endswith("_windows")]
    flags = [*WARNINGS, "-shared", "-fPIC", "-fvisibility=hidden", f"-I{SOURCE}", "-ldl"]
    subprocess.run(["gcc", *flags, "-o", library, *files, HERE / "recording_link.c"], check=True)
    return made


def recorded(host: Host, answer: int | None = None) -> Recorded:
    """What the link was asked; with `answer`, what it says from now on."""
    if answer is not None:
        host.library.link_answer(answer)
    host.library.link_recorded.restype = POINTER(Recorded)
    found: Recorded = host.library.link_recorded().contents
    return found


@pytest.fixture
def nuke(bundle: Path) -> Iterator[Host]:
    with Host(bundle, NUKE) as host:
        yield host


def noise(depth: str = "Float", components: str = "RGBA", height: int = 13, width: int = 21) -> Pixels:
    count = height * width * COMPONENTS[components] * DEPTHS[depth].itemsize
    values = np.random.default_rng(3).integers(0, 256, count, np.uint8)
    return values.view(DEPTHS[depth]).reshape(height, width, COMPONENTS[components])


def turned(pixels: Pixels) -> Pixels:
    result: Pixels = (~pixels.view(np.uint8)).view(pixels.dtype)
    return result


def test_settings_reach_the_link_as_they_are(nuke: Host) -> None:
    values: dict[str, Any] = {"mode": "Punch-in", "model": "x2plus", "sourceFactor": 1.5, "zoom": 3.0, "timeLimit": 7.5}
    values |= {"centreX": 0.25, "centreY": 0.75, "strength": 0.5, "denoise": 0.125}
    with nuke.instance(**values) as instance:
        instance.render(noise())

    asked = recorded(nuke)
    look = {name: getattr(asked.look, name) for name, *_ in Look._fields_}
    assert look == {"mode": PUNCH_IN, "factor": 1.5, "zoom": 3.0, "centre_x": 0.25, "centre_y": 0.75, "strength": 0.5,
                    "denoise": 0.125, "model": b"x2plus"}  # fmt: skip
    assert asked.seconds == 7.5
    assert not asked.asked_abort


def test_what_is_out_of_range_is_brought_into_it(nuke: Host) -> None:
    values: dict[str, Any] = {"sourceFactor": float("nan"), "zoom": 1e30, "timeLimit": 0.0}
    values |= {"centreX": -1.0, "centreY": float("inf")}
    with nuke.instance(**values) as instance:
        for name, value in (("mode", 7), ("model", -1)):
            instance.effect.parameters.parameters[name].value = value
        instance.render(noise())

    asked = recorded(nuke)
    look = asked.look
    assert (look.mode, look.model, look.factor, look.zoom) == (RESTORE, b"auto", 1, 8)
    assert (look.centre_x, look.centre_y, asked.seconds) == (0, 1, 1)


def test_settings_are_those_of_the_frames_time(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[float] = []
    now = ParameterSuite.paramGetValue

    def at_time(suite: ParameterSuite, handle: int, time: float, address: int) -> None:
        times.append(time)
        now(suite, handle, address)

    monkeypatch.setattr(ParameterSuite, "paramGetValueAtTime", at_time)
    with Host(bundle, NUKE) as host, host.instance() as instance:
        instance.render(noise(), time=12.5, ask_identity=False)

    assert times == [12.5] * 10


@pytest.mark.parametrize(
    ("factor", "scale", "asked"),
    [(4.0, (0.5, 0.5), 2), (4.0, (0.5, 0.25), 1), (2.0, (0.1, 0.1), 1), (3.0, (2.0, 2.0), 3), (3.0, (0.0, 0.0), 3)],
)
def test_the_factor_shrinks_with_the_picture(nuke: Host, factor: float, scale: tuple[float, float], asked: int) -> None:
    with nuke.instance(sourceFactor=factor) as instance:
        instance.render(noise(), scale=scale)

    assert recorded(nuke).look.factor == pytest.approx(asked)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("components", ["RGBA", "RGB"])
def test_the_whole_source_is_handed_over_as_it_lies(nuke: Host, depth: str, components: str) -> None:
    source = Picture.of(noise(depth, components), padding=24, flipped=True, origin=(3, -2))
    with nuke.instance() as instance:
        instance.render(source, window=(5, 0, 9, 4))

    frame = recorded(nuke).frame
    assert (frame.width, frame.height, frame.components) == (21, 13, COMPONENTS[components])
    assert frame.depth == [*DEPTHS].index(depth) + 1
    assert (frame.source, frame.source_row) == (source.address, source.row_bytes)
    assert (frame.x1, frame.y1, frame.x2, frame.y2) == (2, 2, 6, 6)


@pytest.mark.parametrize("into", LAYOUTS)
@pytest.mark.parametrize("out_of", LAYOUTS)
@pytest.mark.parametrize(("answer", "made"), [(DONE, turned), (ABORTED, np.copy)], ids=["done", "aborted"])
def test_windows_larger_than_the_source(nuke: Host, answer: int, made: Any, out_of: str, into: str) -> None:
    pixels = noise("Short", "RGBA")
    source = Picture.of(pixels, **LAYOUTS[out_of])
    x, y = source.origin
    expected = np.zeros((19, 30, 4), np.uint16)
    expected[3:16, 4:25] = made(pixels)
    recorded(nuke, answer)
    with nuke.instance(onFailure="Fail the render") as instance:
        for left, low, right, high in ((0, 0, 30, 19), (0, 0, 9, 9), (6, 5, 27, 16), (0, 0, 3, 19), (5, 4, 6, 5)):
            target = Picture((19, 30, 4), pixels.dtype, **{**LAYOUTS[into], "origin": (x - 4, y - 3)})
            window = (x - 4 + left, y - 3 + low, x - 4 + right, y - 3 + high)
            rendered = instance.render(source, target=target, window=window)
            assert rendered.status == 0
            assert np.array_equal(rendered.pixels[low:high, left:right], expected[low:high, left:right])


def test_a_window_beside_the_source_asks_nothing(nuke: Host) -> None:
    with nuke.instance() as instance:
        target = Picture((13, 60, 4), np.dtype(np.float32), origin=(0, 0))
        rendered = instance.render(noise(), target=target, window=(30, 0, 60, 13))

    assert not rendered.pixels[:, 30:].any()
    assert recorded(nuke).rendered == 0


@pytest.mark.parametrize(
    ("kind", "components", "premultiplied"),
    [
        ("OfxImageAlphaPremultiplied", "RGBA", True),
        ("OfxImageAlphaUnPremultiplied", "RGBA", False),
        ("OfxImageOpaque", "RGBA", False),
        ("OfxImageAlphaPremultiplied", "RGB", False),
    ],
)
def test_how_alpha_is_meant(nuke: Host, kind: str, components: str, premultiplied: bool) -> None:
    with nuke.instance() as instance:
        instance.render(noise(components=components), premultiplication=kind)

    assert recorded(nuke).frame.premultiplied == premultiplied


@pytest.mark.parametrize("kind", ["OfxImageAlphaPremultiplied", "OfxImageAlphaUnPremultiplied"])
def test_what_a_picture_does_not_say_its_clip_does(nuke: Host, kind: str) -> None:
    unsaid = ("OfxImageEffectPropPreMultiplication", "OfxImageEffectPropPixelDepth", "OfxImageEffectPropComponents")
    with nuke.instance() as instance:
        rendered = instance.render(noise("Short"), premultiplication=kind, unsaid=unsaid)

    assert rendered.status == abi.OK
    frame = recorded(nuke).frame
    assert (frame.premultiplied, frame.depth, frame.components) == (kind == "OfxImageAlphaPremultiplied", 2, 4)


@pytest.mark.parametrize(
    ("told", "presses"),
    [
        ({}, True),
        ({"OfxPropType": "OfxTypeParameter", "OfxPropChangeReason": "OfxChangeUserEdited"}, True),
        ({"OfxPropChangeReason": "OfxChangePluginEdited"}, True),
        ({"OfxPropType": "OfxTypeParameter", "OfxPropChangeReason": "OfxChangeTime"}, False),
        ({"OfxPropType": "OfxTypeClip"}, False),
    ],
)
def test_what_counts_as_a_press_of_reconnect(nuke: Host, told: dict[str, str], presses: bool) -> None:
    before = recorded(nuke).reconnected
    with nuke.instance() as instance:
        nuke.act("OfxActionInstanceChanged", instance.effect, {"OfxPropName": "reconnect", **told})

    assert recorded(nuke).reconnected - before == presses


@pytest.mark.parametrize(
    ("profile", "interactive", "told"),
    [(RESOLVE, True, True), (RESOLVE, False, False), (BACKGROUND, None, False), (MINIMAL, None, True)],
)
def test_who_waits_for_the_frame(bundle: Path, profile: Profile, interactive: bool | None, told: bool) -> None:
    with Host(bundle, profile) as host, host.instance() as instance:
        instance.render(noise(), interactive=interactive)
        assert recorded(host).frame.interactive == told


def test_nothing_is_asked_for_what_stays_as_it_is(nuke: Host) -> None:
    still: list[dict[str, Any]] = [{"strength": 0.0}, {"strength": 0.0, "mode": "Punch-in", "zoom": 1.0}]
    for values in still:
        with nuke.instance(**values) as instance:
            instance.render(noise(), ask_identity=False)
    with nuke.instance() as instance:
        instance.render(noise(), thumbnail=True, ask_identity=False)
        instance.render(noise(components="Alpha"), ask_identity=False)

    assert recorded(nuke).rendered == 0


def test_a_punch_in_without_strength_is_still_an_enlargement(nuke: Host) -> None:
    with nuke.instance(mode="Punch-in", strength=0.0) as instance:
        assert not instance.render(noise()).identity

    assert (recorded(nuke).rendered, recorded(nuke).look.strength) == (1, 0)


@pytest.mark.parametrize(("field", "asked"), [("OfxFieldUpper", 0), ("OfxFieldLower", 0), ("OfxFieldBoth", 1)])
def test_a_single_field_is_a_failure(nuke: Host, monkeypatch: pytest.MonkeyPatch, field: str, asked: int) -> None:
    whole = Shot._values
    monkeypatch.setattr(Shot, "_values", lambda *which: whole(*which) | {"OfxImagePropField": field})
    with nuke.instance(onFailure="Fail the render") as instance:
        assert instance.render(noise()).status == (0 if asked else 1)

    assert recorded(nuke).rendered == asked
    assert [kind for _, kind, _ in nuke.messages] == ([] if asked else ["OfxMessageLog"])


@pytest.mark.parametrize("device", ["Cuda", "OpenCL", "Metal"])
def test_pictures_on_a_gpu_are_not_touched(nuke: Host, device: str) -> None:
    with nuke.instance() as instance:
        inputs = {"OfxPropTime": 0.0, f"OfxImageEffectProp{device}Enabled": 1}
        assert nuke.act("OfxImageEffectActionRender", instance.effect, inputs) == 1002

    assert recorded(nuke).rendered == 0


def test_abort_is_the_hosts(nuke: Host) -> None:
    with nuke.instance() as instance:
        instance.render(noise(), abort_at=0.0)

    assert recorded(nuke).asked_abort


def test_a_failed_render_leaves_the_source_in_the_picture(nuke: Host) -> None:
    recorded(nuke, FAILED)
    with nuke.instance(onFailure="Fail the render") as instance:
        rendered = instance.render(noise("Byte"))

    assert rendered.status == 1
    assert np.array_equal(rendered.pixels, noise("Byte"))


def test_each_failure_is_told_once_until_reconnect(nuke: Host) -> None:
    recorded(nuke, FAILED)
    with nuke.instance() as instance:
        for _ in range(3):
            instance.render(noise())
        instance.change("reconnect")
        instance.render(noise())

    assert [kind for _, kind, _ in nuke.messages] == ["OfxMessageLog", "OfxMessageError", "OfxMessageLog"]
    assert {text for _, _, text in nuke.messages} == {"The test lets it fail."}


def test_a_host_with_the_second_message_suite_alone_hears_it_too(bundle: Path) -> None:
    suites = tuple(suite for suite in NUKE.suites if suite != ("OfxMessageSuite", 1))
    with Host(bundle, replace(NUKE, suites=suites)) as host, host.instance() as instance:
        recorded(host, FAILED)
        instance.render(noise())
        assert [kind for _, kind, _ in host.messages] == ["OfxMessageLog"]


@pytest.mark.parametrize(("answer", "kind"), [(DONE, "OfxMessageMessage"), (FAILED, "OfxMessageError")])
def test_reconnect_answers_and_has_frames_rendered_again(nuke: Host, answer: int, kind: str) -> None:
    recorded(nuke, answer)
    with nuke.instance() as instance:
        for count in (1, 2):
            instance.change("reconnect")
            assert instance.value("revision") == count

    assert recorded(nuke).reconnected == 2
    assert [found for _, found, _ in nuke.messages] == [kind] * 2


def test_the_link_lives_from_load_to_unload(bundle: Path) -> None:
    host = Host(bundle, RESOLVE)
    host.load()
    for count in (1, 2, 3):
        asked = recorded(host)
        assert (asked.opened, asked.closed) == (count, count - 1)
        assert asked.resources.decode() == str(bundle.resolve() / "Contents" / "Resources")
        host.act("OfxActionLoad")
        assert asked.opened == count
        host.act("OfxActionUnload")
        host.act("OfxActionUnload")
        assert asked.closed == count
        host.act("OfxActionLoad")
    host.act("OfxActionUnload")
    host.close()
    assert host.violations == []


def test_the_model_is_warmed_before_the_first_frame(nuke: Host) -> None:
    with nuke.instance(model="animevideov3") as instance:
        assert (recorded(nuke).warmed, recorded(nuke).look.model) == (1, b"animevideov3")
        instance.render(noise())
        assert recorded(nuke).warmed == 2
        instance.purge()
        assert recorded(nuke).trimmed == 1


def test_many_threads_render_at_once(nuke: Host) -> None:
    recorded(nuke, DONE)
    with nuke.instance() as instance, ThreadPoolExecutor(4) as pool:
        results = [*pool.map(lambda _: instance.render(noise()), range(40))]

    assert all(each.pixels.tobytes() == turned(noise()).tobytes() for each in results)
