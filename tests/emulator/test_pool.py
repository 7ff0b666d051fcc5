"""The media pool: bins, import of real files, clip properties and replacement (facts 1.4)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest
from workbench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def pool_of(bench: Bench) -> Any:
    return bench.resolve.GetProjectManager().GetCurrentProject().GetMediaPool()


def write_still(path: Path) -> Path:
    cv2.imwrite(str(path), np.full((20, 30, 3), 99, dtype=np.uint8))
    return path


@pytest.fixture(scope="session")
def movie(clip: Callable[..., Path]) -> Path:
    return clip("emulated.mov", frames=30, rate=Fraction(25), metadata={"timecode": "10:00:00:00"}, codec="mpeg4")


def write_sound(path: Path, seconds: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000 * seconds), dtype=np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_bins_may_share_a_name_and_a_new_one_becomes_the_current_one() -> None:
    pool = pool_of(Bench())
    root = pool.GetRootFolder()
    assert (root.GetName(), pool.GetCurrentFolder().GetUniqueId()) == ("Master", root.GetUniqueId())
    first, second = (pool.AddSubFolder(root, "SnapUpscale") for _ in range(2))
    assert first.GetUniqueId() != second.GetUniqueId()
    assert pool.GetCurrentFolder().GetUniqueId() == second.GetUniqueId()
    assert [folder.GetName() for folder in root.GetSubFolderList()] == ["SnapUpscale"] * 2
    assert pool.DeleteFolders([second]) is True
    assert pool.GetCurrentFolder().GetUniqueId() == root.GetUniqueId()
    assert second.GetName() is None
    assert pool.SetCurrentFolder(second) is False
    assert pool.AddSubFolder(None, "x") is None


def test_import_goes_into_the_current_bin(movie: Path) -> None:
    bench = Bench()
    pool = pool_of(bench)
    folder = pool.AddSubFolder(pool.GetRootFolder(), "Here")
    [clip] = pool.ImportMedia([str(movie)])
    assert [each.GetUniqueId() for each in folder.GetClipList()] == [clip.GetUniqueId()]
    assert pool.GetRootFolder().GetClipList() == []
    assert pool.ImportMedia([str(movie.with_name("missing.mov"))]) == []
    assert pool.ImportMedia(str(movie)) == []


def test_the_properties_of_a_movie_are_probed(movie: Path) -> None:
    [clip] = pool_of(Bench()).ImportMedia([str(movie)])
    expected = {
        "File Path": str(movie), "File Name": "emulated.mov", "FPS": 25.0, "Frames": "30", "Resolution": "192x108",
        "Duration": "00:00:01:05", "Start TC": "10:00:00:00", "End TC": "10:00:01:05", "Type": "Video",
        "Drop frame": "0", "Format": "QuickTime", "Online Status": "Online", "Bit Depth": "8", "PAR": "Square",
        "Field Dominance": "Progressive", "Super Scale": 1, "Usage": "0", "Proxy": "None",
    }  # fmt: skip
    found = clip.GetClipProperty()
    assert {key: found[key] for key in expected} == expected
    assert {key: clip.GetClipProperty(key) for key in expected} == expected
    assert clip.GetClipProperty("frames") == ""
    assert clip.GetClipProperty("") == found


def test_before_19_the_rate_is_text(movie: Path) -> None:
    [clip] = pool_of(Bench("18.6-studio")).ImportMedia([str(movie)])
    assert clip.GetClipProperty("FPS") == "25"


def test_a_still_and_a_file_that_is_none(tmp_path: Path) -> None:
    pool = pool_of(Bench())
    [clip] = pool.ImportMedia([str(write_still(tmp_path / "s012_f00345_best.png"))])
    assert [clip.GetClipProperty(key) for key in ("Type", "Frames", "Resolution")] == ["Still", "1", "30x20"]
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("text")
    assert pool.ImportMedia([str(tmp_path / "broken.png"), str(tmp_path / "notes.txt")]) == []


def test_running_numbers_are_taken_for_a_sequence(tmp_path: Path) -> None:
    """One path is enough to bring its neighbours along; a gap ends the run."""
    for number in (1, 2, 3, 5):
        write_still(tmp_path / f"shot_{number:04}.png")
    [clip] = pool_of(Bench()).ImportMedia([str(tmp_path / "shot_0002.png"), str(tmp_path / "shot_0003.png")])
    assert clip.GetName() == "shot_[0001-0003].png"
    assert [clip.GetClipProperty(key) for key in ("Frames", "Type", "FPS")] == ["3", "Video", 24.0]
    [alone] = pool_of(Bench()).ImportMedia([str(tmp_path / "shot_0005.png")])
    assert alone.GetClipProperty("Type") == "Still"


def test_a_sequence_by_its_pattern(tmp_path: Path) -> None:
    for number in range(1, 6):
        write_still(tmp_path / f"f_{number:03}.png")
    entry = {"FilePath": str(tmp_path / "f_%03d.png"), "StartIndex": 2, "EndIndex": 4}
    [clip] = pool_of(Bench()).ImportMedia([entry])
    assert (clip.GetName(), clip.GetClipProperty("Frames")) == ("f_[002-004].png", "3")
    assert clip.GetClipProperty("Online Status") == "Online"
    assert pool_of(Bench()).ImportMedia([entry | {"StartIndex": 9, "EndIndex": 12}]) == []


def test_before_21_1_the_dict_form_imports_sequences_alone(movie: Path) -> None:
    for profile, found in (("19.1.3-studio", 0), ("21.1-studio", 1)):
        assert len(pool_of(Bench(profile)).ImportMedia([{"FilePath": str(movie)}])) == found


def test_a_folder_is_imported_with_what_is_in_it(tmp_path: Path) -> None:
    for name in ("f_1.png", "f_2.png", "alone.png"):
        write_still(tmp_path / name)
    names = [clip.GetName() for clip in pool_of(Bench()).ImportMedia([str(tmp_path)])]
    assert names == ["alone.png", "f_[1-2].png"]


def test_sound_takes_the_rate_of_the_project_at_its_import(tmp_path: Path) -> None:
    """Measured on 19.1.3: and keeps it when the project changes."""
    path = write_sound(tmp_path / "a.wav", 10)
    for rate, shown, frames in ((24, 24.0, "240"), (Fraction(30000, 1001), 29.97, "299")):
        [clip] = pool_of(Bench(rate=rate)).ImportMedia([str(path)])
        assert [clip.GetClipProperty(key) for key in ("Type", "FPS", "Frames")] == ["Audio", shown, frames]
    project = pool_of(Bench())
    [clip] = project.ImportMedia([str(path)])
    assert clip.GetClipProperty("Resolution") == ""


def test_media_that_went_away_is_offline(tmp_path: Path) -> None:
    path = write_still(tmp_path / "x_best.png")
    bench = Bench()
    [clip] = pool_of(bench).ImportMedia([str(path)])
    path.unlink()
    assert clip.GetClipProperty("Online Status") == "Offline"
    write_still(path)
    assert pool_of(bench).UnlinkClips([clip]) is True
    assert clip.GetClipProperty("Online Status") == "Offline"
    assert pool_of(bench).RelinkClips([clip], str(tmp_path)) is True
    assert clip.GetClipProperty("Online Status") == "Online"


def test_replacing_a_clip_changes_every_item_of_the_project(movie: Path, tmp_path: Path) -> None:
    bench = Bench()
    still = bench.add_media(write_still(tmp_path / "a_best.png"))
    first = bench.handle(bench.add_item(still, 86400, 10))
    bench.add_timeline("Other")
    second = bench.handle(bench.add_item(still, 86400, 20))
    clip = bench.handle(still)
    clip.SetMetadata("Comments", "mine")
    assert clip.ReplaceClip(str(movie)) is True
    for item in (first, second):
        assert item.GetMediaPoolItem().GetClipProperty("File Path") == str(movie)
    assert clip.GetMetadata("Comments") == ""
    assert clip.ReplaceClip("/nowhere/at/all.mov") is False


def test_a_replacement_may_not_be_shorter_than_what_is_shown(movie: Path) -> None:
    bench = Bench()
    long = bench.add_media("/nowhere/long.mov", frames=100)
    bench.add_item(long, 86400, 50)
    assert bench.handle(long).ReplaceClip(str(movie)) is False


def test_proxies(movie: Path) -> None:
    clip = pool_of(Bench()).ImportMedia([str(movie)])[0]
    assert clip.LinkProxyMedia("/nowhere/at/all.mov") is False
    assert clip.LinkProxyMedia(movie.name) is False
    assert clip.LinkProxyMedia(str(movie)) is True
    assert clip.GetClipProperty("Proxy Media Path") == str(movie)
    assert clip.UnlinkProxyMedia() is True
    assert clip.UnlinkProxyMedia() is False


def test_super_scale_is_studio_only() -> None:
    for profile, kept in (("21.0-studio", True), ("21.0-free", False)):
        bench = Bench(profile)
        clip = bench.handle(bench.add_media("/nowhere/a.mov"))
        assert clip.SetClipProperty("Super Scale", 2, 0.5, 0.5) is kept
        assert clip.SetClipProperty("Super Scale", 3, 0.5, 0.5) is False
        assert clip.GetClipProperty("Super Scale") == (2 if kept else 1)


def test_setting_a_reel_name_says_true_and_keeps_nothing() -> None:
    """Facts 1.5."""
    bench = Bench()
    clip = bench.handle(bench.add_media("/nowhere/a.mov"))
    assert clip.SetClipProperty("Reel Name", "A001") is True
    assert clip.GetClipProperty("Reel Name") == ""
    assert clip.SetMetadata({"Reel Name": "A001", "Comments": "kept"}) is True
    assert clip.GetMetadata() == {"Comments": "kept"}
    assert clip.SetClipProperty("Frames", "3") is False


def test_deleting_clips_takes_their_items_and_timelines_along() -> None:
    bench = Bench()
    clip = bench.add_media("/nowhere/a.mov", frames=50)
    item = bench.handle(bench.add_item(clip, 86400, 10))
    pool = pool_of(bench)
    timeline = bench.handle(bench.timeline)
    assert bench.handle(clip).GetClipProperty("Usage") == "1"
    assert pool.DeleteClips([bench.handle(clip)]) is True
    assert item.GetName() is None
    assert pool.DeleteClips([timeline.GetMediaPoolItem()]) is True
    assert bench.resolve.GetProjectManager().GetCurrentProject().GetTimelineCount() == 0


def test_timelines_lie_in_the_current_bin_and_have_names_of_their_own() -> None:
    bench = Bench()
    pool = pool_of(bench)
    folder = pool.AddSubFolder(pool.GetRootFolder(), "Edits")
    made = pool.CreateEmptyTimeline("One")
    project = bench.resolve.GetProjectManager().GetCurrentProject()
    assert project.GetCurrentTimeline().GetName() == "One"
    assert [clip.GetClipProperty("Type") for clip in folder.GetClipList()] == ["Timeline"]
    assert pool.CreateEmptyTimeline("One") is None
    other = pool.CreateEmptyTimeline("Two")
    assert project.SetCurrentTimeline(made) is True
    assert project.GetTimelineByIndex(2).GetName() == "Two"
    assert [project.GetTimelineByIndex(index) for index in (0, 3)] == [None, None]
    assert pool.DeleteTimelines([made]) is True
    assert project.GetCurrentTimeline().GetName() == other.GetName() == "Two"
    assert made.GetName() is None


def test_clips_move_between_bins() -> None:
    bench = Bench()
    clip, folder = bench.add_media("/nowhere/a.mov"), bench.add_bin("There")
    pool = pool_of(bench)
    assert pool.MoveClips([bench.handle(clip)], bench.handle(folder)) is True
    assert folder.clips == [clip]
    assert pool.MoveClips([], bench.handle(folder)) is False
    assert pool.SetSelectedClip(bench.handle(clip)) is True
    assert [each.GetName() for each in pool.GetSelectedClips()] == ["a.mov"]


def test_a_clip_can_be_given_another_rate_and_start() -> None:
    bench = Bench()
    clip = bench.handle(bench.add_media("/nowhere/a.mov", frames=100))
    assert clip.SetClipProperty("FPS", "25") is True
    assert clip.SetClipProperty("FPS", "24.5") is False
    assert clip.SetClipProperty("Start TC", "10:00:00:00") is True
    assert clip.SetClipProperty("Start TC", "10:00") is False
    assert [clip.GetClipProperty(key) for key in ("FPS", "Start TC", "End TC")] == [25.0, "10:00:00:00", "10:00:04:00"]


def test_a_new_project_may_run_at_29_97_with_drop_frame() -> None:
    bench = Bench(quirks="drop_frame")
    bench.app.open(bench.app.new_project("NTSC"))
    timeline = pool_of(bench).CreateEmptyTimeline("T")
    assert (timeline.GetStartTimecode(), timeline.GetStartFrame()) == ("01:00:00;00", 107892)
