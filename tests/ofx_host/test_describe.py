"""What the effect says of itself, in every host."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from ofx_host.bundles import ROOT
from ofx_host.host import Host
from ofx_host.profiles import MINIMAL, NUKE, PROFILES, RESOLVE, Profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ofx_host.effects import Effect
    from ofx_host.parameters import Parameter

hosts = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)

CHOICE, DOUBLE, GROUP = "OfxParamTypeChoice", "OfxParamTypeDouble", "OfxParamTypeGroup"
# Script names are a contract: projects that were saved hold them. Name: type, group, default.
PARAMETERS: dict[str, tuple[str, str | None, Any]] = {
    "restoration": (GROUP, "", None),
    "mode": (CHOICE, "restoration", 0),
    "sourceFactor": (DOUBLE, "restoration", 2.0),
    "zoom": (DOUBLE, "restoration", 2.0),
    "centreX": (DOUBLE, "restoration", 0.5),
    "centreY": (DOUBLE, "restoration", 0.5),
    "model": (CHOICE, "restoration", 0),
    "strength": (DOUBLE, "restoration", 1.0),
    "denoise": (DOUBLE, "restoration", 1.0),
    "sidecar": (GROUP, "", None),
    "onFailure": (CHOICE, "sidecar", 0),
    "timeLimit": (DOUBLE, "sidecar", 60.0),
    "reconnect": ("OfxParamTypePushButton", "sidecar", None),
    "revision": ("OfxParamTypeInteger", None, 0),
}
RANGES = {"sourceFactor": (1, 4), "zoom": (1, 8), "centreX": (0, 1), "centreY": (0, 1), "strength": (0, 1),
          "denoise": (0, 1), "timeLimit": (1, 600)}  # fmt: skip
# Of OpenFX 1.0 to 1.5, those that an effect may look for or set and that a host may lack.
LATER = {"OfxPropAPIVersion", "OfxPropVersion", "OfxPropVersionLabel", "OfxPropPluginDescription",
         "OfxPluginPropFilePath", "OfxImageEffectPropNoSpatialAwareness", "OfxImageEffectHostPropIsBackground",
         "OfxPropIcon", "OfxImageEffectPropCPURenderSupported", "OfxImageEffectPropOpenGLRenderSupported"}  # fmt: skip


@pytest.fixture
def nuke(bundle: Path) -> Iterator[Host]:
    with Host(bundle, NUKE) as host:
        yield host


@pytest.fixture
def described(nuke: Host) -> Effect:
    return nuke.contexts["Filter"]


def parameter(effect: Effect, name: str) -> Parameter:
    return effect.parameters.parameters[name]


def prop(effect: Effect, name: str, key: str) -> Any:
    return parameter(effect, name).properties[f"OfxParamProp{key}"]


@hosts
def test_every_host_can_load_it(bundle: Path, profile: Profile) -> None:
    with Host(bundle, profile) as host:
        assert list(host.contexts) == list(profile.contexts)
        names = {name for _, name in host.ledger.unknown}
        assert names <= LATER | profile.absent


def test_its_identity(nuke: Host) -> None:
    assert re.fullmatch(rb"com\.snapupscale\.\w+", nuke.plugin.pluginIdentifier)
    assert (nuke.plugin.pluginVersionMajor, nuke.plugin.pluginVersionMinor) == (1, 0)
    own = nuke.descriptor.properties
    assert own["OfxImageEffectPluginPropGrouping"] == "SnapUpscale"
    assert own["OfxPropLabel"].startswith("SnapUpscale")
    assert own["OfxPropPluginDescription"]


def test_what_it_can(nuke: Host) -> None:
    own = nuke.descriptor.properties
    assert own["OfxImageEffectPropSupportedContexts"] == [
        "OfxImageEffectContextFilter", "OfxImageEffectContextGeneral",
    ]  # fmt: skip
    assert set(own["OfxImageEffectPropSupportedPixelDepths"]) == {
        f"OfxBitDepth{each}" for each in ("Byte", "Short", "Half", "Float")
    }
    assert own["OfxImageEffectPluginRenderThreadSafety"] == "OfxImageEffectRenderFullySafe"
    for name in ("PluginPropHostFrameThreading", "PropSupportsTiles", "PropSupportsMultiResolution",
                 "PropTemporalClipAccess"):  # fmt: skip
        assert f"OfxImageEffect{name}" in own.written
        assert own[f"OfxImageEffect{name}"] == 0
    assert own["OfxImageEffectPluginPropSingleInstance"] == 0


def test_half_is_named_where_the_host_has_it_alone(bundle: Path) -> None:
    with Host(bundle, RESOLVE) as host:
        assert "OfxBitDepthHalf" not in host.descriptor.properties["OfxImageEffectPropSupportedPixelDepths"]


def test_clips(nuke: Host) -> None:
    for effect in nuke.contexts.values():
        assert list(effect.clips) == ["Source", "Output"]
        for clip in effect.clips.values():
            components = clip.properties["OfxImageEffectPropSupportedComponents"]
            assert set(components) == {f"OfxImageComponent{each}" for each in ("RGBA", "RGB", "Alpha")}
        assert effect.clips["Source"].properties["OfxImageClipPropOptional"] == 0


def test_both_contexts_have_the_same_parameters(nuke: Host) -> None:
    assert list(nuke.contexts["General"].parameters.parameters) == list(PARAMETERS)
    assert list(nuke.contexts["Filter"].parameters.parameters) == list(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter(described: Effect, name: str) -> None:
    kind, group, default = PARAMETERS[name]
    assert parameter(described, name).kind == kind
    assert prop(described, name, "ScriptName") == name
    assert parameter(described, name).properties["OfxPropLabel"] != "" or name == "revision"
    if group is not None:
        assert prop(described, name, "Parent") == group
    if default is not None:
        assert prop(described, name, "Default") == default
    if kind != GROUP and name != "revision":
        hint = prop(described, name, "Hint")
        assert len(hint) > 10
        assert hint.isascii()


@pytest.mark.parametrize("name", RANGES)
def test_a_range(described: Effect, name: str) -> None:
    low, high = RANGES[name]
    assert (prop(described, name, "Min"), prop(described, name, "Max")) == (low, high)
    shown = prop(described, name, "DisplayMin"), prop(described, name, "DisplayMax")
    assert low <= shown[0] < shown[1] <= high
    written = parameter(described, name).properties.written
    assert {f"OfxParamProp{each}" for each in ("Default", "Min", "Max", "DisplayMin", "DisplayMax")} <= written


def test_every_number_has_all_its_ranges(described: Effect) -> None:
    for name, each in described.parameters.parameters.items():
        if each.kind in {DOUBLE, "OfxParamTypeInteger"}:
            ranges = {f"OfxParamProp{key}" for key in ("Min", "Max", "DisplayMin", "DisplayMax")}
            assert ranges <= each.properties.written, name


def test_choices(described: Effect) -> None:
    assert prop(described, "mode", "ChoiceOption") == ["Restore", "Punch-in"]
    models = list(tomllib.loads((ROOT / "models" / "manifest.toml").read_text()))
    assert prop(described, "model", "ChoiceOption")[1:] == models
    assert prop(described, "model", "ChoiceOption")[0].lower().startswith("auto")
    kinds = [option.split()[0] for option in prop(described, "onFailure", "ChoiceOption")]
    assert kinds == ["Automatic", "Pass", "Fail", "Mark"]


def test_the_revision_is_hidden_and_saved(described: Effect) -> None:
    assert prop(described, "revision", "Secret") == 1
    assert prop(described, "revision", "EvaluateOnChange") == 1


def test_a_file_that_is_no_host_property_is_not_needed(bundle: Path) -> None:
    with Host(bundle, MINIMAL) as host, host.instance():
        assert ("descriptor", "OfxPluginPropFilePath") not in host.ledger.unknown or host.contexts


@hosts
def test_preferences(bundle: Path, profile: Profile) -> None:
    outputs = {
        "OfxImageClipPropComponents_Source": "OfxImageComponentRGBA",
        "OfxImageClipPropComponents_Output": "OfxImageComponentRGBA",
        "OfxImageClipPropDepth_Source": "OfxBitDepthFloat",
        "OfxImageClipPropDepth_Output": "OfxBitDepthFloat",
        "OfxImageClipPropPAR_Source": 1.0,
        "OfxImageClipPropPAR_Output": 1.0,
        "OfxImageEffectPropFrameRate": 24.0,
        "OfxImageClipPropFieldOrder": "OfxFieldNone",
        "OfxImageEffectPropPreMultiplication": "OfxImageAlphaPremultiplied",
        "OfxImageClipPropContinuousSamples": 0,
        "OfxImageEffectFrameVarying": 0,
    }
    with Host(bundle, profile) as host, host.instance() as instance:
        status, given = host.ask("OfxImageEffectActionGetClipPreferences", instance.effect, None, outputs)
        assert status in {0, 14}
        # A filter leaves format, rate and alpha as they are.
        assert {name: outputs[name] for name in given} == given


@pytest.mark.parametrize("action", ["OfxActionOfTheFuture", "", "OfxActionBeginInstanceEdit"])
def test_an_action_that_it_does_not_know(bundle: Path, action: str) -> None:
    with Host(bundle, RESOLVE) as host, host.instance() as instance:
        assert host.act(action, instance.effect) == 14


def test_the_required_suites_are_required(bundle: Path) -> None:
    for missing in MINIMAL.suites:
        left = tuple(suite for suite in MINIMAL.suites if suite != missing)
        host = Host(bundle, Profile(name="lacking", suites=left))
        host.open()
        assert host.act("OfxActionLoad") == 4
        host.close()
        assert host.violations == []
