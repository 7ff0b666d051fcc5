from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import opentimelineio
import pytest
from filelock import FileLock

from snapupscale.errors import Cancelled, DiskFull, OutputBusy, OutputUnwritable, SettingError, SourceMissing
from snapupscale.job import Outcome, Settings, run
from snapupscale.media.decoder import Decoder
from snapupscale.stills.images import read_image
from snapupscale.upscale.engine import Upscaler

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUICK = Settings(backend="lanczos", scale=Fraction(2))


def shots(number: int, width: int, height: int) -> np.ndarray:
    """Three shots of 20 frames, structured; the last one black."""
    shot = number // 20
    if shot == 2:
        return np.zeros((height, width, 3), dtype=np.uint8)
    image = np.random.default_rng(shot).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    tint = np.array([(1.0, 0.4, 0.2), (0.2, 0.5, 1.0)][shot])
    return (image * tint * (0.9 + 0.1 * np.sin(number))).astype(np.uint8)


@pytest.fixture
def footage(clip: Callable[..., Path]) -> Path:
    return clip("shots.mp4", frames=60, picture=shots, options={"crf": "12"}, rate=Fraction(30000, 1001))


def test_one_folder_holds_everything(footage: Path, tmp_path: Path) -> None:
    said: list[str] = []
    stages: list[str] = []
    outcome = run(
        footage, tmp_path / "out", QUICK, say=said.append, progress=lambda stage, done, total: stages.append(stage)
    )
    assert list(dict.fromkeys(stages)) == ["analyse", "pick", "upscale"]
    assert [path.name[:10] for path in outcome.stills] == ["shots_s001", "shots_s002"]
    assert {path.suffix for path in outcome.timelines} == {".json", ".csv", ".edl", ".otio", ".fcpxml"}
    image, _ = read_image(outcome.stills[0])
    assert image.shape == (216, 384, 3)
    assert image.dtype == np.uint16
    found = json.loads((tmp_path / "out" / "shots.cuts.json").read_text())
    assert (found["rate"], found["frames"], found["cuts"]) == ("30000/1001", 60, [20, 40])
    assert found["shots"] == [{"start": 0, "end": 20}, {"start": 20, "end": 40}, {"start": 40, "end": 60}]
    timeline = opentimelineio.adapters.read_from_file(str(tmp_path / "out" / "shots.otio"))
    assert len(timeline.tracks) == 2
    page = outcome.report.read_text()
    assert "every frame is black" in page
    assert page.count("data:image") + page.count("/9j/") >= 4
    assert any("lanczos" in sentence for sentence in said)


def test_a_second_run_keeps_what_is_finished(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(footage, tmp_path, QUICK)
    times = [path.stat().st_mtime_ns for path in first.stills]
    monkeypatch.setattr(Upscaler, "upscale", None)
    second = run(footage, tmp_path, QUICK)
    assert (first.kept, second.kept) == (0, 2)
    assert [path.stat().st_mtime_ns for path in second.stills] == times
    assert second.report.read_text() == first.report.read_text()


def test_a_damaged_still_is_made_again(footage: Path, tmp_path: Path) -> None:
    first = run(footage, tmp_path, QUICK)
    whole = first.stills[0].read_bytes()
    first.stills[0].write_bytes(whole[:100])
    assert run(footage, tmp_path, QUICK).kept == 1
    assert first.stills[0].read_bytes() == whole


def test_other_settings_make_other_stills(footage: Path, tmp_path: Path) -> None:
    first = run(footage, tmp_path, QUICK)
    before = [path.read_bytes() for path in first.stills]
    said: list[str] = []
    other = Settings(backend="bicubic", scale=Fraction(2))
    second = run(footage, tmp_path, other, say=said.append)
    assert second.kept == 0
    assert any("2 stills of earlier runs" in sentence for sentence in said)
    assert not set(first.stills) & set(second.stills)
    assert [path.read_bytes() for path in first.stills] == before
    assert run(footage, tmp_path, other).stills == second.stills
    assert (run(footage, tmp_path, other).kept, run(footage, tmp_path, QUICK).kept) == (2, 2)


def test_a_clip_called_stills(footage: Path, tmp_path: Path) -> None:
    path = tmp_path / "stills.mp4"
    path.write_bytes(footage.read_bytes())
    run(path, tmp_path / "out", QUICK)
    assert run(path, tmp_path / "out", QUICK).kept == 2


def test_a_stored_signal_that_no_longer_holds_is_measured_again(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(24):
        cv2.imwrite(str(folder / f"a{number:02d}.bmp"), shots(number, 192, 108))
    run(folder / "a%02d.bmp", tmp_path / "out", QUICK)
    middle = folder / "a12.bmp"
    state = middle.stat()
    cv2.imwrite(str(middle), 255 - shots(12, 192, 108))
    os.utime(middle, ns=(state.st_atime_ns, state.st_mtime_ns))
    everything = Settings(backend="lanczos", scale=Fraction(2), pick="middle")
    assert run(folder / "a%02d.bmp", tmp_path / "out2", everything).stills


def test_settings_are_refused_before_the_footage_is_decoded(footage: Path, tmp_path: Path) -> None:
    stages: list[str] = []
    for settings in (Settings(threshold=5), Settings(backend="quantum"), Settings(scale=Fraction(99))):
        with pytest.raises(SettingError):
            run(footage, tmp_path / "out", settings, progress=lambda stage, done, total: stages.append(stage))
    assert stages == []
    assert not (tmp_path / "out").exists()


def test_a_cancelled_run_goes_on_where_it_stopped(footage: Path, tmp_path: Path) -> None:
    def stop(stage: str, done: float, total: float | None) -> None:
        if stage == "upscale" and done >= 1:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run(footage, tmp_path, QUICK, progress=stop)
    assert len(list(tmp_path.glob("*.png"))) == 1
    assert not list(tmp_path.glob(".snapupscale-*"))
    assert run(footage, tmp_path, QUICK).kept == 1


def test_a_run_is_cancelled_while_a_still_is_written(footage: Path, tmp_path: Path) -> None:
    seen: list[float] = []

    def stop(stage: str, done: float, total: float | None) -> None:
        if stage == "upscale":
            seen.append(done)
            if list(tmp_path.glob(".snapupscale-*.png")):
                raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run(footage, tmp_path, QUICK, progress=stop)
    assert seen == sorted(seen)
    assert seen[-1] < 1
    assert not list(tmp_path.glob("*.png"))
    assert not list(tmp_path.glob(".snapupscale-*"))


def test_leftovers_of_a_killed_run_are_cleared(footage: Path, tmp_path: Path) -> None:
    (tmp_path / ".snapupscale-4194999-00000000-abc.png").write_bytes(b"half")
    run(footage, tmp_path, QUICK)
    assert not list(tmp_path.glob(".snapupscale-*"))


def test_limit_and_pick(footage: Path, tmp_path: Path) -> None:
    outcome = run(footage, tmp_path, Settings(backend="lanczos", pick="first", limit=1))
    assert [path.name for path in outcome.stills] == ["shots_s001_f00000_x4_still.png"]


def test_a_part_of_the_footage(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(footage, tmp_path / "whole", QUICK)
    asked: set[int] = set()
    plain = Decoder.read

    def read(self: Decoder, frames: Any, index: Any) -> Any:
        asked.update(frames)
        return plain(self, frames, index)

    monkeypatch.setattr(Decoder, "read", read)
    outcome = run(footage, tmp_path / "part", replace(QUICK, first=15, end=30))
    assert asked
    assert all(15 <= frame < 30 for frame in asked)
    assert [path.name[:10] for path in outcome.stills] == ["shots_s001", "shots_s002"]
    found = json.loads((tmp_path / "part" / "shots.cuts.json").read_text())
    assert (found["cuts"], found["frames"]) == ([20, 40], 60)
    timeline = opentimelineio.adapters.read_from_file(str(tmp_path / "part" / "shots.otio"))
    assert len(list(timeline.tracks[0])) == 3
    page = outcome.report.read_text()
    assert "frames 15 to 29 of 60" in page
    assert "frames 15" not in whole.report.read_text()
    assert '"start":15,"end":20,"startTimecode":"00:00:00:15"' in page
    only = run(footage, tmp_path / "whole", replace(QUICK, pick="first", first=25, end=10_000, limit=1))
    assert [path.name for path in only.stills] == ["shots_s002_f00025_x2_still.png"]


@pytest.mark.parametrize(("first", "end"), [(60, 61), (5, 5), (6, 5), (-1, 5), (None, 5), (5, None)])
def test_a_part_that_is_none(footage: Path, tmp_path: Path, first: int | None, end: int | None) -> None:
    with pytest.raises(SettingError, match="frame"):
        run(footage, tmp_path, replace(QUICK, first=first, end=end))
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize("form", ["tiff", "exr"])
def test_other_formats(footage: Path, tmp_path: Path, form: str) -> None:
    settings = Settings(backend="lanczos", scale=Fraction(2), format=form)
    first = run(footage, tmp_path, settings)
    assert {path.suffix for path in first.stills} == {f".{form}"}
    assert run(footage, tmp_path, settings).kept == 2


def test_two_runs_into_one_folder(footage: Path, tmp_path: Path) -> None:
    with FileLock(tmp_path / ".snapupscale.lock"), pytest.raises(OutputBusy, match="another run"):
        run(footage, tmp_path, QUICK)
    assert run(footage, tmp_path, QUICK).stills


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"format": "gif"}, "png, tiff, exr"),
        ({"limit": 0}, "--help"),
        ({"pick": "nicest"}, "best, first, middle"),
        ({"method": "magic"}, "histogram"),
        ({"backend": "quantum"}, "lanczos"),
        ({"model": "x5"}, "x4plus"),
    ],
)
def test_wrong_settings_say_what_is_right(footage: Path, tmp_path: Path, settings: dict[str, Any], hint: str) -> None:
    with pytest.raises(SettingError) as error:
        run(footage, tmp_path, Settings(**settings))
    assert hint in error.value.hint


def test_a_missing_source_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing):
        run(tmp_path / "none.mp4", tmp_path / "out", QUICK)
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_is_a_file(footage: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputUnwritable):
            run(footage, folder, QUICK)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_no_space_left(footage: Path, tmp_path: Path) -> None:
    import resource

    run(footage, tmp_path / "warm", QUICK)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(DiskFull) as error:
            run(footage, tmp_path / "full", QUICK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "Free some space" in error.value.hint
    assert not list((tmp_path / "full").glob("*.png"))
    assert not list((tmp_path / "full").glob(".snapupscale-*"))
    assert len(run(footage, tmp_path / "full", QUICK).stills) == 2


@pytest.mark.parametrize("name", ["with space", "größe – 映画", "x" * 200, "CON", "-o", "a'b\"c&d", "[1-2]", "50%d"])
def test_names_that_trip_programs_up(footage: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.mp4"
    path.write_bytes(footage.read_bytes())
    outcome = run(path, tmp_path / "out", QUICK)
    assert len(outcome.stills) == 2
    everything: Outcome = run(path, tmp_path / "out", QUICK)
    assert everything.kept == 2


def test_a_name_that_turns_the_text_around_does_not_turn_the_report(footage: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip\u202evom.mp4"
    path.write_bytes(footage.read_bytes())
    assert "\u202e" not in run(path, tmp_path / "out", QUICK).report.read_text()


def test_footage_of_a_variable_rate_is_placed_by_time(clip: Callable[..., Path], tmp_path: Path) -> None:
    pts = [number * 42 for number in range(20)] + [2000 + number * 42 for number in range(40)]
    path = clip("gap.mkv", frames=60, picture=shots, time_base=Fraction(1, 1000), pts=pts, options={"crf": "12"})
    said: list[str] = []
    run(path, tmp_path, QUICK, say=said.append, progress=lambda stage, done, total: said.append(stage))
    warned = next(number for number, sentence in enumerate(said) if "variable frame rate" in sentence)
    assert "upscale" not in said[:warned]
    timeline = opentimelineio.adapters.read_from_file(str(tmp_path / "gap.otio"))
    starts = [int(item.source_range.start_time.value) for item in timeline.tracks[0]]
    assert starts == [0, 48, 68]


def test_a_real_model_restores_a_still(footage: Path, tmp_path: Path) -> None:
    outcome = run(footage, tmp_path, Settings(model="animevideov3", backend="cpu", limit=1))
    image, _ = read_image(outcome.stills[0])
    assert image.shape == (432, 768, 3)
    record = json.loads((tmp_path / "stills.json").read_text())["stills"][outcome.stills[0].name]
    assert record["made_with"]["model"] == "animevideov3"
    assert len(record["made_with"]["weights_sha256"]) == 64
