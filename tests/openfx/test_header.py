"""The ABI header against the layouts and strings of OpenFX, written down here once more from its documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "plugin/openfx/source"

SIZES: dict[str, int] = {
    "struct ofx_rect": 16,
    "struct ofx_rect_double": 32,
    "struct ofx_range": 16,
    "struct ofx_host": 16,
    "struct ofx_plugin": 48,
    "struct ofx_property_suite": 144,
    "struct ofx_effect_suite": 104,
    "struct ofx_parameter_suite": 144,
    "struct ofx_message_suite": 8,
    "ofx_status": 4,
    "ofx_time": 8,
}

PROPERTY_SUITE = """
    set_pointer set_string set_double set_int set_pointers set_strings set_doubles set_ints get_pointer get_string
    get_double get_int get_pointers get_strings get_doubles get_ints reset get_dimension
"""
EFFECT_SUITE = """
    get_properties get_parameters define_clip get_clip get_clip_properties get_image release_image get_clip_region
    aborted allocate release lock unlock
"""
PARAMETER_SUITE = """
    define get_handle get_set_properties get_properties get_value get_value_at get_derivative get_integral set_value
    set_value_at count_keys get_key_time get_key_index delete_key delete_keys copy begin_edit end_edit
"""

OFFSETS: dict[tuple[str, str], int] = {
    **{("struct ofx_property_suite", name): 8 * place for place, name in enumerate(PROPERTY_SUITE.split())},
    **{("struct ofx_effect_suite", name): 8 * place for place, name in enumerate(EFFECT_SUITE.split())},
    **{("struct ofx_parameter_suite", name): 8 * place for place, name in enumerate(PARAMETER_SUITE.split())},
    ("struct ofx_host", "properties"): 0,
    ("struct ofx_host", "fetch_suite"): 8,
    ("struct ofx_plugin", "api"): 0,
    ("struct ofx_plugin", "api_version"): 8,
    ("struct ofx_plugin", "identifier"): 16,
    ("struct ofx_plugin", "version_major"): 24,
    ("struct ofx_plugin", "version_minor"): 28,
    ("struct ofx_plugin", "set_host"): 32,
    ("struct ofx_plugin", "main_entry"): 40,
    ("struct ofx_rect", "y2"): 12,
    ("struct ofx_message_suite", "message"): 0,
}

STATUSES = {
    "OFX_OK": 0,
    "OFX_FAILED": 1,
    "OFX_ERR_UNKNOWN": 3,
    "OFX_ERR_MISSING_HOST_FEATURE": 4,
    "OFX_ERR_UNSUPPORTED": 5,
    "OFX_ERR_BAD_HANDLE": 9,
    "OFX_REPLY_DEFAULT": 14,
    "OFX_ERR_IMAGE_FORMAT": 1000,
    "OFX_GPU_RENDER_FAILED": 1002,
}

# What a constant is named in the specification, without its k, is its value, but for the few after the blank line.
STRINGS = """
    OfxImageEffectPluginAPI OfxPropertySuite OfxImageEffectSuite OfxParameterSuite OfxMessageSuite OfxActionLoad
    OfxActionUnload OfxActionDescribe OfxActionPurgeCaches OfxActionCreateInstance OfxActionDestroyInstance
    OfxActionInstanceChanged OfxImageEffectActionDescribeInContext OfxImageEffectActionIsIdentity
    OfxImageEffectActionBeginSequenceRender OfxImageEffectActionRender OfxImageEffectActionEndSequenceRender
    OfxImageEffectContextFilter OfxImageEffectContextGeneral OfxBitDepthByte OfxBitDepthShort OfxBitDepthHalf
    OfxBitDepthFloat OfxImageComponentRGBA OfxImageComponentRGB OfxImageComponentAlpha OfxPropLabel
    OfxPropShortLabel OfxPropLongLabel OfxPropPluginDescription OfxPropVersion OfxPropVersionLabel
    OfxImageEffectPluginPropGrouping OfxImageEffectPropSupportedContexts OfxImageEffectPropSupportedPixelDepths
    OfxImageEffectPluginPropSingleInstance OfxImageEffectPluginRenderThreadSafety OfxImageEffectRenderFullySafe
    OfxImageEffectPluginPropHostFrameThreading OfxImageEffectPropSupportsMultiResolution
    OfxImageEffectPropSupportsTiles OfxImageEffectPropTemporalClipAccess
    OfxImageEffectPluginPropFieldRenderTwiceAlways OfxImageEffectPropSupportsMultipleClipPARs
    OfxImageEffectHostPropIsBackground OfxImageEffectPropSupportedComponents OfxImagePropData OfxImagePropBounds
    OfxImagePropRowBytes OfxImagePropField OfxImageEffectPropPixelDepth OfxImageEffectPropComponents
    OfxImageEffectPropPreMultiplication OfxImageEffectPropRenderScale OfxImageEffectPropRenderWindow
    OfxImageEffectPropInteractiveRenderStatus OfxImageEffectPropThumbnailRender OfxImageEffectPropCudaEnabled
    OfxImageEffectPropOpenCLEnabled OfxImageEffectPropMetalEnabled OfxPropTime OfxPropType OfxPropName
    OfxImageEffectPropContext OfxParamTypeInteger OfxParamTypeDouble OfxParamTypeChoice OfxParamTypePushButton
    OfxParamTypeGroup OfxParamPropDefault OfxParamPropMin OfxParamPropMax OfxParamPropDisplayMin
    OfxParamPropDisplayMax OfxParamPropIncrement OfxParamPropHint OfxParamPropScriptName OfxParamPropParent
    OfxParamPropChoiceOption OfxParamPropSecret OfxParamPropAnimates OfxParamPropEvaluateOnChange OfxMessageLog
    OfxMessageError OfxMessageMessage

    Source Output OfxImageEffectPropMultipleClipDepths OfxImageOpaque OfxImageAlphaPremultiplied
    OfxImageAlphaUnPremultiplied OfxFieldLower OfxFieldUpper OfxTypeClip OfxPropChangeReason OfxChangeTime
    kOfxImageClipPropThumbnail
"""


def printed(tmp_path: Path, body: str) -> list[int]:
    """What a C program prints that has the header and `body` in its main."""
    program = tmp_path / "probe.c"
    program.write_text(f'#include <stdio.h>\n#include "ofx.h"\nint main(void)\n{{\n{body}\nreturn 0;\n}}\n')
    subprocess.run(["gcc", "-std=c11", f"-I{SOURCE}", "-o", tmp_path / "probe", program], check=True)
    said = subprocess.run([tmp_path / "probe"], stdout=subprocess.PIPE, check=True).stdout
    return [int(line) for line in said.split()]


@pytest.mark.skipif(sys.maxsize < 2**32, reason="layouts of 64 bits")
def test_layouts_are_those_of_the_abi(tmp_path: Path) -> None:
    sizes = "\n".join(f'printf("%zu\\n", sizeof({name}));' for name in SIZES)
    offsets = "\n".join(f'printf("%zu\\n", offsetof({name}, {member}));' for name, member in OFFSETS)

    found = printed(tmp_path, sizes + offsets)

    assert dict(zip(SIZES, found, strict=False)) == SIZES
    assert dict(zip(OFFSETS, found[len(SIZES) :], strict=True)) == OFFSETS


def test_statuses_are_those_of_the_abi(tmp_path: Path) -> None:
    assert printed(tmp_path, "\n".join(f'printf("%d\\n", {name});' for name in STATUSES)) == [*STATUSES.values()]


def test_strings_are_those_of_the_abi() -> None:
    defined = re.findall(r'^#define OFX_\w+ "(.*?)"', (SOURCE / "ofx.h").read_text(), re.MULTILINE)

    assert sorted(defined) == sorted(STRINGS.split())


def test_no_other_file_spells_a_string_of_the_abi() -> None:
    for path in SOURCE.glob("*.[ch]"):
        if path.name != "ofx.h":
            assert not re.findall(r'"k?Ofx\w+"', path.read_text()), path


def test_values_of_parameters_are_variadic() -> None:
    """Where variadic arguments travel unlike named ones, a fixed declaration reads garbage."""
    header = (SOURCE / "ofx.h").read_text()
    for name in ("get_value", "get_value_at", "get_derivative", "get_integral", "set_value", "set_value_at"):
        assert re.search(rf"\(\*{name}\)\([^)]*, \.\.\.\);", header), name
