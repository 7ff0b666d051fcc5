"""Items: properties, takes, grades, compositions and colours (facts 1.3)."""

from __future__ import annotations

from typing import Any

import pytest
from resolve_emulator import transforms
from resolve_emulator.markers import CLIP_COLOURS
from workbench import Bench


class Scene:
    """An item of 48 frames, and another clip to take its place."""

    def __init__(self, quirks: str = "", profile: str = "19.1.3-studio") -> None:
        self.bench = Bench(profile, quirks)
        self.own, self.other = (self.bench.add_media(f"/nowhere/{name}.mov", frames=100) for name in "ab")
        self.state = self.bench.add_item(self.own, 86400, 48, source=10)
        self.item = self.bench.handle(self.state)

    def handle(self, thing: Any) -> Any:
        return self.bench.handle(thing)

    def shown(self) -> str:
        """The name of the clip that the item shows."""
        return str(self.item.GetMediaPoolItem().GetName())


def test_there_are_26_properties() -> None:
    scene = Scene()
    found = scene.item.GetProperty()
    assert len(found) == 26
    assert (found["ZoomX"], found["Opacity"], found["Scaling"], found["FlipX"]) == (1.0, 100.0, 0, False)
    assert scene.item.GetProperty("Speed") is None
    assert scene.item.SetProperty("Speed", 50) is False


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [("Opacity", 150, 100.0), ("Opacity", -5, 0.0), ("Pan", 1e6, 7680.0), ("Tilt", -1e6, -4320.0), ("Scaling", 9, 4),
     ("ResizeFilter", 15, 15), ("CropLeft", 5000, 1920.0), ("RotationAngle", 400, 360.0), ("FlipX", True, True),
     ("Scaling", 2.0, 2), ("Distortion", 3, 1.0), ("MotionEstimation", 7, 6), ("CropSoftness", -200, -100.0)],
)  # fmt: skip
def test_what_is_out_of_range_is_clipped(name: str, given: Any, kept: Any) -> None:
    item = Scene().item
    assert item.SetProperty(name, given) is True
    assert item.GetProperty(name) == kept
    assert type(item.GetProperty(name)) is type(kept)


@pytest.mark.parametrize(("name", "value"), [("zoomx", 1), ("", 1), ("ZoomX", "2"), ("ZoomX", None), ("Zoom", 1)])
def test_names_are_exact_and_values_are_numbers(name: str, value: Any) -> None:
    assert Scene().item.SetProperty(name, value) is False


def test_zoom_is_ganged_until_it_is_not() -> None:
    item = Scene().item
    item.SetProperty("ZoomX", 2)
    assert item.GetProperty("ZoomY") == 2.0
    item.SetProperty("ZoomGang", False)
    item.SetProperty("ZoomX", 3)
    assert item.GetProperty("ZoomY") == 2.0


def test_21_1_has_the_properties_as_a_dict() -> None:
    item = Scene(profile="21.1-studio").item
    assert item.SetProperties({"ZoomX": 1.5, "Scaling": 2}) is True
    assert item.GetProperties() == transforms.defaults() | {"ZoomX": 1.5, "ZoomY": 1.5, "Scaling": 2}
    assert item.SetProperties({"Nonsense": 1, "Scaling": 3}) is False


def test_a_take_of_another_clip_changes_the_item_in_place() -> None:
    """Measured on 21.0.4."""
    scene = Scene()
    item = scene.item
    assert (item.GetTakesCount(), item.GetSelectedTakeIndex()) == (0, 0)
    assert item.AddTake(scene.handle(scene.other), 0, 48) is True
    assert (item.GetTakesCount(), item.GetSelectedTakeIndex(), scene.shown()) == (2, 1, "a.mov")
    take = item.GetTakeByIndex(2)
    assert (take["startFrame"], take["endFrame"], take["mediaPoolItem"].GetName()) == (0, 48, "b.mov")
    assert item.SelectTakeByIndex(2) is True
    assert (item.GetSelectedTakeIndex(), scene.shown(), item.GetName()) == (2, "b.mov", "b.mov")
    assert (item.GetStart(), item.GetDuration(), item.GetSourceStartFrame()) == (86400, 48, 0)
    assert item.SelectTakeByIndex(3) is False


def test_a_take_of_the_own_clip_is_refused_and_yet_makes_a_take_selector() -> None:
    """Recorded on 19.1.3."""
    scene = Scene()
    assert scene.item.AddTake(scene.handle(scene.own)) is False
    assert scene.item.GetTakesCount() == 1
    assert scene.item.SelectTakeByIndex(1) is True
    assert scene.item.FinalizeTake() is True
    assert scene.item.GetTakesCount() == 0
    assert scene.item.FinalizeTake() is False


def test_under_its_quirk_no_take_is_added() -> None:
    scene = Scene("take_false")
    assert scene.item.AddTake(scene.handle(scene.other)) is False
    assert (scene.item.GetTakesCount(), scene.shown()) == (1, "a.mov")


@pytest.mark.parametrize(("quirks", "duration"), [("", 48), ("take_resizes", 20)])
def test_whether_a_take_changes_the_duration_is_not_known(quirks: str, duration: int) -> None:
    scene = Scene(quirks)
    scene.item.AddTake(scene.handle(scene.other), 0, 20)
    scene.item.SelectTakeByIndex(2)
    assert scene.item.GetDuration() == duration


def test_deleting_the_selected_take_brings_the_one_before_back() -> None:
    scene = Scene()
    scene.item.AddTake(scene.handle(scene.other))
    scene.item.SelectTakeByIndex(2)
    assert scene.item.DeleteTakeByIndex(2) is True
    assert (scene.item.GetTakesCount(), scene.shown(), scene.item.GetSourceStartFrame()) == (1, "a.mov", 10)
    assert scene.item.DeleteTakeByIndex(1) is False


def test_takes_need_a_clip_and_an_open_track() -> None:
    scene = Scene()
    assert scene.item.AddTake(None) is False
    assert scene.item.AddTake(scene.handle(scene.other), 5, 5) is False
    scene.bench.lock()
    assert scene.item.AddTake(scene.handle(scene.other)) is False
    assert scene.item.GetTakesCount() == 0


@pytest.mark.parametrize("colour", sorted(CLIP_COLOURS))
def test_the_sixteen_clip_colours(colour: str) -> None:
    """Enumerated on 19.1.3; the colour of an item is not that of its clip."""
    scene = Scene()
    assert len(CLIP_COLOURS) == 16
    assert scene.item.SetClipColor(colour) is True
    assert scene.item.GetClipColor() == colour
    assert scene.handle(scene.own).GetClipColor() == ""


@pytest.mark.parametrize("colour", ["Cyan", "Red", "Fuchsia", "Rose", "", "orange", None])
def test_marker_colours_are_no_clip_colours(colour: Any) -> None:
    assert Scene().item.SetClipColor(colour) is False


def test_flags() -> None:
    item = Scene().item
    assert [item.AddFlag(colour) for colour in ("Blue", "Red", "Orange")] == [True, True, False]
    assert item.GetFlagList() == ["Blue", "Red"]
    assert item.ClearFlags("Red") is True
    assert item.ClearFlags("All") is True
    assert item.GetFlagList() == []


def test_grades_are_copied() -> None:
    scene = Scene()
    target = scene.bench.add_item(scene.other, 86500, 10)
    cdl = {"NodeIndex": "1", "Slope": "1 1 1", "Offset": "0 0 0", "Power": "1 1 1", "Saturation": "0.5"}
    assert scene.item.SetCDL(cdl) is True
    assert scene.item.CopyGrades([scene.handle(target)]) is True
    assert target.grade == scene.state.grade != ""
    assert scene.item.CopyGrades([]) is False
    assert scene.item.GetNodeGraph().ResetAllGrades() is True
    assert scene.state.grade == ""


def test_compositions() -> None:
    item = Scene().item
    assert item.GetFusionCompCount() == 0
    assert item.AddFusionComp()
    assert item.DeleteFusionCompByName("Composition 1") is False
    assert item.AddFusionComp().GetAttrs()["COMPS_Name"] == "Composition 2"
    assert item.GetFusionCompNameList() == ["Composition 1", "Composition 2"]
    assert item.DeleteFusionCompByName("Composition 1") is True
    assert item.GetFusionCompByIndex(2) is None


def test_names_of_items_can_be_set_from_20_2_on() -> None:
    assert Scene().item.SetName is None
    item = Scene(profile="21.0-studio").item
    assert item.SetName("mine") is True
    assert item.GetName() == "mine"
    assert item.SetClipEnabled(False) is True
    assert item.GetClipEnabled() is False


def test_versions() -> None:
    item = Scene().item
    assert item.AddVersion("Mine", 0) is True
    assert item.GetCurrentVersion() == {"versionName": "Mine", "versionType": 0}
    assert item.DeleteVersionByName("Mine", 0) is False
    assert item.LoadVersionByName("Version 1", 0) is True
    assert item.DeleteVersionByName("Mine", 0) is True
    assert item.GetVersionNameList(0) == ["Version 1"]


def test_fades_and_the_type_came_with_21_1() -> None:
    item = Scene(profile="21.1-studio").item
    assert item.SetFades({"FadeIn": 24}) is True
    assert item.GetFades() == {"FadeIn": 24, "FadeOut": 0}
    assert item.SetFades({"FadeOut": -1}) is False
    assert item.GetType() == "video"
