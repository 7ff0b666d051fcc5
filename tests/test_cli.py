from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from footage import long_footage, two_shots
from snapupscale import cli
from snapupscale.commands import DEMO_CLIP
from snapupscale.stills.images import read_image

if TYPE_CHECKING:
    from collections.abc import Callable

CONTRACT = {"source", "rate", "frames", "method", "threshold", "cuts", "confidence", "transitions", "shots", "rejected"}


@pytest.fixture
def footage(clip: Callable[..., Path]) -> Path:
    return clip("two_shots.mp4", frames=40, picture=two_shots, options={"crf": "12"})


def program(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "snapupscale", *map(str, arguments)]


def ask(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(program(*arguments), capture_output=True, text=True, check=False, timeout=100)


def test_detect_prints_the_contract(footage: Path) -> None:
    result = ask("detect", footage)
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert set(found) >= CONTRACT
    assert (found["rate"], found["frames"], found["method"], found["threshold"]) == ("24", 40, "adaptive", 0.4)
    assert (found["cuts"], len(found["confidence"])) == ([20], 1)
    assert found["shots"] == [{"start": 0, "end": 20}, {"start": 20, "end": 40}]


@pytest.mark.parametrize("form", ["csv", "edl", "otio", "fcpxml"])
def test_detect_writes_what_the_suffix_says(footage: Path, tmp_path: Path, form: str) -> None:
    printed = ask("detect", footage, "--format", form)
    written = ask("detect", footage, "-o", tmp_path / "new" / f"cuts.{form}")
    assert (printed.returncode, written.returncode, written.stdout) == (0, 0, "")
    assert (tmp_path / "new" / f"cuts.{form}").read_bytes().decode() == printed.stdout.replace("\n", os.linesep) or (
        (tmp_path / "new" / f"cuts.{form}").read_text() == printed.stdout
    )


def test_detect_as_a_table(footage: Path) -> None:
    rows = list(csv.reader(io.StringIO(ask("detect", footage, "--format", "csv").stdout)))
    assert len(rows) == 3


def test_thresholds_change_the_result_without_a_decode(footage: Path) -> None:
    counts = [len(json.loads(ask("detect", footage, "--threshold", str(t)).stdout)["cuts"]) for t in (0.1, 0.8)]
    assert counts[0] >= counts[1]


def test_progress_as_json_lines(footage: Path) -> None:
    result = ask("detect", footage, "--progress", "json")
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert {line["stage"] for line in lines} == {"analyse"}
    assert set(lines[-1]) == {"stage", "done", "total", "unit", "rate", "eta"}
    assert (lines[-1]["done"], lines[-1]["total"], lines[-1]["unit"]) == (40, 40, "frames")
    json.loads(result.stdout)


def test_probe(footage: Path) -> None:
    found = json.loads(ask("probe", footage, "--json").stdout)
    assert (found["width"], found["height"], found["rate"], found["frames"]) == (192, 108, "24", 40)
    assert "display width:    192" in ask("probe", footage).stdout


def test_stills_prints_the_files_it_made(footage: Path, tmp_path: Path) -> None:
    result = ask("stills", footage, "-o", tmp_path / "out", "--backend", "lanczos", "--scale", "2")
    assert result.returncode == 0
    paths = [Path(line) for line in result.stdout.splitlines()]
    assert all(path.is_file() for path in paths)
    assert [path.suffix for path in paths].count(".png") == 2
    assert paths[-1].name == "report.html"
    assert "lanczos" in result.stderr


def test_upscale_pictures(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a 0001.png"), picture)
    cv2.imwrite(str(tmp_path / "b.png"), picture[..., 0])
    result = ask("upscale", tmp_path / "a 0001.png", tmp_path / "b.png", "-o", tmp_path / "out", "--backend", "bicubic")
    assert result.returncode == 0, result.stderr
    names = [Path(line).name for line in result.stdout.splitlines()]
    assert names == ["a 0001_x4_upscaled.png", "b_x4_upscaled.png"]
    image, _ = read_image(tmp_path / "out" / names[0])
    assert image.shape == (80, 120, 3)


def test_two_pictures_of_one_name_are_refused(tmp_path: Path) -> None:
    result = ask("upscale", "x/a.png", "y/a.tif", "-o", tmp_path, "--backend", "bicubic")
    assert result.returncode == 2
    assert "a_x4_upscaled.png" in result.stderr


def test_models_and_doctor() -> None:
    listed = ask("models").stdout
    for name in ("x4plus", "x4plus-anime", "x2plus", "animevideov3", "general-x4v3"):
        assert name in listed
    verified = ask("models", "verify")
    assert verified.returncode == 0
    assert verified.stdout.count(" ok") == 3
    checks = {check["name"]: check for check in json.loads(ask("doctor", "--json").stdout)}
    assert checks["x4plus"]["ok"]
    assert checks["codecs"]["ok"]
    text = ask("doctor")
    assert text.returncode == 0
    assert str(Path.home()) not in text.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["detect", "missing.mp4"], 1, "code: source-missing"),
        (["detect", str(Path(__file__))], 1, "code: not-a-video"),
        (["detect", str(DEMO_CLIP), "--threshold", "0.9"], 2, "code: bad-setting"),
        (["detect", str(DEMO_CLIP), "--method", "magic"], 2, "hint: Methods: adaptive"),
        (["detect", str(DEMO_CLIP), "--rate", "x"], 2, "frame rate"),
        (["upscale", "none.png", "-o", "out", "--backend", "bicubic"], 1, "code: image-unreadable"),
        (["upscale", "none.png", "-o", "out", "--tile", "x"], 2, "code: bad-setting"),
        (["stills", str(DEMO_CLIP), "-o", "out", "--backend", "vulkan"], 2, "auto, cuda, mps, ncnn, cpu"),
        (["models", "fetch", "nothing"], 2, "x2plus"),
        (["detect", str(DEMO_CLIP), "-o", str(DEMO_CLIP)], 2, "the footage itself"),
        (["detect", str(DEMO_CLIP), "-o", "cuts.doc"], 2, "no format is known"),
        (["probe", "a" * 300 + ".mp4"], 1, "code: source-unreadable"),
        (["stills", str(DEMO_CLIP), "-o", "out", "--scale", "1e99999999"], 2, "is no number"),
        (["upscale", "none.png", "-o", "out", "--tile", "9" * 5000], 2, "code: bad-setting"),
        (["nonsense"], 2, "invalid choice"),
        ([], 2, "required"),
    ],
)
def test_what_goes_wrong_ends_with_a_code(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    result = subprocess.run(
        program(*arguments), capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
    )
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_an_unexpected_fault_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: Any, **settings: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("snapupscale.media.source.probe", fail)
    assert cli.main(["probe", "a.mp4"]) == 1
    assert "RuntimeError: boom" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="the shell of POSIX")
@pytest.mark.parametrize("streams", [">&-", "2>&-", ">/dev/full", ">&- 2>&-"])
def test_streams_that_are_closed_or_full(footage: Path, streams: str) -> None:
    command = f"{sys.executable} -m snapupscale detect {footage} {streams}"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in result.stderr
    assert "internal" not in result.stderr
    assert result.returncode == (1 if "full" in streams else 0)


def test_a_name_that_standard_output_cannot_hold(footage: Path, tmp_path: Path) -> None:
    path = tmp_path / "日本.mp4"
    path.write_bytes(footage.read_bytes())
    command = program("stills", path, "-o", tmp_path / "out", "--backend", "lanczos", "--scale", "1")
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    result = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert result.returncode == 0
    assert b"report.html" in result.stdout


def test_a_closed_pipe_is_no_traceback(footage: Path) -> None:
    with subprocess.Popen(program("detect", footage), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def wait_for(process: subprocess.Popen[str], stage: str) -> None:
    """Read progress until `stage` has begun to move."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("{") and json.loads(line)["stage"] == stage and json.loads(line)["done"] > 0:
            return
    raise AssertionError(f"{stage} never came")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_cancelling_in_the_middle_of_a_still(clip: Callable[..., Path], tmp_path: Path, number: int) -> None:
    path = clip("long.mp4", frames=60, width=640, height=360, picture=long_footage, options={"crf": "20"})
    command = program("stills", path, "-o", tmp_path, "--model", "x4plus", "--backend", "cpu", "--progress", "json")
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        wait_for(process, "upscale")
        began = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        elapsed = time.monotonic() - began
    assert process.returncode == 130
    assert "cancelled" in errors
    assert "Traceback" not in errors
    # A second is promised on a machine of its own; the tests may share theirs.
    assert elapsed < 3
    assert [file.name for file in tmp_path.iterdir() if file.name != ".snapupscale.lock"] == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_run_goes_on(clip: Callable[..., Path], tmp_path: Path) -> None:
    path = clip("long.mp4", frames=60, width=640, height=360, picture=long_footage, options={"crf": "20"})
    command = program("stills", path, "-o", tmp_path, "--backend", "lanczos", "--progress", "json")
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob("*.png")):
            time.sleep(0.005)
        process.kill()
        process.communicate()
    finished = {file.name: file.read_bytes() for file in tmp_path.glob("[!.]*.png")}
    for name in finished:
        assert read_image(tmp_path / name)[0].shape == (1440, 2560, 3)
    result = ask("stills", path, "-o", tmp_path, "--backend", "lanczos")
    assert result.returncode == 0
    assert len(list(tmp_path.glob("*.png"))) == 3
    assert not list(tmp_path.glob(".snapupscale-*"))
    for name, content in finished.items():
        assert (tmp_path / name).read_bytes() == content


def test_two_at_once(clip: Callable[..., Path], tmp_path: Path) -> None:
    path = clip("long.mp4", frames=60, width=640, height=360, picture=long_footage, options={"crf": "20"})
    command = program("stills", path, "-o", tmp_path, "--backend", "lanczos", "--progress", "json")
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        wait_for(first, "analyse")
        second = ask("stills", path, "-o", tmp_path, "--backend", "lanczos")
        first.communicate(timeout=60)
    assert first.returncode == 0
    assert (second.returncode, "code: output-busy" in second.stderr) == (1, True)
