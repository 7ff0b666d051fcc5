"""What is left of the facts that no test of a single class shows; `FACTS.md` lists where each sentence is tested."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from resolve_emulator.profiles import PROFILES
from resolve_emulator.surface import METHODS
from resolve_emulator.versions import methods_of
from workbench import Bench

from snapupscale.scenes.shots import to_shots
from snapupscale.timecode import Timecode
from snapupscale.timeline.editlist import EditList
from snapupscale.timeline.exports import export

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_cuts_trims_or_undoes(profile: str) -> None:
    """Facts 0.2 and 1.4: no blade, insert, overwrite, trim, undo or lock of the editor in any version."""
    names = {name for kind in METHODS for name in methods_of(kind, PROFILES[profile].version)}
    assert not [name for name in names if re.search(r"Undo|Redo|Blade|Razor|Trim|Overwrite|InsertClip", name)]
    assert not {"Lock", "Unlock"} & names


def test_a_timeline_that_is_not_the_current_one_has_no_playhead() -> None:
    """Facts 1.2 speak of the current timeline; what else can be done to another one is done (not known)."""
    bench = Bench()
    clip = bench.add_media("/nowhere/a.mov", frames=500)
    item = bench.add_item(clip, 86400, 100)
    bench.cut_at(86450)
    first = bench.handle(bench.timeline)
    assert first.GetCurrentVideoItem().GetUniqueId() == item.id
    bench.add_timeline("Second")
    assert first.SetCurrentTimecode("01:00:01:00") is False
    assert (first.GetCurrentTimecode(), first.GetCurrentVideoItem(), first.DetectSceneCuts()) == ("", None, False)
    assert (first.InsertTitleIntoTimeline("Text"), first.GrabStill()) == (None, None)
    pool = bench.resolve.GetProjectManager().GetCurrentProject().GetMediaPool()
    [placed] = pool.AppendToTimeline([bench.handle(clip)])
    assert len(first.GetItemListInTrack("video", 1)) == 1
    assert placed.GetStart() == 86400
    assert first.AddMarker(1, "Blue", "", "", 1) is True
    assert first.AddTrack("video") is True
    assert first.DeleteClips([bench.handle(item)]) is True


def test_the_clip_of_a_timeline_leads_to_it() -> None:
    """Facts 5: from 21.0.4."""
    bench = Bench("21.0.4-studio")
    clip = bench.handle(bench.timeline.clip)
    assert (clip.GetClipProperty("Type"), clip.GetClipProperty("File Path")) == ("Timeline", "")
    assert clip.GetTimeline().GetUniqueId() == bench.timeline.id
    assert bench.handle(bench.add_media("/nowhere/a.mov")).GetTimeline() is None


def test_a_render_job_that_fails_is_an_empty_text() -> None:
    """Facts 1.5."""
    bench = Bench()
    assert bench.resolve.GetProjectManager().GetCurrentProject().AddRenderJob() == ""


def test_a_flag_of_an_item_is_one_of_its_clip() -> None:
    """Recorded on 19.1.3: the other item of the clip had it too."""
    bench = Bench()
    clip, other = bench.add_media("/nowhere/a.mov", frames=500), bench.add_media("/nowhere/b.mov", frames=500)
    shown = enumerate([clip, clip, other])
    one, two, three = (bench.handle(bench.add_item(each, 86400 + 100 * at, 50)) for at, each in shown)
    assert one.AddFlag("Blue") is True
    assert [item.GetFlagList() for item in (two, three)] == [["Blue"], []]
    assert bench.handle(clip).GetFlagList() == ["Blue"]
    assert two.ClearFlags("All") is True
    assert one.GetFlagList() == []


@pytest.mark.parametrize("name", ["edl", "fcpxml", "otio"])
@pytest.mark.parametrize(("rate", "start"), [(Fraction(24), "01:00:00:00"), (Fraction(25), "10:00:00:05")])
def test_what_snapupscale_exports_lands_where_it_should(
    clip: Callable[..., Path], tmp_path: Path, name: str, rate: Fraction, start: str
) -> None:
    """Facts 1.2 and 5: source frames count on the timecode of the media, ends are exclusive."""
    movie = clip(f"exported_{rate}.mov", frames=90, rate=rate, width=64, height=36, metadata={"timecode": start})
    edit = EditList(
        name="Shots", source=movie, rate=rate, frames=90, start=Timecode.parse(start, rate),
        shots=to_shots((30, 70), 90), transitions=(), stills=(), width=64, height=36,
    )  # fmt: skip
    path = tmp_path / f"shots.{name}"
    path.write_text(export(edit, name))
    bench = Bench(rate=rate)
    pool = bench.resolve.GetProjectManager().GetCurrentProject().GetMediaPool()
    pool.ImportMedia([str(movie)])
    made = pool.ImportTimelineFromFile(str(path), {"timelineName": "Back"})
    items: list[Any] = made.GetItemListInTrack("video", 1)
    first = edit.start.frame
    assert [item.GetStart() - first for item in items] == [0, 30, 70]
    assert [(item.GetSourceStartFrame(), item.GetSourceEndFrame()) for item in items] == [(0, 30), (30, 70), (70, 90)]
    assert (made.GetStartFrame(), made.GetStartTimecode()) == (first, start)
    assert {item.GetMediaPoolItem().GetName() for item in items} == {movie.name}


def test_the_list_of_tested_facts_names_tests_that_are_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (HERE / "FACTS.md").read_text()))
    there = {match for path in HERE.glob("test_*.py") for match in re.findall(r"def (test_\w+)", path.read_text())}
    files = {path.stem for path in HERE.glob("test_*.py")}
    assert named - there - files == set()
    assert len(named) > 60
