"""The tables of PySceneDetect, compared with what scenedetect writes, and read by it."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scenedetect import FrameTimecode, StatsManager
from scenedetect.output import write_scene_list

from signals import make_signal
from snapupscale.scenes.methods import find_cuts
from snapupscale.timeline.pyscenedetect import to_scene_list, to_stats

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snapupscale.timeline.editlist import EditList


def test_the_scene_list_is_the_one_that_scenedetect_writes(edit: EditList) -> None:
    scenes = [(FrameTimecode(shot.start, edit.rate), FrameTimecode(shot.end, edit.rate)) for shot in edit.shots]
    cuts = [start.get_timecode() for start, _ in scenes[1:]]
    expected = io.StringIO(newline="")
    write_scene_list(expected, scenes, cut_list=cuts)

    for line, wanted in zip(to_scene_list(edit).split("\n"), expected.getvalue().split("\n"), strict=True):
        for cell, same in zip(line.split(","), wanted.split(","), strict=True):
            # Halves of a millisecond are rounded by it in floats, one way or the other.
            assert cell == same or abs(milliseconds(cell) - milliseconds(same)) == 1


def milliseconds(cell: str) -> int:
    assert "." in cell
    *_, hours, minutes, seconds = ["0", "0", *cell.split(":")]
    return (int(hours) * 60 + int(minutes)) * 60_000 + int(seconds.replace(".", ""))


def test_times_are_those_of_the_footage(edit_with: Callable[..., EditList]) -> None:
    times = (Fraction(0), Fraction(814, 1000), Fraction(3_661_5, 10))
    text = to_scene_list(edit_with(cuts=(20,), stills=(), times=times))

    first, _, *rows = csv.reader(io.StringIO(text))
    assert first == ["Timecode List:", "00:00:00.814"]
    assert rows[0][2:4] == ["00:00:00.000", "0.000"]
    assert rows[0][5:7] == rows[1][2:4] == ["00:00:00.814", "0.814"]
    assert rows[1][5:7] == ["01:01:01.500", "3661.500"]
    assert rows[1][8:] == ["01:01:00.686", "3660.686"]


@pytest.mark.slow
def test_scenedetect_loads_the_scenes(
    clip: Callable[..., Path], edit_with: Callable[..., EditList], tmp_path: Path
) -> None:
    edit = edit_with(cuts=(7, 8, 30), frames=40, rate=Fraction(24), transitions=(), stills=())
    given = tmp_path / "given.csv"
    given.write_text(to_scene_list(edit), encoding="utf-8")

    path = clip("loaded.mp4", frames=40)
    command = ["-q", "-i", path, "load-scenes", "-i", given, "list-scenes", "-q", "-o", tmp_path]
    subprocess.run([sys.executable, "-m", "scenedetect", *map(str, command)], check=True, timeout=60)

    assert (tmp_path / "loaded-Scenes.csv").read_text() == given.read_text()


@pytest.mark.filterwarnings("ignore")
def test_scenedetect_loads_the_stats() -> None:
    distance = np.array([0, 0.25, 0.9, 1e-9], dtype=np.float32)
    signal = make_signal(distance, luma=np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32))
    found = find_cuts(signal, method="histogram", min_shot=0)

    text = to_stats(signal, found)

    stats = StatsManager()
    assert stats.load_from_csv(io.StringIO(text)) == 4
    assert set(stats.metric_keys) == {"contrast", "distance", "luma", "motion", "score"}
    for frame in range(4):
        distance_there, luma, score = stats.get_metrics(frame, ["distance", "luma", "score"])
        assert distance_there == score == pytest.approx(float(distance[frame]), rel=1e-5)
        assert luma == pytest.approx(float(signal.luma[frame]), rel=1e-5)


def test_stats_carry_the_times_of_the_frames() -> None:
    signal = make_signal(np.zeros(30, dtype=np.float32))

    rows = list(csv.reader(io.StringIO(to_stats(signal, find_cuts(signal, method="histogram")))))

    assert rows[0] == ["Frame Number", "Timecode", "contrast", "distance", "luma", "motion", "score"]
    assert [row[:2] for row in (rows[1], rows[2], rows[30])] == [
        ["1", "00:00:00.000"],
        ["2", "00:00:00.042"],
        ["30", "00:00:01.208"],
    ]
