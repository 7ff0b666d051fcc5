"""The methods of each build are those of the real one: nothing less, and nothing more (facts 1.6 and 4)."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from resolve_emulator import constants, start
from resolve_emulator.faces import FACES, ROOTS
from resolve_emulator.host import app_object
from resolve_emulator.profiles import PROFILES
from resolve_emulator.surface import METHODS
from resolve_emulator.versions import ADDED, methods_of

STUBS = Path(sysconfig.get_path("purelib")) / "fusionscript-stubs" / "fusionscript.pyi"
STUBBED = (21, 0, 0)


def stubs() -> dict[str, dict[str, list[list[str]]]]:
    """Per class and method, the names of the positional parameters of each overload."""
    found: dict[str, dict[str, list[list[str]]]] = {}
    for node in ast.parse(STUBS.read_text()).body:
        if isinstance(node, ast.ClassDef):
            methods = found.setdefault(node.name, {})
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    methods.setdefault(part.name, []).append([each.arg for each in part.args.args[1:]])
    return found


@pytest.mark.parametrize("kind", METHODS)
def test_methods_and_parameters_are_those_of_the_stubs(kind: str) -> None:
    expected, ours = stubs()[kind], methods_of(kind, STUBBED)
    assert set(ours) == set(expected)
    for name, method in ours.items():
        overloads = expected[name]
        if len(overloads) == 1:
            assert list(method.parameters) == overloads[0], name
        elif not method.variadic:
            longest = max(overloads, key=len)
            assert len(method.parameters) == len(longest), name


def test_constants_are_those_of_the_stubs() -> None:
    tree = ast.parse(STUBS.read_text())
    resolve = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Resolve")
    named = {
        ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
        for node in resolve.body
        if isinstance(node, ast.AnnAssign | ast.Assign)
    }
    markers = {name for name in named if name.startswith("MARKER_")}
    assert set(constants.of("Resolve", STUBBED)) == named - markers
    assert markers < set(constants.of("Resolve", (21, 1, 0)))


def test_no_class_of_ours_has_a_method_that_no_build_has() -> None:
    latest = {kind: set(methods_of(kind, (21, 1, 0))) for kind in METHODS}
    for face in {*FACES.values(), *ROOTS.values()}:
        public = {name for name in dir(face) if name[0].isupper()}
        assert public <= latest.get(face.kind, set()) | set(face.extra_methods), face.kind


@pytest.mark.parametrize(
    ("profile", "kind", "there", "missing"),
    [
        ("18.6-studio", "TimelineItem", "AddTake", "GetLinkedItems GetSourceStartFrame GetTrackTypeAndIndex"),
        ("18.6-studio", "MediaPoolItem", "GetClipProperty", "SetMarkInOut GetMarkInOut LinkFullResolutionMedia"),
        ("18.6-studio", "Timeline", "DeleteClips DetectSceneCuts AddTrack", "GetMarkInOut GetNodeGraph"),
        ("18.6-studio", "Graph", "", "GetNumNodes"),
        ("19.1.3-studio", "Timeline", "GetMarkInOut", "GetSelectedClips GetVoiceIsolationState"),
        ("19.1.3-studio", "TimelineItem", "GetSourceStartTime", "SetName GetType GetSpeed"),
        ("19.1.3-studio", "MediaPoolItem", "SetMarkInOut", "SetName ReplaceClipPreserveSubClip GetTimeline"),
        ("21.0-studio", "Timeline", "GetVoiceIsolationState", "GetSelectedClips GetSettings"),
        ("21.0.4-studio", "Timeline", "GetSelectedClips", "GetSettings"),
        ("21.0.4-studio", "MediaPoolItem", "GetTimeline", "GetTranscription"),
        ("21.1-studio", "TimelineItem", "GetType SetSpeed GetProperties AddTransition GetFades", "CopyAttributes"),
        ("21.1-studio", "Resolve", "IsStudio GetCurrentTimeline", "ExportFrame"),
    ],
)
def test_older_builds_lack_what_came_later(profile: str, kind: str, there: str, missing: str) -> None:
    methods = methods_of(kind, PROFILES[profile].version)
    assert set(there.split()) <= set(methods)
    assert not set(missing.split()) & set(methods)


def test_before_19_0_2_offsets_take_no_argument() -> None:
    assert methods_of("TimelineItem", (18, 6, 6))["GetLeftOffset"].parameters == ()
    assert methods_of("TimelineItem", (19, 0, 2))["GetLeftOffset"].parameters == ("subframe_precision",)


def test_21_1_adds_to_the_classes_and_takes_nothing_away() -> None:
    for kind in METHODS:
        assert set(methods_of(kind, STUBBED)) <= set(methods_of(kind, (21, 1, 0)))
    assert all(kind in METHODS for classes in ADDED.values() for kind in classes)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_application_says_which_it_is(profile: str) -> None:
    resolve: Any = app_object(start(profile), "Resolve")
    made = PROFILES[profile]
    assert resolve.GetVersion() == [*made.version, made.build, ""]
    assert resolve.GetVersionString() == ".".join(map(str, [*made.version, made.build]))
    assert resolve.GetProductName() == ("DaVinci Resolve Studio" if "studio" in profile else "DaVinci Resolve")


def test_hasattr_is_always_true_and_a_missing_method_is_none() -> None:
    """Facts 1.5."""
    resolve: Any = app_object(start("19.1.3-studio"), "Resolve")
    assert hasattr(resolve, "TotallyMadeUpName")
    assert resolve.TotallyMadeUpName is None
    assert "TotallyMadeUpName" not in dir(resolve)
    assert "OpenPage" in dir(resolve)
    assert callable(resolve.OpenPage)
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        resolve.IsStudio()


def test_two_handles_of_one_thing_are_not_equal() -> None:
    resolve: Any = app_object(start(), "Resolve")
    first, second = (resolve.GetProjectManager().GetCurrentProject() for _ in range(2))
    assert first != second
    assert first.GetUniqueId() == second.GetUniqueId()
