"""Lists of shots on the command line, from the file to what is printed and made."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from footage import two_shots
from signals import make_signal
from snapupscale import cli, findings
from snapupscale.media.source import probe
from snapupscale.timeline.conform import decoded_frames, frame_numbers, to_edit_list, uncut
from snapupscale.timeline.exports import export
from snapupscale.timeline.fitting import fit
from snapupscale.timeline.reading import READERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snapupscale.scenes.signal import Signal

FORMS = {"edl": "edl", "otio": "otio", "csv": "csv", "pyscenedetect-csv": "csv"}


@pytest.fixture
def footage(clip: Callable[..., Path]) -> Path:
    return clip("given.mov", frames=40, picture=two_shots, options={"crf": "12"}, metadata={"timecode": "10:00:00:00"})


def variable(steps: list[int]) -> Signal:
    """Frames `steps` thousandths of a second apart."""
    ticks = np.cumsum([0, *steps]).astype(np.int64)
    signal = make_signal(np.zeros(len(ticks), dtype=np.float32))
    index = replace(signal.index, ticks=ticks, tick=Fraction(1, 1000))
    return replace(signal, index=index, constant_rate=False)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_printed_can_be_given(
    footage: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], form: str
) -> None:
    path = tmp_path / f"list.{FORMS[form]}"
    assert cli.main(["detect", str(footage), "--format", form, "-o", str(path)]) == 0
    assert cli.main(["detect", str(footage), "--shots", str(path), "--progress", "none"]) == 0

    printed, said = capfdbinary.readouterr()

    found = json.loads(printed)
    assert (found["cuts"], found["method"], found["frames"]) == ([20], "given", 40)
    assert b"warning" not in said


def test_a_list_is_turned_into_another_form(footage: Path, tmp_path: Path) -> None:
    scenes, target = tmp_path / "scenes.csv", tmp_path / "cuts.edl"
    scenes.write_text("Scene Number,Start Frame\n1,1\n2,8\n3,31\n", encoding="utf-8")

    assert cli.main(["detect", str(footage), "--shots", str(scenes), "-o", str(target)]) == 0

    ins = [line.split()[4] for line in target.read_text().split("\n") if line[:1].isdigit()]
    assert ins == ["10:00:00:00", "10:00:00:07", "10:00:01:06"]


def test_stills_are_made_of_the_shots_given(footage: Path, tmp_path: Path) -> None:
    scenes, out = tmp_path / "scenes.csv", tmp_path / "out"
    scenes.write_text("Start Frame\n1\n8\n31\n", encoding="utf-8")

    arguments = ["stills", str(footage), "-o", str(out), "--shots", str(scenes), "--backend", "lanczos", "--scale", "1"]
    assert cli.main([*arguments, "--pick", "first"]) == 0

    assert len(list(out.glob("*_still.png"))) == 3
    assert json.loads((out / "given.cuts.json").read_text())["cuts"] == [7, 30]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--shots", "scenes.csv", "--method", "histogram"], 2, "--method does not go with --shots"),
        (["--shots", "scenes.csv", "--threshold", "0.4"], 2, "--threshold does not go with --shots"),
        (["--shots", "scenes.csv", "--min-shot", "1"], 2, "--min-shot does not go with --shots"),
        (["--shots", "none.csv"], 1, "code: list-unreadable"),
        (["--shots", "far.csv"], 1, "code: list-mismatch"),
    ],
)
@pytest.mark.parametrize("command", ["detect", "stills"])
def test_what_goes_wrong_ends_with_a_code(
    footage: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, last in (("scenes.csv", 8), ("far.csv", 41)):
        (tmp_path / name).write_text(f"Start Frame\n1\n{last}\n", encoding="utf-8")
    more = ["-o", "out", "--backend", "lanczos"] if command == "stills" else []

    assert cli.main([command, str(footage), *arguments, *more]) == code

    assert words in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*.png"))


def test_the_list_is_not_written_over(
    footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenes = tmp_path / "scenes.csv"
    scenes.write_text("Start Frame\n1\n8\n", encoding="utf-8")

    assert cli.main(["detect", str(footage), "--shots", str(scenes), "-o", str(scenes)]) == 2

    assert "the list of shots itself" in capsys.readouterr().err
    assert scenes.read_text(encoding="utf-8") == "Start Frame\n1\n8\n"


@pytest.mark.parametrize("form", FORMS)
def test_a_variable_rate_comes_back(footage: Path, form: str) -> None:
    signal, source = variable([42, 41, 417, 42, 83, 42, 1000, 42]), probe(footage)
    found = findings.given(source, signal, READERS["csv"]("Start Frame\n1\n"))[1]
    edit = to_edit_list(source, signal, replace(found, cuts=(3, 5, 7)))

    _, again = findings.given(source, signal, READERS[FORMS[form]](export(edit, form)))

    assert again.cuts == (3, 5, 7)
    assert edit.times[1:-1] == (Fraction(500, 1000), Fraction(625, 1000), Fraction(1667, 1000))


def test_frames_that_share_a_number_are_told_by_the_first() -> None:
    signal = variable([5, 5, 5, 485, 42])
    assert frame_numbers(signal).tolist() == [0, 0, 0, 0, 12, 13]
    assert decoded_frames(signal, (0, 1, 12, 13)) == (0, 4, 4, 5)


def test_what_there_is_to_know_is_among_the_warnings(footage: Path) -> None:
    signal, source = make_signal(np.zeros(40, dtype=np.float32)), probe(footage)
    listing = READERS["csv"]("start_frame,end_frame\n5,10\n")

    told, found = findings.given(source, signal, listing)

    assert found.cuts == fit(listing, uncut(source, signal)).cuts == (5, 10)
    assert any("leaves out" in warning for warning in told.warnings)
    assert signal.warnings == ()
