"""The host itself: right with a right effect, and blind to no fault of a wrong one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ofx_host import abi, bundles
from ofx_host.host import Host, Violations
from ofx_host.images import Picture
from ofx_host.profiles import MINIMAL, NUKE, PROFILES, RESOLVE, Profile

if TYPE_CHECKING:
    from ofx_host.images import Pixels


@pytest.fixture(scope="module")
def inverter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundles.inverter(tmp_path_factory.mktemp("effect"))


@pytest.fixture
def pixels() -> Pixels:
    return np.random.default_rng(1).random((9, 7, 4), np.float32)


def inverted(pixels: Pixels) -> Pixels:
    top = pixels.dtype.type(255 if pixels.dtype == np.uint8 else 1)
    return np.concatenate([top - pixels[..., :3], pixels[..., 3:]], axis=2)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_right_effect(inverter: Path, pixels: Pixels, profile: Profile, flipped: bool, dtype: type) -> None:
    pixels = (pixels * 255).astype(np.uint8) if dtype is np.uint8 else pixels
    with Host(inverter, profile) as host, host.instance() as instance:
        source = Picture.of(pixels, origin=(-3, 5), padding=16, flipped=flipped)
        target = Picture(pixels.shape, pixels.dtype, origin=(-3, 5), padding=32, flipped=not flipped)

        rendered = instance.render(source, target=target)

        assert rendered.status == abi.OK
        assert not rendered.identity
        assert np.array_equal(rendered.pixels, inverted(pixels))


def test_a_window(inverter: Path, pixels: Pixels) -> None:
    with Host(inverter, NUKE) as host, host.instance() as instance:
        target = Picture(pixels.shape, pixels.dtype)
        rendered = instance.render(pixels, target=target, window=(1, 2, 5, 6))
        assert np.array_equal(rendered.pixels[2:6, 1:5], inverted(pixels)[2:6, 1:5])
        assert target.untouched().sum() == 9 * 7 - 16


def test_parameters_and_messages_go_through_variable_arguments(inverter: Path) -> None:
    with Host(inverter, RESOLVE) as host, host.instance(count=-5) as instance:
        assert instance.change("button") == [14, 0, 14]
        assert (instance.value("count"), instance.value("note")) == (-6, "another")
        assert host.messages == [("OfxActionInstanceChanged", "OfxMessageLog", "another, -5")]


def test_values_reach_the_effect(inverter: Path, pixels: Pixels) -> None:
    with Host(inverter, RESOLVE) as host, host.instance(amount=3.5) as instance:
        assert np.array_equal(instance.render(pixels).pixels[..., :3], np.float32(3.5) - pixels[..., :3])


@pytest.mark.parametrize("way", ["status", "data"])
def test_a_source_that_fails(inverter: Path, pixels: Pixels, way: str) -> None:
    with Host(inverter, RESOLVE) as host, host.instance() as instance:
        assert instance.render(pixels, source_fails=way).status == abi.FAILED


def test_a_host_may_lack_what_came_later(inverter: Path) -> None:
    with Host(inverter, MINIMAL) as host, host.instance() as instance:
        assert instance.change("button")[1] == abi.OK
        assert host.messages == []


FAULTS = {
    "padding": "written between the rows, of the target",
    "after": "written between the rows, of the target",
    "before": "written before the picture, of the target",
    "window": "written outside of the render window",
    "source": "written in the pixels of the source, of the source",
    "release": "image of Output is not released",
    "double release": "a handle used after its end, of image of Source",
    "dead handle": "a handle used after its end, of instance in Filter",
    "wrong handle": "no handle where one of a Effect is due",
    "null": "NULL where one of a PropertySet is due",
    "set in render": "parameter amount is set in render",
    "twice": "parameter amount is defined twice",
    "type": "OfxImageEffectPropSupportsTiles of descriptor is of type int, used as string",
    "index": "OfxImageEffectPropSupportsTiles of descriptor has 1 values: set at 1",
    "read-only": "OfxPropType of descriptor is not for effects to set",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen(inverter: Path, pixels: Pixels, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setenv("INVERTER_FAULT", fault)
    with pytest.raises(Violations) as raised:
        use(Host(inverter, NUKE), pixels)
    assert FAULTS[fault] in str(raised.value)


def use(host: Host, pixels: Pixels) -> None:
    """Two instances, one after the other."""
    with host:
        with host.instance() as instance:
            instance.render(pixels, window=(0, 0, 4, 4))
        with host.instance() as instance:
            instance.render(pixels, target=Picture(pixels.shape, pixels.dtype, padding=16), window=(0, 0, 4, 9))


def test_a_string_that_is_kept_too_long_is_rubbish(
    inverter: Path, pixels: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVERTER_FAULT", "kept string")
    pixels = (pixels * 255).astype(np.uint8)
    with Host(inverter, NUKE) as host, host.instance() as instance:
        assert np.array_equal(instance.render(pixels).pixels, inverted(pixels))
    host = Host(inverter, RESOLVE)
    with pytest.raises(Violations), host, host.instance() as instance:
        # What it takes for floats is four times as much as there is: more guard than that lies after it.
        instance.render(Picture.of(pixels), target=Picture(pixels.shape, pixels.dtype, padding=256))
    assert any("after the picture" in each or "between the rows" in each for each in host.violations)


def test_a_property_that_no_host_has_is_kept_in_mind(inverter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVERTER_FAULT", "misspelt")
    with Host(inverter, NUKE) as host:
        assert host.ledger.unknown == [("descriptor", "kOfxImageEffectPropSupportsTiles")]


def test_abort_is_told(inverter: Path, pixels: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVERTER_FAULT", "hang")
    with Host(inverter, RESOLVE) as host, host.instance() as instance:
        rendered = instance.render(pixels, abort_at=time.monotonic() + 0.05)
        assert len(rendered.polls) > 10
        assert 0.04 < rendered.seconds < 5


def test_closing_takes_the_library_out_of_the_process(inverter: Path) -> None:
    with Host(inverter, RESOLVE):
        assert str(inverter) in Path("/proc/self/maps").read_text()
    assert str(inverter) not in Path("/proc/self/maps").read_text()
